//! Does the decision stand with the important features alone?

use ndarray::Array2;
use xai_core::{Attribution, Model, Result, Run};

use super::decision::{decides, winner};
use super::eraser::rising_shares;
use super::path::{Paths, counts_of};
use crate::games::Games;
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need, RemovalOrder};

/// The share of sizes for which the model decides as for the whole sample when only the most important players are
/// present; with one size, 1 or 0. The mean over samples is the agreement of the predictions.
///
/// The players are ranked by their shares for the output that the model decides for. Higher is better. One value a
/// sample: the result has one column.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `shares` | 20 % | how many players are kept, rounded up: rising, above 0 to 1 |
/// | `order` | signed | largest share first, or largest absolute share first |
///
/// *Pitfalls.* A model that decides alike for most of what it sees agrees with everything: look at what a random
/// explanation gets. Samples of a few present players may lie where the model was never trained.
///
/// # Units
/// None: a share.
///
/// # Cost
/// n_samples · (1 + number of shares · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) for a model of one output;
/// [`Error::Parameter`](xai_core::Error::Parameter) for shares that are none; else those of [`Metric::measure`].
///
/// # Laws
/// `kept_predictions_of_known_decisions`.
///
/// # Source
/// Chen et al. 2018, "Learning to explain: an information-theoretic perspective on model interpretation", section 4
/// (post-hoc accuracy).
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPrediction {
    /// The shares of the players that are kept.
    pub shares: Vec<f64>,
    /// Which players are the most important.
    pub order: RemovalOrder,
}

impl Default for KeptPrediction {
    fn default() -> Self {
        KeptPrediction { shares: vec![0.2], order: RemovalOrder::default() }
    }
}

const NAME: &str = "kept-prediction";

impl<M: Model + ?Sized> Metric<M> for KeptPrediction {
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
        decides(NAME, case.model)?;
        rising_shares(&self.shares)?;
        let counts = counts_of(&self.shares, games.n_players);
        let paths = Paths { games: &games, counts: &counts, insertion: true };
        let meter = paths.meter(run, 1, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let decisions: Vec<usize> = whole.outer_iter().map(winner).collect();
        let orders = |sample: usize| vec![self.order.of(games.shares(sample, decisions[sample]))];
        let mut values = Array2::zeros((games.n_samples, 1));
        paths.visit(&meter, &whole, orders, |sample, _, _, at| {
            let same = f64::from(u8::from(winner(at) == decisions[sample]));
            values[[sample, 0]] += same / counts.len() as f64;
        })?;
        Ok(Measurement::new(NAME, Direction::Higher, values, Failures::default(), meter.evaluations(), run))
    }
}
