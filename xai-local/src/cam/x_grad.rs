//! Channels by the slope where they are active.

use ndarray::{Array1, ArrayRef2};
use xai_core::Result;

use super::{Weighting, weighted};

/// XGrad-CAM: each channel counts by the mean of its slopes, weighted by its activations. A channel whose activations sum to
/// zero does not count.
///
/// # Source
/// Fu, Hu, Dong, Guo, Gao & Li, *Axiom-based Grad-CAM*, 2020, equation 8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct XGradCam;

impl Weighting for XGradCam {
    fn name(&self) -> &'static str {
        "x-grad-cam"
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        let weight = |(slopes, activations): (ndarray::ArrayView1<f64>, ndarray::ArrayView1<f64>)| {
            let sum = activations.sum();
            if sum == 0.0 { 0.0 } else { slopes.dot(&activations) / sum }
        };
        Ok(weighted(slopes.outer_iter().zip(activations.outer_iter()).map(weight), activations))
    }
}
