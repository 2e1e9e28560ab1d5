//! Shapley values by their definition.

use ndarray::{Array2, ArrayRef2, Axis, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Result};

use super::{Ends, Estimate, Estimator};

/// Shapley values by their definition, from the worth of all 2ⁿ coalitions.
///
/// φᵢ = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)).
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding.
///
/// # Cost
/// 2ⁿ coalitions, n · 2ⁿ additions, 8 · 2ⁿ bytes an output.
///
/// # Errors
/// [`Error::TooLarge`] past [`ExactShap::MOST_PLAYERS`].
///
/// # Laws
/// `exact_shap_equals_average_over_orders`.
///
/// # Source
/// Shapley, *A value for n-person games*, 1953.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExactShap;

impl ExactShap {
    /// A million coalitions; beyond, sample.
    pub const MOST_PLAYERS: usize = 20;
}

/// How many coalitions are spelled out at once.
const COALITIONS_AT_ONCE: usize = 1 << 14;

impl Estimator for ExactShap {
    fn name(&self) -> &'static str {
        "exact-shap"
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        if n_players > Self::MOST_PLAYERS {
            return Err(Error::TooLarge {
                what: "players for exact Shapley values".into(),
                limit: Self::MOST_PLAYERS as u64,
                found: n_players as u64,
            });
        }
        Ok((1u64 << n_players).saturating_sub(2))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, _seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let coalitions = self.coalitions(n)?;
        let estimate = match ends.trivial(n) {
            Some(estimate) => estimate,
            None => Estimate::exact(shares(&all_worths(game, ends)?, n), coalitions),
        };
        Ok(estimate.note("exact: all 2^n coalitions"))
    }
}

/// The worth of every coalition, which is the row whose bits name its players: (coalition, output).
fn all_worths(game: &dyn Game, ends: &Ends) -> Result<Array2<f64>> {
    let n = game.n_players();
    let last = (1usize << n) - 1;
    let mut worth = Array2::zeros((last + 1, game.n_outputs()));
    worth.row_mut(0).assign(&ends.empty);
    worth.row_mut(last).assign(&ends.full);
    for start in (1..last).step_by(COALITIONS_AT_ONCE) {
        let end = (start + COALITIONS_AT_ONCE).min(last);
        let coalitions = Array2::from_shape_fn((end - start, n), |(row, player)| (start + row) >> player & 1 == 1);
        worth.slice_axis_mut(Axis(0), Slice::from(start..end)).assign(&game.worth(&coalitions)?);
    }
    Ok(worth)
}

/// The Shapley values (player, output) of the worth of all coalitions (coalition, output).
fn shares(worth: &ArrayRef2<f64>, n: usize) -> Array2<f64> {
    // |S|! (n − |S| − 1)! / n!, from one size to the next.
    let mut weights = vec![1.0 / n as f64; n];
    for size in 1..n {
        weights[size] = weights[size - 1] * size as f64 / (n - size) as f64;
    }
    let outputs = worth.ncols();
    let rows: Vec<Vec<f64>> = (0..n)
        .into_par_iter()
        .map(|player| {
            let mut sums = vec![Compensated::default(); outputs];
            for without in (0..worth.nrows()).filter(|coalition| coalition >> player & 1 == 0) {
                let weight = weights[without.count_ones() as usize];
                for (output, sum) in sums.iter_mut().enumerate() {
                    sum.add(weight * (worth[[without | 1 << player, output]] - worth[[without, output]]));
                }
            }
            sums.into_iter().map(Compensated::total).collect()
        })
        .collect();
    Array2::from_shape_fn((n, outputs), |(player, output)| rows[player][output])
}

/// A sum that carries its rounding errors along (Neumaier 1974).
#[derive(Clone, Copy, Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    fn total(self) -> f64 {
        self.sum + self.lost
    }
}
