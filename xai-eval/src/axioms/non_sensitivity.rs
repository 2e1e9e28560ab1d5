//! Are the features without a share those that the model does not use?

use std::borrow::Borrow;

use ndarray::{Array2, Axis};
use xai_core::model::Owned;
use xai_core::{Attribution, Batch, Error, Masker, Meter, Model, Result, Run};

use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The number of features that either have no share although leaving them out changes the score, or have one although it
/// does not.
///
/// Lower is better, 0 the optimum.
///
/// *Pitfalls.* One feature is left out at a time: where evidence is there twice (or saturates), leaving out one of both
/// changes nothing, and the right explanation is blamed. [`Dummy`](super::Dummy) looks at coalitions. Where
/// the masker puts in the very value that the sample has, nothing can change. Methods that never give exactly zero need a
/// `tolerance` that fits.
///
/// # Cost
/// Samples × (1 + features × replicas of the masker) evaluations, in calls of some thousand.
///
/// # Errors
/// [`Error::Unsupported`] without a masker; [`Error::Parameter`] for a tolerance below 0.
///
/// # Laws
/// `non_sensitivity_of_known_shares_is_zero`; goldens beside Quantus.
///
/// # Source
/// Nguyen, Martinez 2020, "On quantitative aspects of model interpretability", section 4.2; Ancona et al. 2019. *differs:* a
/// feature counts as used if any replica of the masker changes the score, whatever the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonSensitivity {
    /// What counts as no share, and what as no change of the score. Default 1e-5.
    pub tolerance: f64,
}

impl Default for NonSensitivity {
    fn default() -> Self {
        NonSensitivity { tolerance: 1e-5 }
    }
}

const NAME: &str = "non-sensitivity";

impl<M: Model + ?Sized> Metric<M> for NonSensitivity {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return Err(Error::parameter("tolerance", self.tolerance, "a number not below 0"));
        }
        let masker = case.need_masker(NAME)?;
        let values = case.values(attribution)?;
        let (n, p, _) = values.dim();
        let per_sample = (p as u64).saturating_mul(masker.weights().len() as u64).saturating_add(1);
        let meter = Meter::planned(run, per_sample.saturating_mul(n as u64))?;
        let mut counts = Array2::zeros(attribution.scores.dim());
        if n == 0 {
            return Ok(Measurement::new(NAME, Direction::Lower, counts, Failures::default(), 0, run));
        }
        let whole = meter.predict(case.model, case.batch)?;
        for sample in 0..n {
            let players = masker.n_players(case.batch, sample);
            xai_core::error::same_shape(format!("features for the players of sample {sample}"), &[players], &[p])?;
            let used = self.used(case, masker, sample, p, &whole, &meter)?;
            for ((feature, output), used) in used.indexed_iter() {
                let shown = values[[sample, feature, output]].abs() >= self.tolerance;
                counts[[sample, output]] += f64::from(u8::from(shown != *used));
            }
        }
        Ok(Measurement::new(NAME, Direction::Lower, counts, Failures::default(), meter.evaluations(), run))
    }
}

/// So many samples are scored in one call at most.
const SAMPLES: usize = 4096;

impl NonSensitivity {
    /// Whether leaving out a feature changes a score of a sample: (feature, output).
    fn used<M: Model + ?Sized>(
        &self,
        case: &Case<M>,
        masker: &dyn Masker<M::Batch>,
        sample: usize,
        n_features: usize,
        whole: &Array2<f64>,
        meter: &Meter,
    ) -> Result<Array2<bool>> {
        let mut used = Array2::from_elem((n_features, whole.ncols()), false);
        let at_once = (SAMPLES / masker.weights().len().max(1)).max(1);
        for start in (0..n_features).step_by(at_once) {
            let end = n_features.min(start + at_once);
            let without = Array2::from_shape_fn((end - start, n_features), |(row, feature)| feature != start + row);
            let (masked, ends) = replicas(case, masker, sample, &without)?;
            let scores = meter.predict(case.model, masked.borrow())?;
            let mut first = 0;
            for (row, &last) in ends.iter().enumerate() {
                for replica in first..last.min(scores.nrows()) {
                    for output in 0..whole.ncols() {
                        let change = (scores[[replica, output]] - whole[[sample, output]]).abs();
                        used[[start + row, output]] |= change >= self.tolerance;
                    }
                }
                first = last;
            }
        }
        Ok(used)
    }
}

/// The masked samples of some coalitions, and the place behind each coalition's last one.
fn replicas<M: Model + ?Sized>(
    case: &Case<M>,
    masker: &dyn Masker<M::Batch>,
    sample: usize,
    coalitions: &Array2<bool>,
) -> Result<(Owned<M>, Vec<usize>)> {
    let n = coalitions.len_of(Axis(0));
    if let Some(found) = masker.replicas(case.batch, sample, coalitions)? {
        xai_core::error::same_shape("ends of the replicas (coalition)", &[n], &[found.ends.len()])?;
        return Ok((found.samples, found.ends));
    }
    let masked = masker.mask(case.batch, sample, coalitions)?;
    let each = masker.weights().len();
    let samples: &M::Batch = masked.borrow();
    xai_core::error::same_shape("masked samples", &[n * each], &[samples.n_samples()])?;
    Ok((masked, (1..=n).map(|coalition| coalition * each).collect()))
}
