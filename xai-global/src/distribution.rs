//! Where the values of a feature lie.

use ndarray::ArrayView1;
use xai_core::{Distribution, Feature, FeatureKind};

use crate::axes::distinct;

/// The number of bins of a numeric feature with many values.
const N_BINS: usize = 20;

/// The distribution of a feature's values: for categories the count of each, otherwise a histogram with bins of equal
/// width from the least to the greatest value, as many as there are values and at most 20. Infinite values are left
/// to the first and the last bin.
///
/// # Example
/// ```
/// let column = ndarray::array![0.0, 1.0, 1.0, f64::NAN];
/// let distribution = xai_global::distribution(&xai_core::Feature::numeric("x"), &column.view());
/// assert_eq!(distribution.edges, [0.0, 0.5, 1.0]);
/// assert_eq!(distribution.counts, [1, 2]);
/// assert_eq!(distribution.missing, 1);
/// ```
pub fn distribution(feature: &Feature, column: &ArrayView1<f64>) -> Distribution {
    let missing = column.iter().filter(|v| v.is_nan()).count() as u64;
    let values = distinct(column);
    if let FeatureKind::Categorical { categories } = &feature.kind {
        let mut edges: Vec<f64> = (0..categories.len()).map(|c| c as f64).collect();
        edges.extend(values.iter().filter(|v| !edges.contains(v)).copied().collect::<Vec<_>>());
        let count = |edge: &f64| column.iter().filter(|v| *v == edge).count() as u64;
        return Distribution { counts: edges.iter().map(count).collect(), edges, missing };
    }
    let finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    let (Some(&low), Some(&high)) = (finite.first(), finite.last()) else {
        return Distribution { edges: Vec::new(), counts: Vec::new(), missing };
    };
    let n_bins = finite.len().min(N_BINS);
    let edge = |k: usize| {
        let share = k as f64 / n_bins as f64;
        low * (1.0 - share) + high * share
    };
    let mut edges: Vec<f64> = (0..n_bins).map(edge).collect();
    edges.push(high);
    let mut counts = vec![0; n_bins];
    for value in column.iter().filter(|v| !v.is_nan()) {
        let bin = edges[1..n_bins].partition_point(|edge| edge <= value);
        counts[bin] += 1;
    }
    Distribution { edges, counts, missing }
}
