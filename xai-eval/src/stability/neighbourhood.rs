//! Samples near a sample, and their explanations.

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, ArrayView1, ArrayView2, Axis, IxDyn};
use xai_core::error::same_shape;
use xai_core::model::Owned;
use xai_core::{Attribution, Cell, Cells, Error, Model, Result, Run};

use crate::Case;
use crate::draws::Draws;
use crate::explaining::{Explaining, seed_for};

/// Which samples count as near, and how many are drawn.
///
/// The cells of a neighbour are those of the sample, each plus its noise. Noise follows from the run's seed, the sample's
/// place and the number of the draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    /// How a neighbour differs from the sample.
    pub noise: Noise,
    /// How many neighbours each sample has; unused with [`Noise::Offsets`]. Default 20.
    pub n_draws: usize,
    /// What the noise of each cell is multiplied by: (cell); `None`: 1. Standard deviations of the training data make
    /// columns comparable; 0 keeps a cell as it is.
    pub scales: Option<Vec<f64>>,
    /// Whether neighbours for which another output scores highest are left out. It means nothing for one output.
    pub same_prediction: bool,
}

/// How a neighbour differs from its sample, cell by cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Noise {
    /// Evenly spread between minus this and this.
    Uniform(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// These numbers, the same for every sample: (draw, cell).
    Offsets(Array2<f64>),
}

impl Default for Neighbourhood {
    /// Twenty neighbours within 0.2 of each cell, the radius of Yeh et al. 2019.
    fn default() -> Self {
        Neighbourhood { noise: Noise::Uniform(0.2), n_draws: 20, scales: None, same_prediction: false }
    }
}

/// So many rows are explained in one call at most.
const ROWS: usize = 4096;
/// So many numbers lie in memory for one call at most: cells and shares.
const NUMBERS: usize = 1 << 23;

/// A sample, one of its neighbours, and both explanations.
pub(super) struct Near<'a> {
    /// The sample's place in the batch.
    pub sample: usize,
    /// The sample's cells.
    pub cells: &'a [f64],
    /// The neighbour's cells.
    pub moved: &'a [f64],
    /// The shares of the sample: (feature, output).
    pub shares: ArrayView2<'a, f64>,
    /// The shares of the neighbour: (feature, output).
    pub moved_shares: ArrayView2<'a, f64>,
    /// The scores of the sample: (output).
    pub scores: ArrayView1<'a, f64>,
    /// The scores of the neighbour: (output).
    pub moved_scores: ArrayView1<'a, f64>,
}

/// Neighbours of several samples as a batch, with the sample of each.
pub(super) struct Rows<M: Model + ?Sized> {
    pub batch: Owned<M>,
    pub samples: Vec<usize>,
}

impl Neighbourhood {
    /// How many neighbours each sample has.
    ///
    /// # Errors
    /// [`Error::Parameter`] or [`Error::Shape`] for a neighbourhood that makes no sense for `n_cells` cells.
    fn check(&self, n_cells: usize) -> Result<usize> {
        let n_draws = match &self.noise {
            Noise::Uniform(size) | Noise::Normal(size) if !(size.is_finite() && *size > 0.0) => {
                return Err(Error::parameter("noise", size, "a positive number"));
            }
            Noise::Uniform(_) | Noise::Normal(_) => self.n_draws,
            Noise::Offsets(offsets) => {
                same_shape("offsets (draw, cell)", &[offsets.nrows(), n_cells], offsets.shape())?;
                xai_core::error::all_finite("offsets (draw, cell)", offsets)?;
                offsets.nrows()
            }
        };
        if let Some(scales) = &self.scales {
            same_shape("scales of the noise (cell)", &[n_cells], &[scales.len()])?;
            if let Some(scale) = scales.iter().find(|scale| !scale.is_finite()) {
                return Err(Error::parameter("scales", scale, "finite numbers"));
            }
        }
        if n_draws == 0 {
            return Err(Error::parameter("n_draws", 0, "at least 1"));
        }
        Ok(n_draws)
    }

    /// Adds the noise of one draw for a sample with this seed.
    fn move_cells(&self, cells: &[f64], seed: u64, draw: usize, moved: &mut Vec<f64>) {
        let mut draws = Draws::nth(seed, draw);
        moved.clear();
        moved.extend(cells.iter().enumerate().map(|(cell, x)| {
            let noise = match &self.noise {
                Noise::Uniform(radius) => radius * (2.0 * draws.uniform() - 1.0),
                Noise::Normal(deviation) => deviation * draws.normal(),
                Noise::Offsets(offsets) => offsets[[draw, cell]],
            };
            x + noise * self.scales.as_ref().map_or(1.0, |scales| scales[cell])
        }));
    }

