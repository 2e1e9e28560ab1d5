//! Slopes.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cells, Differentiable, Explainer, Meter, Provenance, Result, Run};

use super::passes::{gradients, of_inputs};

/// The gradient of every score by every cell of the input: how fast the score changes when the cell does.
///
/// | parameter | default | |
/// |---|---|---|
/// | `absolute` | true | its size; otherwise with its sign |
///
/// # Units
/// Score per unit of the cell. Slopes are not shares: they do not sum to the score, and `base` is 0.
///
/// # Cost
/// One forward pass and one backward pass for each output.
///
/// # Errors
/// Those of the model; [`Error::TooLarge`](xai_core::Error::TooLarge) for more than 2²⁸ values.
///
/// # Laws
/// `slopes_of_a_linear_model_are_its_weights`, `gradients_match_differences`.
///
/// # Source
/// Simonyan, Vedaldi & Zisserman, *Deep inside convolutional networks*, 2014, section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saliency {
    /// Whether signs are dropped.
    pub absolute: bool,
}

impl Default for Saliency {
    fn default() -> Self {
        Saliency { absolute: true }
    }
}

/// What every method says that has no base.
pub(crate) const NO_SHARES: &str = "values are not shares of the score: base is 0 and they do not sum to it";

impl<M> Explainer<M> for Saliency
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let meter = Meter::new(run, planned(batch, model.n_outputs()));
        let (scores, mut values) = gradients(&meter, model, batch)?;
        if self.absolute {
            values.mapv_inplace(f64::abs);
        }
        let provenance = Provenance::new("saliency", run)
            .with("absolute", self.absolute)
            .note(NO_SHARES)
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}

/// One evaluation for each sample and output.
pub(crate) fn planned<B: xai_core::Batch + ?Sized>(batch: &B, n_outputs: usize) -> u64 {
    (batch.n_samples() as u64).saturating_mul(n_outputs as u64)
}
