//! The one product that linear layers and convolutions are made of.

use pulp::{Arch, Simd, WithSimd};

/// Rows that are computed together.
pub(super) const ROWS: usize = 8;
/// Columns that are computed together.
pub(super) const COLUMNS: usize = 32;

/// out[row][column] = start[row] + Σₖ left[k][row]·right[offsets[k] + column].
///
/// Every sum is taken in the order of k with fused multiplication and addition, whatever the width of the machine's
/// vectors: the bits are the same everywhere.
///
/// # Shapes
/// `left` (k, row), `offsets` (k); `out` (row, column) with as many columns for each row, a multiple of [`COLUMNS`];
/// `right` must reach to the largest offset and all columns behind it.
pub(super) struct Product<'a> {
    pub left: &'a [[f32; ROWS]],
    /// How many of the rows are wanted; the others are left as they are.
    pub rows: usize,
    pub offsets: &'a [usize],
    pub right: &'a [f32],
    pub start: [f32; ROWS],
    pub out: &'a mut [f32],
}

impl Product<'_> {
    /// Fills `out`.
    pub fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Sums that fit the registers, and enough of them that none waits for the one before: rows together, and vectors
        // across the columns, fewer for the columns that are left over.
        match (S::F32_LANES, self.rows) {
            (16, 1) => self.tiles::<S, 1, 8, 2>(simd),
            (16, 2) => self.tiles::<S, 2, 4, 2>(simd),
            (16, 3) => self.tiles::<S, 3, 4, 2>(simd),
            (16, 4) => self.tiles::<S, 4, 4, 2>(simd),
            (16, _) => self.tiles::<S, 8, 2, 2>(simd),
            (8, 1) => self.tiles::<S, 1, 8, 4>(simd),
            (8, _) => self.tiles::<S, 2, 4, 4>(simd),
            (4, _) => self.tiles::<S, 2, 8, 8>(simd),
            _ => self.one_by_one(),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize, const REST: usize>(mut self, simd: S) {
        let width = self.out.len() / ROWS;
        let (step, mut column) = (V * S::F32_LANES, 0);
        while column + step <= width {
            (0..self.rows).step_by(R).for_each(|row| self.tile::<S, R, V>(simd, row, column));
            column += step;
        }
        for column in (column..width).step_by(COLUMNS) {
            (0..self.rows).step_by(R).for_each(|row| self.tile::<S, R, REST>(simd, row, column));
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, row: usize, column: usize) {
        let width = self.out.len() / ROWS;
        let columns = V * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for (sums, &start) in sums.iter_mut().zip(&self.start[row..]) {
            *sums = [simd.splat_f32s(start); V];
        }
        for (left, &offset) in self.left.iter().zip(self.offsets) {
            let at = offset + column;
            let Some(right) = S::as_simd_f32s(&self.right[at..at + columns]).0.first_chunk::<V>() else { return };
            let Some(left) = left[row..].first_chunk::<R>() else { return };
            for (sums, &x) in sums.iter_mut().zip(left) {
                let x = simd.splat_f32s(x);
                for (sum, &y) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_f32s(x, y, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let at = (row + i) * width + column;
            S::as_mut_simd_f32s(&mut self.out[at..at + columns]).0.copy_from_slice(sums);
        }
    }

    fn one_by_one(self) {
        let Product { left, rows, offsets, right, start, out } = self;
        let width = out.len() / ROWS;
        for (row, out) in out.chunks_exact_mut(width.max(1)).take(rows).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                let terms = left.iter().zip(offsets).map(|(left, &offset)| (left[row], right[offset + column]));
                *out = terms.fold(start[row], |sum, (x, y)| x.mul_add(y, sum));
            }
        }
    }
}

/// sums[row][column] += Σₖ left[k][row]·right[k][column], each sum in the order of k as in [`Product`].
pub(super) struct Tile<'a> {
    pub left: &'a [[f32; ROWS]],
    pub right: &'a [[f32; COLUMNS]],
    pub sums: &'a mut [[f32; COLUMNS]; ROWS],
    /// Whether only the first half of the columns is wanted.
    pub half: bool,
}

impl Tile<'_> {
    #[inline(always)]
    pub fn run<S: Simd>(self, simd: S) {
        match (S::F32_LANES, self.half) {
            (16, false) => self.part::<S, 8, 2>(simd),
            (16, true) => self.part::<S, 8, 1>(simd),
            (8, false) => self.part::<S, 2, 4>(simd),
            (8, true) => self.part::<S, 4, 2>(simd),
            (4, false) => self.part::<S, 2, 8>(simd),
            (4, true) => self.part::<S, 2, 4>(simd),
            _ => self.one_by_one(),
        }
    }

    #[inline(always)]
    fn part<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Tile { left, right, sums, .. } = self;
        for row in (0..ROWS).step_by(R) {
            let mut now = [[simd.splat_f32s(0.0); V]; R];
            for (now, sums) in now.iter_mut().zip(&sums[row..]) {
                now.copy_from_slice(&S::as_simd_f32s(sums).0[..V]);
            }
            for (left, right) in left.iter().zip(right) {
                let Some(right) = S::as_simd_f32s(right).0.first_chunk::<V>() else { return };
                let Some(left) = left[row..].first_chunk::<R>() else { return };
                for (now, &x) in now.iter_mut().zip(left) {
                    let x = simd.splat_f32s(x);
                    for (now, &y) in now.iter_mut().zip(right) {
                        *now = simd.mul_add_f32s(x, y, *now);
                    }
                }
            }
            for (now, sums) in now.iter().zip(&mut sums[row..]) {
                S::as_mut_simd_f32s(sums).0[..V].copy_from_slice(now);
            }
        }
    }

    fn one_by_one(self) {
        for (left, right) in self.left.iter().zip(self.right) {
            for (sums, x) in self.sums.iter_mut().zip(left) {
                sums.iter_mut().zip(right).for_each(|(sum, y)| *sum = x.mul_add(*y, *sum));
            }
        }
    }
}

/// Rows of numbers in groups of [`ROWS`], with zeros for the rows that lack: (group, k) of `get(row, k)`.
pub(super) fn grouped(rows: usize, depth: usize, get: impl Fn(usize, usize) -> f32) -> Vec<[f32; ROWS]> {
    let group = |first: usize| {
        let get = &get;
        (0..depth).map(move |k| std::array::from_fn(|i| if first + i < rows { get(first + i, k) } else { 0.0 }))
    };
    (0..rows).step_by(ROWS).flat_map(group).collect()
}

/// Plain loops; `run` is to be marked `inline(always)`, or it is compiled for narrow vectors.
pub(super) trait Loops {
    fn run(self);
}

/// Runs plain loops with the machine's widest vectors.
pub(super) fn wide(loops: impl Loops) {
    struct Work<L>(L);
    impl<L: Loops> WithSimd for Work<L> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.run();
        }
    }
    Arch::new().dispatch(Work(loops));
}
