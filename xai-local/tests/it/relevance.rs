//! Laws and closed forms of DeepLIFT and its relatives.

use ndarray::{Array2, Array4, ArrayD, ArrayRef3, ArrayRef4, Axis, Slice, array};
use proptest::prelude::*;
use xai_core::{Attribution, Batch, Cells, Error, Explainer, Result, Run, Table};
use xai_local::gradient::Baselines;
use xai_local::relevance::{DeepLift, DeepShap, GuidedBackpropagation, NonLinearRule};
use xai_models::adaptor::{Contrast, Select};
use xai_models::network::{Network, Node, Op};

use crate::networks::{Recorded, assert_same, network};
use crate::relevance_golden::on_networks;

/// f32 sums of some layers, relative to the scores' size.
const ROUNDED: f64 = 1e-5;

fn linear(weight: Array2<f32>, bias: Option<Vec<f32>>) -> Op {
    Op::Linear { weight, bias: bias.map(Into::into) }
}

fn samples(rows: &[f64], n: usize) -> Baselines {
    Baselines::Samples(ArrayD::from_shape_vec(vec![n, rows.len() / n], rows.to_vec()).unwrap())
}

fn left(found: &Attribution) -> f64 {
    let size = found.scores.iter().chain(&found.base).fold(1.0f64, |most, x| most.max(x.abs()));
    found.completeness_residual().iter().fold(0.0f64, |most, x| most.max(x.abs())) / size
}

#[test]
fn deep_lift_is_complete() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, baselines, .. } = network::<B>(name);
        for rule in [NonLinearRule::Rescale, NonLinearRule::RevealCancel, NonLinearRule::RevealCancelDense] {
            let baselines = Baselines::Samples(baselines.clone());
            let found =
                DeepShap { baselines, rule }.explain(&network, std::borrow::Borrow::borrow(&rows), &Run::default());
            let left = left(&found.unwrap());
            assert!(left <= ROUNDED, "{name} {rule:?}: {left:.1e}");
        }
    }
    on_networks!(check: Table => "mlp", "smooth", "modern"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn", "residual", "mobile");
}

#[test]
fn deep_lift_of_a_linear_model() {
    let model = Network::<Table>::sequence(&[2], [("scores", linear(array![[2.0, -1.0]], Some(vec![5.0])))]).unwrap();
    let found = DeepLift { baseline: samples(&[1.0, 1.0], 1), ..Default::default() };
    let found = found.explain(&model, &array![[3.0, 4.0]], &Run::default()).unwrap();
    assert_eq!(found.values, array![[[4.0], [-3.0]]]);
    assert_eq!((found.base[[0, 0]], found.scores[[0, 0]]), (6.0, 7.0));
    assert_eq!(found.features[1].name, "x1");
}

#[test]
fn deep_shap_is_the_mean_of_deep_lift() {
    let Recorded { network, rows, baselines, .. } = network::<ArrayRef4<f32>>("cnn");
    let many = DeepShap { baselines: Baselines::Samples(baselines.clone()), rule: NonLinearRule::Rescale };
    let many = many.explain(&network, &rows, &Run::default()).unwrap();
    let n = baselines.len_of(Axis(0));
    let one = |k: usize| {
        let baseline = Baselines::Samples(baselines.slice_axis(Axis(0), Slice::from(k..k + 1)).to_owned());
        DeepLift { baseline, ..Default::default() }.explain(&network, &rows, &Run::default()).unwrap()
    };
    let mean = (0..n).map(one).fold(many.values.clone() * 0.0, |sum, one| sum + one.values / n as f64);
    assert_same("mean", &many.values, &mean, 1e-6);
    let error = DeepLift { baseline: Baselines::Samples(baselines), ..Default::default() };
    assert!(matches!(error.explain(&network, &rows, &Run::default()), Err(Error::Parameter { .. })));
}

