//! Slopes by neurons.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Explainer, Layered, Meter, Provenance, Result, Run};

use super::{At, Inside, look};
use crate::gradient::passes::times;
use crate::gradient::saliency::{NO_SHARES, planned};

/// The gradient of every score by the activations of a layer, or that gradient times the activations.
///
/// # Units
/// Score per unit of activation; times the activations, the score. Values do not sum to it, except for a layer with only
/// linear layers without biases after it; `base` is 0.
///
/// # Cost
/// One forward pass and one backward pass for each output.
///
/// # Errors
/// Those of the model; [`Error::Unknown`](xai_core::Error::Unknown) for a layer that is not there;
/// [`Error::TooLarge`](xai_core::Error::TooLarge) for more than 2²⁸ values.
///
/// # Laws
/// `layer_methods_are_those_of_captum`.
///
/// # Source
/// As [`Saliency`](crate::gradient::Saliency) and [`InputTimesGradient`](crate::gradient::InputTimesGradient).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerGradient {
    /// The layer.
    pub layer: At,
    /// Whether slopes are multiplied by activations.
    pub times_activation: bool,
}

impl<M: Layered + ?Sized> Explainer<M> for LayerGradient {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = self.layer.place(model.layers())?;
        let meter = Meter::planned(run, planned(batch, model.n_outputs()))?;
        let Inside { scores, activations, gradients: mut values } = look(&meter, model, batch, layer, None)?;
        if self.times_activation {
            times(&mut values, activations.view());
        }
        let method = if self.times_activation { "layer-gradient-times-activation" } else { "layer-gradient" };
        let provenance = Provenance::new(method, run)
            .with("layer", self.layer.to_string())
            .note(NO_SHARES)
            .evaluations(meter.evaluations());
        let base = Array2::zeros(scores.raw_dim());
        Attribution::of_cells(model, &model.layers()[layer].shape, values, base, scores, provenance)
    }
}
