//! How much of a change flows through each neuron of a layer.

use ndarray::{Array3, Axis, Slice};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cells, Explainer, Layered, Meter, Provenance, Result, Run};

use super::along::Walk;
use super::{At, Inside};
use crate::gradient::baselines::base_of;
use crate::gradient::passes::{bounded, rows_of, times};
use crate::gradient::{Baselines, Quadrature, scores_of_rows};

/// Conductance of a layer: ∫ ∂score/∂aᵢ daᵢ along the straight line of the input from a baseline to the sample, for the
/// activations a of the layer; the mean over the baselines.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | of the input |
/// | `n_steps` | 50 | ≥ 1 |
/// | `grid` | [`Grid::Even`] | |
///
/// # Units
/// `base` = mean score of the baselines. Where everything flows through the layer, `base` + Σ values = `scores` up to an
/// error that falls with the square of `n_steps`; where some of it goes past, as around a residual block, that is missing.
///
/// # Cost
/// `n_steps` + 1 gradients of every output for each sample and baseline, and the scores.
///
/// # Errors
/// As [`LayerIntegratedGradients`](super::LayerIntegratedGradients).
///
/// # Laws
/// `layer_methods_are_those_of_captum`, `conductance_is_complete`.
///
/// # Source
/// Dhamdhere, Sundararajan & Yan, *How important is a neuron?*, 2019, equation 3; the sum over differences of
/// activations: Shrikumar, Su & Kundaje, *Computationally efficient measures of internal neuron importance*, 2018.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerConductance {
    /// The layer.
    pub layer: At,
    /// Where the lines begin, as inputs.
    pub baselines: Baselines,
    /// Differences of activations that are summed.
    pub n_steps: usize,
    /// Where they are taken.
    pub grid: Grid,
}

/// Which places of a line conductance compares, and the slopes it takes between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grid {
    /// Equal parts of the whole line, the mean of the slopes at both ends of a part.
    #[default]
    Even,
    /// What Captum does: Gauss-Legendre nodes as places, which leaves out both ends of the line, and the slope at the
    /// beginning of a part.
    Captum,
}

impl LayerConductance {
    /// At this layer, from zero, with 50 steps.
    pub fn at(layer: impl Into<At>) -> Self {
        LayerConductance { layer: layer.into(), baselines: Baselines::Zero, n_steps: 50, grid: Grid::Even }
    }
}

impl<M> Explainer<M> for LayerConductance
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
        let rule = if self.grid == Grid::Even { Quadrature::Trapezoid } else { Quadrature::GaussLegendre };
        Quadrature::Left.points(self.n_steps)?;
        let places: Vec<f64> = rule.points(self.n_steps + 1)?.into_iter().map(|(t, _)| t).collect();
        let walk = Walk { rows: &rows, starts: &starts, shape: &shape, layer };
        let planned = walk.gradients(places.len()).saturating_mul(n_outputs as u64);
        let meter = Meter::planned(run, planned.saturating_add((n + starts.nrows()) as u64))?;
        let base = base_of(&scores_of_rows(&meter, model, &starts, &shape)?, n);
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;

        let mut values = Array3::zeros((n, cells, n_outputs));
        let mut before: Option<Inside> = None;
        walk.visit(&meter, model, &places, |stop| {
            if let Some(before) = before.take().filter(|_| stop.place > 0) {
                let mut slot = values.slice_axis_mut(Axis(0), Slice::from(stop.samples));
                let mut flow = before.gradients;
                if self.grid == Grid::Even {
                    flow = (flow + &stop.inside.gradients) / 2.0;
                }
                times(&mut flow, (&stop.inside.activations - &before.activations).view());
                slot.scaled_add(1.0 / starts.nrows() as f64, &flow);
            }
            before = Some(stop.inside);
            Ok(())
        })?;
        let provenance = Provenance::new("layer-conductance", run)
            .with("layer", self.layer.to_string())
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("grid", if self.grid == Grid::Even { "even" } else { "captum" })
            .evaluations(meter.evaluations());
        Attribution::of_cells(model, &inner, values, base, scores, provenance)
    }
}
