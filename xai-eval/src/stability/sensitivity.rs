//! How far does a small change of the sample move the explanation?

use xai_core::{Attribution, Cells, Model, Result, Run};

use super::ratios::only;
use super::{Neighbourhood, Noise, Ratio};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The largest change of the explanation among the neighbours, as a share of its size: max ‖e(x) − e(x')‖₂ / ‖e(x)‖₂.
///
/// Lower is better; 0 for a constant explanation.
///
/// *Pitfalls.* The maximum of more draws is larger: compare with the same number only. It is a lower bound of the true
/// maximum: [`WorstCase`](super::WorstCase) searches. Explanations that are small all over make it large. NaN where all
/// shares are zero.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand; no evaluation besides. Several such measures cost as one:
/// [`measure_together`](super::measure_together).
///
/// # Laws
/// `sensitivity_of_a_line_is_its_noise`, `a_constant_explainer_is_stable`, `a_batch_may_be_cut`; goldens beside Quantus.
///
/// # Source
/// Yeh, Hsieh, Suggala, Inouye, Ravikumar 2019, "On the (in)fidelity and sensitivity of explanations", definition 3.1.
/// *differs:* divided by the explanation's norm, as Captum and Quantus do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MaxSensitivity {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
}

impl<M> Metric<M> for MaxSensitivity
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        Ratio::MaxSensitivity.name()
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        only(Ratio::MaxSensitivity, &self.neighbourhood, case, attribution, run)
    }
}

/// The mean change of the explanation over the neighbours, as a share of its size: mean ‖e(x) − e(x')‖₂ / ‖e(x)‖₂.
///
/// Lower is better; 0 for a constant explanation.
///
/// *Pitfalls.* As [`MaxSensitivity`], but it does not grow with the number of draws.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand; no evaluation besides. Several such measures cost as one:
/// [`measure_together`](super::measure_together).
///
/// # Laws
/// `sensitivity_of_a_line_is_its_noise`, `a_constant_explainer_is_stable`, `a_batch_may_be_cut`; goldens beside Quantus.
///
/// # Source
/// Bhatt, Weller, Moura 2020, section 3.1; Yeh et al. 2019.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AvgSensitivity {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
}

impl<M> Metric<M> for AvgSensitivity
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        Ratio::AvgSensitivity.name()
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        only(Ratio::AvgSensitivity, &self.neighbourhood, case, attribution, run)
    }
}

/// The largest change of the explanation for each unit of change of the sample: max ‖e(x) − e(x')‖₂ / ‖x − x'‖₂.
///
/// Lower is better; 0 for a constant explanation. Its units are shares per unit of input: compare on one model only.
///
/// *Pitfalls.* Columns with large numbers hide the others, also in the divisor: scale the data. Tiny neighbourhoods show
/// rounding. NaN where no neighbour differs from the sample.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand; no evaluation besides. Several such measures cost as one:
/// [`measure_together`](super::measure_together).
///
/// # Laws
/// `lipschitz_of_a_line_is_its_slope`, `a_constant_explainer_is_stable`, `a_batch_may_be_cut`; goldens beside Quantus.
///
/// # Source
/// Alvarez-Melis, Jaakkola 2018, "On the robustness of interpretability methods", equation 2.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalLipschitz {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
}

impl Default for LocalLipschitz {
    /// Twenty neighbours with normal noise of standard deviation 0.1.
    fn default() -> Self {
        LocalLipschitz { neighbourhood: Neighbourhood { noise: Noise::Normal(0.1), ..Neighbourhood::default() } }
    }
}

impl<M> Metric<M> for LocalLipschitz
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        Ratio::LocalLipschitz.name()
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        only(Ratio::LocalLipschitz, &self.neighbourhood, case, attribution, run)
    }
}
