//! A model that is linear in its features.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use rayon::prelude::*;
use xai_core::error::{all_finite, same_shape};
use xai_core::{Differentiable, Error, Feature, LinearStructured, Model, Output, Result, Table};

/// scoreₖ = `intercept`ₖ + Σⱼ xⱼ · `coefficients`ⱼₖ.
///
/// Every sum runs over the features in their order, so a row's scores have the same bits in any batch.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::linear::Linear;
/// let model = Linear::new(array![[2.0], [-1.0]], array![0.5]).unwrap();
/// assert_eq!(model.predict(&array![[3.0, 4.0]]).unwrap(), array![[2.5]]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    coefficients: Array2<f64>,
    intercept: Array1<f64>,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

impl Linear {
    /// A model with `coefficients` (feature, output) and `intercept` (output), without names.
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not fit together, [`Error::NonFinite`] when one is not finite.
    pub fn new(coefficients: Array2<f64>, intercept: Array1<f64>) -> Result<Self> {
        same_shape("intercept (output)", &[coefficients.ncols()], intercept.shape())?;
        all_finite("coefficients (feature, output)", &coefficients)?;
        if let Some((column, &value)) = intercept.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NonFinite { what: "intercept".into(), sample: 0, column, value });
        }
        Ok(Linear { coefficients, intercept, features: Vec::new(), outputs: Vec::new() })
    }

    /// Names features and outputs; either may be empty for no names.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are names, but not as many as features or outputs.
    pub fn named(mut self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        if !features.is_empty() {
            same_shape("names of features", &[self.coefficients.nrows()], &[features.len()])?;
        }
        if !outputs.is_empty() {
            same_shape("names of outputs", &[self.coefficients.ncols()], &[outputs.len()])?;
        }
        (self.features, self.outputs) = (features, outputs);
        Ok(self)
    }
}

impl Model for Linear {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.coefficients.ncols()
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.coefficients.nrows()], &[batch.ncols()])?;
        let mut scores = times(batch, &self.coefficients);
        scores += &self.intercept;
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl LinearStructured for Linear {
    fn coefficients(&self) -> &ArrayRef2<f64> {
        &self.coefficients
    }

    fn intercept(&self) -> &ArrayRef1<f64> {
        &self.intercept
    }
}

impl Differentiable for Linear {
    fn vjp(&self, batch: &Table, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.coefficients.nrows()], &[batch.ncols()])?;
        same_shape("weights (sample, output)", &[batch.nrows(), self.n_outputs()], weights.shape())?;
        Ok(times(weights, &self.coefficients.t()))
    }
}

/// The matrix product with sums in a fixed order: a general product picks its kernel, and with it the last bits, by the
/// number of rows.
fn times(left: &ArrayRef2<f64>, right: &ArrayRef2<f64>) -> Array2<f64> {
    let mut product = Array2::zeros((left.nrows(), right.ncols()));
    product.axis_iter_mut(Axis(0)).into_par_iter().zip(left.axis_iter(Axis(0))).for_each(|(mut sums, row)| {
        for (&x, slopes) in row.iter().zip(right.outer_iter()) {
            sums.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += x * slope);
        }
    });
    product
}