/// The example of the paper: the smaller of two numbers, x₀ − max(x₀ − x₁, 0). Rescale gives all to one of them;
/// RevealCancel gives each half of it, and x₁ nothing of what only the larger x₀ adds.
#[test]
fn reveal_cancel_shares_a_minimum() {
    let nodes = vec![
        Node::new("difference", linear(array![[1.0, -1.0], [1.0, 0.0]], None), vec![0]),
        Node::new("relu", Op::Relu, vec![1]),
        Node::new("least", linear(array![[-1.0, 1.0]], None), vec![2]),
    ];
    let model = Network::<Table>::new(&[2], nodes).unwrap();
    let run = |rule, x: [f64; 2]| {
        let found = DeepLift { baseline: Baselines::Zero, rule }.explain(&model, &array![x], &Run::default()).unwrap();
        [found.values[[0, 0, 0]], found.values[[0, 1, 0]]]
    };
    assert_eq!(run(NonLinearRule::Rescale, [3.0, 2.0]), [0.0, 2.0]);
    assert_eq!(run(NonLinearRule::Rescale, [2.0, 3.0]), [2.0, 0.0]);
    // max(3 − 2, 0): alone 3 raises it by 3, behind −2 by 1, so by 2 in the mean; −2 lowers it by 0 and 2, so by 1.
    for rule in [NonLinearRule::RevealCancel, NonLinearRule::RevealCancelDense] {
        for x in [[3.0, 2.0], [2.0, 3.0]] {
            assert!(run(rule, x).iter().all(|share| (share - 1.0).abs() < 1e-6));
        }
    }
}

/// A product of two factors by Shapley's shares, a sum that two readers share, and one curve that two layers use.
#[test]
fn branches_are_added_and_products_shared() {
    let nodes = vec![
        Node::new("a", linear(array![[2.0, 0.0]], Some(vec![1.0])), vec![0]),
        Node::new("b", linear(array![[0.0, 3.0]], Some(vec![-1.0])), vec![0]),
        Node::new("product", Op::Multiply, vec![1, 2]),
        Node::new("sum", Op::Add, vec![3, 1]),
    ];
    let model = Network::<Table>::new(&[2], nodes).unwrap();
    let found = DeepLift::default().explain(&model, &array![[1.0, 2.0]], &Run::default()).unwrap();
    // a: 1 → 3, b: −1 → 5; the product gives a 2·(5 − 1)/2 and b 6·(3 + 1)/2; the sum gives a 2 more.
    assert_eq!(found.values, array![[[4.0 + 2.0], [12.0]]]);
    assert_eq!(found.completeness_residual(), array![[0.0]]);
}

#[test]
fn layers_without_a_rule_are_refused_by_name() {
    let softmax = [("scores", linear(array![[1.0], [2.0]], None)), ("probabilities", Op::Softmax { axis: 0 })];
    let model = Network::<Table>::sequence(&[1], softmax).unwrap();
    let message = DeepLift::default().explain(&model, &array![[1.0]], &Run::default()).unwrap_err().to_string();
    assert!(message.contains("\"probabilities\"") && message.contains("margins"), "{message}");
    let message = GuidedBackpropagation.explain(&model, &array![[1.0]], &Run::default()).unwrap_err().to_string();
    assert!(message.contains("without a ReLU"), "{message}");
}

#[test]
fn portions_and_counts_do_not_show() -> Result<()> {
    let Recorded { network, rows, .. } = network::<ArrayRef4<f32>>("cnn");
    let many = Array4::from_shape_fn((300, 2, 8, 8), |(n, c, i, j)| rows[[n % 2, c, i, j]] * (1.0 + n as f32 / 100.0));
    let method = DeepLift::default();
    let all = method.explain(&network, &many, &Run::default())?;
    let part = method.explain(&network, &many.samples(130..131), &Run::default())?;
    assert_eq!(all.values.index_axis(Axis(0), 130), part.values.index_axis(Axis(0), 0));
    assert_eq!(all.provenance.evaluations, 300 * 3 + 1);
    let none = method.explain(&network, &many.samples(0..0), &Run::default())?;
    assert_eq!(none.values.dim(), (0, 128, 3));
    let short = Run { max_evaluations: Some(900), ..Run::default() };
    assert!(matches!(method.explain(&network, &many, &short), Err(Error::Budget { .. })));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two layers by hand, in f64: sums of the paths' products of weights and rise over run.
    #[test]
    fn rescale_equals_its_formula(w in prop::collection::vec(-2.0f32..2.0, 6), v in prop::collection::vec(-2.0f32..2.0, 3),
                                  x in prop::collection::vec(-2.0f64..2.0, 2), x0 in prop::collection::vec(-2.0f64..2.0, 2)) {
        let first = Array2::from_shape_vec((3, 2), w.clone()).unwrap();
        let last = Array2::from_shape_vec((1, 3), v.clone()).unwrap();
        let layers = [("first", linear(first, None)), ("tanh", Op::Tanh), ("last", linear(last, None))];
        let model = Network::<Table>::sequence(&[2], layers).unwrap();
        let found = DeepLift { baseline: samples(&x0, 1), ..Default::default() };
        let found = found.explain(&model, &array![[x[0], x[1]]], &Run::default()).unwrap();
        for i in 0..2 {
            let path = |j: usize| {
                let z = |x: &[f64]| f64::from(w[2 * j]) * x[0] + f64::from(w[2 * j + 1]) * x[1];
                let (a, b) = (z(&x0), z(&x));
                let slope = if (b - a).abs() > 1e-9 { (b.tanh() - a.tanh()) / (b - a) } else { 1.0 - a.tanh().powi(2) };
                f64::from(v[j]) * slope * f64::from(w[2 * j + i]) * (x[i] - x0[i])
            };
            let expected: f64 = (0..3).map(path).sum();
            prop_assert!((found.values[[0, i, 0]] - expected).abs() < 2e-5, "{} {}", found.values[[0, i, 0]], expected);
        }
    }
}

