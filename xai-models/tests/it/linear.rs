//! Linear models and closures.

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use xai_core::{Batch, Differentiable, Error, Feature, Model, Output, Scale, Table};
use xai_models::function::Function;
use xai_models::linear::Linear;

/// Sums of at most 20 products below 1 in another order.
const ORDER: f64 = 1e-14;

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f64>> {
    prop::collection::vec(-1.0..1.0, rows * columns)
        .prop_map(move |cells| Array2::from_shape_vec((rows, columns), cells).unwrap())
}

proptest! {
    #[test]
    fn linear_is_the_matrix_product(
        (slopes, intercept, batch, cut) in (1_usize..20, 1_usize..4, 0_usize..30).prop_flat_map(|(p, k, n)| {
            (matrix(p, k), prop::collection::vec(-1.0..1.0, k), matrix(n, p), 0..=n)
        })
    ) {
        let model = Linear::new(slopes.clone(), Array1::from(intercept.clone())).unwrap();
        let scores = model.predict(&batch).unwrap();
        let expected = batch.dot(&slopes) + Array1::from(intercept);
        prop_assert!(scores.iter().zip(&expected).all(|(a, b)| (a - b).abs() < ORDER));
        let parts = [model.predict(&batch.samples(0..cut)).unwrap(), model.predict(&batch.samples(cut..batch.nrows())).unwrap()];
        let joined = ndarray::concatenate(Axis(0), &[parts[0].view(), parts[1].view()]).unwrap();
        prop_assert_eq!(joined, scores.clone());
        // The gradient of Σ wₖ·scoreₖ is w·coefficientsᵀ.
        let gradient = model.vjp(&batch, &scores).unwrap();
        let expected = scores.dot(&slopes.t());
        prop_assert!(gradient.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 10.0 * ORDER));
    }
}

#[test]
fn linear_models_check_their_parts() {
    let slopes = array![[1.0], [2.0]];
    assert!(matches!(Linear::new(slopes.clone(), array![1.0, 2.0]), Err(Error::Shape { .. })));
    assert!(matches!(Linear::new(array![[f64::NAN]], array![1.0]), Err(Error::NonFinite { .. })));
    assert!(matches!(Linear::new(slopes.clone(), array![f64::INFINITY]), Err(Error::NonFinite { .. })));
    let model = Linear::new(slopes, array![0.0]).unwrap();
    assert!(matches!(model.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.vjp(&array![[1.0, 2.0]], &array![[1.0, 1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.clone().named(Feature::unnamed(3), vec![]), Err(Error::Shape { .. })));
    let named = model.named(Feature::unnamed(2), vec![Output::new("price", Scale::Natural)]).unwrap();
    assert_eq!((named.features().len(), named.outputs()[0].name.as_str()), (2, "price"));
}

#[test]
fn functions_check_what_they_return() {
    let wrong = Function::new(2, |batch: &Table| Array2::zeros((batch.nrows(), 1)));
    assert!(matches!(wrong.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    let failing = Function::fallible(1, |_: &Table| Err(Error::model("the pipe is closed")));
    assert_eq!(failing.predict(&array![[1.0]]).unwrap_err().to_string(), "the model failed: the pipe is closed");
    let named = Function::by_row(|x| [x[0]]).with_features(Feature::unnamed(2));
    assert!(matches!(named.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    assert_eq!(named.predict(&array![[3.0, 4.0]]).unwrap(), array![[3.0]]);
    assert!(matches!(named.with_outputs(vec![]), Err(Error::Shape { .. })));
}

#[test]
fn functions_read_columns_of_any_layout() {
    let model = Function::by_row(|x| [10.0 * x[0] + x[1]]);
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    assert_eq!(model.predict(&batch.t()).unwrap(), array![[13.0], [24.0]]);
    let documents =
        Function::new(1, |texts: &[String]| Array2::from_shape_fn((texts.len(), 1), |(i, _)| texts[i].len() as f64));
    assert_eq!(documents.predict(&["four".to_owned()]).unwrap(), array![[4.0]]);
}
