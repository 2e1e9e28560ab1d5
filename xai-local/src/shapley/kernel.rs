//! Shapley values as a weighted regression.

use serde::{Deserialize, Serialize};
use xai_core::{Game, Provenance, Result};

use super::regression;
use super::strata::Lean;
use super::{Ends, Estimate, Estimator};

/// Shapley values as the linear function of membership that fits the game best, coalitions weighing by the Shapley
/// kernel.
///
/// φ = argmin Σ_S π(S) (v(S) − v(∅) − Σ_{i ∈ S} φᵢ)², Σᵢ φᵢ = v(N) − v(∅), π(S) = (n − 1) / (C(n, |S|) |S| (n − |S|)).
///
/// Coalitions come in pairs, S and its complement, never twice. Small and large sizes are enumerated as far as the
/// budget goes; the others are strata, drawn from without repetition, in which the pairs drawn stand for all. With the
/// same seed a larger budget evaluates what a smaller one does and more (see [`Known`](super::Known)). No
/// regularisation: values that the coalitions do not settle are an error, and linear games are exact for any number of
/// players.
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
/// and its errors, in memory of min(m, n)² and of 1024 n numbers. With a budget for all coalitions of up to 20 players
/// the values are exact, as by [`ExactShap`](super::ExactShap).
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for fewer coalitions than 2n (and than all);
/// [`Error::TooLarge`](xai_core::Error::TooLarge) when both n and m exceed 8192.
///
/// # Laws
/// `linear_games_of_many_players_are_exact`, `pairwise_games_are_exact`, `triple_products_of_thirty_players`,
/// `standard_errors_tell_the_error`, `a_warm_run_is_a_cold_run`, `two_thousand_players`.
///
/// # Source
/// Lundberg & Lee 2017, theorem 2; the pairs: Covert & Lee, *Improving KernelSHAP*, 2021. *Differs* from `shap`: no
/// feature selection, by default or at all; what is drawn is stratified by size and never drawn twice, and a size has
/// draws as the square root of its weight, which is best if a linear function misses as much for every size (Neyman).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KernelShap {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

impl Estimator for KernelShap {
    fn name(&self) -> &'static str {
        "kernel-shap"
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
        Some(Box::new(KernelShap { n_coalitions: Some(n) }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        regression::estimate(game, ends, self.coalitions(game.n_players())?, seed, Lean::MIDDLE)
    }
}
