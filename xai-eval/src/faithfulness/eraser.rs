//! Does the score fall without the most important features, and stand with them alone?

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::{Paths, counts_of};
use crate::games::Games;
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need, RemovalOrder};

/// Comprehensiveness and sufficiency of ERASER: the fall of the score when the most important players go, and when only
/// they stay, averaged over several shares of the players.
///
/// Comprehensiveness: mean over q of f(x) − f(x without the first q); higher is better. Sufficiency: mean over q of
/// f(x) − f(only the first q); lower is better, and may be below 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `sufficiency` | false | only the most important stay, instead of going |
/// | `shares` | 1, 5, 10, 20, 50 % | how many players are the most important, rounded up: rising, above 0 to 1 |
/// | `order` | signed | largest share first, or largest absolute share first |
///
/// *Pitfalls.* How large it can become depends on the model and the sample, so numbers of two models say nothing about
/// who is more faithful: [`NormalisedAopc`](crate::NormalisedAopc) mends that. Texts with words taken out lie where the
/// model was never trained.
///
/// # Units
/// Those of the scores, meant for probabilities.
///
/// # Cost
/// n_samples · (1 + n_outputs · number of shares · replicas of the masker), in evaluations, less where two shares round
/// to the same number of players.
///
/// # Errors
/// [`Error::Parameter`] for shares that are none; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `eraser_equals_its_formula`.
///
/// # Source
/// DeYoung et al. 2020, "ERASER: a benchmark to evaluate rationalized NLP models", section 4.2 (AOPC); the mean is over
/// the shares as in their published scorer, where the paper's formula divides by one more.
#[derive(Debug, Clone, PartialEq)]
pub struct Eraser {
    /// Only the most important stay.
    pub sufficiency: bool,
    /// The shares of the players.
    pub shares: Vec<f64>,
    /// Which players are the most important.
    pub order: RemovalOrder,
}

impl Default for Eraser {
    fn default() -> Self {
        Eraser { sufficiency: false, shares: vec![0.01, 0.05, 0.1, 0.2, 0.5], order: RemovalOrder::default() }
    }
}

impl Eraser {
    /// Comprehensiveness, the default.
    pub fn comprehensiveness() -> Self {
        Self::default()
    }

    /// Sufficiency.
    pub fn sufficiency() -> Self {
        Eraser { sufficiency: true, ..Self::default() }
    }

    fn called(&self) -> &'static str {
        if self.sufficiency { "sufficiency" } else { "comprehensiveness" }
    }

    fn better(&self) -> Direction {
        if self.sufficiency { Direction::Lower } else { Direction::Higher }
    }
}

/// Refuses shares of players that are not above 0, at most 1 and rising.
///
/// # Errors
/// [`Error::Parameter`].
pub(crate) fn rising_shares(shares: &[f64]) -> Result<()> {
    let right = shares.iter().all(|share| *share > 0.0 && *share <= 1.0) && shares.windows(2).all(|w| w[0] < w[1]);
    if right && !shares.is_empty() {
        return Ok(());
    }
    Err(Error::parameter("shares", format!("{shares:?}"), "rising numbers above 0, at most 1"))
}

impl<M: Model + ?Sized> Metric<M> for Eraser {
    fn name(&self) -> &str {
        self.called()
    }

    fn direction(&self) -> Direction {
        self.better()
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let games = Games::new(self.called(), case, attribution)?;
        rising_shares(&self.shares)?;
        let counts = counts_of(&self.shares, games.n_players);
        let paths = Paths { games: &games, counts: &counts, insertion: self.sufficiency };
        let meter = paths.meter(run, games.n_outputs, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let orders = |sample| (0..games.n_outputs).map(|k| self.order.of(games.shares(sample, k))).collect();
        let mut values = Array2::zeros((games.n_samples, games.n_outputs));
        paths.visit(&meter, &whole, orders, |sample, k, _, at| {
            values[[sample, k]] += (whole[[sample, k]] - at[k]) / counts.len() as f64;
        })?;
        let evaluations = meter.evaluations();
        Ok(Measurement::new(self.called(), self.better(), values, Failures::default(), evaluations, run))
    }
}
