//! Do the shares sum to the score?

use ndarray::{Array2, Axis};
use xai_core::{Attribution, Result};

use crate::measurement::values_of;

/// What is left of each score when its base and all shares are taken away.
///
/// Lower is better; 0 up to rounding for the Shapley family and for integrated gradients, by construction.
///
/// *Pitfalls.* It finds wrong arithmetic, too few samples and too few integration steps, not wrong explanations: all the
/// score on one feature is complete. Methods that do not promise it (LIME, saliency) need not have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Completeness {
    /// score − base − Σ shares: (sample, output).
    pub residual: Array2<f64>,
    /// The largest |residual|.
    pub largest: f64,
    /// The largest |residual| / (|score| + |base| + Σ |share|): about 1e-16 times the number of features when only
    /// rounding is to blame.
    pub relative: f64,
    /// The sample and the output where the largest residual stands.
    pub worst: Option<(usize, usize)>,
}

/// Measures how far the shares of an attribution are from summing to its scores.
///
/// # Units
/// `residual` and `largest` are on the scale of the scores, `relative` has none.
///
/// # Cost
/// No evaluation.
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) or [`Error::NonFinite`](xai_core::Error::NonFinite) for an attribution whose
/// parts do not fit.
///
/// # Laws
/// `completeness_finds_what_is_missing`.
///
/// # Source
/// Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks" (completeness); Lundberg, Lee 2017 (local
/// accuracy).
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// let attribution = Attribution {
///     provenance: Provenance::new("mine", &Run::default()),
///     features: Feature::unnamed(2), outputs: Output::unnamed(1),
///     base: array![[1.0]], values: array![[[2.0], [3.0]]], scores: array![[6.5]],
///     standard_error: None, data: None, fidelity: None, shape: None,
/// };
/// assert_eq!(xai_eval::completeness(&attribution).unwrap().largest, 0.5);
/// ```
pub fn completeness(attribution: &Attribution) -> Result<Completeness> {
    let values = values_of(attribution)?;
    let residual = &attribution.scores - &attribution.base - values.sum_axis(Axis(1));
    let size =
        values.mapv(f64::abs).sum_axis(Axis(1)) + attribution.scores.mapv(f64::abs) + attribution.base.mapv(f64::abs);
    let (mut largest, mut relative, mut worst) = (0.0, 0.0f64, None);
    for ((cell, r), size) in residual.indexed_iter().zip(&size) {
        if r.abs() > largest {
            (largest, worst) = (r.abs(), Some(cell));
        }
        if *size > 0.0 {
            relative = relative.max(r.abs() / size);
        }
    }
    Ok(Completeness { residual, largest, relative, worst })
}
