//! Asking a model for gradients: all outputs at once, in portions that bound memory.

use std::borrow::Borrow;
use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView2, ArrayViewD, Axis, Zip};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Cell, Cells, Differentiable, Error, Feature, Meter, Model, Provenance, Result};

/// Numbers of a result, at most: 2 GiB.
const MOST_VALUES: u64 = 1 << 28;
/// Cells that go to the model in one call, unless one sample has more.
const CELLS_PER_CALL: usize = 1 << 20;
/// Samples that go to the model in one call, at most.
const ROWS_PER_CALL: usize = 256;
/// Cells of the ends of lines that are followed together, unless fewer lines than [`LEAST_LINES`] have so many.
const CELLS_OF_LINES: usize = 1 << 16;
/// As many lines as keep some threads busy.
const LEAST_LINES: usize = 32;
/// Weights and gradients that one call takes and gives, unless one output has more.
const GRADIENTS_PER_CALL: usize = 1 << 25;

/// How many samples of so many cells go to the model in one call.
pub(crate) fn rows_per_call(cells: usize) -> usize {
    (CELLS_PER_CALL / cells.max(1)).clamp(1, ROWS_PER_CALL)
}

/// How many samples go through together, when what is kept of each is so many cells for every output.
pub(crate) fn rows_at_once(cells: usize, n_outputs: usize) -> usize {
    rows_per_call(cells.saturating_mul(n_outputs.div_ceil(8).max(1)))
}

/// How many lines are followed together: what is held of their ends, slopes and sums is several times the samples.
pub(crate) fn lines_at_once(cells: usize, n_outputs: usize) -> usize {
    rows_at_once(cells, n_outputs).min((CELLS_OF_LINES / cells.max(1)).max(LEAST_LINES))
}

/// 0..n in parts of at most `step`.
pub(crate) fn parts(n: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(step.max(1)).map(move |start| start..n.min(start + step.max(1)))
}

/// For each output chosen, weights (sample, output) that ask for its gradient alone.
pub(crate) fn one_hot(n_samples: usize, n_outputs: usize, chosen: Range<usize>) -> Vec<Array2<f64>> {
    let alone = |output| Array2::from_shape_fn((n_samples, n_outputs), |(_, k)| if k == output { 1.0 } else { 0.0 });
    chosen.map(alone).collect()
}

/// The outputs in portions whose weights and gradients fit in memory.
pub(crate) fn portions(n_samples: usize, cells: usize, n_outputs: usize) -> impl Iterator<Item = Range<usize>> {
    let each = n_samples.max(1).saturating_mul(cells.max(n_outputs).max(1));
    parts(n_outputs, (GRADIENTS_PER_CALL / each).max(1))
}

/// Refuses what memory cannot hold, before anything is computed.
pub(crate) fn bounded(n_samples: usize, cells: usize, n_outputs: usize) -> Result<()> {
    let found = (n_samples as u64).saturating_mul(cells as u64).saturating_mul(n_outputs as u64);
    if found > MOST_VALUES {
        let what = "values (samples × cells × outputs); explain fewer samples at a time or select outputs".into();
        return Err(Error::TooLarge { what, limit: MOST_VALUES, found });
    }
    Ok(())
}

/// The cells of every sample as a row.
pub(crate) fn rows_of<B: Cells + ?Sized>(batch: &B) -> Result<Array2<B::Cell>> {
    let cells: usize = batch.sample_shape().iter().product();
    let rows = batch.cells();
    let rows = rows.to_shape((batch.n_samples(), cells)).map_err(Error::model)?;
    Ok(in_order(rows.into_owned()))
}

/// The same table with its rows one after the other in memory: columns that were picked or turned come otherwise.
fn in_order<A: Clone>(rows: Array2<A>) -> Array2<A> {
    if rows.is_standard_layout() { rows } else { rows.as_standard_layout().into_owned() }
}

