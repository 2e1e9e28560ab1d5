//! Means and covariances of a table, and what some columns tell about the others.

use ndarray::{Array1, Array2, ArrayRef2, ArrayView1, Axis};
use xai_core::{Error, Result, Table};

/// How far correlations are shrunk towards zero before a masker uses them.
///
/// A covariance from few rows follows accidents of the sample; shrinking all correlations by one factor makes it well
/// conditioned and, by the automatic choice, nearer to the truth in mean square.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Shrinkage {
    /// The factor that is best in mean square, estimated from the data (Schäfer & Strimmer, *A shrinkage approach to
    /// large-scale covariance matrix estimation*, 2005, target D): near zero for many rows.
    #[default]
    Automatic,
    /// Not at all: the covariance of the data.
    None,
    /// By this share, from 0 (not at all) to 1 (columns count as independent).
    Share(f64),
}

/// The mean (column) and the covariance (column, column) of finite rows, and the share by which it was shrunk.
pub(super) fn moments(data: &Table, shrinkage: Shrinkage) -> Result<(Array1<f64>, Array2<f64>, f64)> {
    let rows = data.nrows();
    if rows < 2 {
        return Err(Error::parameter("rows of the data", rows, "at least 2, to tell how columns vary together"));
    }
    if let Shrinkage::Share(share) = shrinkage
        && !(0.0..=1.0).contains(&share)
    {
        return Err(Error::parameter("shrinkage", share, "a share from 0 to 1"));
    }
    let n = rows as f64;
    let mean = data.sum_axis(Axis(0)) / n;
    let mut standard = data.to_owned();
    standard -= &mean;
    // The mean of what is left: rounding of the first mean.
    standard -= &(standard.sum_axis(Axis(0)) / n);
    let deviation = standard.map_axis(Axis(0), |column| (column.iter().map(|x| x * x).sum::<f64>() / (n - 1.0)).sqrt());
    for (mut column, (&deviation, &mean)) in standard.columns_mut().into_iter().zip(deviation.iter().zip(&mean)) {
        // A constant column keeps only rounding.
        let scale = if deviation > 1e-14 * mean.abs() { 1.0 / deviation } else { 0.0 };
        column *= scale;
    }
    let mut correlation = standard.t().dot(&standard) / (n - 1.0);
    let share = match shrinkage {
        Shrinkage::None => 0.0,
        Shrinkage::Share(share) => share,
        Shrinkage::Automatic => automatic(&standard, &correlation),
    };
    for ((i, j), r) in correlation.indexed_iter_mut() {
        *r = if i == j {
            if *r > 0.0 { deviation[i] * deviation[i] } else { 0.0 }
        } else {
            *r * (1.0 - share) * deviation[i] * deviation[j]
        };
    }
    Ok((mean, correlation, share))
}

/// The sum of the estimated variances of the correlations over the sum of their squares.
fn automatic(standard: &ArrayRef2<f64>, correlation: &ArrayRef2<f64>) -> f64 {
    let n = standard.nrows() as f64;
    let squares = standard.mapv(|x| x * x);
    // Σₖ (wₖ − w̄)² = Σ wₖ² − n w̄² for wₖ = zᵢₖ zⱼₖ.
    let second = squares.t().dot(&squares);
    let (mut noise, mut signal) = (0.0, 0.0);
    for ((i, j), &r) in correlation.indexed_iter().filter(|((i, j), _)| i != j) {
        let mean = r * (n - 1.0) / n;
        noise += (second[[i, j]] - n * mean * mean).max(0.0) * n / (n - 1.0).powi(3);
        signal += r * r;
    }
    if signal > 0.0 { (noise / signal).min(1.0) } else { 1.0 }
}

/// The share of a column's variance below which it counts as determined by the columns before it.
const DETERMINED: f64 = 1e-10;

/// L with L·Lᵀ the `covariance` of the columns in this order; a column that those before it determine gets zeros.
pub(super) fn factor(covariance: &ArrayRef2<f64>, order: &[usize]) -> Array2<f64> {
    let n = order.len();
    let mut lower = Array2::<f64>::zeros((n, n));
    let cells = lower.as_slice_mut().unwrap_or_default();
    for i in 0..n {
        let (above, row) = cells.split_at_mut(i * n);
        for j in 0..=i {
            let known = |other: &[f64], row: &[f64]| -> f64 { other.iter().zip(row).map(|(a, b)| a * b).sum() };
            let whole = covariance[[order[i], order[j]]];
            row[j] = if i == j {
                let left = whole - known(&row[..j], &row[..j]);
                if left > DETERMINED * whole { left.sqrt() } else { 0.0 }
            } else {
                let pivot = above[j * n + j];
                let left = whole - known(&above[j * n..j * n + j], &row[..j]);
                if pivot > 0.0 { left / pivot } else { 0.0 }
            };
        }
    }
    lower
}

/// The first columns of `lower` solved for: y with L·y = `difference`, zero where a column is determined by others.
pub(super) fn whiten(lower: &ArrayRef2<f64>, difference: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut white: Vec<f64> = Vec::new();
    for (i, difference) in difference.enumerate() {
        let row: ArrayView1<f64> = lower.row(i);
        let known: f64 = row.iter().zip(&white).map(|(l, y)| l * y).sum();
        white.push(if row[i] > 0.0 { (difference - known) / row[i] } else { 0.0 });
    }
    white
}

/// The normal distribution of some columns given the values of others.
pub(super) struct Conditional {
    /// The mean of each absent column.
    pub mean: Array1<f64>,
    /// Lower L with L·Lᵀ their covariance.
    pub factor: Array2<f64>,
}

/// The distribution of the `absent` columns of a normal row given its `present` ones, whose values are `given`.
pub(super) fn condition(
    mean: &Array1<f64>,
    covariance: &ArrayRef2<f64>,
    (present, absent): (&[usize], &[usize]),
    given: impl Fn(usize) -> f64,
) -> Conditional {
    let order: Vec<usize> = present.iter().chain(absent).copied().collect();
    let lower = factor(covariance, &order);
    let white = whiten(&lower, present.iter().map(|&column| given(column) - mean[column]));
    let first = present.len();
    let pull = |a: usize| -> f64 { lower.row(first + a).iter().zip(&white).map(|(l, y)| l * y).sum() };
    Conditional {
        mean: Array1::from_iter(absent.iter().enumerate().map(|(a, &column)| mean[column] + pull(a))),
        factor: Array2::from_shape_fn((absent.len(), absent.len()), |(i, j)| lower[[first + i, first + j]]),
    }
}
