//! Does the explanation change more than the sample, or than the scores?

use xai_core::{Attribution, Cells, Model, Result, Run};

use super::ratios::only;
use super::{Neighbourhood, Ratio, Relative};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The largest relative change of the explanation for each relative change of the sample:
/// max ‖(e(x) − e(x')) / e(x)‖₂ / max(‖(x − x') / x‖₂, 10⁻⁶) over neighbours with the same prediction; where a divisor
/// e(x) or x is zero, 10⁻⁶ stands for it.
///
/// Lower is better; 0 for a constant explanation. With [`Relative::Norms`] it is
/// max (‖e(x) − e(x')‖₂ / ‖e(x)‖₂) / (‖x − x'‖₂ / ‖x‖₂), over neighbours for which that is defined.
///
/// *Pitfalls.* Features whose share or value is near zero rule the ratio: one share of 1e-9 that becomes 1e-6 counts a
/// thousand. Numbers of 10⁶ are not rare; compare ranks rather than sizes, or take norms.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand; no evaluation besides. Several such measures cost as one:
/// [`measure_together`](super::measure_together).
///
/// # Laws
/// `relative_stability_equals_its_formula`, `a_constant_explainer_is_stable`, `a_batch_may_be_cut`; goldens beside Quantus.
///
/// # Source
/// Agarwal et al. 2022, "Rethinking stability for attribution-based explanations", equation 2 (RIS), p = 2; norms as in
/// OpenXAI's code.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeInputStability {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
    /// What changes are set in relation to.
    pub relative: Relative,
}

impl Default for RelativeInputStability {
    /// Twenty neighbours within 0.2 of each cell that keep the prediction.
    fn default() -> Self {
        let neighbourhood = Neighbourhood { same_prediction: true, ..Neighbourhood::default() };
        RelativeInputStability { neighbourhood, relative: Relative::default() }
    }
}

impl<M> Metric<M> for RelativeInputStability
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        Ratio::RelativeInput(self.relative).name()
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        only(Ratio::RelativeInput(self.relative), &self.neighbourhood, case, attribution, run)
    }
}

/// The largest relative change of the explanation for each unit of change of the scores:
/// max ‖(e(x) − e(x')) / e(x)‖₂ / max(‖h(x) − h(x')‖₂, 10⁻⁶) over neighbours with the same prediction, with all scores h;
/// where e(x) is zero, 10⁻⁶ stands for it.
///
/// Lower is better; 0 for a constant explanation. With [`Relative::Norms`] it is
/// max (‖e(x) − e(x')‖₂ / ‖e(x)‖₂) / (‖h(x) − h(x')‖₂ / ‖h(x)‖₂), over neighbours for which that is defined.
///
/// *Pitfalls.* Features whose share is near zero rule the ratio: one share of 1e-9 that becomes 1e-6 counts a
/// thousand. Numbers of 10⁶ are not rare; compare ranks rather than sizes, or take norms. The paper takes logits: give a model that scores them.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand; no evaluation besides. Several such measures cost as one:
/// [`measure_together`](super::measure_together).
///
/// # Laws
/// `relative_stability_equals_its_formula`, `a_constant_explainer_is_stable`, `a_batch_may_be_cut`; goldens beside Quantus.
///
/// # Source
/// Agarwal et al. 2022, equation 5 (ROS), p = 2; norms as in OpenXAI's code.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeOutputStability {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
    /// What changes are set in relation to.
    pub relative: Relative,
}

impl Default for RelativeOutputStability {
    /// Twenty neighbours within 0.2 of each cell that keep the prediction.
    fn default() -> Self {
        let neighbourhood = Neighbourhood { same_prediction: true, ..Neighbourhood::default() };
        RelativeOutputStability { neighbourhood, relative: Relative::default() }
    }
}

impl<M> Metric<M> for RelativeOutputStability
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        Ratio::RelativeOutput(self.relative).name()
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        only(Ratio::RelativeOutput(self.relative), &self.neighbourhood, case, attribution, run)
    }
}
