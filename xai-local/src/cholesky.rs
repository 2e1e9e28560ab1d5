//! Solving with symmetric positive definite matrices.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayRef2, ArrayView2, ArrayViewMut2, Axis, Slice};

/// A pivot below this share of its diagonal entry has lost all its digits but three.
const SMALLEST_PIVOT: f64 = 1e3 * f64::EPSILON;

/// Columns that are factored at once: between such blocks all work is products of matrices.
const BLOCK: usize = 64;

/// Rows (of the factor) or columns (of right sides) that a thread works on at once; the numbers do not depend on it.
const PART: usize = 256;

/// The lower triangle L with L·Lᵀ the matrix that was given.
#[derive(Default)]
pub(crate) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Factors a symmetric matrix; the index of the row where it is not positive definite in these digits otherwise.
    pub fn new(mut matrix: Array2<f64>) -> Result<Self, usize> {
        let n = matrix.nrows();
        let diagonal = matrix.diag().to_owned();
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            let (known, open) = matrix.view_mut().split_at(Axis(1), start);
            let mut panel = part_mut(open, start..n, 0..end - start);
            if start > 0 {
                let top = part(known.view(), start..end, 0..start);
                panel
                    .axis_chunks_iter_mut(Axis(0), PART)
                    .into_par_iter()
                    .zip(part(known.view(), start..n, 0..start).axis_chunks_iter(Axis(0), PART).into_par_iter())
                    .for_each(|(mut panel, known)| general_mat_mul(-1.0, &known, &top.t(), 1.0, &mut panel));
            }
            let (mut square, mut below) = panel.split_at(Axis(0), end - start);
            factor(&mut square, |j, pivot| pivot > SMALLEST_PIVOT * diagonal[start + j] && pivot.is_finite())
                .map_err(|j| start + j)?;
            below.axis_chunks_iter_mut(Axis(0), PART).into_par_iter().for_each(|mut part| {
                for mut row in part.outer_iter_mut() {
                    for j in 0..square.nrows() {
                        let known: f64 = (0..j).map(|k| square[[j, k]] * row[k]).sum();
                        row[j] = (row[j] - known) / square[[j, j]];
                    }
                }
            });
        }
        Ok(Cholesky(matrix))
    }

    /// The solutions X of matrix · X = `right`, column by column: (row, column).
    pub fn solve(&self, right: &ArrayRef2<f64>) -> Array2<f64> {
        let mut x = Array2::zeros(right.dim());
        x.assign(right);
        x.axis_chunks_iter_mut(Axis(1), PART).into_par_iter().for_each(|part| self.solve_part(part));
        x
    }

    /// The inverse of the matrix: a third of the work of solving for every unit vector.
    pub fn inverse(&self) -> Array2<f64> {
        let n = self.0.nrows();
        let lower = self.lower_inverse();
        // (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹; what is below the diagonal is mirrored.
        let mut inverse = Array2::zeros((n, n));
        inverse.axis_chunks_iter_mut(Axis(1), BLOCK).into_par_iter().enumerate().for_each(|(k, columns)| {
            let (start, width) = (k * BLOCK, columns.ncols());
            let left = part(lower.view(), start..n, 0..start + width);
            let right = part(lower.view(), start..n, start..start + width);
            general_mat_mul(1.0, &left.t(), &right, 0.0, &mut part_mut(columns, 0..start + width, 0..width));
        });
        for i in 0..n {
            for j in 0..i {
                inverse[[i, j]] = inverse[[j, i]];
            }
        }
        inverse
    }

    /// The diagonal of the inverse: a sixth of the work of solving for every unit vector.
    pub fn inverse_diagonal(&self) -> Array1<f64> {
        self.lower_inverse().map_axis(Axis(0), |column| column.dot(&column))
    }

    /// L⁻¹, which has nothing above its diagonal either.
    fn lower_inverse(&self) -> Array2<f64> {
        let n = self.0.nrows();
        let mut inverse = Array2::eye(n);
        inverse.axis_chunks_iter_mut(Axis(1), BLOCK).into_par_iter().enumerate().for_each(|(k, columns)| {
            let width = columns.ncols();
            self.forward(k * BLOCK, part_mut(columns, k * BLOCK..n, 0..width));
        });
        inverse
    }

    /// Solves L · X = x, where x has the rows from `from` on and is zero above.
    fn forward(&self, from: usize, mut x: ArrayViewMut2<f64>) {
        let (lower, n, columns) = (&self.0, self.0.nrows(), x.ncols());
        for start in (from..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            let (known, rest) = x.view_mut().split_at(Axis(0), start - from);
            let mut own = part_mut(rest, 0..end - start, 0..columns);
            general_mat_mul(-1.0, &part(lower.view(), start..end, from..start), &known, 1.0, &mut own);
            for i in start..end {
                let (above, mut row) = own.view_mut().split_at(Axis(0), i - start);
                let mut row = row.row_mut(0);
                above.outer_iter().enumerate().for_each(|(k, other)| row.scaled_add(-lower[[i, start + k]], &other));
                row /= lower[[i, i]];
            }
        }
    }

    fn solve_part(&self, mut x: ArrayViewMut2<f64>) {
        self.forward(0, x.view_mut());
        let (lower, n, columns) = (&self.0, self.0.nrows(), x.ncols());
        for start in (0..n).step_by(BLOCK).rev() {
            let end = (start + BLOCK).min(n);
            let (rest, known) = x.view_mut().split_at(Axis(0), end);
            let mut own = part_mut(rest, start..end, 0..columns);
            general_mat_mul(-1.0, &part(lower.view(), end..n, start..end).t(), &known, 1.0, &mut own);
            for i in (start..end).rev() {
                let (mut rest, below) = own.view_mut().split_at(Axis(0), i - start + 1);
                let mut row = rest.row_mut(i - start);
                below.outer_iter().enumerate().for_each(|(k, other)| row.scaled_add(-lower[[i + 1 + k, i]], &other));
                row /= lower[[i, i]];
            }
        }
    }
}

