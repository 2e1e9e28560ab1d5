//! Is the explanation carried by few features?

use xai_core::{Attribution, Model, Result, Run};

use crate::lanes::{NOTHING, finite, measure};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The Gini index of the absolute shares: 0 when all features have the same, 1 − 1/n when one has everything.
///
/// Higher is better, if short is what is wanted.
///
/// *Pitfalls.* It rewards whatever is short: one feature picked at random scores the maximum. A model that uses every
/// feature has no sparse true explanation. It can be compared between methods on one model only. NaN where all shares
/// are zero.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `sparseness_of_one_feature_is_largest`, `complexity_ignores_sign_and_scale`; goldens beside Quantus.
///
/// # Source
/// Chalasani et al. 2020, "Concise explanations of neural networks using adversarial training", section 4; Hurley,
/// Rickard 2009. *differs:* Quantus adds 1e-7 to every share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sparseness;

const NAME: (&str, Direction) = ("sparseness", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for Sparseness {
    fn name(&self) -> &str {
        NAME.0
    }
    fn direction(&self) -> Direction {
        NAME.1
    }
    fn needs(&self) -> &[Need] {
        &[]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        measure(NAME, case, attribution, run, |_, lane| finite(gini(lane), NOTHING))
    }
}

/// The Gini index of absolute values: Σᵢ (2i − n − 1)·vᵢ / (n·Σ v) over the values in ascending order; NaN when all are
/// zero or none is there.
///
/// # Example
/// ```
/// assert_eq!(xai_eval::complexity::gini(&[0.0, -3.0, 0.0, 0.0]), 0.75);
/// assert_eq!(xai_eval::complexity::gini(&[2.0, -2.0]), 0.0);
/// ```
pub fn gini(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let n = sizes.len() as f64;
    let weighted: f64 = sizes.iter().enumerate().map(|(i, v)| (2.0 * (i as f64 + 1.0) - n - 1.0) * v).sum();
    weighted / (n * sizes.iter().sum::<f64>())
}
