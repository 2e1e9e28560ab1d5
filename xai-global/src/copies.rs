//! Scoring many altered copies of a table, a few thousand rows a call.

use std::ops::Range;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice};
use xai_core::{Error, Meter, Model, Result, Table};

/// How many rows one call of the model scores at most: enough to be fast, few enough to stay in cache.
const ROWS_PER_CALL: usize = 4096;
/// How many rows' scores are held at once; a single copy is always held whole.
const ROWS_PER_WAVE: usize = 65_536;

/// A table whose copies a model is to score.
pub(crate) struct Copies<'a, M: ?Sized> {
    pub(crate) meter: &'a Meter<'a>,
    pub(crate) model: &'a M,
    pub(crate) batch: &'a Table,
}

impl<M: Model<Batch = Table> + ?Sized> Copies<'_, M> {
    /// How many copies' scores are held at once.
    pub(crate) fn per_wave(&self) -> usize {
        (ROWS_PER_WAVE / self.batch.nrows().max(1)).max(1)
    }

    /// What `take` makes of the scores (sample, output) of each copy, in order.
    ///
    /// `alter(copy, rows, block)` changes a block that holds the rows `rows` of the batch into those of the copy. Blocks
    /// are scored in parallel, and may end within a copy and hold parts of several.
    pub(crate) fn scores<T: Send>(
        &self,
        copies: Range<usize>,
        alter: impl Fn(usize, Range<usize>, ArrayViewMut2<f64>) + Sync,
        take: impl Fn(usize, ArrayView2<f64>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let n = self.batch.nrows();
        let per_wave = self.per_wave();
        let mut taken = Vec::with_capacity(copies.len());
        for first in copies.clone().step_by(per_wave) {
            let in_wave = per_wave.min(copies.end - first);
            let mut scores = Array2::zeros((in_wave * n, self.model.n_outputs()));
            scores.axis_chunks_iter_mut(Axis(0), ROWS_PER_CALL).into_par_iter().enumerate().try_for_each(
                |(chunk, mut scores)| {
                    let rows = chunk * ROWS_PER_CALL..chunk * ROWS_PER_CALL + scores.nrows();
                    let block = self.block(first, rows, &alter);
                    scores.assign(&self.meter.predict(self.model, &block)?);
                    Ok::<(), Error>(())
                },
            )?;
            let wave: Result<Vec<T>> = scores
                .axis_chunks_iter(Axis(0), n.max(1))
                .into_par_iter()
                .enumerate()
                .map(|(copy, scores)| take(first + copy, scores))
                .collect();
            taken.extend(wave?);
        }
        Ok(taken)
    }

    /// The rows `rows` of the copies from `first` on, laid end to end.
    fn block(
        &self,
        first: usize,
        rows: Range<usize>,
        alter: &impl Fn(usize, Range<usize>, ArrayViewMut2<f64>),
    ) -> Array2<f64> {
        let n = self.batch.nrows();
        let mut block = Array2::zeros((rows.len(), self.batch.ncols()));
        let mut row = rows.start;
        while row < rows.end {
            let (copy, from) = (row / n, row % n);
            let until = n.min(from + rows.end - row);
            let at = row - rows.start;
            let mut part = block.slice_axis_mut(Axis(0), Slice::from(at..at + until - from));
            part.assign(&self.batch.slice_axis(Axis(0), Slice::from(from..until)));
            alter(first + copy, from..until, part);
            row += until - from;
        }
        block
    }
}

/// Checks that a table has samples.
///
/// # Errors
/// [`Error::Parameter`] when it has fewer than `least`.
pub(crate) fn check_samples(batch: &Table, least: usize) -> Result<()> {
    if batch.nrows() >= least {
        return Ok(());
    }
    let expected = format!("at least {least} sample{}", if least == 1 { "" } else { "s" });
    Err(Error::parameter("batch", format!("{} samples", batch.nrows()), expected))
}
