//! Which way a sample goes.

use super::{CategoryRule, Missing, NO_SET, TreeEnsemble};

/// LightGBM's `kZeroThreshold`, a `float`: numbers up to here count as zero.
const ZERO: f64 = 1e-35_f32 as f64;

impl TreeEnsemble {
    /// Whether a sample whose deciding column holds `value` goes left at `node`, exactly as the library that grew the
    /// trees decides it: see [`Comparison`](super::Comparison), [`Missing`] and [`CategoryRule`].
    ///
    /// # Laws
    /// `routes_as_the_library` (XGBoost: `src/common/categorical.h`, `predict_fn.h`; LightGBM: `tree.h`,
    /// `NumericalDecision`, `CategoricalDecision`).
    #[inline]
    pub fn goes_left(&self, node: usize, value: f64) -> bool {
        let mut x = if self.comparison.single { f64::from(value as f32) } else { value };
        match self.missing[node] {
            Missing::Nan if x.is_nan() => return self.default_left[node],
            Missing::Zero if x.is_nan() || x.abs() <= ZERO => return self.default_left[node],
            Missing::Never if x.is_nan() => x = 0.0,
            Missing::Nan | Missing::Zero | Missing::Never => {}
        }
        if self.set[node] != NO_SET {
            return self.in_set(self.set[node] as usize, x);
        }
        if self.comparison.strict { x < self.threshold[node] } else { x <= self.threshold[node] }
    }

    /// The leaf of `tree` that `sample` falls into. The sample must have `n_features` columns.
    #[inline]
    pub fn leaf_of(&self, tree: usize, sample: &[f64]) -> usize {
        let mut node = self.root(tree);
        while !self.is_leaf(node) {
            let left = self.goes_left(node, sample[self.feature[node] as usize]);
            node = if left { self.left[node] } else { self.right[node] } as usize;
        }
        node
    }

    fn in_set(&self, set: usize, value: f64) -> bool {
        if self.category_rule == CategoryRule::RejectNegative && value < 0.0 {
            return false;
        }
        let category = value.trunc();
        let words = &self.sets[set];
        if !(category >= 0.0 && category < (words.len() * 32) as f64) {
            return false;
        }
        let category = category as usize;
        words[category / 32] >> (category % 32) & 1 == 1
    }
}
