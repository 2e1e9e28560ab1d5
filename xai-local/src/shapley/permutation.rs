//! Shapley values as the mean contribution over random orders.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::coalitions::bounded;
use super::exact::ExactShap;
use super::orders::mean_contribution;
use super::{Ends, Estimate, Estimator};

/// Shapley values as the mean, over random orders of the players, of what each adds when it joins.
///
/// φᵢ ≈ 1/m Σ_π v(Pre_π(i) ∪ i) − v(Pre_π(i)). Every order shares out the whole gain, so values sum to it exactly
/// for any number of orders.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_permutations` | 20 | ≥ 1; even if antithetic |
/// | `antithetic` | true | each order is followed by its reverse, which makes games of pairwise interactions exact |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is that of the mean of
/// the orders (of the pairs of orders, if antithetic), and absent when there is only one.
///
/// # Cost
/// At most `n_permutations` · (n − 1) coalitions; each is evaluated once.
///
/// # Errors
/// [`Error::Parameter`] for no permutation, or an odd number of antithetic ones; [`Error::TooLarge`] for orders that
/// memory cannot hold.
///
/// # Laws
/// `pairwise_games_are_exact`, `standard_errors_tell_the_error`.
///
/// # Source
/// Castro, Gómez & Tejada, *Polynomial calculation of the Shapley value based on sampling*, 2009; antithetic: Mitchell,
/// Cooper, Frank & Holmes, *Sampling permutations for Shapley value estimation*, 2022.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermutationShap {
    /// The number of orders.
    pub n_permutations: usize,
    /// Whether each order is followed by its reverse.
    pub antithetic: bool,
}

impl Default for PermutationShap {
    fn default() -> Self {
        PermutationShap { n_permutations: 20, antithetic: true }
    }
}

impl Estimator for PermutationShap {
    fn name(&self) -> &'static str {
        "permutation-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance.with("n_permutations", self.n_permutations).with("antithetic", self.antithetic)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        if self.n_permutations == 0 || (self.antithetic && self.n_permutations % 2 == 1) {
            let expected = if self.antithetic { "an even number from 2" } else { "at least 1" };
            return Err(Error::parameter("n_permutations", self.n_permutations, expected));
        }
        let most = (self.n_permutations as u64).saturating_mul(n_players.saturating_sub(1) as u64);
        bounded(most.saturating_mul(n_players.div_ceil(64) as u64).max(self.n_permutations as u64))?;
        let all = if n_players < 64 { (1u64 << n_players).saturating_sub(2) } else { u64::MAX };
        Ok(most.min(all))
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(Within { n_coalitions: n, antithetic: self.antithetic }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        self.coalitions(n)?;
        if let Some(estimate) = ends.trivial(n) {
            return Ok(estimate);
        }
        let each = if self.antithetic { 2 } else { 1 };
        mean_contribution(game, ends, &self.orders(n, seed), each)
    }
}

impl PermutationShap {
    fn orders(&self, n: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut orders = Vec::with_capacity(self.n_permutations);
        while orders.len() < self.n_permutations {
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut rng);
            let reverse = self.antithetic.then(|| order.iter().rev().copied().collect());
            orders.push(order);
            orders.extend(reverse);
        }
        orders
    }
}

/// As many whole orders as a budget of coalitions holds; all coalitions, and no orders, if it holds those.
#[derive(Debug, Clone, Copy)]
struct Within {
    n_coalitions: usize,
    antithetic: bool,
}

impl Within {
    fn covers_all(&self, n_players: usize) -> bool {
        n_players <= ExactShap::MOST_PLAYERS && self.n_coalitions.saturating_add(2) >= 1 << n_players
    }

    /// How many orders there are must not follow from what they hold, or the mean would lean towards orders alike.
    fn orders(&self, n_players: usize) -> Result<PermutationShap> {
        let each = if self.antithetic { 2 } else { 1 };
        let unit = each * n_players.saturating_sub(1).max(1);
        match self.n_coalitions / unit {
            0 => Err(Error::parameter(
                "n_coalitions",
                self.n_coalitions,
                format!("at least {unit} for {n_players} players, or all"),
            )),
            units => Ok(PermutationShap { n_permutations: each * units, antithetic: self.antithetic }),
        }
    }
}

impl Estimator for Within {
    fn name(&self) -> &'static str {
        "permutation-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance.with("n_coalitions", self.n_coalitions).with("antithetic", self.antithetic)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        if self.covers_all(n_players) {
            return ExactShap.coalitions(n_players);
        }
        self.orders(n_players)?.coalitions(n_players)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(Within { n_coalitions: n, ..*self }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        if self.covers_all(game.n_players()) {
            return ExactShap.estimate(game, ends, seed);
        }
        self.orders(game.n_players())?.estimate(game, ends, seed)
    }
}
