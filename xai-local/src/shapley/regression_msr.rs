//! Boosted trees that learn a game, and the mean of what they miss.

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::proxy::boosting::{Boosted, Growth, boost};
use super::proxy::sample::Sampled;
use super::proxy::share::{Rest, make_efficient};
use super::proxy::{exact_instead, planned};
use super::{Ends, Estimate, Estimator};

/// Shapley values of boosted trees that learned the game, corrected by the mean of what the trees miss.
///
/// φ̂ = φ(proxy) + φ̂(v − proxy). The first term is exact, from the trees' leaves; the second is estimated from the same
/// coalitions by maximum sample reuse, in which every coalition tells of all players. The pairs are dealt into five
/// folds; trees that learned four of them are corrected by the fifth, which they have not seen, and the five results
/// averaged. So the estimate has no bias, however wrong the trees, if every size of coalition is seen in every fold.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_coalitions` | 2n + 2048 for n players | ≥ 2n, or all 2ⁿ − 2; the empty and the full coalition do not count |
/// | `n_trees` | 200 | 1 to 10,000 |
/// | `depth` | 4 | 1 to 12 |
/// | `rate` | 0.1 | above 0, at most 1 |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is the sampling error of
/// the correction, from what trees miss of the pairs that they have not seen; absent if a size has a single pair in it.
///
/// # Cost
/// At most `n_coalitions` coalitions, O(trees · depth · coalitions · n) for each output and fold. With a budget for all
/// coalitions the values are exact, as by [`ExactShap`](super::ExactShap).
///
/// # Errors
/// [`Error::Parameter`]; [`Error::TooLarge`] for coalitions times players beyond 2²⁷.
///
/// # Laws
/// `regression_msr_has_no_bias`, `proxies_keep_their_budget`, `proxies_are_efficient`.
///
/// # Source
/// Witter, Liu & Musco, *Regression-adjusted Monte Carlo estimators for Shapley values and probabilistic values*, 2025,
/// algorithm 1. *Differs:* pairs, as many of each size, without repetition, and trees fitted to the odd part alone; sizes
/// that are complete enter without sampling error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegressionMsr {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
    /// The number of trees.
    pub n_trees: usize,
    /// The number of splits on a path, at most.
    pub depth: usize,
    /// The share of a leaf's mean that its tree takes.
    pub rate: f64,
}

impl Default for RegressionMsr {
    fn default() -> Self {
        RegressionMsr { n_coalitions: None, n_trees: 200, depth: 4, rate: 0.1 }
    }
}

/// Parts into which the pairs are dealt.
const FOLDS: usize = 5;

impl Estimator for RegressionMsr {
    fn name(&self) -> &'static str {
        "regression-msr"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let provenance = super::proxy::budget(self.n_coalitions, provenance);
        provenance.with("n_trees", self.n_trees).with("depth", self.depth).with("rate", self.rate)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        if !(1..=10_000).contains(&self.n_trees) {
            return Err(Error::parameter("n_trees", self.n_trees, "1 to 10000"));
        }
        if !(1..=12).contains(&self.depth) {
            return Err(Error::parameter("depth", self.depth, "1 to 12"));
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return Err(Error::parameter("rate", self.rate, "above 0 and at most 1"));
        }
        planned(self.n_coalitions, n_players)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(RegressionMsr { n_coalitions: Some(n), ..*self }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let coalitions = self.coalitions(game.n_players())?;
        if let Some(exact) = exact_instead(game, ends, coalitions, seed) {
            return exact;
        }
        let sampled = Sampled::draw(game, ends, coalitions, seed)?;
        let growth = Growth { trees: self.n_trees, depth: self.depth, rate: self.rate };
        let mut values = Array2::zeros((sampled.n, sampled.gain.len()));
        let mut missed = sampled.difference.clone();
        for fold in 0..FOLDS {
            let taught: Vec<bool> = (0..sampled.len()).map(|pair| pair % FOLDS != fold).collect();
            let half = &sampled.difference * 0.5;
            let boosted: Vec<Boosted> = (0..half.ncols())
                .into_par_iter()
                .map(|output| boost(&sampled.signs, half.column(output), &taught, growth))
                .collect();
            let residual = Array2::from_shape_fn(half.dim(), |(pair, output)| {
                sampled.difference[[pair, output]] - 2.0 * boosted[output].half[pair]
            });
            for pair in (fold..sampled.len()).step_by(FOLDS) {
                missed.row_mut(pair).assign(&residual.row(pair));
            }
            let rest = Rest::new(&sampled, |pair| !taught[pair]);
            values += &rest.shares(&sampled, &residual);
            for ((player, output), value) in values.indexed_iter_mut() {
                *value += boosted[output].shares[player];
            }
        }
        values /= FOLDS as f64;
        make_efficient(&mut values, &sampled.gain);
        let all = Rest::new(&sampled, |_| true);
        let standard_error = all.standard_error(&sampled, &missed);
        let biased = (0..FOLDS).any(|fold| !Rest::new(&sampled, |pair| pair % FOLDS == fold).sees_all());
        let mut notes = Vec::new();
        if standard_error.is_none() {
            notes.push("no standard error: a size of coalitions has a single pair, or none".to_owned());
        }
        if biased {
            notes.push("not without bias: a fold lacks a size of coalitions".to_owned());
        }
        Ok(Estimate { values, standard_error, coalitions: sampled.coalitions(), notes })
    }
}
