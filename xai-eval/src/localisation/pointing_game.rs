//! Does the strongest feature lie in the evidence?

use xai_core::{Attribution, Model, Result, Run};

use super::{Signs, hits, size};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// 1 where the feature with the largest share is evidence, otherwise 0; of several features with the largest share, the
/// part of them that is.
///
/// Higher is better; chance gives the part of the features that is evidence.
///
/// *Pitfalls.* One feature decides; an explanation that is wrong everywhere else can win. A large mask is easily hit:
/// `weighted` takes that out. NaN where a sample has no evidence.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Zhang, Bargal, Lin, Brandt, Shen, Sclaroff 2018, "Top-down neural attention by excitation backprop", section 4.2.
/// *differs:* no margin of 15 pixels around the mask; ties, which Quantus counts as hits if one of them hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointingGame {
    /// Which shares count.
    pub signs: Signs,
    /// Whether a hit counts 1 − (features of evidence) / (features) instead of 1.
    pub weighted: bool,
}

const NAME: (&str, Direction) = ("pointing-game", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for PointingGame {
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
            let area = size(evidence) as f64 / evidence.len() as f64;
            let worth = if self.weighted { 1.0 - area } else { 1.0 };
            Ok(worth * hits(&self.signs.strengths(lane), evidence, 1))
        })
    }
}
