//! Samples with something added to their cells.

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, Axis, IxDyn, Slice};
use xai_core::error::same_shape;
use xai_core::{Cell, Cells, Meter, Model, Result};

/// How many samples one call of the model scores at most.
const SAMPLES_PER_CALL: usize = 4096;
/// How many scores of copies are held: 1 GiB.
const MOST_SCORES: u64 = 1 << 27;
/// How many cells one call of the model gets at most.
const CELLS_PER_CALL: usize = 1 << 22;

/// How many cells a sample has; the attribution must have a feature for each.
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) for another number of features.
pub(crate) fn n_cells<B: Cells + ?Sized>(batch: &B, n_features: usize) -> Result<usize> {
    let n = batch.sample_shape().iter().product();
    same_shape("features, one for each cell of a sample", &[n], &[n_features])?;
    Ok(n)
}

/// Refuses more copies than the scores of which can be held.
///
/// # Errors
/// [`Error::TooLarge`](xai_core::Error::TooLarge).
pub(crate) fn bounded(n_copies: usize, n_outputs: usize) -> Result<()> {
    let found = (n_copies as u64).saturating_mul(n_outputs.max(1) as u64);
    if found <= MOST_SCORES {
        return Ok(());
    }
    let what = "scores of shaken samples (samples × draws × outputs); measure fewer samples at a time".into();
    Err(xai_core::Error::TooLarge { what, limit: MOST_SCORES, found })
}

/// The scores (copy, output) of copies of samples; `shift(copy, cells)` adds to the cells of a copy of sample
/// `sample(copy)`.
///
/// # Errors
/// Those of the model.
pub(crate) fn scores_of_shifted<M>(
    model: &M,
    batch: &M::Batch,
    n_copies: usize,
    sample: impl Fn(usize) -> usize,
    mut shift: impl FnMut(usize, &mut [f64]),
    meter: &Meter,
) -> Result<Array2<f64>>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let cells = batch.cells();
    let shape = batch.sample_shape();
    let n_cells: usize = shape.iter().product();
    let step = SAMPLES_PER_CALL.min(CELLS_PER_CALL / n_cells.max(1)).max(1);
    let mut scores = Array2::zeros((n_copies, model.n_outputs()));
    let mut row = vec![0.0; n_cells];
    for start in (0..n_copies).step_by(step) {
        let end = (start + step).min(n_copies);
        let mut all = Vec::with_capacity((end - start) * n_cells);
        for copy in start..end {
            let source = cells.index_axis(Axis(0), sample(copy));
            row.iter_mut().zip(&source).for_each(|(to, from)| *to = (*from).into());
            shift(copy, &mut row);
            all.extend(row.iter().map(|&value| <M::Batch as Cells>::Cell::of(value)));
        }
        let mut whole_shape = vec![end - start];
        whole_shape.extend(&shape);
        let found = all.len();
        let copies = ArrayD::from_shape_vec(IxDyn(&whole_shape), all).map_err(|_| xai_core::Error::Shape {
            what: "shifted samples".into(),
            expected: whole_shape,
            found: vec![found],
        })?;
        let owned = <M::Batch as Cells>::of_cells(copies)?;
        let part = meter.predict(model, owned.borrow())?;
        scores.slice_axis_mut(Axis(0), Slice::from(start..end)).assign(&part);
    }
    Ok(scores)
}
