//! Each activation by its own slope, where that is positive.

use ndarray::{Array1, ArrayRef2, Axis};
use xai_core::Result;

use super::Weighting;

/// Layer-CAM: positive slope × activation, summed over the channels. Made for earlier layers, whose maps are finer.
///
/// # Source
/// Jiang, Zhang, Hou, Cheng & Wei, *LayerCAM: exploring hierarchical class activation maps for localization*, 2021.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerCam;

impl Weighting for LayerCam {
    fn name(&self) -> &'static str {
        "layer-cam"
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        Ok((activations * slopes.mapv(|slope| slope.max(0.0))).sum_axis(Axis(0)))
    }
}
