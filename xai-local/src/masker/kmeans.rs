//! k-means, to summarise a large background by few rows.

use ndarray::{Array2, ArrayRef1, ArrayView1};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use xai_core::{Error, Result, Table};

const MOST_STEPS: usize = 300;

/// Centres (centre, feature) with coordinates that occur in the data, and how many rows each stands for.
pub(super) fn summary(data: &Table, k: usize, seed: u64) -> Result<(Array2<f64>, Vec<f64>)> {
    if data.nrows() == 0 {
        return Err(Error::parameter("background", "no row", "at least one row"));
    }
    if k == 0 {
        return Err(Error::parameter("rows of the background", k, "at least 1"));
    }
    if let Some(((sample, column), &value)) = data.indexed_iter().find(|(_, v)| v.is_infinite()) {
        return Err(Error::NonFinite { what: "background".into(), sample, column, value });
    }
    let complete = impute(data);
    let mut centres = plus_plus(&complete, k.min(data.nrows()), seed);
    let mut owner = vec![usize::MAX; data.nrows()];
    for _ in 0..MOST_STEPS {
        let nearest = assign(&complete, &centres);
        if nearest == owner {
            break;
        }
        owner = nearest;
        recentre(&complete, &owner, &mut centres);
    }
    let mut counts = vec![0.0; centres.nrows()];
    owner.iter().for_each(|&c| counts[c] += 1.0);
    let kept: Vec<usize> = (0..counts.len()).filter(|&c| counts[c] > 0.0).collect();
    let mut rows = centres.select(ndarray::Axis(0), &kept);
    round_to_data(&mut rows, data);
    Ok((rows, kept.iter().map(|&c| counts[c]).collect()))
}

/// Missing cells become the mean of their column, or NaN-free zero where a column holds nothing.
fn impute(data: &Table) -> Array2<f64> {
    let mut complete = data.as_standard_layout().into_owned();
    for mut column in complete.columns_mut() {
        let (sum, n) = column.iter().filter(|v| !v.is_nan()).fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
        let mean = if n > 0.0 { sum / n } else { 0.0 };
        column.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = mean);
    }
    complete
}

/// Each next centre is a row, drawn in proportion to its squared distance from the centres so far.
fn plus_plus(data: &Array2<f64>, k: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = vec![rng.random_range(0..data.nrows() as u64) as usize];
    let mut distance = vec![f64::INFINITY; data.nrows()];
    while chosen.len() < k {
        let last = data.row(chosen[chosen.len() - 1]);
        for (d, row) in distance.iter_mut().zip(data.outer_iter()) {
            *d = d.min(squared_distance(&row, &last));
        }
        let total: f64 = distance.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut left = rng.random::<f64>() * total;
        let far = distance.iter().position(|&d| {
            left -= d;
            left < 0.0
        });
        // Rounding may leave a crumb: then the last row that is no centre yet.
        match far.or_else(|| distance.iter().rposition(|&d| d > 0.0)) {
            Some(row) => chosen.push(row),
            None => break,
        }
    }
    data.select(ndarray::Axis(0), &chosen)
}

fn assign(data: &Array2<f64>, centres: &Array2<f64>) -> Vec<usize> {
    let rows: Vec<ArrayView1<f64>> = data.outer_iter().collect();
    rows.par_iter()
        .map(|row| {
            let mut nearest = (0, f64::INFINITY);
            for (c, centre) in centres.outer_iter().enumerate() {
                let distance = squared_distance(row, &centre);
                if distance < nearest.1 {
                    nearest = (c, distance);
                }
            }
            nearest.0
        })
        .collect()
}

fn recentre(data: &Array2<f64>, owner: &[usize], centres: &mut Array2<f64>) {
    let mut counts = vec![0.0; centres.nrows()];
    let mut sums = Array2::<f64>::zeros(centres.dim());
    for (row, &c) in data.outer_iter().zip(owner) {
        counts[c] += 1.0;
        sums.row_mut(c).scaled_add(1.0, &row);
    }
    for (c, &count) in counts.iter().enumerate() {
        // A centre that lost all its rows stays where it is; nothing counts it in the end.
        if count > 0.0 {
            centres.row_mut(c).assign(&(&sums.row(c) / count));
        }
    }
}

fn round_to_data(centres: &mut Array2<f64>, data: &Table) {
    for (mut coordinates, column) in centres.columns_mut().into_iter().zip(data.columns()) {
        for x in coordinates.iter_mut() {
            let nearest =
                column.iter().filter(|v| !v.is_nan()).min_by(|a, b| (*a - *x).abs().total_cmp(&(*b - *x).abs()));
            *x = nearest.copied().unwrap_or(f64::NAN);
        }
    }
}

fn squared_distance(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