/// The numbers in the cells of every sample as a row.
pub(crate) fn numbers_of<B: Cells + ?Sized>(batch: &B) -> Result<Array2<f64>> {
    let cells: usize = batch.sample_shape().iter().product();
    let rows = batch.cells();
    let rows = rows.to_shape((batch.n_samples(), cells)).map_err(Error::model)?;
    Ok(rows.mapv(Into::into))
}

/// Rows of cells as a batch of samples of `shape`.
pub(crate) fn batch_of<B: Cells + ?Sized>(rows: Array2<B::Cell>, shape: &[usize]) -> Result<B::Owned> {
    let axes: Vec<usize> = std::iter::once(rows.nrows()).chain(shape.iter().copied()).collect();
    B::of_cells(in_order(rows).into_dyn().into_shape_with_order(axes).map_err(Error::model)?)
}

/// The scores, and the gradients of all of them: (sample, output), (sample, cell, output).
pub(crate) fn gradients<M>(meter: &Meter, model: &M, batch: &M::Batch) -> Result<(Array2<f64>, Array3<f64>)>
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    let (n, n_outputs, shape) = (batch.n_samples(), model.n_outputs(), batch.sample_shape());
    let cells = shape.iter().product();
    bounded(n, cells, n_outputs)?;
    let mut values = None;
    let mut scores = None;
    for chosen in portions(n, cells, n_outputs) {
        let weights = one_hot(n, n_outputs, chosen.clone());
        let (found, gradients) = meter.scores_and_vjps(model, batch, &weights)?;
        let gradients: Vec<&M::Batch> = gradients.iter().map(Borrow::borrow).collect();
        scores.get_or_insert(found);
        if let ([only], 1) = (&gradients[..], n_outputs) {
            values = Some(alone(*only, n, &shape)?);
            continue;
        }
        let values = values.get_or_insert_with(|| Array3::zeros((n, cells, n_outputs)));
        add(values, chosen.start, &gradients, &shape, 1.0)?;
    }
    let scores = scores.unwrap_or_else(|| Array2::zeros((n, n_outputs)));
    Ok((scores, values.unwrap_or_else(|| Array3::zeros((n, cells, n_outputs)))))
}

/// The gradients of one output as values: (sample, cell, 1).
fn alone<B: Cells + ?Sized>(gradient: &B, n: usize, shape: &[usize]) -> Result<Array3<f64>> {
    let (view, expected) = (gradient.cells(), [&[n], shape].concat());
    same_shape("gradient of the model", &expected, view.shape())?;
    let values = view.to_shape((n, shape.iter().product(), 1)).map_err(Error::model)?;
    Ok(values.mapv(Into::into))
}

/// Sums of gradients along lines of rows, for all outputs: Σ over `points` (t, c) of c times the gradient at
/// from + t·(to − from), (row, cell, output).
pub(crate) fn line_gradients<M>(
    meter: &Meter,
    model: &M,
    from: Array2<CellOf<M>>,
    to: Array2<CellOf<M>>,
    shape: &[usize],
    points: &[(f64, f64)],
) -> Result<Array3<f64>>
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    let (n, cells, n_outputs) = (to.nrows(), to.ncols(), model.n_outputs());
    let mut sums = Array3::zeros((n, cells, n_outputs));
    let (start, end) = (batch_of::<M::Batch>(from, shape)?, batch_of::<M::Batch>(to, shape)?);
    let (start, end): (&M::Batch, &M::Batch) = (start.borrow(), end.borrow());
    let (from, to) = (flat(start.cells(), n, cells)?, flat(end.cells(), n, cells)?);
    for chosen in portions(n, cells, n_outputs) {
        let weights = one_hot(n, n_outputs, chosen.clone());
        if let Some(found) = meter.line_vjps(model, start, end, points, &weights)? {
            let found: Vec<&M::Batch> = found.iter().map(Borrow::borrow).collect();
            add(&mut sums, chosen.start, &found, shape, 1.0)?;
            continue;
        }
        for points in points.chunks((rows_per_call(cells) / n.max(1)).max(1)) {
            let rows = Array2::from_shape_fn((points.len() * n, cells), |(row, cell)| {
                let (line, t) = (row % n, points[row / n].0);
                between(from[[line, cell]], to[[line, cell]], t)
            });
            let batch = batch_of::<M::Batch>(rows, shape)?;
            let weights = one_hot(points.len() * n, n_outputs, chosen.clone());
            let (_, found) = meter.scores_and_vjps(model, batch.borrow(), &weights)?;
            for (place, &(_, weight)) in points.iter().enumerate() {
                let at_point: Vec<_> = found
                    .iter()
                    .map(|all| Borrow::<M::Batch>::borrow(all).samples(place * n..(place + 1) * n))
                    .collect();
                let at_point: Vec<&M::Batch> = at_point.iter().map(Borrow::borrow).collect();
                add(&mut sums, chosen.start, &at_point, shape, weight)?;
            }
        }
    }
    Ok(sums)
}

