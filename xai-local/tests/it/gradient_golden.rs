//! Gradient methods against recorded numbers of Captum.

use ndarray::{Array3, ArrayRef3, ArrayRef4};
use xai_core::{Attribution, Cells, Explainer, Run, Table};
use xai_local::gradient::layer::{
    Grid, InternalInfluence, LayerActivation, LayerConductance, LayerGradient, LayerIntegratedGradients,
    NeuronConductance, Neurons,
};
use xai_local::gradient::{Baselines, InputTimesGradient, IntegratedGradients, Quadrature, Saliency};
use xai_models::network::Network;

use crate::networks::{Case, assert_same, cases, network};

/// Captum ran in f64, our networks in f32: half of what the issue allows.
const F32: f64 = 5e-5;

type Method<B> = Box<dyn Explainer<Network<B>, Explanation = Attribution>>;

fn quadrature(case: &Case) -> Quadrature {
    match case.params["method"].as_str().unwrap() {
        "gausslegendre" => Quadrature::GaussLegendre,
        "riemann_left" => Quadrature::Left,
        "riemann_right" => Quadrature::Right,
        "riemann_middle" => Quadrature::Middle,
        "riemann_trapezoid" => Quadrature::Trapezoid,
        other => panic!("{other}"),
    }
}

/// The recorded baseline, and the number of steps.
fn ways(case: &Case, baselines: &ndarray::ArrayD<f64>) -> (Baselines, usize) {
    let first = baselines.select(ndarray::Axis(0), &[0]);
    let baselines = if case.params["baseline"] == "zero" { Baselines::Zero } else { Baselines::Samples(first) };
    (baselines, case.params["n_steps"].as_u64().unwrap() as usize)
}

fn gradients<B: Cells + ?Sized>(name: &str) -> usize {
    let recorded = network::<B>(name);
    let mut compared = 0;
    for case in cases(name, "gradients") {
        let method: Method<B> = match case.method.as_str() {
            "Saliency" => Box::new(Saliency { absolute: case.params["abs"].as_bool().unwrap() }),
            "InputXGradient" => Box::new(InputTimesGradient),
            "IntegratedGradients" => {
                let (baselines, n_steps) = ways(&case, &recorded.baselines);
                Box::new(IntegratedGradients::fixed(n_steps, quadrature(&case)).from_baselines(baselines))
            }
            _ => continue,
        };
        let rows = std::borrow::Borrow::borrow(&recorded.rows);
        let found = method.explain(&recorded.network, rows, &Run::default()).unwrap();
        let scores = |scores: &ndarray::Array2<f64>| scores.clone().insert_axis(ndarray::Axis(1));
        assert_same("scores", &scores(&found.scores), &scores(&recorded.scores), F32);
        assert_same(&format!("{name} {}", case.name), &as_captum(found.values, &case), &case.values, F32);
        compared += 1;
    }
    compared
}

#[test]
fn gradient_methods_are_those_of_captum() {
    let compared = [
        gradients::<Table>("mlp"),
        gradients::<Table>("smooth"),
        gradients::<Table>("modern"),
        gradients::<ArrayRef3<f32>>("series"),
        gradients::<ArrayRef4<f32>>("cnn"),
        gradients::<ArrayRef4<f32>>("residual"),
    ];
    assert_eq!(compared, [9, 9, 6, 6, 6, 6]);
}

fn layers<B: Cells + ?Sized>(name: &str) -> usize {
    let recorded = network::<B>(name);
    let mut compared = 0;
    for case in cases(name, "layers") {
        let layer = || case.layer.clone().unwrap().into();
        let steps = || ways(&case, &recorded.baselines);
        let method: Method<B> = match case.method.as_str() {
            "LayerActivation" => Box::new(LayerActivation { layer: layer() }),
            "LayerGradientXActivation" => Box::new(LayerGradient { layer: layer(), times_activation: true }),
            "LayerIntegratedGradients" => {
                let ((baselines, n_steps), quadrature) = (steps(), quadrature(&case));
                Box::new(LayerIntegratedGradients { layer: layer(), baselines, n_steps, quadrature })
            }
            "InternalInfluence" => {
                let ((baselines, n_steps), quadrature) = (steps(), quadrature(&case));
                Box::new(InternalInfluence { layer: layer(), baselines, n_steps, quadrature })
            }
            "LayerConductance" => {
                let (baselines, n_steps) = steps();
                Box::new(LayerConductance { layer: layer(), baselines, n_steps, grid: Grid::Captum })
            }
            "NeuronConductance" => {
                let ((baselines, n_steps), quadrature) = (steps(), quadrature(&case));
                Box::new(NeuronConductance { layer: layer(), neuron: neuron(&case), baselines, n_steps, quadrature })
            }
            _ => continue,
        };
        let rows = std::borrow::Borrow::borrow(&recorded.rows);
        let found = method.explain(&recorded.network, rows, &Run::default()).unwrap();
        let values = as_captum(spread(found.values, &case.values), &case);
        assert_same(&format!("{name} {}", case.name), &values, &case.values, F32);
        compared += 1;
    }
    compared
}

