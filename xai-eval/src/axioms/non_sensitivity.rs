//! Are the features without a share those that the model does not use?

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use crate::asking::Asking;
use crate::games::Games;
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
/// So many features are left out, one each, before the next ones.
const AT_ONCE: usize = 1024;

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
        let games = Games::new(NAME, case, attribution)?;
        let Games { n_samples, n_players, values, .. } = games;
        games.bounded(n_players.min(AT_ONCE))?;
        let meter = games.meter(run, n_players)?;
        let whole = games.whole(&meter)?;
        let changes = |sample: usize, output: usize, score: f64| {
            f64::from(u8::from((score - whole[[sample, output]]).abs() >= self.tolerance))
        };
        let mut counts = Array2::zeros(attribution.scores.dim());
        let mut asking = Asking::new(&games, &meter, &changes);
        let mut see = |sample: usize, first: usize, changes: Array2<f64>| {
            for ((place, output), change) in changes.indexed_iter() {
                let shown = values[[sample, first + place, output]].abs() >= self.tolerance;
                counts[[sample, output]] += f64::from(u8::from(shown != (*change > 0.0)));
            }
        };
        for sample in 0..n_samples {
            for first in (0..n_players).step_by(AT_ONCE) {
                let n = AT_ONCE.min(n_players - first);
                let without = Array2::from_shape_fn((n, n_players), |(place, player)| player != first + place);
                asking.ask(sample, &without, first, &mut see)?;
            }
        }
        asking.finish(&mut see)?;
        Ok(Measurement::new(NAME, Direction::Lower, counts, Failures::default(), meter.evaluations(), run))
    }
}
