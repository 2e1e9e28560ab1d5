//! Which features a chart shows, and in what order.

use ndarray::{Array2, ArrayView2, Axis};
use xai_core::Attribution;

/// The features that are shown, most important first, and those that are gathered in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ranked {
    pub(crate) shown: Vec<usize>,
    pub(crate) rest: Vec<usize>,
}

impl Ranked {
    /// The `top` features by size; a lone one beyond them is shown rather than called `1 other feature`.
    pub(crate) fn new(size: impl Fn(usize) -> f64, n: usize, top: usize) -> Self {
        let mut shown: Vec<usize> = (0..n).collect();
        shown.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        let rest = if n <= top.saturating_add(1) { Vec::new() } else { shown.split_off(top.max(1)) };
        Ranked { shown, rest }
    }

    /// What the row of the rest is called.
    pub(crate) fn rest_name(&self) -> String {
        format!("{} other features", self.rest.len())
    }
}

/// Mean |value| over samples: (feature, output). No sum overflows.
pub(crate) fn mean_size(a: &Attribution) -> Array2<f64> {
    let n = a.n_samples() as f64;
    let mut mean = Array2::zeros((a.features.len(), a.outputs.len()));
    for sample in a.values.axis_iter(Axis(0)) {
        mean.zip_mut_with(&sample, |m, v| *m += v.abs() / n);
    }
    mean.mapv_into(crate::axis::tame)
}

/// The values of one output: (sample, feature).
pub(crate) fn of_output(a: &Attribution, output: usize) -> ArrayView2<'_, f64> {
    a.values.index_axis(Axis(2), output)
}

/// The sum of values, as near as it can be drawn.
pub(crate) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |sum, value| crate::axis::tame(sum + crate::axis::tame(value)))
}
