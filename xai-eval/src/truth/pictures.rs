//! Pictures with planted evidence.

use ndarray::{Array2, Array4, ArrayRef2, ArrayRef4};
use xai_core::error::same_shape;
use xai_core::{Attribution, Differentiable, Error, Model, Provenance, Result, Run};

use super::{Known, Term, Terms};
use crate::draws::Draws;

/// The side of the blocks that a picture is made of.
const BLOCK: usize = 4;
/// What the match with the pattern must exceed: more than any part of the other pattern (8 cells of at most 1.2) and less
/// than the pattern (16 cells of at least 0.8).
const THRESHOLD: f64 = 10.0;
/// The largest noise.
const NOISE: f64 = 0.2;

/// A model of pictures (sample, 1, row, column) with one score: how far each block of 4 × 4 cells matches horizontal
/// stripes, above a threshold, summed over the blocks. It is a convolution with stride 4, a rectifier and a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    side: usize,
    cells: Terms,
}

/// Grey pictures of noise with two patterns in blocks of their own: horizontal stripes, which the model finds, and
/// vertical ones as bright, which it does not. Black (0) is absence, and the evidence is the block of horizontal stripes.
///
/// # Units
/// The truth is the Shapley value of every cell.
///
/// # Cost
/// 2¹⁶ terms a picture.
///
/// # Errors
/// [`Error::Parameter`] for no samples and for a side that is not a multiple of 4 from 8 to 64.
///
/// # Laws
/// `planted_evidence_is_the_block`, `known_shares_equal_brute_force`.
///
/// # Source
/// After Yang, Kim 2019, "Benchmarking attribution methods with relative feature importance", and Clark et al. 2024,
/// "XAI-TRIS".
pub fn pictures(n_samples: usize, side: usize, seed: u64) -> Result<Known<Pictures>> {
    if n_samples == 0 {
        return Err(Error::parameter("n_samples", 0, "at least 1"));
    }
    let model = Pictures::new(side)?;
    let blocks = side / BLOCK;
    let mut batch = Array4::<f32>::zeros((n_samples, 1, side, side));
    for (sample, mut picture) in batch.outer_iter_mut().enumerate() {
        let mut draws = Draws::nth(seed, sample);
        picture.iter_mut().for_each(|cell| *cell = (NOISE * (2.0 * draws.uniform() - 1.0)) as f32);
        let places = draws.sample(blocks * blocks, 2);
        for (place, horizontal) in places.into_iter().zip([true, false]) {
            let (top, left) = (place / blocks * BLOCK, place % blocks * BLOCK);
            for (row, column) in (0..BLOCK).flat_map(|row| (0..BLOCK).map(move |column| (row, column))) {
                picture[[0, top + row, left + column]] += stripe(if horizontal { row } else { column }) as f32;
            }
        }
    }
    let background = Array4::zeros((1, 1, side, side));
    let flat = model.cells.shares(&model.flat(&batch)?, &model.flat(&background)?)?;
    let provenance = Provenance::new("truth", &Run::default());
    let truth = Attribution::of_cells(&model, &[1, side, side], flat.values, flat.base, flat.scores, provenance)?;
    Ok(Known::new("pictures", model, batch, background, truth))
}

/// Bright and dark in turn.
fn stripe(line: usize) -> f64 {
    if line.is_multiple_of(2) { 1.0 } else { -1.0 }
}

impl Pictures {
    /// The model of pictures with this many rows and columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a side that is not a multiple of 4 from 8 to 64.
    pub fn new(side: usize) -> Result<Self> {
        if !(8..=64).contains(&side) || !side.is_multiple_of(BLOCK) {
            return Err(Error::parameter("side", side, "a multiple of 4 from 8 to 64"));
        }
        let block = |top: usize, left: usize| {
            let cells = (0..BLOCK).flat_map(move |row| (0..BLOCK).map(move |column| (top + row, left + column)));
            Term::Hinge {
                features: cells.clone().map(|(row, column)| row * side + column).collect(),
                weights: cells.map(|(row, _)| stripe(row - top)).collect(),
                threshold: THRESHOLD,
                height: 1.0,
            }
        };
        let starts = (0..side).step_by(BLOCK);
        let terms = starts.clone().flat_map(|top| starts.clone().map(move |left| block(top, left))).collect();
        Ok(Pictures { side, cells: Terms::new(side * side, vec![(0.0, terms)])? })
    }

    /// The pictures as a table (sample, cell).
    fn flat(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
        let n = batch.shape()[0];
        same_shape("pictures (sample, channel, row, column)", &[n, 1, self.side, self.side], batch.shape())?;
        Ok(Array2::from_shape_fn((n, self.side * self.side), |(sample, cell)| {
            f64::from(batch[[sample, 0, cell / self.side, cell % self.side]])
        }))
    }
}

impl Model for Pictures {
    type Batch = ArrayRef4<f32>;

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
        self.cells.predict(&self.flat(batch)?)
    }
}

impl Differentiable for Pictures {
    fn vjp(&self, batch: &ArrayRef4<f32>, weights: &ArrayRef2<f64>) -> Result<Array4<f32>> {
        let flat = self.cells.vjp(&self.flat(batch)?, weights)?;
        Ok(Array4::from_shape_fn((flat.nrows(), 1, self.side, self.side), |(sample, _, row, column)| {
            flat[[sample, row * self.side + column]] as f32
        }))
    }
}
