//! How alike two explanations are.

use crate::agreement::spearman;
use crate::lanes::{Number, finite};
use crate::rank::correlation;

/// How alike the shares of two explanations are: 1 for the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Similarity {
    /// Spearman's rank correlation.
    #[default]
    Spearman,
    /// Pearson's correlation.
    Pearson,
    /// The cosine of the angle between them.
    Cosine,
}

impl Similarity {
    /// The similarity of two lists of shares, or why there is none.
    pub(super) fn of(self, absolute: bool, a: &[f64], b: &[f64]) -> Number {
        if absolute {
            let sizes = |shares: &[f64]| shares.iter().map(|v| v.abs()).collect::<Vec<f64>>();
            return self.of(false, &sizes(a), &sizes(b));
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        match self {
            Similarity::Spearman => finite(spearman(a, b), "all shares are the same"),
            Similarity::Pearson => finite(correlation(a, b), "all shares are the same"),
            Similarity::Cosine => finite(dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(), "all shares are zero"),
        }
    }
}
