//! Over how many features is the explanation spread?

use xai_core::{Attribution, Model, Result, Run};

use crate::lanes::{NOTHING, finite, measure};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The entropy of the absolute shares taken as probabilities: 0 when one feature has everything, ln n when all have the
/// same.
///
/// Lower is better, if short is what is wanted; its exponential reads as a number of features.
///
/// *Pitfalls.* Those of [`Sparseness`](super::Sparseness): short is not right. NaN where all shares are zero.
///
/// # Units
/// Nats.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `entropy_lies_between_zero_and_ln_n`, `complexity_ignores_sign_and_scale`; goldens beside Quantus.
///
/// # Source
/// Bhatt, Weller, Moura 2020, "Evaluating and aggregating feature-based model explanations", definition 4. *differs:*
/// Quantus adds 1e-12 inside the logarithm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entropy;

const NAME: (&str, Direction) = ("entropy", Direction::Lower);

impl<M: Model + ?Sized> Metric<M> for Entropy {
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
        measure(NAME, case, attribution, run, |_, lane| finite(entropy(lane), NOTHING))
    }
}

/// −Σ p·ln p with p = |v| / Σ |v|; NaN when all values are zero.
///
/// # Example
/// ```
/// assert_eq!(xai_eval::complexity::entropy(&[1.0, -1.0]), 2.0f64.ln());
/// ```
pub fn entropy(values: &[f64]) -> f64 {
    let total: f64 = values.iter().map(|v| v.abs()).sum();
    if total == 0.0 {
        return f64::NAN;
    }
    let part = |v: &f64| {
        let p = v.abs() / total;
        if p > 0.0 { -p * p.ln() } else { 0.0 }
    };
    values.iter().map(part).sum()
}
