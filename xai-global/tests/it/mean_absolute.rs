//! Mean absolute contributions.

use ndarray::{Array2, Array3, array};
use xai_core::{Attribution, Error, Explainer, Model, Provenance, Result, Run, Table};
use xai_global::{MeanAbsolute, mean_absolute};

use crate::zoo::{Function, assert_close};

/// A handful of numbers of size one.
const ROUNDING: f64 = 1e-14;

/// Gives every feature its value.
struct Values;

impl<M: Model<Batch = Table>> Explainer<M> for Values {
    type Explanation = Attribution;
    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        let (n, scores) = (batch.nrows(), model.predict(batch)?);
        let values = Array3::from_shape_fn((n, batch.ncols(), 1), |(i, j, _)| batch[[i, j]]);
        let provenance = Provenance::new("values", run).with("power", 1.0).evaluations(n as u64);
        Attribution::of_table(model, batch, values, Array2::zeros((n, 1)), scores, provenance)
    }
}

#[test]
fn mean_absolute_equals_its_definition() {
    let batch = array![[1.0, -5.0], [-2.0, 5.0], [3.0, -5.0]];
    let model = Function::linear(&[1.0, 1.0]);
    let importance = MeanAbsolute { explainer: Values }.explain(&model, &batch, &Run::default()).unwrap();
    assert_eq!(importance.values, array![[2.0], [5.0]]);
    let spread = importance.spread.unwrap();
    assert_close(spread[[0, 0]], (1.0f64 / 3.0).sqrt(), ROUNDING);
    assert_eq!(spread[[1, 0]], 0.0);
    assert_eq!(importance.provenance.method, "mean-absolute-attribution");
    assert_eq!(importance.provenance.parameters["explainer"].to_string(), "values");
    assert_eq!(importance.provenance.parameters["values.power"].to_string(), "1");
    assert_eq!(importance.provenance.evaluations, 3);
}

#[test]
fn mean_absolute_refuses_what_has_no_mean() {
    let model = Function::linear(&[1.0, 1.0]);
    let none = Values.explain(&model, &Array2::zeros((0, 2)), &Run::default()).unwrap();
    assert!(matches!(mean_absolute(&none), Err(Error::Parameter { .. })));
    let mut one = Values.explain(&model, &array![[1.0, 2.0]], &Run::default()).unwrap();
    assert!(mean_absolute(&one).unwrap().spread.is_none(), "a single sample has no spread");
    one.values[[0, 1, 0]] = f64::NAN;
    assert!(matches!(mean_absolute(&one), Err(Error::NonFinite { sample: 0, column: 1, .. })));
    one.values = Array3::zeros((1, 3, 1));
    assert!(matches!(mean_absolute(&one), Err(Error::Shape { .. })));
}
