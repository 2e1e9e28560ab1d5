//! Shapley values of what a Gaussian process expects of a game.

use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::proxy::posterior::Posterior;
use super::proxy::sample::Sampled;
use super::proxy::share::make_efficient;
use super::proxy::{budget, exact_instead, planned, posterior};
use super::{Ends, Estimate, Estimator, ExactShap};

/// Shapley values of what a Gaussian process expects of a game after it has seen some coalitions.
///
/// Pairs of coalitions, S and those who are not in S, are drawn, as many of each size. Their differences are taken for a
/// draw of a process in which coalitions are alike that differ in few players, or in players that matter little:
///
/// cov(S, T) = ½ a (e^{−d(S, T)} − e^{−d(S, N∖T)}) + b x_S · x_T + c δ, d(S, T) = Σ_{i in one of S and T} ℓᵢ,
///
/// where x is 1 for those present and −1 for the others. ℓ, a, b and c are those under which what was seen is likeliest,
/// for all outputs together. Beside it stands a process of sums of products of any three players' memberships, which is
/// taken if it is 20 times likelier; the notes say so. The Shapley values of what the process then expects are a linear function of the differences,
/// in closed form. Coalitions that were seen count as seen, so that the values become exact as the budget grows.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_coalitions` | 2n + 2048 for n players | 2n to 8,192, or all 2ⁿ − 2; the empty and the full coalition do not count |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is the process's own: right
/// if the game is like a draw of it.
///
/// # Cost
/// At most `n_coalitions` coalitions, O(coalitions³) numbers of arithmetic and O(coalitions²) memory: about a second for
/// 3,000. With a budget for all coalitions the values are exact, as by [`ExactShap`].
///
/// # Errors
/// [`Error::Parameter`] for fewer coalitions than 2n (and than all); [`Error::TooLarge`] for more than
/// [`GpShap::MOST_COALITIONS`].
///
/// # Laws
/// `what_is_seen_counts_exactly`, `processes_beat_linear_functions_where_few_players_matter`, `process_errors_tell_the_error`,
/// `proxies_keep_their_budget`, `proxies_are_efficient`.
///
/// # Source
/// Rasmussen & Williams, *Gaussian processes for machine learning*, 2006, sections 2.2 and 5.4. A process for Shapley
/// values: Chau, Muandet & Sejdinovic, *Explaining the uncertain*, 2023. *Differs:* the process lives on coalitions, and
/// only its odd part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GpShap {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

impl GpShap {
    /// The most coalitions that the process sees: their number cubed is the work.
    pub const MOST_COALITIONS: u64 = 8192;
}

impl Estimator for GpShap {
    fn name(&self) -> &'static str {
        "gp-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        budget(self.n_coalitions, provenance)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        let planned = planned(self.n_coalitions, n_players)?;
        let exact = n_players <= ExactShap::MOST_PLAYERS && planned == (1u64 << n_players).saturating_sub(2);
        if planned > GpShap::MOST_COALITIONS && !exact {
            return Err(Error::TooLarge {
                what: "coalitions of a Gaussian process".into(),
                limit: GpShap::MOST_COALITIONS,
                found: planned,
            });
        }
        Ok(planned)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(GpShap { n_coalitions: Some(n) }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let planned = self.coalitions(n)?;
        if let Some(exact) = exact_instead(game, ends, planned, seed) {
            return exact;
        }
        let sampled = Sampled::draw(game, ends, planned, seed)?;
        let Some(Posterior { mut fit, is_products, .. }) = posterior::fit(&sampled) else {
            return Err(Error::unsupported("GP-SHAP of this game", "the covariance of its coalitions is singular"));
        };
        make_efficient(&mut fit.shares, &sampled.gain);
        Ok(Estimate {
            values: fit.shares,
            standard_error: fit.standard_error,
            coalitions: sampled.coalitions(),
            notes: is_products
                .then(|| "gp-shap: a process of products of three players".to_owned())
                .into_iter()
                .collect(),
        })
    }
}
