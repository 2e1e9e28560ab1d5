//! Networks of dense layers.

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use xai_core::{Batch, Error, Feature, LinearFirst, Model};
use xai_models::adaptor::{Linked, Select, Transform};
use xai_models::dense::{Activation, Dense, Layer};

/// Sums of at most 40 products of size one in another order, through steep functions.
const ORDER: f64 = 1e-13;

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Logistic, Activation::Softmax];

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    // A multiplicative generator is enough for weights.
    let mut state = seed.wrapping_mul(2) + 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn network(widths: &[usize], activations: &[Activation], seed: u64) -> Dense {
    let layers = widths.windows(2).zip(activations).enumerate().map(|(i, (pair, &activation))| Layer {
        weights: Array2::from_shape_vec((pair[0], pair[1]), numbers(pair[0] * pair[1], seed + i as u64)).unwrap(),
        bias: Array1::from(numbers(pair[1], seed + 100 + i as u64)),
        activation,
    });
    Dense::new(layers.collect()).unwrap()
}

/// One row through the layers, cell by cell.
fn spelled_out(model: &Dense, row: &[f64]) -> Vec<f64> {
    let mut here = row.to_vec();
    for layer in model.layers() {
        let sum = |unit: usize| (0..here.len()).map(|i| here[i] * layer.weights[[i, unit]]).sum::<f64>();
        let sums: Vec<f64> = (0..layer.bias.len()).map(|unit| sum(unit) + layer.bias[unit]).collect();
        here = match layer.activation {
            Activation::Identity => sums,
            Activation::Relu => sums.iter().map(|&x| x.max(0.0)).collect(),
            Activation::Tanh => sums.iter().map(|&x| 1.0 - 2.0 / ((2.0 * x).exp() + 1.0)).collect(),
            Activation::Logistic => sums.iter().map(|&x| x.exp() / (1.0 + x.exp())).collect(),
            Activation::Softmax => {
                let total: f64 = sums.iter().map(|x| x.exp()).sum();
                sums.iter().map(|x| x.exp() / total).collect()
            }
        };
    }
    here
}

proptest! {
    #[test]
    fn dense_is_the_sums_spelled_out(
        (widths, kinds, n, seed) in (prop::collection::vec(1_usize..40, 2..5), prop::collection::vec(0_usize..5, 4), 0_usize..20, 0_u64..1000)
    ) {
        let activations: Vec<Activation> = kinds.iter().map(|&k| ACTIVATIONS[k]).collect();
        let model = network(&widths, &activations, seed);
        let batch = Array2::from_shape_vec((n, widths[0]), numbers(n * widths[0], seed + 7)).unwrap();
        let scores = model.predict(&batch).unwrap();
        prop_assert_eq!(scores.dim(), (n, widths[widths.len() - 1]));
        for (row, scores) in batch.outer_iter().zip(scores.outer_iter()) {
            for (expected, found) in spelled_out(&model, &row.to_vec()).iter().zip(scores) {
                prop_assert!((expected - found).abs() < ORDER * expected.abs().max(1.0), "{} {}", expected, found);
            }
        }
        let read: Dense = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        prop_assert_eq!(read, model);
    }

    /// More rows than one block holds, cut anywhere.
    #[test]
    fn dense_scores_have_the_same_bits_in_any_batch(cut in 0_usize..600, rows in 1_usize..600, seed in 0_u64..1000) {
        let model = network(&[30, 64, 33, 2], &[Activation::Tanh, Activation::Relu, Activation::Identity], seed);
        let batch = Array2::from_shape_vec((rows, 30), numbers(rows * 30, seed)).unwrap();
        let cut = cut.min(rows);
        let whole = model.predict(&batch).unwrap();
        let parts = [model.predict(&batch.samples(0..cut)).unwrap(), model.predict(&batch.samples(cut..rows)).unwrap()];
        prop_assert_eq!(ndarray::concatenate(Axis(0), &[parts[0].view(), parts[1].view()]).unwrap(), whole);
    }
}

#[test]
fn dense_head_completes_the_products() {
    let model = network(&[12, 20, 3], &[Activation::Relu, Activation::Softmax], 5);
    let batch = Array2::from_shape_vec((300, 12), numbers(300 * 12, 3)).unwrap();
    let products = batch.dot(model.first_weights());
    assert_eq!(model.head(&products).unwrap(), model.predict(&batch).unwrap());

    let linked = Linked::new(&model, Transform::Logit).unwrap();
    assert_eq!(linked.head(&products).unwrap(), linked.predict(&batch).unwrap());
    let last = Select::new(&model, &[2]).unwrap();
    assert_eq!(last.head(&products).unwrap(), last.predict(&batch).unwrap());
    assert_eq!(last.first_weights(), model.first_weights());
}

#[test]
fn dense_says_what_does_not_fit() {
    let layer = |weights: Array2<f64>, bias: Array1<f64>| Layer { weights, bias, activation: Activation::Relu };
    assert!(matches!(Dense::new(vec![]), Err(Error::Parameter { .. })));
    assert!(matches!(Dense::new(vec![layer(array![[1.0]], array![1.0, 2.0])]), Err(Error::Shape { .. })));
    assert!(matches!(Dense::new(vec![layer(array![[f64::NAN]], array![1.0])]), Err(Error::NonFinite { .. })));
    assert!(matches!(Dense::new(vec![layer(array![[1.0]], array![f64::INFINITY])]), Err(Error::NonFinite { .. })));
    let two = vec![layer(array![[1.0, 2.0]], array![0.0, 0.0]), layer(array![[1.0]], array![0.0])];
    assert!(matches!(Dense::new(two), Err(Error::Shape { .. })));
    let model = Dense::new(vec![layer(array![[1.0], [2.0]], array![0.0])]).unwrap();
    assert!(matches!(model.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.head(&array![[1.0, 2.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.clone().named(Feature::unnamed(3), vec![]), Err(Error::Shape { .. })));
    assert!(model.predict(&array![[f64::NAN, 1.0]]).unwrap()[[0, 0]].is_nan(), "what is missing is not nothing");
    let ragged = r#"{"layers": [{"weights": [[1, 2], [3]], "bias": [0, 0], "activation": "tanh"}]}"#;
    let error = serde_json::from_str::<Dense>(ragged).unwrap_err().to_string();
    assert!(error.contains("weights of input 1 of layer 0"), "{error}");
}
