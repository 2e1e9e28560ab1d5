//! Channels by their mean slope.

use ndarray::{Array1, ArrayRef2};
use xai_core::Result;

use super::{Weighting, weighted};

/// Grad-CAM: each channel counts by its mean slope.
///
/// The mean forgets where in the channel the slope was: the map can light up places that the score does not hang on, which
/// [`HiResCam`](super::HiResCam) does not.
///
/// # Source
/// Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra, *Grad-CAM*, 2017, equations 1 and 2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GradCam;

impl Weighting for GradCam {
    fn name(&self) -> &'static str {
        "grad-cam"
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        let places = slopes.ncols().max(1) as f64;
        Ok(weighted(slopes.outer_iter().map(|channel| channel.sum() / places), activations))
    }
}
