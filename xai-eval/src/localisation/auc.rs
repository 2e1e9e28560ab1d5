//! Do features of evidence come before the others?

use xai_core::{Attribution, Model, Result, Run};

use super::{Signs, size};
use crate::lanes::{beside_masks, finite};
use crate::rank::ranks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The chance that a feature of evidence has a larger share than one that is none, a tie counting half: the area under
/// the receiver operating characteristic.
///
/// Higher is better; chance and a constant explanation give ½.
///
/// *Pitfalls.* All features count alike: with little evidence in many features, a few of the strongest being wrong hardly
/// shows. NaN where every feature of a sample is evidence, or none.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `auc_is_the_share_of_ordered_pairs`, `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Fawcett 2006, "An introduction to ROC analysis", algorithm 2; through the rank sum of Mann and Whitney 1947.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Auc {
    /// Which shares count.
    pub signs: Signs,
}

const NAME: (&str, Direction) = ("auc", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for Auc {
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
            let (inside, outside) = (size(evidence) as f64, (lane.len() - size(evidence)) as f64);
            let ranks = ranks(&self.signs.strengths(lane));
            let sum: f64 = ranks.iter().zip(evidence).filter(|(_, e)| **e).map(|(rank, _)| rank).sum();
            finite((sum - inside * (inside + 1.0) / 2.0) / (inside * outside), "every feature is evidence")
        })
    }
}
