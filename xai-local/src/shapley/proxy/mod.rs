//! Functions fitted to what was seen of a game, whose Shapley values are known exactly.
//!
//! Shapley values depend only on the odd part of a game, (v(S) − v(N∖S)) / 2: what a coalition and its complement have
//! in common cancels. So games are asked for pairs, and proxies are fitted to the differences of each pair.

pub(crate) mod boosting;
mod conjunctions;
pub(super) mod descent;
pub(super) mod polynomial;
pub(super) mod posterior;
pub(super) mod process;
pub(super) mod sample;
pub(super) mod selection;
pub(super) mod share;
mod warp;
pub(super) mod warped;

use ndarray::Array2;
use xai_core::{Game, Provenance, Result};

use super::{Ends, Estimate, Estimator, ExactShap, regression};

/// What a proxy makes of a sample.
pub(crate) struct Fit {
    /// The Shapley values: (player, output).
    pub shares: Array2<f64>,
    /// What the proxy says of the difference of each pair when it has not seen it: (pair, output).
    pub left_out: Array2<f64>,
    /// How far the values may be off, where the proxy knows: (player, output).
    pub standard_error: Option<Array2<f64>>,
}

/// The coalitions that an estimator with this budget evaluates.
///
/// # Errors
/// Those of the regressions of this crate, and [`Error::TooLarge`](xai_core::Error::TooLarge) for more pairs times
/// players than a proxy holds.
pub(super) fn planned(n_coalitions: Option<usize>, n_players: usize) -> Result<u64> {
    let planned = regression::planned(n_coalitions, n_players)?;
    if !is_all(planned, n_players) {
        sample::check(n_players, planned)?;
    }
    Ok(planned)
}

fn is_all(coalitions: u64, n_players: usize) -> bool {
    n_players <= ExactShap::MOST_PLAYERS && coalitions == (1u64 << n_players).saturating_sub(2)
}

/// The exact values, if the budget is for all coalitions.
pub(super) fn exact_instead(game: &dyn Game, ends: &Ends, coalitions: u64, seed: u64) -> Option<Result<Estimate>> {
    is_all(coalitions, game.n_players()).then(|| ExactShap.estimate(game, ends, seed))
}

/// Says in the account of a run what the budget is.
pub(super) fn budget(n_coalitions: Option<usize>, provenance: Provenance) -> Provenance {
    match n_coalitions {
        Some(n) => provenance.with("n_coalitions", n),
        None => provenance.with("n_coalitions", "2n + 2048"),
    }
}
