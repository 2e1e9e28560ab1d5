//! The effect of two numeric features beyond their single effects.

use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};
use xai_core::{Meter, Model, Result, Table};

use super::bins::Bins;
use super::numeric::{at_corners, only};
use super::{Centring, Effect};

pub(super) fn effect<M: Model<Batch = Table> + ?Sized>(
    model: &M,
    batch: &Table,
    meter: &Meter,
    columns: [usize; 2],
    bins: [&Bins; 2],
    centring: Centring,
) -> Result<Effect> {
    let n_outputs = model.n_outputs();
    let [a, b] = bins;
    let grid = vec![a.edges.clone(), b.edges.clone()];
    let n_points = a.edges.len() * b.edges.len();
    if a.len() == 0 || b.len() == 0 {
        return Ok(Effect { grid, values: Array2::zeros((n_points, n_outputs)), standard_error: None, note: None });
    }
    let batch = only(batch, &a.rows);
    let corners = at_corners(model, &batch, meter, &[(columns[0], a), (columns[1], b)])?;
    let mut counts = Array2::<f64>::zeros((a.len(), b.len()));
    let mut cells = Array3::<f64>::zeros((a.len(), b.len(), n_outputs));
    for i in 0..a.rows.len() {
        let cell = (a.of[i], b.of[i]);
        counts[cell] += 1.0;
        for k in 0..n_outputs {
            let second = corners[3][[i, k]] - corners[2][[i, k]] - (corners[1][[i, k]] - corners[0][[i, k]]);
            cells[[cell.0, cell.1, k]] += (second - cells[[cell.0, cell.1, k]]) / counts[cell];
        }
    }
    let n_empty = fill_empty(&mut cells, &counts, a, b);
    let mut surface = accumulated(&cells);
    let effects = [single_effect(&surface, a, b, centring), {
        let turned = surface.view().permuted_axes([1, 0, 2]).to_owned();
        single_effect(&turned, b, a, centring)
    }];
    surface -= &effects[0].view().insert_axis(Axis(1));
    surface -= &effects[1].view().insert_axis(Axis(0));
    let mean = mean_over_data(&surface, a, b, centring);
    surface -= &mean;
    let note = (n_empty > 0).then(|| {
        format!(
            "{n_empty} of {} cells hold no sample and take their effect from the nearest one that does",
            counts.len()
        )
    });
    let values =
        Array2::from_shape_fn((n_points, n_outputs), |(p, k)| surface[[p / b.edges.len(), p % b.edges.len(), k]]);
    Ok(Effect { grid, values, standard_error: None, note })
}

/// Gives cells without samples the mean second difference of the nearest ones with some; says how many they were.
fn fill_empty(cells: &mut Array3<f64>, counts: &Array2<f64>, a: &Bins, b: &Bins) -> usize {
    let (full, empty): (Vec<_>, Vec<_>) = counts.indexed_iter().map(|(cell, &n)| (cell, n)).partition(|c| c.1 > 0.0);
    let centre = |bins: &Bins, k: usize| {
        let range = bins.edges[bins.len()] - bins.edges[0];
        (bins.edges[k] + bins.edges[k + 1]) / (2.0 * range)
    };
    let places: Vec<(f64, f64)> = full.iter().map(|((k, m), _)| (centre(a, *k), centre(b, *m))).collect();
    for ((k, m), _) in &empty {
        let here = (centre(a, *k), centre(b, *m));
        let distances: Vec<f64> = places.iter().map(|p| (p.0 - here.0).powi(2) + (p.1 - here.1).powi(2)).collect();
        let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let nearest =
            full.iter().zip(&distances).filter(|(_, d)| **d <= least * (1.0 + EQUALLY_NEAR)).map(|(c, _)| c.0);
        let nearest: Vec<(usize, usize)> = nearest.collect();
        let mut mean = Array1::<f64>::zeros(cells.len_of(Axis(2)));
        for (x, y) in &nearest {
            mean += &lane(cells, *x, *y);
        }
        mean /= nearest.len() as f64;
        cells.index_axis_mut(Axis(0), *k).row_mut(*m).assign(&mean);
    }
    empty.len()
}

/// The outputs at one place of a surface.
fn lane(surface: &Array3<f64>, x: usize, y: usize) -> ArrayView1<'_, f64> {
    surface.index_axis(Axis(0), x).index_axis_move(Axis(0), y)
}

/// Squared distances this close (relatively) are equal but for rounding.
const EQUALLY_NEAR: f64 = 1e-9;

/// The sums of all cells below and to the left of each corner: (edge, edge, output).
fn accumulated(cells: &Array3<f64>) -> Array3<f64> {
    let (n, m, k) = cells.dim();
    let inner = |(x, y, o)| if x == 0 || y == 0 { 0.0 } else { cells[[x - 1, y - 1, o]] };
    let mut sums = Array3::from_shape_fn((n + 1, m + 1, k), inner);
    sums.accumulate_axis_inplace(Axis(0), |&before, now| *now += before);
    sums.accumulate_axis_inplace(Axis(1), |&before, now| *now += before);
    sums
}

/// The accumulated effect of the first axis in a surface that is linear between its edges: (edge, output), from 0.
fn single_effect(surface: &Array3<f64>, along: &Bins, across: &Bins, centring: Centring) -> Array2<f64> {
    let counts = along.counts();
    let mut effect = Array2::<f64>::zeros((along.edges.len(), surface.len_of(Axis(2))));
    for i in 0..along.rows.len() {
        let (k, m, share) = (along.of[i], across.of[i], across.share(i, centring));
        for (o, value) in effect.row_mut(k + 1).iter_mut().enumerate() {
            let at = |m: usize| surface[[k + 1, m, o]] - surface[[k, m, o]];
            *value += (at(m) * (1.0 - share) + at(m + 1) * share) / counts[k] as f64;
        }
    }
    effect.accumulate_axis_inplace(Axis(0), |&before, now| *now += before);
    effect
}

/// The mean over the samples of a surface that is linear between its edges: (output).
fn mean_over_data(surface: &Array3<f64>, a: &Bins, b: &Bins, centring: Centring) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(surface.len_of(Axis(2)));
    for i in 0..a.rows.len() {
        let (s, t) = (a.share(i, centring), b.share(i, centring));
        let corner = |x: usize, y: usize| lane(surface, a.of[i] + x, b.of[i] + y);
        sum.scaled_add((1.0 - s) * (1.0 - t), &corner(0, 0));
        sum.scaled_add(s * (1.0 - t), &corner(1, 0));
        sum.scaled_add((1.0 - s) * t, &corner(0, 1));
        sum.scaled_add(s * t, &corner(1, 1));
    }
    sum / a.rows.len() as f64
}
