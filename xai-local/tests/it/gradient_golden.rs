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
fn ways<B: Cells + ?Sized>(case: &Case, baselines: &ndarray::ArrayD<f64>) -> (Baselines, usize) {
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
                let (baselines, n_steps) = ways::<B>(&case, &recorded.baselines);
                Box::new(IntegratedGradients::fixed(n_steps, quadrature(&case)).from_baselines(baselines))
            }
            _ => continue,
        };
        let rows = std::borrow::Borrow::borrow(&recorded.rows);
        let found = method.explain(&recorded.network, rows, &Run::default()).unwrap();
        let scores = |scores: &ndarray::Array2<f64>| scores.clone().insert_axis(ndarray::Axis(1));
        assert_same("scores", &scores(&found.scores), &scores(&recorded.scores), F32);
        let mut values = found.values;
        if case.method == "IntegratedGradients" && quadrature(&case) == Quadrature::Trapezoid {
            // On purpose: Captum's weights of the trapezoid rule sum to (n − 1)/n and not to 1.
            values *= 49.0 / 50.0;
        }
        assert_same(&format!("{name} {}", case.name), &values, &case.values, F32);
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
        let steps = || ways::<B>(&case, &recorded.baselines);
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
        assert_same(&format!("{name} {}", case.name), &spread(found.values, &case.values), &case.values, F32);
        compared += 1;
    }
    compared
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
                let (baselines, n_steps) = ways::<B>(&case, &recorded.baselines);
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
    // Of the largest rise; the sum over 400 differences errs by the kinks that lie between two of them.
    const STEPS: f64 = 2e-3;
    let recorded = network::<ArrayRef4<f32>>("residual");
    let baselines = Baselines::Samples(recorded.baselines.clone());
    // Everything flows through what comes out of a block.
    for layer in ["block1.relu2", "block2.relu2", "relu1"] {
        let method = LayerConductance { n_steps: 400, baselines: baselines.clone(), ..LayerConductance::at(layer) };
        let found = method.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap();
        let rise = (&found.scores - &found.base).fold(0.0f64, |most, x| most.max(x.abs()));
        let left = found.completeness_residual().fold(0.0f64, |most, x| most.max(x.abs()));
        assert!(left <= STEPS * rise, "{layer}: {left} of {rise}");
    }
    let method = IntegratedGradients { baselines, tolerance: Some(1e-3), max_steps: 4096, ..Default::default() };
    let found = method.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap();
    let rise = (&found.scores - &found.base).fold(0.0f64, |most, x| most.max(x.abs()));
    assert!(found.completeness_residual().iter().all(|left| left.abs() <= 2e-3 * rise));
    assert_eq!(found.provenance.notes, Vec::<String>::new());
}
