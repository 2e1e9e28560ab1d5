//! Channels by their positive slopes, places weighted by curvature.

use ndarray::{Array1, ArrayRef2, ArrayView1};
use xai_core::Result;

use super::{Weighting, weighted};

/// Grad-CAM++: each channel counts by Σₚ α·max(G, 0), with α = G² / (2·G² + Σₚ A · G³) and 0 where G is 0.
///
/// The formula is that of exp(score), whose second and third derivatives are powers of its slope where the layers after are
/// piecewise linear; the common factor exp(score) is left out.
///
/// # Source
/// Chattopadhay, Sarkar, Howlader & Balasubramanian, *Grad-CAM++*, 2018, equations 5, 19 and 20. *Differs:* where the
/// denominator is not positive, as activations below zero can make it, α has no meaning and is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GradCamPlusPlus;

impl Weighting for GradCamPlusPlus {
    fn name(&self) -> &'static str {
        "grad-cam-plus-plus"
    }

    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        let weight = |(slopes, activations): (ArrayView1<f64>, ArrayView1<f64>)| {
            let sum = activations.sum();
            // Numerator and denominator divided by G².
            let alpha = |slope: f64| if 2.0 + sum * slope > 0.0 { 1.0 / (2.0 + sum * slope) } else { 0.0 };
            slopes.iter().filter(|slope| **slope > 0.0).map(|&slope| alpha(slope) * slope).sum()
        };
        Ok(weighted(slopes.outer_iter().zip(activations.outer_iter()).map(weight), activations))
    }
}
