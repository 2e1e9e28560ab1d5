//! Slopes times cells.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cells, Differentiable, Explainer, Meter, Provenance, Result, Run};

use super::passes::{gradients, numbers_of, of_inputs, times};
use super::saliency::{NO_SHARES, planned};

/// Each cell times its slope: xᵢ · ∂score/∂xᵢ.
///
/// # Units
/// The score. For a model that is linear without a constant, the shares of the score; likewise for a network of
/// piecewise linear layers without biases. For any other model values do not sum to the score, and `base` is 0.
///
/// # Cost
/// One forward pass and one backward pass for each output.
///
/// # Errors
/// As [`Saliency`](super::Saliency).
///
/// # Laws
/// `input_times_gradient_is_the_product`.
///
/// # Source
/// Shrikumar, Greenside, Shcherbina & Kundaje, *Not just a black box*, 2016.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputTimesGradient;

impl<M> Explainer<M> for InputTimesGradient
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let meter = Meter::new(run, planned(batch, model.n_outputs()));
        let (scores, mut values) = gradients(&meter, model, batch)?;
        times(&mut values, numbers_of(batch)?.view());
        let provenance = Provenance::new("input-times-gradient", run).note(NO_SHARES).evaluations(meter.evaluations());
        of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}
