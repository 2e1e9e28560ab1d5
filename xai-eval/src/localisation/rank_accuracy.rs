//! Are the strongest features the evidence?

use xai_core::{Attribution, Model, Result, Run};

use super::{Signs, hits, size};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The part of the K strongest features that is evidence, where K is the number of features of evidence in the sample.
///
/// Higher is better, 1 when all evidence comes before everything else; chance gives the part of the features that is
/// evidence.
///
/// *Pitfalls.* The order inside the evidence and the sizes do not matter. Of features that tie for the last places, the
/// expected number counts. NaN where a sample has no evidence.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Arras, Osman, Samek 2022, section 3.2 (relevance rank accuracy). *differs:* the paper pools channels first; here every
/// cell counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelevanceRankAccuracy {
    /// Which shares count.
    pub signs: Signs,
}

const NAME: (&str, Direction) = ("relevance-rank-accuracy", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for RelevanceRankAccuracy {
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
            let k = size(evidence);
            Ok(hits(&self.signs.strengths(lane), evidence, k) / k as f64)
        })
    }
}
