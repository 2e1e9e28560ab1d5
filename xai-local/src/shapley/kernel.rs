//! Shapley values as a weighted regression.

use ndarray::{Array2, Axis, Slice};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::coalitions::{Coalitions, bounded, has, others};
use super::exact::ExactShap;
use super::strata::{self, Stratum};
use super::{Ends, Estimate, Estimator};
use crate::cholesky::Cholesky;

/// Shapley values as the linear function of membership that fits the game best, coalitions weighing by the Shapley
/// kernel.
///
/// φ = argmin Σ_S π(S) (v(S) − v(∅) − Σ_{i ∈ S} φᵢ)², Σᵢ φᵢ = v(N) − v(∅), π(S) = (n − 1) / (C(n, |S|) |S| (n − |S|)).
///
/// Coalitions come in pairs, S and its complement, never twice. Small and large sizes are enumerated as far as the
/// budget goes; the others are strata, drawn from without repetition, in which the pairs drawn stand for all. No
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
/// At most `n_coalitions` coalitions, O(coalitions · n² + n³) for the regression. With a budget for all coalitions the
/// values are exact, as by [`ExactShap`].
///
/// # Errors
/// [`Error::Parameter`] for fewer coalitions than 2n (and than all).
///
/// # Laws
/// `linear_games_of_many_players_are_exact`, `pairwise_games_are_exact`, `triple_products_of_thirty_players`,
/// `standard_errors_tell_the_error`.
///
/// # Source
/// Lundberg & Lee 2017, theorem 2; the pairs: Covert & Lee, *Improving KernelSHAP*, 2021. *Differs* from `shap`: no
/// feature selection, by default or at all; what is drawn is stratified by size and never drawn twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KernelShap {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

/// `shap`'s budget beyond two coalitions a player.
const DEFAULT_COALITIONS: usize = 2048;

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
        let budget = self.n_coalitions.unwrap_or(DEFAULT_COALITIONS.saturating_add(2 * n_players)) as u64;
        let asked = all_coalitions(n_players).map_or(budget, |all| all.min(budget));
        bounded(asked.saturating_mul(n_players.div_ceil(64) as u64))?;
        match all_coalitions(n_players) {
            Some(all) if all <= budget => Ok(all),
            _ if budget >= 2 * n_players as u64 => Ok(budget / 2 * 2),
            _ => Err(Error::parameter(
                "n_coalitions",
                budget,
                format!("at least {}: two for each of {n_players} players", 2 * n_players),
            )),
        }
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let budget = self.coalitions(n)?;
        if all_coalitions(n).is_some_and(|all| all <= budget) && n <= ExactShap::MOST_PLAYERS {
            return ExactShap.estimate(game, ends, seed);
        }
        let strata = strata::plan(n, budget as usize / 2);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut pairs = Coalitions::default();
        let spans = strata.iter().map(|stratum| {
            let start = pairs.len();
            strata::choose(n, stratum, &mut rng, &mut pairs);
            start..pairs.len()
        });
        let spans: Vec<_> = spans.collect();
        let design = Design::new(n, &pairs, &strata, &spans)?;

        let mut both = Coalitions::default();
        for pair in 0..pairs.len() {
            both.insert(pairs.get(pair).to_vec());
            both.insert(others(pairs.get(pair), n));
        }
        let worth = both.worth(game)?;
        // What S and its complement add up to says nothing about a linear function; their difference says all.
        let difference =
            &worth.slice_axis(Axis(0), Slice::new(0, None, 2)) - &worth.slice_axis(Axis(0), Slice::new(1, None, 2));
        let (values, residual) = design.fit(difference, ends);
        let errors_known = spans.iter().zip(&strata).all(|(span, stratum)| stratum.is_complete() || span.len() > 1);
        let standard_error = errors_known.then(|| design.standard_error(&residual, &strata, &spans));
        let estimate = Estimate { values, standard_error, coalitions: both.len() as u64, notes: Vec::new() };
        Ok(match strata.last() {
            Some(last) if last.draws == 0 => estimate.note(format!(
                "the budget reaches no coalition of {} to {} players",
                last.sizes.start(),
                n - last.sizes.start()
            )),
            _ if !errors_known => estimate.note("no standard error: a stratum of coalition sizes has a single draw"),
            _ => estimate,
        })
    }
}

/// All coalitions but the empty and the full one, if a number can hold them.
fn all_coalitions(n_players: usize) -> Option<u64> {
    1u64.checked_shl(u32::try_from(n_players).ok()?).map(|all| all.saturating_sub(2))
}

