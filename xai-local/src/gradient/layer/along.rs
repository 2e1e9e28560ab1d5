//! What a layer goes through while the input moves from a baseline to a sample.

use std::borrow::Borrow;
use std::ops::Range;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Slice};
use xai_core::{Cells, Layered, Meter, Result};

use super::{Inside, look};
use crate::gradient::passes::{CellOf, batch_of, between, parts, rows_at_once};

/// Samples, the baselines that lines to them start from, and the layer that is watched.
pub(super) struct Walk<'a, A> {
    /// (sample, cell).
    pub rows: &'a Array2<A>,
    /// (baseline, cell).
    pub starts: &'a Array2<A>,
    /// The axes of one sample.
    pub shape: &'a [usize],
    /// The layer.
    pub layer: usize,
}

/// A place on the lines from one baseline to some samples.
pub(super) struct Stop<'a, A> {
    /// The samples.
    pub samples: Range<usize>,
    /// Which of the places it is.
    pub place: usize,
    /// Where the lines begin.
    pub start: ArrayView1<'a, A>,
    /// The inputs there: (sample of `samples`, cell).
    pub inputs: ArrayView2<'a, A>,
    /// What was seen.
    pub inside: Inside,
}

impl<A: xai_core::Cell> Walk<'_, A> {
    /// Stops at every place of every line, in order, with all samples of a portion at once.
    pub(super) fn visit<M>(
        &self,
        meter: &Meter,
        model: &M,
        places: &[f64],
        mut see: impl FnMut(Stop<A>) -> Result<()>,
    ) -> Result<()>
    where
        M: Layered + ?Sized,
        M::Batch: Cells<Cell = A>,
    {
        let inner: usize = model.layers()[self.layer].shape.iter().product();
        for samples in parts(self.rows.nrows(), rows_at_once(inner.max(self.rows.ncols()), model.n_outputs())) {
            let to = self.rows.slice_axis(Axis(0), Slice::from(samples.clone()));
            for start in self.starts.outer_iter() {
                for (place, &t) in places.iter().enumerate() {
                    let at: Array2<CellOf<M>> =
                        Array2::from_shape_fn(to.raw_dim(), |(row, cell)| between(start[cell], to[[row, cell]], t));
                    let batch = batch_of::<M::Batch>(at.clone(), self.shape)?;
                    let inside = look(meter, model, batch.borrow(), self.layer, None)?;
                    see(Stop { samples: samples.clone(), place, start, inputs: at.view(), inside })?;
                }
            }
        }
        Ok(())
    }

    /// How many gradients of one output the walk takes.
    pub(super) fn gradients(&self, n_places: usize) -> u64 {
        (self.rows.nrows() as u64).saturating_mul(self.starts.nrows() as u64).saturating_mul(n_places as u64)
    }
}