fn flat<A>(cells: ArrayViewD<'_, A>, n: usize, width: usize) -> Result<ArrayView2<'_, A>> {
    cells.into_shape_with_order((n, width)).map_err(Error::model)
}

/// The cells that a model eats.
pub(crate) type CellOf<M> = <<M as Model>::Batch as Cells>::Cell;

/// from + t·(to − from), rounded once.
pub(crate) fn between<A: Cell>(from: A, to: A, t: f64) -> A {
    let (from, to): (f64, f64) = (from.into(), to.into());
    A::of(from + t * (to - from))
}

/// Adds `weight` times the gradients of the outputs from `first` on to sums of (sample, cell, output).
fn add<B: Cells + ?Sized>(
    sums: &mut Array3<f64>,
    first: usize,
    gradients: &[&B],
    shape: &[usize],
    weight: f64,
) -> Result<()> {
    let n = sums.len_of(Axis(0));
    let expected: Vec<usize> = std::iter::once(n).chain(shape.iter().copied()).collect();
    let views = gradients.iter().map(|gradient| gradient.cells()).collect::<Vec<_>>();
    views.iter().try_for_each(|view| same_shape("gradient of the model", &expected, view.shape()))?;
    let cells = sums.len_of(Axis(1));
    let flat = views.iter().map(|view| view.to_shape((n, cells)).map_err(Error::model)).collect::<Result<Vec<_>>>()?;
    sums.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(sample, mut sums)| {
        for (place, gradient) in flat.iter().enumerate() {
            let mut slots = sums.column_mut(first + place);
            Zip::from(&mut slots).and(gradient.row(sample)).for_each(|slot, &value| *slot += weight * value.into());
        }
    });
    Ok(())
}

/// Multiplies (sample, cell, output) by (sample, cell).
pub(crate) fn times(values: &mut Array3<f64>, factors: ArrayView2<f64>) {
    *values *= &factors.insert_axis(Axis(2));
}

/// An attribution to the inputs: the columns of a table by their names, the cells of anything else by their places.
pub(crate) fn of_inputs<M>(
    model: &M,
    batch: &M::Batch,
    values: Array3<f64>,
    base: Array2<f64>,
    scores: Array2<f64>,
    provenance: Provenance,
) -> Result<Attribution>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let shape = batch.sample_shape();
    let all = Attribution::of_cells(model, &shape, values, base, scores, provenance)?;
    let [columns] = shape[..] else { return Ok(all) };
    let features = match model.features() {
        [] => Feature::unnamed(columns),
        named => named.to_vec(),
    };
    same_shape("features of the batch", &[features.len()], &[columns])?;
    let data = numbers_of(batch)?;
    Attribution { features, data: Some(data), shape: None, ..all }.checked()
}
