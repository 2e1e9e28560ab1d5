//! Rules against their formulas, and laws of relevance.

use ndarray::{Array2, ArrayRef3, ArrayRef4, array};
use proptest::prelude::*;
use xai_core::{Cells, Error, Explainer, LayerKind, Run, Table};
use xai_local::relevance::{Bounds, Composite, Lrp, Rule, Start, Which};
use xai_models::network::{Network, Node, Op};

use crate::networks::{Recorded, assert_same, network};
use crate::relevance_golden::on_networks;

/// f32 against f64, for denominators that are not small.
const ROUNDED: f64 = 1e-5;

fn linear(weight: Array2<f32>, bias: Option<Vec<f32>>) -> Op {
    Op::Linear { weight, bias: bias.map(Into::into) }
}

fn explain(model: &Network<Table>, composite: Composite, x: &[f64]) -> xai_core::Result<Vec<f64>> {
    let batch = Array2::from_shape_vec((1, x.len()), x.to_vec()).unwrap();
    let found = Lrp { composite, start: Start::Score }.explain(model, &batch, &Run::default())?;
    Ok(found.values.iter().copied().collect())
}

/// Σⱼ of shareᵢⱼ / Σᵢ shareᵢⱼ · Rⱼ, for shares and what else the denominator holds.
fn by_shares(
    share: &dyn Fn(usize, usize) -> f64,
    more: &dyn Fn(usize) -> f64,
    relevance: &[f64],
    n: usize,
) -> Vec<f64> {
    let sum = |j: usize| {
        let z = (0..n).map(|i| share(i, j)).sum::<f64>() + more(j);
        z + if z < 0.0 { -1e-6 } else { 1e-6 }
    };
    (0..n).map(|i| relevance.iter().enumerate().map(|(j, r)| share(i, j) / sum(j) * r).sum()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rules_equal_their_formulas(w in prop::collection::vec(-2.0f32..2.0, 6), b in prop::collection::vec(-1.0f32..1.0, 3),
                                  x in prop::collection::vec(-2.0f32..2.0, 2)) {
        let weight = Array2::from_shape_vec((3, 2), w.clone()).unwrap();
        let model = Network::<Table>::sequence(&[2], [("only", linear(weight, Some(b.clone())))]).unwrap();
        let (w, b) = (|i: usize, j: usize| f64::from(w[2 * j + i]), |j: usize| f64::from(b[j]));
        let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let (up, down) = (|v: f64| v.max(0.0), |v: f64| v.min(0.0));
        let z: Vec<f64> = (0..3).map(|j| b(j) + (0..2).map(|i| w(i, j) * x[i]).sum::<f64>()).collect();
        let part = |i: usize, j: usize| w(i, j) * x[i];
        let gamma = |i: usize, j: usize| {
            // Where the unit is positive, what argues for it is raised; where it is negative, what argues against it.
            let sign = if z[j] >= 0.0 { part(i, j) > 0.0 } else { part(i, j) < 0.0 };
            part(i, j) * if sign { 1.5 } else { 1.0 }
        };
        let gamma_bias = |j: usize| b(j) * if (z[j] >= 0.0) == (b(j) > 0.0) { 1.5 } else { 1.0 };
        let none = |_: usize| 0.0;
        // One output alone at a time, so that nothing cancels between them.
        for k in 0..3 {
            let relevance: Vec<f64> = (0..3).map(|j| if j == k { z[j] } else { 0.0 }).collect();
            let positive = by_shares(&|i, j| up(part(i, j)), &|j| up(b(j)), &relevance, 2);
            let negative = by_shares(&|i, j| down(part(i, j)), &|j| down(b(j)), &relevance, 2);
            let cases: Vec<(Rule, Vec<f64>)> = vec![
                (Rule::EPSILON, by_shares(&part, &|j| b(j), &relevance, 2)),
                (Rule::Epsilon { epsilon: 0.5 }, by_shares(&part, &|j| b(j) + if z[j] < 0.0 { -0.5 } else { 0.5 }, &relevance, 2)),
                (Rule::Norm, by_shares(&part, &none, &relevance, 2)),
                (Rule::Gamma { gamma: 0.5 }, by_shares(&gamma, &gamma_bias, &relevance, 2)),
                (Rule::ZPlus, positive.clone()),
                (Rule::AlphaBeta { alpha: 2.0, beta: 1.0 }, positive.iter().zip(&negative).map(|(p, n)| 2.0 * p - n).collect()),
                (Rule::ZBox(Bounds::all(-2.0, 2.0)), by_shares(&|i, j| part(i, j) + 2.0 * up(w(i, j)) - 2.0 * down(w(i, j)), &none, &relevance, 2)),
                (Rule::WSquare, by_shares(&|i, j| w(i, j) * w(i, j), &none, &relevance, 2)),
                (Rule::Flat, by_shares(&|_, _| 1.0, &none, &relevance, 2)),
            ];
            for (rule, expected) in cases {
                let found = explain(&model, Composite::everywhere(rule.clone()), &x).unwrap();
                // Small denominators: f32 may lose what f64 keeps, in proportion.
                let size = expected.iter().fold(1.0f64, |most, v| most.max(v.abs()));
                for i in 0..2 {
                    let gap = (found[3 * i + k] - expected[i]).abs();
                    prop_assert!(gap <= ROUNDED * size * size, "{rule}: {} {}", found[3 * i + k], expected[i]);
                }
            }
        }
    }
}

#[test]
fn rules_conserve_relevance() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, .. } = network::<B>(name);
        // Rules that leave out biases and values keep all.
        for rule in [Rule::WSquare, Rule::Flat] {
            let pooled = Which::Kinds(vec![LayerKind::AveragePool]);
            let composite = Composite::everywhere(rule.clone()).then(pooled, Rule::Flat);
            let found = Lrp { composite, start: Start::Score };
            let found = found.explain(&network, std::borrow::Borrow::borrow(&rows), &Run::default()).unwrap();
            let size = found.scores.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            for (residual, base) in found.completeness_residual().iter().zip(&found.base) {
                assert!(residual.abs() <= 1e-4 * size && *base == 0.0, "{name} {rule}: {residual}");
            }
            assert!(found.provenance.notes[0].contains("miss the scores"));
        }
    }
    on_networks!(check: Table => "mlp", "smooth"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn");
}

