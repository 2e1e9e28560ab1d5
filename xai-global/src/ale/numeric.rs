//! The effect of one numeric feature.

use std::borrow::Cow;

use ndarray::{Array2, Axis};
use xai_core::{Meter, Model, Result, Table};

use super::accumulate::{Differences, curve};
use super::bins::Bins;
use super::{Centring, Effect};
use crate::copies::Copies;

pub(super) fn effect<M: Model<Batch = Table> + ?Sized>(
    model: &M,
    batch: &Table,
    meter: &Meter,
    column: usize,
    bins: &Bins,
    centring: Centring,
) -> Result<Effect> {
    let n_outputs = model.n_outputs();
    let grid = vec![bins.edges.clone()];
    if bins.len() == 0 {
        return Ok(Effect { grid, values: Array2::zeros((1, n_outputs)), standard_error: None, note: None });
    }
    let batch = only(batch, &bins.rows);
    let corners = at_corners(model, &batch, meter, &[(column, bins)])?;
    let mut differences = vec![Differences::none(n_outputs); bins.len()];
    let mut weights = vec![0.0; bins.len()];
    for (i, &bin) in bins.of.iter().enumerate() {
        differences[bin].push(corners[1].row(i), corners[0].row(i));
        weights[bin] += bins.share(i, centring);
    }
    let mut behind = 0.0;
    for (weight, count) in weights.iter_mut().zip(bins.counts()).rev() {
        *weight = (*weight + behind) / bins.rows.len() as f64;
        behind += count as f64;
    }
    let (values, standard_error) = curve(&differences, &weights, n_outputs);
    Ok(Effect { grid, values, standard_error, note: None })
}

/// The rows of the batch; itself when they are all.
pub(super) fn only<'a>(batch: &'a Table, rows: &[usize]) -> Cow<'a, Table> {
    match rows.len() == batch.nrows() {
        true => Cow::Borrowed(batch),
        false => Cow::Owned(batch.select(Axis(0), rows)),
    }
}

/// The scores of each sample with each of the columns moved to the left (bit off) or right (bit on) edge of its bin;
/// the corner's bits are those of the columns in order.
pub(super) fn at_corners<M: Model<Batch = Table> + ?Sized>(
    model: &M,
    batch: &Table,
    meter: &Meter,
    axes: &[(usize, &Bins)],
) -> Result<Vec<Array2<f64>>> {
    Copies { meter, model, batch }.scores(
        0..1 << axes.len(),
        |corner, rows, mut block| {
            for (mut row, i) in block.outer_iter_mut().zip(rows) {
                for (bit, (column, bins)) in axes.iter().enumerate() {
                    row[*column] = bins.edges[bins.of[i] + (corner >> bit & 1)];
                }
            }
        },
        |_, scores| Ok(scores.to_owned()),
    )
}