#[test]
fn layer_norms_get_their_mean_slopes() {
    // The mean of the gradients at many points of the line, by the model's own gradient.
    let norm = Op::LayerNorm {
        scale: array![1.0f32, 2.0, -1.0].into_dyn(),
        shift: array![0.0f32, 0.5, 0.25].into_dyn(),
        epsilon: 1e-2,
    };
    let model = Network::<Table>::sequence(&[3], [("norm", norm)]).unwrap();
    for (x0, x) in
        [([0.0, 0.0, 0.0], [1.0, -0.5, 2.5]), ([1.0, 2.0, 0.5], [-1.0, 0.5, 3.0]), ([1.0, 2.0, 0.5], [1.0, 2.0, 0.5])]
    {
        let found = DeepLift { baseline: samples(&x0, 1), ..Default::default() };
        let found = found.explain(&model, &array![x], &Run::default()).unwrap();
        const POINTS: usize = 4000;
        let points =
            Array2::from_shape_fn((POINTS, 3), |(p, i)| x0[i] + (x[i] - x0[i]) * (p as f64 + 0.5) / POINTS as f64);
        for output in 0..3 {
            let weights = Array2::from_shape_fn((POINTS, 3), |(_, k)| f64::from(k == output));
            let mean = xai_core::Differentiable::vjp(&model, &points, &weights).unwrap().mean_axis(Axis(0)).unwrap();
            for i in 0..3 {
                let (found, expected) = (found.values[[0, i, output]], mean[i] * (x[i] - x0[i]));
                assert!((found - expected).abs() < 1e-4, "{found} {expected}");
            }
        }
        assert!(left(&found) < ROUNDED);
    }
}

/// What adaptors that weigh outputs get is the weighted sum of what the outputs get: all here is linear in the output.
#[test]
fn outputs_may_be_selected_and_contrasted() {
    let Recorded { network, rows, .. } = network::<ArrayRef4<f32>>("residual");
    let all = DeepLift::default().explain(&network, &rows, &Run::default()).unwrap();
    let select = DeepLift::default().explain(&Select::new(&network, &[2, 0]).unwrap(), &rows, &Run::default()).unwrap();
    assert_same("select", &select.values, &all.values.select(Axis(2), &[2, 0]), 1e-6);
    assert_eq!(select.scores, all.scores.select(Axis(1), &[2, 0]));
    // The derivatives at the last layer are asked for once, of one sample: 1 for each output.
    assert_eq!(select.provenance.evaluations, 2 * 2 + 1 + 2);
    let contrast = Contrast::between(&network, 1, 2).unwrap();
    let contrast = DeepLift::default().explain(&contrast, &rows, &Run::default()).unwrap();
    let expected = all.values.select(Axis(2), &[1]) - all.values.select(Axis(2), &[2]);
    assert_same("contrast", &contrast.values, &expected, 1e-5);
    assert!(left(&contrast) < ROUNDED);
}

/// A SELU bends at zero: a short way across it has the rise of both sides, not the slope of its middle.
#[test]
fn short_ways_across_a_bend_are_complete() {
    let layers = [("selu", Op::Selu), ("scores", linear(array![[1.0]], None))];
    let model = Network::<Table>::sequence(&[1], layers).unwrap();
    for (x0, x) in [(-1e-3, 2e-3), (1e-3, -2e-3), (-3e-3, -1e-3), (1.0, 1.001)] {
        let method = DeepLift { baseline: samples(&[x0], 1), ..Default::default() };
        let found = method.explain(&model, &array![[x]], &Run::default()).unwrap();
        let selu = |x: f64| 1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_3 * x.exp_m1() };
        let (found, rise) = (found.values[[0, 0, 0]], selu(x) - selu(x0));
        assert!((found - rise).abs() < 1e-3 * rise.abs(), "{x0} to {x}: {found} {rise}");
    }
}
