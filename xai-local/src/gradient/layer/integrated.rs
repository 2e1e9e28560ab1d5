//! Integrated gradients of what comes after a layer.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayD, Axis, Slice};
use xai_core::{Attribution, Cells, Error, Explainer, Layered, Meter, Provenance, Result, Run};

use super::{At, activations, look};
use crate::gradient::passes::{batch_of, bounded, parts, rows_at_once, rows_of, times};
use crate::gradient::{Baselines, Quadrature};

/// Integrated gradients in the space of a layer: (aᵢ − a′ᵢ) · ∫₀¹ ∂score/∂aᵢ (a′ + t·(a − a′)) dt, where a and a′ are the
/// layer's activations for the sample and for a baseline of the input, and all that does not come after the layer stays
/// as it is for the sample; the mean over the baselines.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | of the input |
/// | `n_steps` | 50 | ≥ 1 |
/// | `quadrature` | [`Quadrature::GaussLegendre`] | |
///
/// # Units
/// `base` = the score of the sample with the layer's activations for the baseline; `base` + Σ values = `scores` up to the
/// error of the quadrature.
///
/// # Cost
/// `n_steps` gradients of every output for each sample and baseline, and three evaluations.
///
/// # Errors
/// As [`IntegratedGradients`](crate::gradient::IntegratedGradients); [`Error::Unknown`] for a layer that is not there.
///
/// # Laws
/// `layer_methods_are_those_of_captum`.
///
/// # Source
/// Sundararajan, Taly & Yan, *Axiomatic attribution for deep networks*, 2017, as Captum applies it to layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerIntegratedGradients {
    /// The layer.
    pub layer: At,
    /// Where the lines begin, as inputs.
    pub baselines: Baselines,
    /// Gradients for each line.
    pub n_steps: usize,
    /// Where they are taken.
    pub quadrature: Quadrature,
}

impl LayerIntegratedGradients {
    /// At this layer, from zero, with 50 steps.
    pub fn at(layer: impl Into<At>) -> Self {
        LayerIntegratedGradients {
            layer: layer.into(),
            baselines: Baselines::Zero,
            n_steps: 50,
            quadrature: Quadrature::GaussLegendre,
        }
    }
}

impl<M> Explainer<M> for LayerIntegratedGradients
where
    M: Layered + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = self.layer.place(model.layers())?;
        let (points, shape) = (self.quadrature.points(self.n_steps)?, batch.sample_shape());
        let inner = model.layers()[layer].shape.clone();
        let (rows, starts) = (rows_of(batch)?, self.baselines.rows(&shape)?);
        let (n, cells, n_outputs) = (rows.nrows(), inner.iter().product(), model.n_outputs());
        bounded(n, cells, n_outputs)?;
        let gradients = ((starts.nrows() * self.n_steps) as u64).saturating_mul((n * n_outputs) as u64);
        let others = n + starts.nrows() + n * starts.nrows();
        let meter = Meter::planned(run, gradients.saturating_add(others as u64))?;
        let (_, from) = activations(&meter, model, batch_of::<M::Batch>(starts, &shape)?.borrow(), layer, None)?;

        let share = 1.0 / from.nrows() as f64;
        let mut values = Array3::zeros((n, cells, n_outputs));
        let mut base = Array2::zeros((n, n_outputs));
        let mut scores = Array2::zeros((n, n_outputs));
        for samples in parts(n, rows_at_once(cells.max(rows.ncols()), n_outputs)) {
            let slice = Slice::from(samples.clone());
            let here = rows.slice_axis(Axis(0), slice).to_owned();
            let same = batch_of::<M::Batch>(here, &shape)?;
            let (found, to) = activations(&meter, model, same.borrow(), layer, None)?;
            scores.slice_axis_mut(Axis(0), slice).assign(&found);
            for from in from.outer_iter() {
                let line = &to - &from;
                let mut sums = Array3::zeros((samples.len(), cells, n_outputs));
                for &(t, weight) in &points {
                    let replace = replacement(&(&line * t + from), &inner)?;
                    let inside = look(&meter, model, same.borrow(), layer, Some(&replace))?;
                    sums.scaled_add(weight * share, &inside.gradients);
                }
                times(&mut sums, line.view());
                let mut slot = values.slice_axis_mut(Axis(0), slice);
                slot += &sums;
                let start = Array2::from_shape_fn(line.raw_dim(), |(_, cell)| from[cell]);
                let replace = replacement(&start, &inner)?;
                let (found, _) = activations(&meter, model, same.borrow(), layer, Some(&replace))?;
                base.slice_axis_mut(Axis(0), slice).scaled_add(share, &found);
            }
        }
        let provenance = Provenance::new("layer-integrated-gradients", run)
            .with("layer", self.layer.to_string())
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("quadrature", self.quadrature.name())
            .evaluations(meter.evaluations());
        Attribution::of_cells(model, &inner, values, base, scores, provenance)
    }
}

/// Activations (sample, cell) in the form in which a model takes them.
fn replacement(activations: &Array2<f64>, shape: &[usize]) -> Result<ArrayD<f32>> {
    let axes: Vec<usize> = std::iter::once(activations.nrows()).chain(shape.iter().copied()).collect();
    let cells = activations.iter().map(|&x| x as f32).collect();
    ArrayD::from_shape_vec(axes, cells).map_err(Error::model)
}
