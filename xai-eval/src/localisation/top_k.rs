//! How many of the strongest features are evidence?

use xai_core::{Attribution, Error, Model, Result, Run};

use super::{Signs, hits, size};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The part of the `k` strongest features that is evidence.
///
/// Higher is better; chance gives the part of the features that is evidence.
///
/// *Pitfalls.* With less evidence than `k` features the optimum is below 1: [`RelevanceRankAccuracy`] takes as many
/// features as there is evidence. Of features that tie for the last places, the expected number counts. NaN where a sample
/// has no evidence.
///
/// [`RelevanceRankAccuracy`]: super::RelevanceRankAccuracy
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Theiner, Müller-Budack, Ewerth 2022, "Interpretable semantic photo geolocation", section 3.2 (top-k intersection,
/// concept influence).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopKIntersection {
    /// How many features are looked at; `None`: a tenth of them, at least 1. The paper takes 1000 of 224 × 224 pixels.
    pub k: Option<usize>,
    /// Which shares count.
    pub signs: Signs,
    /// Whether the part is multiplied by (features) / (features of evidence): the paper's concept influence.
    pub concept_influence: bool,
}

const NAME: (&str, Direction) = ("top-k-intersection", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for TopKIntersection {
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
        let n = attribution.features.len();
        let k = self.k.unwrap_or((n / 10).max(1));
        if !(1..=n).contains(&k) {
            return Err(Error::parameter("k", k, format!("1 to the number of features, {n}")));
        }
        beside_masks(NAME, case, attribution, run, |lane, evidence| {
            let factor = if self.concept_influence { n as f64 / size(evidence) as f64 } else { 1.0 };
            Ok(factor * hits(&self.signs.strengths(lane), evidence, k) / k as f64)
        })
    }
}
