//! The mean slope by neurons on the way from a baseline.

use ndarray::{Array2, Array3, Axis, Slice};
use xai_core::{Attribution, Cells, Explainer, Layered, Meter, Provenance, Result, Run};

use super::At;
use super::along::Walk;
use crate::gradient::passes::{bounded, rows_of};
use crate::gradient::saliency::NO_SHARES;
use crate::gradient::{Baselines, Quadrature, scores_of_rows};

/// Internal influence: ∫₀¹ ∂score/∂aᵢ (x′ + t·(x − x′)) dt for the activations a of a layer, while the input moves from a
/// baseline to the sample; the mean over the baselines.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | of the input |
/// | `n_steps` | 50 | ≥ 1 |
/// | `quadrature` | [`Quadrature::GaussLegendre`] | |
///
/// # Units
/// Score per unit of activation. Values do not sum to the score; `base` is 0.
///
/// # Cost
/// `n_steps` gradients of every output for each sample and baseline, and the scores.
///
/// # Errors
/// As [`LayerIntegratedGradients`](super::LayerIntegratedGradients).
///
/// # Laws
/// `layer_methods_are_those_of_captum`.
///
/// # Source
/// Leino, Sen, Datta, Fredrikson & Li, *Influence-directed explanations for deep convolutional networks*, 2018.
#[derive(Debug, Clone, PartialEq)]
pub struct InternalInfluence {
    /// The layer.
    pub layer: At,
    /// Where the lines begin, as inputs.
    pub baselines: Baselines,
    /// Gradients for each line.
    pub n_steps: usize,
    /// Where they are taken.
    pub quadrature: Quadrature,
}

impl InternalInfluence {
    /// At this layer, from zero, with 50 steps.
    pub fn at(layer: impl Into<At>) -> Self {
        InternalInfluence {
            layer: layer.into(),
            baselines: Baselines::Zero,
            n_steps: 50,
            quadrature: Quadrature::GaussLegendre,
        }
    }
}

impl<M> Explainer<M> for InternalInfluence
where
    M: Layered + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = self.layer.place(model.layers())?;
        let (shape, inner) = (batch.sample_shape(), model.layers()[layer].shape.clone());
        let (rows, starts) = (rows_of(batch)?, self.baselines.rows(&shape)?);
        let (n, cells, n_outputs) = (rows.nrows(), inner.iter().product(), model.n_outputs());
        bounded(n, cells, n_outputs)?;
        let (places, weights): (Vec<f64>, Vec<f64>) = self.quadrature.points(self.n_steps)?.into_iter().unzip();
        let walk = Walk { rows: &rows, starts: &starts, shape: &shape, layer };
        let planned = walk.gradients(places.len()).saturating_mul(n_outputs as u64).saturating_add(n as u64);
        let meter = Meter::planned(run, planned)?;
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;
        let mut values = Array3::zeros((n, cells, n_outputs));
        walk.visit(&meter, model, &places, |stop| {
            let mut slot = values.slice_axis_mut(Axis(0), Slice::from(stop.samples));
            slot.scaled_add(weights[stop.place] / starts.nrows() as f64, &stop.inside.gradients);
            Ok(())
        })?;
        let provenance = Provenance::new("internal-influence", run)
            .with("layer", self.layer.to_string())
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("quadrature", self.quadrature.name())
            .note(NO_SHARES)
            .evaluations(meter.evaluations());
        Attribution::of_cells(model, &inner, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}
