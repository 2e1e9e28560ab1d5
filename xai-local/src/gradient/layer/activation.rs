//! What neurons hold.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Batch, Explainer, Layered, Meter, Output, Provenance, Result, Run, Scale};

use super::{At, activations};
use crate::gradient::passes::bounded;

/// The activations of a layer.
///
/// # Units
/// The layer's own. There is one output, `activation`, whose score is the sum of the activations, so that values sum to
/// it from a base of 0; the outputs of the model play no part.
///
/// # Cost
/// One evaluation a sample.
///
/// # Errors
/// Those of the model; [`Error::Unknown`](xai_core::Error::Unknown) for a layer that is not there.
///
/// # Laws
/// `layer_methods_are_those_of_captum`.
///
/// # Source
/// None: it is what the model computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerActivation {
    /// The layer.
    pub layer: At,
}

impl<M: Layered + ?Sized> Explainer<M> for LayerActivation {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = self.layer.place(model.layers())?;
        let shape = &model.layers()[layer].shape;
        bounded(batch.n_samples(), shape.iter().product(), 1)?;
        let meter = Meter::planned(run, batch.n_samples() as u64)?;
        let (_, values) = activations(&meter, model, batch, layer, None)?;
        Attribution {
            provenance: Provenance::new("layer-activation", run)
                .with("layer", self.layer.to_string())
                .evaluations(meter.evaluations()),
            features: xai_core::Feature::cells(shape),
            outputs: vec![Output::new("activation", Scale::Natural)],
            base: Array2::zeros((values.nrows(), 1)),
            scores: values.sum_axis(Axis(1)).insert_axis(Axis(1)),
            values: values.insert_axis(Axis(2)),
            standard_error: None,
            data: None,
            fidelity: None,
            shape: Some(shape.clone()),
        }
        .checked()
    }
}