/// The regression of v(S) − v(N∖S) on membership: +1 for players in S, −1 for the others.
struct Design {
    /// Membership less its mean over the players, which takes out the direction that the constraint fixes: (pair, player).
    centred: Array2<f64>,
    /// The sum of membership over the players, over their number: (pair).
    mean: Vec<f64>,
    /// The weight of each pair.
    weight: Vec<f64>,
    /// `centred`ᵀ · weight · `centred`, made regular in the direction (1, …, 1), which `centred` does not have.
    normal: Cholesky,
}

impl Design {
    fn new(n: usize, pairs: &Coalitions, strata: &[Stratum], spans: &[std::ops::Range<usize>]) -> Result<Self> {
        let mut centred =
            Array2::from_shape_fn((pairs.len(), n), |(j, p)| if has(pairs.get(j), p) { 1.0 } else { -1.0 });
        let mean: Vec<f64> = centred.outer_iter().map(|row| row.sum() / n as f64).collect();
        let mut weight = vec![0.0; pairs.len()];
        for (span, stratum) in spans.iter().zip(strata) {
            weight[span.clone()].fill(stratum.mass / span.len().max(1) as f64);
        }
        let mut scaled = centred.clone();
        for (j, mut row) in centred.outer_iter_mut().enumerate() {
            row -= mean[j];
            scaled.row_mut(j).assign(&(&row * weight[j]));
        }
        let mut normal = scaled.t().dot(&centred);
        let regular = normal.diag().sum() / (n * (n - 1)) as f64;
        normal += regular;
        // All pairs of size 1 are there, so this cannot fail but for a broken invariant.
        let normal = Cholesky::new(normal).map_err(|player| {
            Error::unsupported(
                "KernelSHAP on these coalitions",
                format!("they do not settle the value of player {player}"),
            )
        })?;
        Ok(Design { centred, mean, weight, normal })
    }

    /// The values (player, output), and what is left of the differences (pair, output).
    fn fit(&self, mut difference: Array2<f64>, ends: &Ends) -> (Array2<f64>, Array2<f64>) {
        let gain = ends.gain();
        for (mut row, &mean) in difference.outer_iter_mut().zip(&self.mean) {
            row.scaled_add(-mean, &gain);
        }
        let mut weighted = difference.clone();
        for (mut row, &weight) in weighted.outer_iter_mut().zip(&self.weight) {
            row *= weight;
        }
        let mut values = self.normal.solve(&self.centred.t().dot(&weighted));
        let n = values.nrows() as f64;
        // The constraint, to the last digit.
        for mut column in values.axis_iter_mut(Axis(1)) {
            let excess = column.sum() / n;
            column.mapv_inplace(|v| v - excess);
        }
        let residual = difference - self.centred.dot(&values);
        for mut row in values.outer_iter_mut() {
            row.scaled_add(1.0 / n, &gain);
        }
        (values, residual)
    }

    /// The spread of each pair's pull on the values, within its stratum: (player, output).
    fn standard_error(
        &self,
        residual: &Array2<f64>,
        strata: &[Stratum],
        spans: &[std::ops::Range<usize>],
    ) -> Array2<f64> {
        // (player, pair): how the values follow a change in each difference, before weights.
        let pull = self.normal.solve(&self.centred.t());
        let mut variance = Array2::<f64>::zeros((self.centred.ncols(), residual.ncols()));
        for (span, stratum) in spans.iter().zip(strata).filter(|(_, stratum)| !stratum.is_complete()) {
            let k = span.len() as f64;
            let unseen = 1.0 - k / stratum.pairs;
            for output in 0..residual.ncols() {
                // The fit follows each pair by its leverage; undo that, or errors look too small.
                let own: Vec<f64> = span
                    .clone()
                    .map(|j| {
                        let leverage = self.weight[j] * self.centred.row(j).dot(&pull.column(j));
                        residual[[j, output]] / (1.0 - leverage).max(f64::EPSILON).sqrt()
                    })
                    .collect();
                for player in 0..variance.nrows() {
                    let pulls = || span.clone().zip(&own).map(|(j, r)| pull[[player, j]] * r);
                    let mean = pulls().sum::<f64>() / k;
                    let spread = pulls().map(|u| (u - mean) * (u - mean)).sum::<f64>() / (k - 1.0);
                    variance[[player, output]] += stratum.mass * stratum.mass / k * unseen * spread;
                }
            }
        }
        variance.mapv(f64::sqrt)
    }
}
