//! How much of the explanation lies in the evidence?

use xai_core::{Attribution, Model, Result, Run};

use super::{Signs, inside, size};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The part of the positive shares that lies on evidence: Σ inside / Σ everywhere.
///
/// Higher is better, 1 at most; chance gives the part of the features that is evidence, a constant explanation too.
///
/// *Pitfalls.* Evidence against the output is not looked at. A method that puts everything on one cell of the mask scores
/// the optimum. NaN where a sample has no evidence or the explanation nothing positive.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Kohlbrenner et al. 2020, "Towards best practice in explaining neural network decisions with LRP", equations 8 and 9
/// (inside-total relevance ratio μ, weighted μ_w). *differs:* nothing is added to the divisor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttributionLocalisation {
    /// Whether the ratio is multiplied by (features) / (features of evidence): then chance gives 1 and a higher number is
    /// as many times better than chance.
    pub weighted: bool,
}

const NAME: (&str, Direction) = ("attribution-localisation", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for AttributionLocalisation {
    fn name(&self) -> &str {
        NAME.0
    }
    fn direction(&self) -> Direction {
        NAME.1
    }
    fn needs(&self) -> &[Need] {
        &[Need::Masks]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        beside_masks(NAME, case, attribution, run, |lane, evidence| {
            let factor = if self.weighted { evidence.len() as f64 / size(evidence) as f64 } else { 1.0 };
            Ok(factor * inside(lane, evidence, Signs::Positive)?)
        })
    }
}
