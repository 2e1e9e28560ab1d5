//! What a measure finds.

use ndarray::{Array2, Array3};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Result};

/// One number for every sample and output.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The name of the measure in kebab case.
    pub metric: &'static str,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
    /// The values: (sample, output); NaN where the measure is not defined, for the reason that its own page gives.
    pub values: Array2<f64>,
    /// How many samples the model was asked to score.
    pub evaluations: u64,
}

impl Measurement {
    /// The mean over all samples and outputs where the measure is defined; `None` where it never is.
    pub fn mean(&self) -> Option<f64> {
        let defined = self.values.len() - self.n_undefined();
        let sum: f64 = self.values.iter().filter(|v| !v.is_nan()).sum();
        (defined > 0).then(|| sum / defined as f64)
    }

    /// For how many samples and outputs the measure is not defined.
    pub fn n_undefined(&self) -> usize {
        self.values.iter().filter(|v| v.is_nan()).count()
    }
}

/// The values (sample, feature, output) of an attribution whose parts fit together.
///
/// # Errors
/// [`Error::Shape`] or [`Error::NonFinite`], as [`Attribution::checked`].
pub(crate) fn values_of(attribution: &Attribution) -> Result<&Array3<f64>> {
    let (samples, outputs) = (attribution.n_samples(), attribution.outputs.len());
    let shape = [samples, attribution.features.len(), outputs];
    same_shape("scores (sample, output)", &[samples, outputs], attribution.scores.shape())?;
    same_shape("base (sample, output)", &[samples, outputs], attribution.base.shape())?;
    same_shape("values (sample, feature, output)", &shape, attribution.values.shape())?;
    if let Some(((sample, column, _), &value)) = attribution.values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::NonFinite { what: "values".into(), sample, column, value });
    }
    Ok(&attribution.values)
}
