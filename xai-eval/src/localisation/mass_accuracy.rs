//! How much of the explanation's mass lies on the evidence?

use xai_core::{Attribution, Model, Result, Run};

use super::{Signs, inside};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The part of the shares' mass that lies on evidence: Σ inside / Σ everywhere.
///
/// Higher is better, 1 at most; chance gives the part of the features that is evidence, a constant explanation too. With
/// positive shares it is [`AttributionLocalisation`](super::AttributionLocalisation) unweighted; with absolute ones it also counts what speaks against.
///
/// *Pitfalls.* As there. NaN where a sample has no evidence or the explanation no mass.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `localisation_of_perfect_and_constant_explanations`; goldens beside Quantus.
///
/// # Source
/// Arras, Osman, Samek 2022, "CLEVR-XAI: a benchmark dataset for the ground truth evaluation of neural network
/// explanations", section 3.2 (relevance mass accuracy). *differs:* the paper pools channels first; here every cell counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelevanceMassAccuracy {
    /// Which shares count.
    pub signs: Signs,
}

const NAME: (&str, Direction) = ("relevance-mass-accuracy", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for RelevanceMassAccuracy {
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
        beside_masks(NAME, case, attribution, run, |lane, evidence| inside(lane, evidence, self.signs))
    }
}
