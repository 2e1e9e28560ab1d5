//! Does each share say how far the score falls when its feature goes alone?

use ndarray::Array2;
use xai_core::{Attribution, Model, Result, Run};

use super::alone::Alone;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::{correlation, descending};
use crate::{Case, Direction, Measurement, Metric, Need};

/// The correlation, over the players, of the share with the fall of the score when the player alone is made absent:
/// corr over j of φⱼ and f(x) − f(x without j).
///
/// Higher is better, at most 1; 1 for exact Shapley values of an additive model. NaN where the shares or the falls are
/// all equal.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `step` | 1 | players that go together: the first so many by their shares, the next so many, … |
///
/// *Pitfalls.* It never looks at two features at once: in a saturated model, where any one of two features suffices, all
/// falls are small and the metric prefers explanations that say so. It favours occlusion by construction. It depends on
/// the masker.
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
/// `exact_shares_of_additive_models_are_the_best`, `quantus_faithfulness_estimate`.
///
/// # Source
/// Alvarez-Melis, Jaakkola 2018, "Towards robust interpretability with self-explaining neural networks", section 5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaithfulnessEstimate {
    /// How many players go together.
    pub step: usize,
}

impl Default for FaithfulnessEstimate {
    fn default() -> Self {
        FaithfulnessEstimate { step: 1 }
    }
}

const NAME: &str = "faithfulness-estimate";

impl<M: Model + ?Sized> Metric<M> for FaithfulnessEstimate {
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
        let groups = |sample| {
            let orders = alone.orders(|k| descending(games.shares(sample, k).iter().copied()));
            (alone.coalitions(&orders), orders)
        };
        games.each_worth(&meter, groups, &mut |sample, orders, worth| {
            for k in 0..n_outputs {
                let sums = alone.sums(&orders, k, games.shares(sample, k));
                let falls: Vec<f64> = alone.part(k, worth.column(k)).map(|worth| whole[[sample, k]] - worth).collect();
                let value = correlation(&sums, &falls);
                values[[sample, k]] = failures.finite(sample, k, value, "the shares or the falls are all equal");
            }
        })?;
        Ok(Measurement::new(NAME, Direction::Higher, values, failures, meter.evaluations(), run))
    }
}