    /// Explains all neighbours of all samples, chunk by chunk, and shows each to `see`. With `chunk`, shows every chunk of
    /// neighbours to it first. Returns the evaluations.
    ///
    /// # Errors
    /// Those of the parameters, the explainer, `chunk` and the case.
    pub(super) fn visit<M>(
        &self,
        metric: &str,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
        chunk: &mut dyn FnMut(&Rows<M>, &Run) -> Result<u64>,
        see: &mut dyn FnMut(usize, Near),
    ) -> Result<u64>
    where
        M: Model + ?Sized,
        M::Batch: Cells,
    {
        let mut explaining = Explaining::new(case.need_explainer(metric)?, run);
        let values = case.values(attribution)?;
        let cells = flat::<M>(case.batch);
        let n_draws = self.check(cells.ncols())?;
        let shape = case.batch.sample_shape();
        let n_rows = cells.nrows().saturating_mul(n_draws);
        let at_once = (NUMBERS / (cells.ncols() + values.dim().1 * values.dim().2).max(1)).clamp(1, ROWS);
        let seed = seed_for(run, 1);
        let mut moved = Vec::new();
        for start in (0..n_rows).step_by(at_once) {
            let end = n_rows.min(start + at_once);
            let mut flat_rows = Vec::with_capacity((end - start) * cells.ncols());
            let samples: Vec<usize> = (start..end).map(|row| row / n_draws).collect();
            for row in start..end {
                let sample = row / n_draws;
                let place = cells.row(sample);
                let place = place.as_slice().unwrap_or_default();
                self.move_cells(place, run.seed_of(sample), row % n_draws, &mut moved);
                flat_rows.extend(moved.iter().map(|x| <M::Batch as Cells>::Cell::of(*x)));
            }
            let rows = Rows::<M> { batch: batch_of::<M>(end - start, &shape, flat_rows)?, samples };
            explaining.evaluations = explaining.evaluations.saturating_add(chunk(&rows, &explaining.rest())?);
            let first = run.first_sample.wrapping_mul(n_draws as u64).wrapping_add(start as u64);
            let explained = explaining.explain(case.model, rows.batch.borrow(), seed, first, attribution)?;
            let moved_cells = flat::<M>(rows.batch.borrow());
            for (row, &sample) in rows.samples.iter().enumerate() {
                let scores = attribution.scores.row(sample);
                let moved_scores = explained.scores.row(row);
                if self.same_prediction && highest(scores) != highest(moved_scores) {
                    continue;
                }
                let near = Near {
                    sample,
                    cells: cells.row(sample).to_slice().unwrap_or_default(),
                    moved: moved_cells.row(row).to_slice().unwrap_or_default(),
                    shares: values.index_axis(Axis(0), sample),
                    moved_shares: explained.values.index_axis(Axis(0), row),
                    scores,
                    moved_scores,
                };
                see(row, near);
            }
        }
        Ok(explaining.evaluations)
    }
}

/// The output that scores highest; of equal ones the first.
pub(super) fn highest(scores: ArrayView1<f64>) -> usize {
    (0..scores.len()).fold(0, |best, output| if scores[output] > scores[best] { output } else { best })
}

/// The cells of a batch as numbers of double precision: (sample, cell).
pub(crate) fn flat<M: Model + ?Sized>(batch: &M::Batch) -> Array2<f64>
where
    M::Batch: Cells,
{
    let cells = batch.cells();
    let samples = cells.len_of(Axis(0));
    let width = cells.shape()[1..].iter().product();
    // Steps over many axes cost more than the numbers themselves.
    let flat: Vec<f64> = match cells.as_slice() {
        Some(cells) => cells.iter().map(|cell| (*cell).into()).collect(),
        None => cells.iter().map(|cell| (*cell).into()).collect(),
    };
    Array2::from_shape_vec((samples, width), flat).unwrap_or_default()
}

/// A batch of `n` samples of `shape` from their cells in row-major order.
pub(crate) fn batch_of<M: Model + ?Sized>(
    n: usize,
    shape: &[usize],
    cells: Vec<<M::Batch as Cells>::Cell>,
) -> Result<Owned<M>>
where
    M::Batch: Cells,
{
    let found = cells.len();
    let axes: Vec<usize> = std::iter::once(n).chain(shape.iter().copied()).collect();
    let cells = ArrayD::from_shape_vec(IxDyn(&axes), cells).map_err(|_| Error::Shape {
        what: "cells of the neighbours".into(),
        expected: axes.clone(),
        found: vec![found],
    })?;
    M::Batch::of_cells(cells)
}
