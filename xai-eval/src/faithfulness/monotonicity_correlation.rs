//! Do larger shares go with larger changes of the score?

use ndarray::Array2;
use xai_core::{Attribution, Model, Result, Run};

use super::alone::Alone;
use crate::asking::Asking;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::{correlation, descending, ranks};
use crate::{Case, Direction, Measurement, Metric, Need};

/// Spearman's rank correlation, over the players, of |share| with the mean squared change of the score when the player is
/// made absent: of |φⱼ| and E[(f(x without j) − f(x))²], over the masker's replicas.
///
/// Higher is better, at most 1; 1 for exact Shapley values of an additive model against one baseline. NaN where the
/// shares or the changes are all equal.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `step` | 1 | players that go together: the first so many by |share|, from the smallest, the next so many, … |
///
/// *Pitfalls.* It looks at one feature at a time and ignores signs. Many features with no effect tie, and ties lower it.
/// It depends on the masker; with one replica the mean is over one number.
///
/// # Units
/// None: a correlation.
///
/// # Cost
/// n_samples · (1 + n_players / step · replicas of the masker), in evaluations; with `step` above 1 for each output.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for a step of 0; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `quantus_monotonicity_correlation`.
///
/// # Source
/// Nguyen, Martínez 2020, "On quantitative aspects of model interpretability", section 4.1. Their factor 1/f(x)² is the
/// same for all players of a sample and changes no rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonotonicityCorrelation {
    /// How many players go together.
    pub step: usize,
}

impl Default for MonotonicityCorrelation {
    fn default() -> Self {
        MonotonicityCorrelation { step: 1 }
    }
}

const NAME: &str = "monotonicity-correlation";

impl<M: Model + ?Sized> Metric<M> for MonotonicityCorrelation {
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
        let Games { n_samples, n_players, n_outputs, .. } = games;
        let alone = Alone::new(self.step, n_players, n_outputs)?;
        games.bounded(alone.n_coalitions())?;
        let meter = games.meter(run, alone.n_coalitions())?;
        let whole = games.whole(&meter)?;
        let (mut values, mut failures) = (Array2::zeros((n_samples, n_outputs)), Failures::default());
        let squared = |sample: usize, k: usize, score: f64| (score - whole[[sample, k]]).powi(2);
        let mut asking = Asking::new(&games, &meter, &squared);
        let mut see = |sample: usize, orders: Vec<Vec<usize>>, spread: Array2<f64>| {
            for k in 0..n_outputs {
                let sizes = alone.sums(&orders, k, games.shares(sample, k).mapv(f64::abs).view());
                let changes: Vec<f64> = alone.part(k, spread.column(k)).collect();
                let value = correlation(&ranks(&sizes), &ranks(&changes));
                values[[sample, k]] = failures.finite(sample, k, value, "the shares or the changes are all equal");
            }
        };
        for sample in 0..n_samples {
            let orders = alone.orders(|k| descending(games.shares(sample, k).iter().map(|share| -share.abs())));
            asking.ask(sample, &alone.coalitions(&orders), orders, &mut see)?;
        }
        asking.finish(&mut see)?;
        Ok(Measurement::new(NAME, Direction::Higher, values, failures, meter.evaluations(), run))
    }
}