/// On purpose: Captum's weights of the trapezoid rule sum to (n − 1)/n and not to 1.
fn as_captum(values: Array3<f64>, case: &Case) -> Array3<f64> {
    if case.params["method"] == "riemann_trapezoid" { values * (49.0 / 50.0) } else { values }
}

fn neuron(case: &Case) -> Vec<usize> {
    case.params["neuron"].as_array().unwrap().iter().map(|place| place.as_u64().unwrap() as usize).collect()
}

/// Captum repeats for every output what no output takes part in.
fn spread(found: Array3<f64>, recorded: &Array3<f64>) -> Array3<f64> {
    if found.dim().2 == 1 { found.broadcast(recorded.dim()).unwrap().to_owned() } else { found }
}

#[test]
fn layer_methods_are_those_of_captum() {
    let compared = [
        layers::<Table>("mlp"),
        layers::<Table>("smooth"),
        layers::<Table>("modern"),
        layers::<ArrayRef3<f32>>("series"),
        layers::<ArrayRef4<f32>>("cnn"),
        layers::<ArrayRef4<f32>>("residual"),
    ];
    assert_eq!(compared, [11, 6, 6, 11, 11, 11]);
}

fn neurons<B: Cells + ?Sized>(name: &str) -> usize {
    let recorded = network::<B>(name);
    let mut compared = 0;
    for case in cases(name, "layers").into_iter().filter(|case| case.method.starts_with("Neuron")) {
        let neuron = Neurons::new(&recorded.network, case.layer.clone().unwrap(), &[neuron(&case)]).unwrap();
        let rows = std::borrow::Borrow::borrow(&recorded.rows);
        let found = match case.method.as_str() {
            "NeuronGradient" => Saliency { absolute: false }.explain(&neuron, rows, &Run::default()),
            "NeuronIntegratedGradients" => {
                let (baselines, n_steps) = ways(&case, &recorded.baselines);
                let method = IntegratedGradients::fixed(n_steps, quadrature(&case)).from_baselines(baselines);
                method.explain(&neuron, rows, &Run::default())
            }
            _ => continue,
        };
        let found = spread(found.unwrap().values, &case.values);
        assert_same(&format!("{name} {}", case.name), &found, &case.values, F32);
        compared += 1;
    }
    compared
}

#[test]
fn neuron_methods_are_those_of_captum() {
    let compared = [
        neurons::<Table>("mlp"),
        neurons::<Table>("smooth"),
        neurons::<Table>("modern"),
        neurons::<ArrayRef3<f32>>("series"),
        neurons::<ArrayRef4<f32>>("cnn"),
        neurons::<ArrayRef4<f32>>("residual"),
    ];
    assert_eq!(compared, [2; 6]);
}

/// Values sum to the score's rise for the methods that promise it, also behind residual blocks.
#[test]
fn conductance_is_complete() {
    // Of the largest rise; a sum over 40 differences errs by the kinks that lie between two of them.
    const STEPS: f64 = 2e-2;
    let recorded = network::<ArrayRef4<f32>>("residual");
    let first = recorded.baselines.select(ndarray::Axis(0), &[0]);
    let greatest = |scores: ndarray::Array2<f64>| scores.fold(0.0f64, |most, x| most.max(x.abs()));
    // Everything flows through what comes out of a block.
    for layer in ["block1.relu2", "block2.relu2"] {
        let baselines = Baselines::Samples(first.clone());
        let method = LayerConductance { n_steps: 40, baselines, ..LayerConductance::at(layer) };
        let found = method.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap();
        let (rise, left) = (greatest(&found.scores - &found.base), greatest(found.completeness_residual()));
        assert!(left <= STEPS * rise, "{layer}: {left} of {rise}");
    }
}

/// Where the rough sum misses the tolerance, cut lines reach it.
#[test]
fn cut_lines_of_networks_reach_the_tolerance() {
    let recorded = network::<Table>("mlp");
    let baselines = Baselines::Samples(recorded.baselines.clone());
    let method = |tolerance| IntegratedGradients { tolerance, n_steps: 4, max_steps: 4096, ..Default::default() };
    let explain = |tolerance| {
        let method = method(tolerance).from_baselines(baselines.clone());
        method.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap()
    };
    let worst = |found: &Attribution| {
        let rise = (&found.scores - &found.base).mapv(f64::abs);
        let rows = found.completeness_residual().mapv(f64::abs);
        let share = |(left, rise): (ndarray::ArrayView1<f64>, ndarray::ArrayView1<f64>)| {
            left.fold(0.0f64, |most, x| most.max(*x)) / rise.fold(0.0f64, |most, x| most.max(*x))
        };
        rows.outer_iter().zip(rise.outer_iter()).map(share).fold(0.0, f64::max)
    };
    let (rough, fine) = (explain(None), explain(Some(1e-3)));
    assert!(fine.provenance.notes.is_empty());
    // Three lines a sample, each within a thousandth of its own rise.
    assert!(worst(&fine) < 5e-3 && worst(&rough) > 2.0 * worst(&fine), "{} {}", worst(&fine), worst(&rough));
}
