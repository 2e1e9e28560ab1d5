//! Integrated gradients from blurred to sharp.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayD, Axis, Slice, Zip};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cell, Cells, Differentiable, Error, Explainer, Meter, Provenance, Result, Run};

use super::passes::{batch_of, bounded, gradients, of_inputs, parts, rows_at_once, rows_of};

/// Blur integrated gradients: gathers slopes while the sample goes from blurred to sharp, so that what appears at which scale
/// gets the credit, and no baseline of another colour is needed.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_steps` | 100 | ≥ 1 |
/// | `max_sigma` | a quarter of the longest axis of places | > 0: the blur's standard deviation at the start, in cells |
///
/// # Units
/// `base` = score of the sample as blurred as it gets; `base` + Σ values = `scores` up to an error that falls with the square
/// of `n_steps`: [`Attribution::completeness_residual`].
///
/// # Cost
/// `n_steps` + 1 gradients of every output for each sample. Blurring takes the length of an axis for each cell, axis and
/// step.
///
/// # Errors
/// Those of the model; [`Error::Unsupported`] for tables, whose columns have no order; [`Error::Parameter`] for parameters
/// out of range; [`Error::TooLarge`] for more than 2²⁸ values or an axis of more than 4096 cells.
///
/// # Laws
/// `blur_paths_are_complete`, `blurs_are_those_of_scipy`, `batches_change_no_bit`.
///
/// # Source
/// Xu, Venugopalan & Sundararajan, *Attribution in scale and space*, 2020, equation 4. *Differs:* the mean of the slopes at
/// both ends of a step, which makes the error fall with the square of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlurIntegratedGradients {
    /// Steps from blurred to sharp, of the same difference in the blur's standard deviation.
    pub n_steps: usize,
    /// The blur at the start, in cells.
    pub max_sigma: Option<f64>,
}

impl Default for BlurIntegratedGradients {
    fn default() -> Self {
        BlurIntegratedGradients { n_steps: 100, max_sigma: None }
    }
}

/// The longest axis of which a matrix of pairs of cells is held.
const LONGEST: usize = 4096;

impl<M> Explainer<M> for BlurIntegratedGradients
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        super::Quadrature::Left.points(self.n_steps)?;
        let (shape, n_outputs) = (batch.sample_shape(), model.n_outputs());
        let longest = shape.iter().skip(1).copied().max();
        let Some(longest) = longest else {
            return Err(Error::unsupported("blurring a table", "its columns have no order; take a series or images"));
        };
        if longest > LONGEST {
            let what = "cells on an axis that is blurred".into();
            return Err(Error::TooLarge { what, limit: LONGEST as u64, found: longest as u64 });
        }
        let max_sigma = self.max_sigma.unwrap_or(longest as f64 / 4.0);
        if !(max_sigma > 0.0 && max_sigma <= LONGEST as f64) {
            return Err(Error::parameter("max_sigma", max_sigma, format!("above 0, up to {LONGEST}")));
        }
        let rows = rows_of(batch)?;
        let (n, cells) = rows.dim();
        bounded(n, cells, n_outputs)?;
        let planned = ((self.n_steps + 1) as u64).saturating_mul(n as u64).saturating_mul(n_outputs as u64);
        let meter = Meter::planned(run, planned)?;

        let mut values = Array3::zeros((n, cells, n_outputs));
        let (mut base, mut scores) = (Array2::zeros((n, n_outputs)), Array2::zeros((n, n_outputs)));
        for samples in parts(n, rows_at_once(cells, n_outputs)) {
            let slice = Slice::from(samples);
            let sharp = rows.slice_axis(Axis(0), slice).mapv(Into::into);
            let mut before: Option<(Array2<f64>, Array3<f64>)> = None;
            for step in 0..=self.n_steps {
                let sigma = max_sigma * (self.n_steps - step) as f64 / self.n_steps as f64;
                let at = blurred(&sharp, &shape, sigma)?;
                let here = batch_of::<M::Batch>(at.mapv(Cell::of), &shape)?;
                let (found, slopes) = gradients(&meter, model, here.borrow())?;
                if step == 0 {
                    base.slice_axis_mut(Axis(0), slice).assign(&found);
                }
                if step == self.n_steps {
                    scores.slice_axis_mut(Axis(0), slice).assign(&found);
                }
                if let Some((last, last_slopes)) = &before {
                    let way = (&at - last) / 2.0;
                    let mut values = values.slice_axis_mut(Axis(0), slice);
                    let way = way.insert_axis(Axis(2));
                    Zip::from(&mut values)
                        .and(&slopes)
                        .and(last_slopes)
                        .and_broadcast(&way)
                        .for_each(|value, slope, last, way| *value += (slope + last) * way);
                }
                before = Some((at, slopes));
            }
        }
        let provenance = Provenance::new("blur-integrated-gradients", run)
            .with("n_steps", self.n_steps)
            .with("max_sigma", max_sigma)
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, base, scores, provenance)
    }
}

/// Samples (sample, cell) blurred along every axis of places by a normal curve of standard deviation `sigma`, cut at four
/// of them. Beyond the edge the sample is its own mirror image.
pub(crate) fn blurred(rows: &Array2<f64>, shape: &[usize], sigma: f64) -> Result<Array2<f64>> {
    if sigma == 0.0 {
        return Ok(rows.clone());
    }
    let axes: Vec<usize> = std::iter::once(rows.nrows()).chain(shape.iter().copied()).collect();
    let mut cells: ArrayD<f64> = rows.clone().into_dyn().into_shape_with_order(axes).map_err(Error::model)?;
    for axis in 2..cells.ndim() {
        let spread = spread(cells.len_of(Axis(axis)), sigma);
        for mut lane in cells.lanes_mut(Axis(axis)) {
            let after = spread.dot(&lane);
            lane.assign(&after);
        }
    }
    cells.into_shape_with_order(rows.raw_dim()).map_err(Error::model)
}

/// How much of each cell of an axis goes to each: (to, from).
fn spread(length: usize, sigma: f64) -> Array2<f64> {
    let reach = (4.0 * sigma + 0.5) as usize;
    let tap = |distance: usize| (-0.5 * (distance as f64 / sigma).powi(2)).exp();
    let whole = 1.0 + 2.0 * (1..=reach).map(tap).sum::<f64>();
    let mut spread = Array2::zeros((length, length));
    for to in 0..length {
        for place in 0..=2 * reach {
            // Mirrored at the edges of the outermost cells: a b c | c b a.
            let period = 2 * length;
            let at = (to + period * reach.div_ceil(period) + place - reach) % period;
            let from = if at < length { at } else { period - 1 - at };
            spread[[to, from]] += tap(place.abs_diff(reach)) / whole;
        }
    }
    spread
}
