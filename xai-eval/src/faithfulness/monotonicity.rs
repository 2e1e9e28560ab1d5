//! Does the score rise with every feature that comes?

use ndarray::Array3;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::Paths;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// Whether the score never falls while players come, those with the smallest shares first: 1 if so, otherwise 0.
///
/// Higher is better; the mean is the share of samples for which it holds. It asks whether the features that are said to
/// speak for the output do, so it makes sense for explanations whose shares are all positive, or after restriction to
/// those that are.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `step` | 1 | players that come together |
/// | `slack` | 0 | a fall of at most so much is none, for models that compute in single precision |
///
/// *Pitfalls.* One fall among hundreds of steps decides, so long paths rarely pass. With shares below zero even the exact
/// explanation of a linear model fails: its first steps lower the score. The order within equal shares is by place.
///
/// # Units
/// None: 0 or 1.
///
/// # Cost
/// n_samples · (1 + n_outputs · (n_players / step − 1) · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for a step of 0 or no player; else those of [`Metric::measure`].
///
/// # Laws
/// `monotonicity_of_known_models`.
///
/// # Source
/// Luss et al. 2019, "Leveraging latent features for local explanations" (monotonic attribute functions); Arya et al.
/// 2019, "One explanation does not fit all", and its code: the curve starts after the first step, not at the baseline.
/// *differs:* Quantus 0.6 puts the baseline's values in place of the baseline's, so that its answer is always 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monotonicity {
    /// How many players come together.
    pub step: usize,
    /// How large a fall is none.
    pub slack: f64,
}

impl Default for Monotonicity {
    fn default() -> Self {
        Monotonicity { step: 1, slack: 0.0 }
    }
}

const NAME: &str = "monotonicity";

impl<M: Model + ?Sized> Metric<M> for Monotonicity {
    fn name(&self) -> &str {
        NAME
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let games = Games::new(NAME, case, attribution)?;
        if self.step == 0 || games.n_players == 0 {
            let given = format!("{} of {} players", self.step, games.n_players);
            return Err(Error::parameter("step", given, "at least 1 of at least 1"));
        }
        let n = games.n_players;
        let counts: Vec<usize> = (1..=n.div_ceil(self.step)).map(|i| (i * self.step).min(n)).collect();
        let paths = Paths { games: &games, counts: &counts, insertion: true };
        let meter = paths.meter(run, games.n_outputs, |_, _| n)?;
        let whole = games.whole(&meter)?;
        let ascending = |sample, k| descending(games.shares(sample, k).iter().map(|share| -share));
        let orders = |sample| (0..games.n_outputs).map(|k| ascending(sample, k)).collect();
        let mut scores = Array3::zeros((games.n_samples, games.n_outputs, counts.len()));
        paths.visit(&meter, &whole, orders, |sample, k, point, at| scores[[sample, k, point]] = at[k])?;
        let rises = |curve: ndarray::ArrayView1<f64>| curve.windows(2).into_iter().all(|w| w[1] - w[0] >= -self.slack);
        let values = scores.map_axis(ndarray::Axis(2), |curve| f64::from(u8::from(rises(curve))));
        Ok(Measurement::new(NAME, Direction::Higher, values, Failures::default(), meter.evaluations(), run))
    }
}