/// A batch norm behind a linear layer is one layer with it: the same as weights that hold it.
#[test]
fn folding_a_batch_norm_changes_nothing() {
    let (scale, shift) = (array![2.0f32, -0.5], array![0.25f32, 1.0]);
    let norm = Op::BatchNorm { scale: scale.clone(), shift: shift.clone() };
    let (weight, bias) = (array![[1.0f32, -2.0], [3.0, 0.5]], vec![0.5f32, -1.0]);
    let last = || linear(array![[1.0, -1.0], [2.0, 0.5]], None);
    let apart =
        [("first", linear(weight.clone(), Some(bias.clone()))), ("norm", norm), ("relu", Op::Relu), ("last", last())];
    let merged_weight = &weight * &scale.clone().insert_axis(ndarray::Axis(1));
    let merged_bias = (ndarray::Array1::from(bias) * &scale + &shift).to_vec();
    let merged = [("first", linear(merged_weight, Some(merged_bias))), ("relu", Op::Relu), ("last", last())];
    let (apart, merged) = (Network::sequence(&[2], apart).unwrap(), Network::sequence(&[2], merged).unwrap());
    for rule in [
        Rule::EPSILON,
        Rule::Gamma { gamma: 0.25 },
        Rule::ZPlus,
        Rule::AlphaBeta { alpha: 2.0, beta: 1.0 },
        Rule::WSquare,
    ] {
        let run = |model| explain(model, Composite::everywhere(rule.clone()), &[1.5, -0.5]).unwrap();
        for (a, b) in run(&apart).into_iter().zip(run(&merged)) {
            assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{rule}: {a} {b}");
        }
    }
}

/// A batch norm whose layer somebody else reads too is a layer of its own.
#[test]
fn a_batch_norm_that_cannot_be_folded_is_affine_by_itself() {
    let nodes = vec![
        Node::new("first", linear(array![[1.0, 2.0]], None), vec![0]),
        Node::new("norm", Op::BatchNorm { scale: array![2.0], shift: array![3.0] }, vec![1]),
        Node::new("sum", Op::Add, vec![1, 2]),
    ];
    let model = Network::<Table>::new(&[2], nodes).unwrap();
    let found = explain(&model, Composite::everywhere(Rule::EPSILON), &[1.0, 1.0]).unwrap();
    // first = 3, norm = 9, sum = 12; the norm's shift keeps a third of its 9.
    assert!((found[0] - 3.0).abs() < 1e-4 && (found[1] - 6.0).abs() < 1e-4, "{found:?}");
    let found = explain(&model, Composite::everywhere(Rule::Norm), &[1.0, 1.0]).unwrap();
    assert!((found[0] - 4.0).abs() < 1e-4 && (found[1] - 8.0).abs() < 1e-4, "{found:?}");
}

