//! From the differences within bins to a curve around zero.

use ndarray::{Array1, Array2, ArrayView1};

/// The differences that were seen in one bin, summed up as they come (Welford).
#[derive(Clone)]
pub(super) struct Differences {
    n: usize,
    mean: Array1<f64>,
    squares: Array1<f64>,
}

impl Differences {
    pub(super) fn none(n_outputs: usize) -> Self {
        Differences { n: 0, mean: Array1::zeros(n_outputs), squares: Array1::zeros(n_outputs) }
    }

    /// Adds the difference of one sample.
    pub(super) fn push(&mut self, high: ArrayView1<f64>, low: ArrayView1<f64>) {
        self.n += 1;
        for k in 0..self.mean.len() {
            let difference = high[k] - low[k];
            let away = difference - self.mean[k];
            self.mean[k] += away / self.n as f64;
            self.squares[k] += away * (difference - self.mean[k]);
        }
    }
}

/// The curve at the edges of the bins, and its standard error where every bin has two samples.
///
/// With Δₗ the mean difference of bin l and wₗ the mean over the data of the part of it that a sample has behind it,
/// the curve at edge k is Σₗ (1\[l < k\] − wₗ) Δₗ: its mean over the data is 0, and its variance Σₗ (1\[l < k\] − wₗ)² Var Δₗ.
pub(super) fn curve(bins: &[Differences], weights: &[f64], n_outputs: usize) -> (Array2<f64>, Option<Array2<f64>>) {
    let mut values = Array2::zeros((bins.len() + 1, n_outputs));
    for (l, bin) in bins.iter().enumerate() {
        let next = &values.row(l) + &bin.mean;
        values.row_mut(l + 1).assign(&next);
    }
    let mean =
        bins.iter().zip(weights).fold(Array1::zeros(n_outputs), |sum: Array1<f64>, (bin, &w)| sum + &bin.mean * w);
    values -= &mean;
    if bins.iter().any(|bin| bin.n < 2) {
        return (values, None);
    }
    let mut variances: Array2<f64> = Array2::zeros(values.dim());
    for (edge, mut row) in variances.outer_iter_mut().enumerate() {
        for (l, (bin, weight)) in bins.iter().zip(weights).enumerate() {
            let factor = f64::from(u8::from(l < edge)) - weight;
            let n = bin.n as f64;
            row.scaled_add(factor * factor / (n * (n - 1.0)), &bin.squares);
        }
    }
    (values, Some(variances.mapv(f64::sqrt)))
}
