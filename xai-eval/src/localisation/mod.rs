//! Does the explanation lie where the evidence is? Needs masks: which features are evidence in each sample.
//!
//! *Pitfalls of all of them.* A mask says where a person sees the evidence, not what the model uses: an explanation that
//! rightly shows a model looking at the background scores badly. Masks are trustworthy where the data were made so
//! ([`truth`](crate::truth)). Scores fall as masks shrink: compare methods on the same masks only.
//!
//! The masks of a case are a table (sample, feature), true where the feature is evidence. For pictures a feature is a cell
//! (channel, row, column); a mask of the picture stands once for each channel.

mod attribution_localisation;
mod auc;
mod focus;
mod mass_accuracy;
mod pointing_game;
mod rank_accuracy;
mod top_k;

pub use attribution_localisation::AttributionLocalisation;
pub use auc::Auc;
pub use focus::{Focus, mosaic, quadrants};
pub use mass_accuracy::RelevanceMassAccuracy;
pub use pointing_game::PointingGame;
pub use rank_accuracy::RelevanceRankAccuracy;
pub use top_k::TopKIntersection;

use crate::lanes::{Number, finite};

/// Which shares count as pointing at a feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signs {
    /// Those for the output: what is positive, more is stronger. Sums leave out negative shares.
    #[default]
    Positive,
    /// Those for and those against: the absolute value.
    Absolute,
}

impl Signs {
    /// The strength by which features are ranked.
    fn rank(self, share: f64) -> f64 {
        match self {
            Signs::Positive => share,
            Signs::Absolute => share.abs(),
        }
    }

    /// The strengths of all features.
    fn strengths(self, shares: &[f64]) -> Vec<f64> {
        shares.iter().map(|share| self.rank(*share)).collect()
    }

    /// The mass that is summed.
    fn mass(self, share: f64) -> f64 {
        self.rank(share).max(0.0)
    }
}

/// Σ of the mass on evidence / Σ of all mass.
fn inside(shares: &[f64], evidence: &[bool], signs: Signs) -> Number {
    let total: f64 = shares.iter().map(|share| signs.mass(*share)).sum();
    let inside: f64 = shares.iter().zip(evidence).filter(|(_, e)| **e).map(|(share, _)| signs.mass(*share)).sum();
    finite(inside / total, "no share counts")
}

fn size(evidence: &[bool]) -> usize {
    evidence.iter().filter(|e| **e).count()
}

/// How many of the `k` strongest features are evidence. Where features tie for the last places it is the expected number
/// when the tie is broken at random, so that nothing hangs on the order of the features and an explanation that gives
/// all the same scores what chance gives.
fn hits(strengths: &[f64], evidence: &[bool], k: usize) -> f64 {
    let mut order: Vec<usize> = (0..strengths.len()).collect();
    order.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]));
    let Some(&last) = k.checked_sub(1).and_then(|last| order.get(last)) else { return 0.0 };
    let limit = strengths[last];
    let (mut above, mut above_hits, mut tied, mut tied_hits) = (0usize, 0usize, 0usize, 0usize);
    for (&strength, &hit) in strengths.iter().zip(evidence) {
        if strength > limit {
            (above, above_hits) = (above + 1, above_hits + usize::from(hit));
        } else if strength == limit {
            (tied, tied_hits) = (tied + 1, tied_hits + usize::from(hit));
        }
    }
    above_hits as f64 + (k - above) as f64 * tied_hits as f64 / tied as f64
}
