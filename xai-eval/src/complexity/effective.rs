//! How many features does the explanation name?

use xai_core::{Attribution, Error, Model, Result, Run};

use crate::lanes::{NOTHING, measure};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The number of features whose absolute share is above `threshold` times the largest one of the sample and output.
///
/// Lower is better, if short is what is wanted.
///
/// *Pitfalls.* The number hangs on the threshold; methods that shrink small shares to zero (LIME with a penalty) win by
/// construction. It does not ask whether the named features suffice: sufficiency does. 0 where all shares are zero.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `effective_complexity_counts`, `complexity_ignores_sign_and_scale`; goldens beside Quantus.
///
/// # Source
/// Nguyen, Martinez 2020, "On quantitative aspects of model interpretability", section 4.3. *differs:* as in Quantus,
/// shares stand for the loss that leaving the features out would cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveComplexity {
    /// The share of the largest absolute value above which a feature counts, from 0 to 1. Default 1e-5.
    pub threshold: f64,
}

impl Default for EffectiveComplexity {
    fn default() -> Self {
        EffectiveComplexity { threshold: 1e-5 }
    }
}

const NAME: (&str, Direction) = ("effective-complexity", Direction::Lower);

impl<M: Model + ?Sized> Metric<M> for EffectiveComplexity {
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
        if !(0.0..1.0).contains(&self.threshold) {
            return Err(Error::parameter("threshold", self.threshold, "from 0 to below 1"));
        }
        measure(NAME, case, attribution, run, |_, lane| {
            let largest = lane.iter().fold(0.0f64, |most, v| most.max(v.abs()));
            match lane.iter().filter(|v| v.abs() > self.threshold * largest).count() {
                0 => Err(NOTHING),
                n => Ok(n as f64),
            }
        })
    }
}
