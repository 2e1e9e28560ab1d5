//! Each activation by its own slope.

use ndarray::{Array1, ArrayRef2, Axis};
use xai_core::Result;

use super::Weighting;

/// HiResCAM: slope × activation, summed over the channels.
///
/// Where only linear layers come after the layer, the map's places sum to the score less a constant: it shows exactly what
/// the score is made of.
///
/// # Source
/// Draelos & Carin, *Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks*, 2020.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HiResCam;

impl Weighting for HiResCam {
    fn name(&self) -> &'static str {
        "hires-cam"
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        Ok((activations * slopes).sum_axis(Axis(0)))
    }
}