/// Factors a small square in place, of which only the lower triangle counts.
fn factor(square: &mut ArrayViewMut2<f64>, is_pivot: impl Fn(usize, f64) -> bool) -> Result<(), usize> {
    for j in 0..square.nrows() {
        let pivot = square[[j, j]] - (0..j).map(|k| square[[j, k]] * square[[j, k]]).sum::<f64>();
        // Also false for NaN.
        if !is_pivot(j, pivot) {
            return Err(j);
        }
        let pivot = pivot.sqrt();
        square[[j, j]] = pivot;
        for i in j + 1..square.nrows() {
            let known: f64 = (0..j).map(|k| square[[i, k]] * square[[j, k]]).sum();
            square[[i, j]] = (square[[i, j]] - known) / pivot;
        }
    }
    Ok(())
}

/// Some rows and columns of a matrix.
pub(crate) fn part(mut matrix: ArrayView2<f64>, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<f64> {
    matrix.slice_axis_inplace(Axis(0), Slice::from(rows));
    matrix.slice_axis_inplace(Axis(1), Slice::from(columns));
    matrix
}

/// Some rows and columns of a matrix, to write.
pub(crate) fn part_mut(
    mut matrix: ArrayViewMut2<f64>,
    rows: Range<usize>,
    columns: Range<usize>,
) -> ArrayViewMut2<f64> {
    matrix.slice_axis_inplace(Axis(0), Slice::from(rows));
    matrix.slice_axis_inplace(Axis(1), Slice::from(columns));
    matrix
}

impl Cholesky {
    /// The logarithm of the matrix's determinant.
    pub fn log_determinant(&self) -> f64 {
        2.0 * self.0.diag().iter().map(|pivot| pivot.ln()).sum::<f64>()
    }
}
