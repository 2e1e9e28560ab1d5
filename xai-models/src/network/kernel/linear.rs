//! Matrix products.

use ndarray::{Array1, ArrayView2};
use pulp::{Arch, Simd, WithSimd};

use super::tile::{COLUMNS, ROWS, Tile};

/// Rows of the input that are laid out at once.
const ROWS_AT_ONCE: usize = 64;
/// Rows of M that stay in the first cache while the rows of the input pass by.
const DEPTH_AT_ONCE: usize = 256;

/// x·M + b for rows x of a fixed width, with M laid out for it.
#[derive(Debug, Clone)]
pub(in super::super) struct Matrix {
    /// (block of columns, row of M, column of the block), with zeros for the columns that lack.
    panels: Vec<[f32; COLUMNS]>,
    rows: usize,
    /// (block of columns · column).
    bias: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// M is (input, output).
    pub fn new(matrix: &ArrayView2<f32>, bias: Option<&Array1<f32>>) -> Self {
        let (rows, columns) = matrix.dim();
        let blocks = columns.div_ceil(COLUMNS);
        let mut panels = vec![[0.0; COLUMNS]; blocks * rows];
        for (k, row) in matrix.outer_iter().enumerate() {
            for (column, &x) in row.iter().enumerate() {
                panels[(column / COLUMNS) * rows + k][column % COLUMNS] = x;
            }
        }
        let mut start = vec![0.0; blocks * COLUMNS];
        start.iter_mut().zip(bias.into_iter().flatten()).for_each(|(start, &bias)| *start = bias);
        Matrix { panels, rows, bias: start, columns }
    }

    /// Fills `output` with x·M + b, or adds it, for every row.
    pub fn run<const ADD: bool>(&self, input: &[f32], output: &mut [f32]) {
        Arch::new().dispatch(Work::<ADD> { matrix: self, some: None, input, output });
    }

    /// Adds to `output` the products of some rows of M, the only cells that `input` has.
    pub fn add_some(&self, rows: &[usize], input: &[f32], output: &mut [f32]) {
        let panels: Vec<_> = match self.rows {
            0 => Vec::new(),
            all => self.panels.chunks_exact(all).flat_map(|panel| rows.iter().map(|&row| panel[row])).collect(),
        };
        let some = Some((&panels[..], rows.len()));
        Arch::new().dispatch(Work::<true> { matrix: self, some, input, output });
    }
}

struct Work<'a, const ADD: bool> {
    matrix: &'a Matrix,
    /// Panels of some rows of M, without a bias, and how many rows those are.
    some: Option<(&'a [[f32; COLUMNS]], usize)>,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl<const ADD: bool> WithSimd for Work<'_, ADD> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Work { matrix, some, input, output } = self;
        let columns = matrix.columns;
        let (panels, depth) = some.unwrap_or((&matrix.panels, matrix.rows));
        let n = output.len().checked_div(columns).unwrap_or(0);
        let groups = n.min(ROWS_AT_ONCE).div_ceil(ROWS);
        let mut left = Vec::with_capacity(groups * depth);
        let mut sums = vec![[[0.0; COLUMNS]; ROWS]; groups];
        for first in (0..n).step_by(ROWS_AT_ONCE) {
            let rows = ROWS_AT_ONCE.min(n - first);
            let groups = rows.div_ceil(ROWS);
            lay_out(&input[first * depth..(first + rows) * depth], depth, &mut left);
            for (block, bias) in matrix.bias.as_chunks::<COLUMNS>().0.iter().enumerate() {
                let panel = &panels[block * depth..(block + 1) * depth];
                let (column, width) = (block * COLUMNS, COLUMNS.min(columns - block * COLUMNS));
                sums[..groups].as_flattened_mut().fill([0.0; COLUMNS]);
                for from in (0..depth).step_by(DEPTH_AT_ONCE) {
                    let to = depth.min(from + DEPTH_AT_ONCE);
                    for (group, sums) in sums[..groups].iter_mut().enumerate() {
                        let left = &left[group * depth + from..group * depth + to];
                        Tile { left, right: &panel[from..to], sums, half: width <= COLUMNS / 2 }.run(simd);
                    }
                }
                for (row, sums) in sums[..groups].as_flattened().iter().take(rows).enumerate() {
                    let at = (first + row) * columns + column;
                    let own = output[at..at + width].iter_mut().zip(sums);
                    match ADD {
                        true => own.for_each(|(own, sum)| *own += sum),
                        false => own.zip(bias).for_each(|((own, sum), bias)| *own = sum + bias),
                    }
                }
            }
        }
    }
}

/// Lays rows out in groups, cell by cell; what lacks in the last group is zero.
#[inline(always)]
fn lay_out(rows: &[f32], depth: usize, left: &mut Vec<[f32; ROWS]>) {
    left.clear();
    if depth == 0 {
        return;
    }
    for rows in rows.chunks(ROWS * depth) {
        if rows.len() < ROWS * depth {
            let cell = |k: usize| std::array::from_fn(|row| rows.get(row * depth + k).copied().unwrap_or(0.0));
            left.extend((0..depth).map(cell));
            continue;
        }
        let [a, b, c, d, e, f, g, h]: [&[f32]; ROWS] = std::array::from_fn(|row| &rows[row * depth..][..depth]);
        let pairs = a.iter().zip(b).zip(c.iter().zip(d)).zip(e.iter().zip(f).zip(g.iter().zip(h)));
        left.extend(pairs.map(|(((a, b), (c, d)), ((e, f), (g, h)))| [*a, *b, *c, *d, *e, *f, *g, *h]));
    }
}
