//! What splits read: the features that trees use, with missing cells replaced.

use std::collections::HashMap;

use ndarray::ArrayView2;
use xai_core::TreeEnsemble;
use xai_core::trees::{Missing, NO_SET};

use super::Split;
use super::number::Number;

/// The columns of the cells that rows are brought into before they walk.
///
/// NaN is less than nothing, so it goes right. Splits that send it left read the feature from a second column, where it
/// is the lowest number. Column 0 is the lowest number everywhere: what waits in a leaf reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Columns {
    /// The feature, and whether NaN is replaced, of the columns from 1 on.
    columns: Vec<(u32, bool)>,
    places: HashMap<(u32, bool), u32>,
}

/// The column of a split that [`TreeEnsemble::goes_left`] decides: the flag, and the column of its feature as it is.
pub(super) const RULED: u32 = 1 << 31;

/// The column that is the lowest number.
pub(super) const LOWEST: u32 = 0;

impl Columns {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.columns.len() + 1
    }

    /// The split at `node` as a comparison; its column has the flag [`RULED`] when it is none.
    pub(super) fn split<F: Number>(&mut self, trees: &TreeEnsemble, node: usize) -> Split<F> {
        let (feature, threshold, strict) = (trees.feature[node], trees.threshold[node], trees.comparison.strict);
        let zero_left = if strict { 0.0 < threshold } else { 0.0 <= threshold };
        let nan_left = match trees.missing[node] {
            _ if trees.set[node] != NO_SET => None,
            Missing::Nan => Some(trees.default_left[node]),
            Missing::Never => Some(zero_left),
            Missing::Zero => None,
        };
        if let (Some(nan_left), Some(threshold)) = (nan_left, F::bound(threshold, strict)) {
            // What NaN is replaced by must be less than the threshold.
            if !nan_left || F::LOWEST < threshold {
                return Split { threshold, column: self.place(feature, nan_left) };
            }
        }
        Split { threshold: F::default(), column: self.place(feature, false) | RULED }
    }

    fn place(&mut self, feature: u32, nan_lowest: bool) -> u32 {
        let next = self.len() as u32;
        *self.places.entry((feature, nan_lowest)).or_insert_with(|| {
            self.columns.push((feature, nan_lowest));
            next
        })
    }

    /// The cells of `rows` (row, feature): (group of `N` rows, column, row of the group). The last row stands again for
    /// the rows that the last group lacks.
    pub(super) fn cells<F: Number, const N: usize>(&self, rows: &ArrayView2<f64>) -> Vec<[F; N]> {
        let n_rows = rows.nrows();
        let mut cells = vec![[F::LOWEST; N]; n_rows.div_ceil(N) * self.len()];
        for (group, cells) in cells.chunks_exact_mut(self.len()).enumerate() {
            for lane in 0..N {
                let row = rows.row((group * N + lane).min(n_rows - 1));
                for (&(feature, nan_lowest), cell) in self.columns.iter().zip(&mut cells[1..]) {
                    let x = row[feature as usize];
                    if !(nan_lowest && x.is_nan()) {
                        cell[lane] = F::round(x);
                    }
                }
            }
        }
        cells
    }
}
