//! How alike two explanations are.

use super::ssim::ssim;
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
    /// Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) in windows of 7 places a side, the range of both taken
    /// for the range of the numbers. Needs [`Attribution::shape`](xai_core::Attribution::shape): pictures and series.
    Ssim,
}

impl Similarity {
    /// The similarity of two lists of shares, or why there is none.
    pub(super) fn of(self, absolute: bool, shape: Option<&[usize]>, a: &[f64], b: &[f64]) -> Number {
        if absolute {
            let sizes = |shares: &[f64]| shares.iter().map(|v| v.abs()).collect::<Vec<f64>>();
            return self.of(false, shape, &sizes(a), &sizes(b));
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        match self {
            Similarity::Spearman => finite(spearman(a, b), "all shares are the same"),
            Similarity::Pearson => finite(correlation(a, b), "all shares are the same"),
            Similarity::Ssim => ssim(shape, a, b),
            Similarity::Cosine => finite(dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(), "all shares are zero"),
        }
    }
}
