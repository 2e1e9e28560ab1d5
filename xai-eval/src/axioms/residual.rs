//! Do the shares sum to the score, for every sample and output?

use ndarray::Array2;
use xai_core::{Attribution, Model, Result, Run};

use crate::{Case, Direction, Failures, Measurement, Metric, Need, completeness};

/// What is left of the score when the base and all shares are taken away, as a part of what was added up:
/// |score − base − Σ shares| / (|score| + |base| + Σ |share|).
///
/// Lower is better, from 0 to 1; some 1e-16 for methods that promise completeness, of which there are many.
///
/// *Pitfalls.* It finds wrong arithmetic and too few samples, not wrong explanations. Methods that do not promise it need not
/// have it. NaN where everything is zero.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `completeness_gap_is_the_part_that_is_left`.
///
/// # Source
/// Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks" (completeness). *differs:* Quantus says whether
/// both sides are the same to the last bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompletenessGap;

const NAME: &str = "completeness-gap";

impl<M: Model + ?Sized> Metric<M> for CompletenessGap {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        let residual = completeness(attribution)?.residual;
        let mut failures = Failures::default();
        let gaps = Array2::from_shape_fn(residual.dim(), |(sample, output)| {
            let at = [sample, output];
            let shares: f64 = values.index_axis(ndarray::Axis(0), sample).column(output).iter().map(|v| v.abs()).sum();
            let size = shares + attribution.scores[at].abs() + attribution.base[at].abs();
            failures.finite(sample, output, residual[at].abs() / size, "everything is zero")
        });
        Ok(Measurement::new(NAME, Direction::Lower, gaps, failures, 0, run))
    }
}
