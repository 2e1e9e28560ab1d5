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
        // Sums that fit the registers: rows together, and vectors across the columns.
        match S::F32_LANES {
            16 => self.tiles::<S, 8, 2>(simd),
            8 => self.tiles::<S, 2, 4>(simd),
            4 => self.tiles::<S, 2, 8>(simd),
            _ => self.one_by_one(),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Product { left, offsets, right, start, out } = self;
        let width = out.len() / ROWS;
        for column in (0..width).step_by(COLUMNS) {
            for row in (0..ROWS).step_by(R) {
                let mut sums = [[simd.splat_f32s(0.0); V]; R];
                for (sums, &start) in sums.iter_mut().zip(&start[row..]) {
                    *sums = [simd.splat_f32s(start); V];
                }
                for (left, &offset) in left.iter().zip(offsets) {
                    let at = offset + column;
                    let Some(right) = S::as_simd_f32s(&right[at..at + COLUMNS]).0.first_chunk::<V>() else { return };
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
                    S::as_mut_simd_f32s(&mut out[at..at + COLUMNS]).0.copy_from_slice(sums);
                }
            }
        }
    }

    fn one_by_one(self) {
        let Product { left, offsets, right, start, out } = self;
        let width = out.len() / ROWS;
        for (row, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                let terms = left.iter().zip(offsets).map(|(left, &offset)| (left[row], right[offset + column]));
                *out = terms.fold(start[row], |sum, (x, y)| x.mul_add(y, sum));
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
