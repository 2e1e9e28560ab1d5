//! Matrix products.

use ndarray::{Array1, ArrayView2};

use super::tile::{COLUMNS, Product, ROWS};

/// x·M + b for rows x of a fixed width, with M laid out for it.
#[derive(Debug, Clone)]
pub(in super::super) struct Matrix {
    /// (block of columns, row of M, column of the block), with zeros for the columns that lack.
    panels: Vec<f32>,
    /// Where the rows of M begin in a block.
    offsets: Vec<usize>,
    /// (block of columns · column).
    bias: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// M is (input, output).
    pub fn new(matrix: &ArrayView2<f32>, bias: Option<&Array1<f32>>) -> Self {
        let (rows, columns) = matrix.dim();
        let blocks = columns.div_ceil(COLUMNS);
        let mut panels = vec![0.0; blocks * rows * COLUMNS];
        for (k, row) in matrix.outer_iter().enumerate() {
            for (column, &x) in row.iter().enumerate() {
                panels[((column / COLUMNS) * rows + k) * COLUMNS + column % COLUMNS] = x;
            }
        }
        let mut start = vec![0.0; blocks * COLUMNS];
        start.iter_mut().zip(bias.into_iter().flatten()).for_each(|(start, &bias)| *start = bias);
        Matrix { panels, offsets: (0..rows).map(|k| k * COLUMNS).collect(), bias: start, columns }
    }

    /// Fills `output` with x·M + b, or adds it, for every row.
    pub fn run<const ADD: bool>(&self, input: &[f32], output: &mut [f32]) {
        let (inputs, columns) = (self.offsets.len(), self.columns);
        if columns == 0 {
            return;
        }
        let n = output.len() / columns;
        let mut left = vec![[0.0; ROWS]; inputs];
        let mut sums = [0.0; ROWS * COLUMNS];
        for first in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - first);
            left.fill([0.0; ROWS]);
            for row in 0..rows {
                let own = &input[(first + row) * inputs..(first + row + 1) * inputs];
                left.iter_mut().zip(own).for_each(|(left, &x)| left[row] = x);
            }
            for (block, start) in self.bias.chunks_exact(COLUMNS).enumerate() {
                let panel = &self.panels[block * inputs * COLUMNS..(block + 1) * inputs * COLUMNS];
                let (column, width) = (block * COLUMNS, COLUMNS.min(columns - block * COLUMNS));
                let product =
                    Product { left: &left, offsets: &self.offsets, right: panel, start: [0.0; ROWS], out: &mut sums };
                product.run();
                for row in 0..rows {
                    let at = (first + row) * columns + column;
                    let (own, sums) = (&mut output[at..at + width], &sums[row * COLUMNS..row * COLUMNS + width]);
                    match ADD {
                        true => own.iter_mut().zip(sums).for_each(|(own, sum)| *own += sum),
                        false => own.iter_mut().zip(sums).zip(start).for_each(|((own, sum), b)| *own = sum + b),
                    }
                }
            }
        }
    }
}