/// A layer norm with its scale held fixed is a centred, scaled copy: here (x − mean)·r with r = 1/√(variance + ε).
#[test]
fn layer_norms_are_linear_with_the_samples_scale() {
    let norm = Op::LayerNorm {
        scale: array![1.0f32, 2.0, -1.0].into_dyn(),
        shift: array![0.0f32, 0.5, 0.25].into_dyn(),
        epsilon: 1e-5,
    };
    let model = Network::<Table>::sequence(&[3], [("norm", norm)]).unwrap();
    let x = [1.0, -0.5, 2.5];
    let found = explain(&model, Composite::default(), &x).unwrap();
    let mean = x.iter().sum::<f64>() / 3.0;
    let r = 1.0 / (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0 + 1e-5).sqrt();
    let (scale, shift) = ([1.0, 2.0, -1.0], [0.0, 0.5, 0.25]);
    for k in 0..3 {
        let y = (x[k] - mean) * r * scale[k] + shift[k];
        for i in 0..3 {
            let share = (f64::from(i == k) - 1.0 / 3.0) * x[i] * r * scale[k];
            let expected = share / (y + 1e-6 * y.signum()) * y;
            assert!((found[3 * i + k] - expected).abs() < 1e-4, "{} {expected}", found[3 * i + k]);
        }
    }
}

#[test]
fn misfits_are_refused_by_name() {
    let product = |rule: Option<Rule>| {
        let nodes = vec![
            Node::new("a", linear(array![[1.0, 2.0]], None), vec![0]),
            Node::new("gate", Op::Multiply, vec![1, 1]),
        ];
        let model = Network::<Table>::new(&[2], nodes).unwrap();
        let composite = Composite::default();
        let composite = rule.into_iter().fold(composite, |c, rule| c.first(Which::Name("gate".into()), rule));
        explain(&model, composite, &[1.0, 1.0])
    };
    let message = product(None).unwrap_err().to_string();
    assert!(message.contains("\"gate\"") && message.contains("flat"), "{message}");
    assert!(product(Some(Rule::ZPlus)).unwrap_err().to_string().contains("z-plus"));
    let shared = product(Some(Rule::Flat)).unwrap();
    assert!((shared[0] - 3.0).abs() < 1e-4 && (shared[1] - 6.0).abs() < 1e-4);

    let layers = [("scores", linear(array![[1.0], [2.0]], None)), ("probabilities", Op::Softmax { axis: 0 })];
    let softmax = Network::<Table>::sequence(&[1], layers).unwrap();
    let message = explain(&softmax, Composite::default(), &[1.0]).unwrap_err().to_string();
    assert!(message.contains("\"probabilities\"") && message.contains("margins"), "{message}");

    let plain = Network::<Table>::sequence(&[1], [("scores", linear(array![[1.0], [2.0]], None))]).unwrap();
    let unknown = Composite::default().first(Which::Name("stem".into()), Rule::Flat);
    assert!(matches!(explain(&plain, unknown, &[1.0]), Err(Error::Unknown { .. })));
    let outside = Composite::everywhere(Rule::ZBox(Bounds::all(0.0, 1.0)));
    assert!(explain(&plain, outside, &[1.5]).unwrap_err().to_string().contains("1.5"));
    let refused = [
        Rule::Epsilon { epsilon: 0.0 },
        Rule::Gamma { gamma: f32::NAN },
        Rule::AlphaBeta { alpha: 2.0, beta: 0.5 },
        Rule::ZBox(Bounds::all(1.0, 0.0)),
        Rule::ZBox(Bounds { low: vec![], high: vec![] }),
        Rule::ZBox(Bounds { low: vec![-1.0; 3], high: vec![1.0; 3] }),
        Rule::Pass,
    ];
    for rule in refused {
        assert!(explain(&plain, Composite::everywhere(rule.clone()), &[0.5]).is_err(), "{rule}");
    }
    assert!(Composite::named("espilon").is_err());
    assert_eq!(Composite::named("excitation").unwrap().rules[0].1, Rule::ZPlus);
}

/// Bounds for each channel are those of all cells of it.
#[test]
fn bounds_may_differ_by_channel() {
    let Recorded { network, rows, .. } = network::<ArrayRef4<f32>>("cnn");
    let run = |bounds: Bounds| {
        let composite = Composite::epsilon_gamma_box(bounds);
        Lrp { composite, start: Start::Score }.explain(&network, &rows, &Run::default()).unwrap().values
    };
    let same = Bounds { low: vec![-5.0, -5.0], high: vec![5.0, 5.0] };
    assert_same("channels", &run(same), &run(Bounds::all(-5.0, 5.0)), 0.0);
    let other = Bounds { low: vec![-5.0, -9.0], high: vec![5.0, 5.0] };
    assert_ne!(run(other), run(Bounds::all(-5.0, 5.0)));
    let json = serde_json::to_string(&Composite::epsilon_plus_flat()).unwrap();
    assert_eq!(serde_json::from_str::<Composite>(&json).unwrap(), Composite::epsilon_plus_flat());
    assert_eq!(Composite::epsilon_plus_flat().rule("x", LayerKind::Convolution, true), Some(&Rule::Flat));
}
