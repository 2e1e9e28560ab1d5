//! How much of a change flows from each cell of the input through one neuron.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, Axis};
use xai_core::{Attribution, Cells, Composed, Explainer, Meter, Provenance, Result, Run};

use super::along::Walk;
use super::{At, Neurons};
use crate::gradient::passes::{batch_of, bounded, of_inputs, rows_of};
use crate::gradient::{Baselines, Quadrature, passes, scores_of_rows};

/// Conductance of one neuron, by the cells of the input: (xᵢ − x′ᵢ) · ∫₀¹ ∂score/∂a · ∂a/∂xᵢ dt along the straight line
/// from a baseline to the sample, for the neuron's activation a; the mean over the baselines.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | |
/// | `n_steps` | 50 | ≥ 1 |
/// | `quadrature` | [`Quadrature::GaussLegendre`] | |
///
/// # Units
/// The score. Values sum to the neuron's value in [`LayerConductance`](super::LayerConductance), up to the errors of both,
/// and not to the score; `base` is 0.
///
/// # Cost
/// For each sample, baseline and step one gradient of every output at the layer, and one of the neuron.
///
/// # Errors
/// As [`LayerIntegratedGradients`](super::LayerIntegratedGradients);
/// [`Error::Parameter`](xai_core::Error::Parameter) for a neuron that is not there.
///
/// # Laws
/// `neuron_methods_are_those_of_captum`.
///
/// # Source
/// Dhamdhere, Sundararajan & Yan, *How important is a neuron?*, 2019, equation 2.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronConductance {
    /// The layer.
    pub layer: At,
    /// The neuron, by its index on every axis of the layer's output.
    pub neuron: Vec<usize>,
    /// Where the lines begin.
    pub baselines: Baselines,
    /// Gradients for each line.
    pub n_steps: usize,
    /// Where they are taken.
    pub quadrature: Quadrature,
}

impl<M> Explainer<M> for NeuronConductance
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = self.layer.place(model.layers())?;
        let neuron = Neurons::new(model, layer, std::slice::from_ref(&self.neuron))?;
        let cell = self.neuron.iter().zip(&model.layers()[layer].shape).fold(0, |cell, (at, n)| cell * n + at);
        let shape = batch.sample_shape();
        let (rows, starts) = (rows_of(batch)?, self.baselines.rows(&shape)?);
        let ((n, cells), n_outputs) = (rows.dim(), model.n_outputs());
        bounded(n, cells, n_outputs)?;
        let (places, weights): (Vec<f64>, Vec<f64>) = self.quadrature.points(self.n_steps)?.into_iter().unzip();
        let walk = Walk { rows: &rows, starts: &starts, shape: &shape, layer };
        let planned = walk.gradients(places.len()).saturating_mul(n_outputs as u64 + 1);
        let meter = Meter::planned(run, planned.saturating_add(n as u64))?;
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;

        let mut values = Array3::zeros((n, cells, n_outputs));
        walk.visit(&meter, model, &places, |stop| {
            let here = batch_of::<M::Batch>(stop.inputs.to_owned(), &shape)?;
            let (_, slopes) = passes::gradients(&meter, &neuron, here.borrow())?;
            let weight = weights[stop.place] / starts.nrows() as f64;
            for (place, sample) in stop.samples.enumerate() {
                let mut values = values.index_axis_mut(Axis(0), sample);
                for (at, mut values) in values.outer_iter_mut().enumerate() {
                    let (from, to): (f64, f64) = (stop.start[at].into(), rows[[sample, at]].into());
                    let factor = weight * slopes[[place, at, 0]] * (to - from);
                    let through = stop.inside.gradients.index_axis(Axis(0), place);
                    values.scaled_add(factor, &through.row(cell));
                }
            }
            Ok(())
        })?;
        let provenance = Provenance::new("neuron-conductance", run)
            .with("layer", self.layer.to_string())
            .with("neuron", self.neuron.clone())
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("quadrature", self.quadrature.name())
            .note("values sum to the neuron's conductance, not to the score: base is 0")
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}
