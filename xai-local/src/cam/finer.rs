//! What tells an output from those most like it.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use xai_core::{Provenance, Result};

use super::{HiResCam, Weighting};

/// Finer-CAM: a map of score − strength · mean of the scores of the outputs that come next, so that what they have in common
/// falls away: the beak that tells two birds apart, and not the bird.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `weighting` | [`HiResCam`] | how the difference becomes a map |
/// | `strength` | 0.6 | 0: nothing is taken away; 1: the whole difference |
/// | `n_similar` | 3 | ≥ 1; fewer where there are not as many other outputs |
///
/// # Source
/// Zhang, Yang, Gu, Ren & Chao, *Finer-CAM: spotting the difference reveals finer details for visual explanation*, 2025.
/// *Differs:* similar outputs are those whose scores for the sample are nearest to the output's own, not those with similar
/// weights in the last layer, which not every model has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinerCam<W = HiResCam> {
    /// How the difference becomes a map.
    pub weighting: W,
    /// How much of the similar outputs is taken away.
    pub strength: f64,
    /// How many of them.
    pub n_similar: usize,
}

impl Default for FinerCam {
    fn default() -> Self {
        FinerCam { weighting: HiResCam, strength: 0.6, n_similar: 3 }
    }
}

impl<W: Weighting> Weighting for FinerCam<W> {
    fn name(&self) -> &'static str {
        "finer-cam"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let provenance = self.weighting.parameters(provenance).with("weighting", self.weighting.name());
        provenance.with("strength", self.strength).with("n_similar", self.n_similar)
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        self.weighting.map(activations, slopes)
    }

    fn contrasts(&self, scores: &ArrayRef1<f64>) -> Option<Array2<f64>> {
        let n = scores.len();
        let mut contrasts = Array2::eye(n);
        for output in 0..n {
            let mut others: Vec<usize> = (0..n).filter(|&other| other != output).collect();
            let gap = |other: usize| (scores[other] - scores[output]).abs();
            others.sort_by(|&a, &b| gap(a).total_cmp(&gap(b)).then(a.cmp(&b)));
            others.truncate(self.n_similar);
            for &other in &others {
                contrasts[[output, other]] = -self.strength / others.len() as f64;
            }
        }
        Some(contrasts)
    }
}
