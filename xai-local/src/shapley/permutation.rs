//! Shapley values as the mean contribution over random orders.

use ndarray::Array2;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::coalitions::{Coalitions, add, bounded, nobody};
use super::exact::ExactShap;
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
        let orders = self.orders(n, seed);
        let mut coalitions = Coalitions::default();
        // For each order the places of its prefixes of 1 to n − 1 players.
        let prefixes: Vec<Vec<usize>> = orders.iter().map(|order| insert_prefixes(order, &mut coalitions)).collect();
        let worth = coalitions.worth(game)?;

        let each = if self.antithetic { 2 } else { 1 };
        let mut mean = Array2::<f64>::zeros((n, game.n_outputs()));
        let mut squares = mean.clone();
        let units = orders.len() / each;
        for unit in 0..units {
            let mut shares = Array2::<f64>::zeros(mean.dim());
            for k in unit * each..(unit + 1) * each {
                let mut before = ends.empty.view();
                for (step, &player) in orders[k].iter().enumerate() {
                    let after = prefixes[k].get(step).map_or(ends.full.view(), |&place| worth.row(place));
                    shares.row_mut(player).scaled_add(1.0 / each as f64, &(&after - &before));
                    before = after;
                }
            }
            // Welford's update: no cancellation where the spread is small beside the mean.
            let ahead = &shares - &mean;
            mean.scaled_add(1.0 / (unit + 1) as f64, &ahead);
            squares += &(ahead * (&shares - &mean));
        }
        let standard_error =
            (units > 1).then(|| squares.mapv(|s| (s.max(0.0) / (units - 1) as f64 / units as f64).sqrt()));
        let estimate =
            Estimate { values: mean, standard_error, coalitions: coalitions.len() as u64, notes: Vec::new() };
        Ok(match units {
            1 => estimate.note("no standard error: a single order (or pair of orders) was drawn"),
            _ => estimate,
        })
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

fn insert_prefixes(order: &[usize], coalitions: &mut Coalitions) -> Vec<usize> {
    let mut prefix = nobody(order.len());
    order[..order.len() - 1]
        .iter()
        .map(|&player| {
            add(&mut prefix, player);
            coalitions.insert(prefix.clone()).0
        })
        .collect()
}

/// As many whole orders as a budget of coalitions holds; all coalitions, and no orders, if it holds those.
#[derive(Debug, Clone, Copy)]
struct Within {
    n_coalitions: usize,
    antithetic: bool,
}

impl Within {
    fn covers_all(&self, n_players: usize) -> bool {
        n_players <= ExactShap::MOST_PLAYERS && self.n_coalitions + 2 >= 1 << n_players
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
