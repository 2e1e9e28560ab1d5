//! Shapley values as a weighted regression on coalitions drawn by their leverage.

use serde::{Deserialize, Serialize};
use xai_core::{Game, Provenance, Result};

use super::regression;
use super::strata::Lean;
use super::{Ends, Estimate, Estimator};

/// Shapley values as the linear function of membership that fits the game best, from coalitions drawn by how much they
/// can change the fit.
///
/// The regression is that of [`KernelShap`](super::KernelShap); what differs is where the budget goes. A coalition of s
/// of n players has the leverage score 1 / C(n, s) (Musco & Witter, lemma 3.2), so that every size gets the same number
/// of pairs, where `KernelShap` takes more of the small and large ones. This pays where a linear function misses most
/// for coalitions of about half the players, as with interactions of many players. Sizes with fewer pairs than their
/// share are enumerated; the others are strata, drawn from without repetition.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_coalitions` | 2n + 2048 for n players | ≥ 2n, or all 2ⁿ − 2; the empty and the full coalition do not count |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is the regression's,
/// linearised, less what is enumerated; absent if a stratum has a single draw.
///
/// # Cost
/// At most `n_coalitions` coalitions and, with m pairs drawn beyond one a player, O(m n min(m, n)) for the regression
/// and its errors, in memory of min(m, n)² and of 1024 n numbers.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for fewer coalitions than 2n (and than all);
/// [`Error::TooLarge`](xai_core::Error::TooLarge) when both n and m exceed 8192.
///
/// # Laws
/// `linear_games_of_many_players_are_exact`, `pairwise_games_are_exact`, `triple_products_of_thirty_players`,
/// `standard_errors_tell_the_error`, `a_warm_run_is_a_cold_run`, `regressions_solve_the_normal_equations`, `two_thousand_players`.
///
/// # Source
/// Musco & Witter, *Provably accurate Shapley value estimation via leverage score sampling*, 2025, algorithm 1.
/// *Differs:* stratified by size where the paper tosses a coin for each pair, and the pairs of size 1 are always there,
/// so that linear games are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeverageShap {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

impl Estimator for LeverageShap {
    fn name(&self) -> &'static str {
        "leverage-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        match self.n_coalitions {
            Some(n) => provenance.with("n_coalitions", n),
            None => provenance.with("n_coalitions", "2n + 2048"),
        }
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        regression::planned(self.n_coalitions, n_players)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(LeverageShap { n_coalitions: Some(n) }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        regression::estimate(game, ends, self.coalitions(game.n_players())?, seed, Lean::LEVERAGE)
    }
}
