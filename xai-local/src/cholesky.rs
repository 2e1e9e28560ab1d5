//! Solving with symmetric positive definite matrices.

use ndarray::{Array2, ArrayRef2, Axis};

/// A pivot below this share of its diagonal entry has lost all its digits but three.
const SMALLEST_PIVOT: f64 = 1e3 * f64::EPSILON;

/// The lower triangle L with L·Lᵀ the matrix that was given.
pub(crate) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Factors a symmetric matrix; the index of the row where it is not positive definite in these digits otherwise.
    pub fn new(mut matrix: Array2<f64>) -> Result<Self, usize> {
        let n = matrix.nrows();
        for j in 0..n {
            let (_, below) = matrix.view_mut().split_at(Axis(0), j);
            let (mut top, mut rest) = below.split_at(Axis(0), 1);
            let mut row = top.row_mut(0);
            let diagonal = row[j];
            let pivot = diagonal - (0..j).map(|k| row[k] * row[k]).sum::<f64>();
            // Also false for NaN.
            if !(pivot > SMALLEST_PIVOT * diagonal && pivot.is_finite()) {
                return Err(j);
            }
            let pivot = pivot.sqrt();
            row[j] = pivot;
            for mut lower in rest.outer_iter_mut() {
                let known: f64 = lower.iter().zip(&row).take(j).map(|(a, b)| a * b).sum();
                lower[j] = (lower[j] - known) / pivot;
            }
        }
        Ok(Cholesky(matrix))
    }

    /// The solutions X of matrix · X = `right`, column by column: (row, column).
    pub fn solve(&self, right: &ArrayRef2<f64>) -> Array2<f64> {
        let (lower, n, columns) = (&self.0, self.0.nrows(), right.ncols());
        let mut x: Vec<f64> = right.iter().copied().collect();
        for i in 0..n {
            let (known, rest) = x.split_at_mut(i * columns);
            let row = &mut rest[..columns];
            for (k, other) in known.chunks_exact(columns.max(1)).enumerate() {
                subtract(row, lower[[i, k]], other);
            }
            row.iter_mut().for_each(|v| *v /= lower[[i, i]]);
        }
        for i in (0..n).rev() {
            let (head, known) = x.split_at_mut((i + 1) * columns);
            let row = &mut head[i * columns..];
            for (k, other) in known.chunks_exact(columns.max(1)).enumerate() {
                subtract(row, lower[[i + 1 + k, i]], other);
            }
            row.iter_mut().for_each(|v| *v /= lower[[i, i]]);
        }
        Array2::from_shape_fn((n, columns), |(i, column)| x[i * columns + column])
    }
}

/// `row` less `factor` times `other`.
fn subtract(row: &mut [f64], factor: f64, other: &[f64]) {
    row.iter_mut().zip(other).for_each(|(x, y)| *x -= factor * y);
}
