//! Fidelity that never leaves what the model was tuned on.

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::eraser::rising_shares;
use super::path::counts_of;
use crate::asking::Asking;
use crate::draws::Draws;
use crate::games::Games;
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need, RemovalOrder};

/// F-Fidelity: the fall of the score when some random players of the important part go, never more than a share `most` of
/// all players, averaged over draws and over sizes of the important part.
///
/// Plus: players of the important part go; higher is better. Minus: players of the rest go; lower is better. From a part
/// of m players, min(⌈`share`·m⌉, ⌊`most`·n_players⌋) random ones go, at least 1. The model of the case should be the one
/// that was fine-tuned on samples of which random players, at most a share `most`, are masked: then no masked sample lies
/// where it was never trained. No explanation takes part in that tuning. [`FFidelity::tuned`] does it with your own training
/// step, on the samples that [`FFidelity::masked`] makes.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `minus` | false | the rest is asked instead of the important part |
/// | `share` | 0.5 | the share of the part that goes: above 0 to 1 |
/// | `most` | 0.1 | the share of all players that goes at most: above 0 to 1 |
/// | `sizes` | 5, 10, … 95 % | sizes of the important part, as shares of the players, rounded up |
/// | `n_draws` | 50 | draws for each size |
/// | `order` | signed | largest share first, or largest absolute share first |
///
/// *Pitfalls.* With a model that was not tuned so, it is a blunted deletion. Where `most` lets one player go at a time, it
/// sees no interaction.
///
/// # Units
/// Those of the scores, meant for probabilities.
///
/// # Cost
/// n_samples · (1 + n_outputs · number of sizes · n_draws · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for shares that are none and for no draw; else those of [`Metric::measure`].
///
/// # Laws
/// `f_fidelity_of_additive_models_has_its_expected_value`, `exact_shares_of_additive_models_are_the_best`.
///
/// # Source
/// Zheng et al. 2025, "F-Fidelity: a robust framework for faithfulness evaluation of explainable AI", section 4.
#[derive(Debug, Clone, PartialEq)]
pub struct FFidelity {
    /// The rest is asked instead of the important part.
    pub minus: bool,
    /// The share of the part that goes.
    pub share: f64,
    /// The share of all players that goes at most.
    pub most: f64,
    /// Sizes of the important part.
    pub sizes: Vec<f64>,
    /// How many draws for each size.
    pub n_draws: usize,
    /// Which players are the most important.
    pub order: RemovalOrder,
}

impl Default for FFidelity {
    fn default() -> Self {
        let sizes = (1..20).map(|i| f64::from(i) * 0.05).collect();
        FFidelity { minus: false, share: 0.5, most: 0.1, sizes, n_draws: 50, order: RemovalOrder::default() }
    }
}

impl FFidelity {
    /// Plus, the default.
    pub fn plus() -> Self {
        Self::default()
    }

    /// Minus.
    pub fn minus() -> Self {
        FFidelity { minus: true, ..Self::default() }
    }

    fn called(&self) -> &'static str {
        if self.minus { "f-fidelity-minus" } else { "f-fidelity-plus" }
    }

    fn better(&self) -> Direction {
        if self.minus { Direction::Lower } else { Direction::Higher }
    }

    /// How many of so many players go at most.
    pub(super) fn most_gone(&self, n_players: usize) -> usize {
        ((self.most * n_players as f64 + 1e-9).floor() as usize).max(1)
    }

    pub(super) fn check(&self) -> Result<()> {
        rising_shares(&self.sizes)?;
        for (name, value) in [("share", self.share), ("most", self.most)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::parameter(name, value, "above 0, at most 1"));
            }
        }
        if self.n_draws == 0 {
            return Err(Error::parameter("n_draws", 0, "at least 1"));
        }
        Ok(())
    }
}

impl<M: Model + ?Sized> Metric<M> for FFidelity {
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
        self.check()?;
        let Games { n_samples, n_players, n_outputs, .. } = games;
        if n_players == 0 {
            return Err(Error::parameter("players", 0, "at least one"));
        }
        let most = self.most_gone(n_players);
        let mut counts = counts_of(&self.sizes, n_players);
        counts.retain(|&count| !self.minus || count < n_players);
        if counts.is_empty() {
            return Err(Error::parameter("sizes", format!("{:?}", self.sizes), "one that leaves a rest"));
        }
        games.bounded(counts.len().saturating_mul(self.n_draws))?;
        let meter = games.meter(run, n_outputs.saturating_mul(counts.len()).saturating_mul(self.n_draws))?;
        let whole = games.whole(&meter)?;
        let mut values = Array2::zeros((n_samples, n_outputs));
        let worth = |_: usize, _: usize, score: f64| score;
        let mut asking = Asking::new(&games, &meter, &worth);
        let mut see = |sample: usize, k: usize, worth: Array2<f64>| {
            let column = worth.column(k);
            values[[sample, k]] = whole[[sample, k]] - column.sum() / column.len() as f64;
        };
        for sample in 0..n_samples {
            for k in 0..n_outputs {
                let order = self.order.of(games.shares(sample, k));
                let mut coalitions = Array2::from_elem((counts.len() * self.n_draws, n_players), true);
                for (i, mut row) in coalitions.outer_iter_mut().enumerate() {
                    let count = counts[i / self.n_draws];
                    let part = if self.minus { &order[count..] } else { &order[..count] };
                    let n_gone = ((self.share * part.len() as f64 - 1e-9).ceil() as usize).clamp(1, most);
                    let mut draws = Draws::nth(run.seed_of(sample), i);
                    draws.sample(part.len(), n_gone).into_iter().for_each(|place| row[part[place]] = false);
                }
                asking.ask(sample, &coalitions, k, &mut see)?;
            }
        }
        asking.finish(&mut see)?;
        let evaluations = meter.evaluations();
        Ok(Measurement::new(self.called(), self.better(), values, Failures::default(), evaluations, run))
    }
}
