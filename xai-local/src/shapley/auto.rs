//! The estimator that suits the game.

use serde::{Deserialize, Serialize};
use xai_core::{Game, Provenance, Result};

use super::proxy::boosting::{Growth, boost_both};
use super::proxy::posterior::{self, Posterior};
use super::proxy::sample::{Sampled, check};
use super::proxy::selection::sparse;
use super::proxy::share::{make_efficient, of_seen};
use super::proxy::{Fit, budget, exact_instead, warped};
use super::{Ends, Estimate, Estimator, LeverageShap, regression};

/// The most accurate Shapley values that this crate knows for a number of coalitions, whatever the game.
///
/// All coalitions are evaluated if the budget covers them. Otherwise pairs are drawn, as many of each size, and models of
/// the game are fitted to them: a polynomial of all players and few triples; a Gaussian process
/// ([`GpShap`](super::GpShap)), or one of sums of products of three players where that is likelier, mixed, where there
/// are few enough players to foresee every pair, with a process of the worths' normal scores, which saturated and jumping
/// worths do not disturb; boosted trees where there are too many pairs for a process. What best tells pairs it has not seen is taken, and its Shapley values, which are exact, are the
/// answer. No coalition is asked for the sake of choosing. The notes say what was taken and by how much.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_coalitions` | 2n + 2048 for n players | ≥ 2n, or all 2ⁿ − 2; the empty and the full coalition do not count |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is that of the model
/// taken, and of a mixture that of its plain process, less as the mixture misses less; choosing is not accounted for.
///
/// # Cost
/// At most `n_coalitions` coalitions; a second or two of arithmetic for some thousand of them. [`LeverageShap`] spends the
/// same coalitions in milliseconds, for games that answer faster than that.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for fewer coalitions than 2n (and than all).
///
/// # Laws
/// `auto_is_exact_where_a_model_is`, `proxies_keep_their_budget`, `proxies_are_efficient`,
/// `processes_beat_linear_functions_where_few_players_matter`, `normal_scores_see_through_jumps`.
///
/// # Source
/// The parts name theirs; the choice by what is left out: Stone, *Cross-validatory choice and assessment of statistical
/// predictions*, 1974. Processes behind a monotone change of scale: Snelson, Rasmussen & Ghahramani, *Warped Gaussian
/// processes*, 2004. *Differs:* the change of scale is the one that makes ranks normal, not learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auto {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

/// Pairs that a process is fitted to; more take longer than a second.
const MOST_IN_PROCESS: usize = 1500;

/// Pairs that a process of products is fitted to beside boosted trees: it is settled sooner.
const MOST_OF_PRODUCTS: usize = 3000;

/// In the notes.
const OF_PRODUCTS: &str = "a Gaussian process of products of three players";

/// A model that misses less than this share of the squares needs no rival.
const PERFECT: f64 = 1e-18;

/// Triples were chosen among many by the same pairs that judge them: to be taken they must lose less than this share of
/// what their rival loses. Where a game is a sum of few products they lose next to nothing.
const MARGIN: f64 = 0.5;

/// Trees for samples too large for a process.
const GROWTH: Growth = Growth { trees: 300, depth: 5, rate: 0.1 };

/// Parts in turn left out to judge the trees.
const FOLDS: usize = 4;

impl Estimator for Auto {
    fn name(&self) -> &'static str {
        "auto-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        budget(self.n_coalitions, provenance)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        regression::planned(self.n_coalitions, n_players)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(Auto { n_coalitions: Some(n) }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let coalitions = self.coalitions(n)?;
        if let Some(exact) = exact_instead(game, ends, coalitions, seed) {
            return Ok(exact?.note("auto: exact, since the budget covers all coalitions"));
        }
        if check(n, coalitions).is_err() {
            let leverage = LeverageShap { n_coalitions: self.n_coalitions };
            let estimate = leverage.estimate(game, ends, seed)?;
            return Ok(estimate.note("auto: leverage-shap, since so many players and coalitions fit no other model"));
        }
        let sampled = Sampled::draw(game, ends, coalitions, seed)?;
        let Some((name, lost, mut fit)) = best(&sampled) else {
            let leverage = LeverageShap { n_coalitions: self.n_coalitions };
            let estimate = leverage.estimate(game, ends, seed)?;
            return Ok(estimate.note("auto: leverage-shap, since no other model could be fitted"));
        };
        make_efficient(&mut fit.shares, &sampled.gain);
        let estimate = Estimate {
            values: fit.shares,
            standard_error: fit.standard_error,
            coalitions: sampled.coalitions(),
            notes: Vec::new(),
        };
        let known = 100.0 * (1.0 - lost).max(0.0);
        let note = format!("auto: {name}, which tells {known:.3} % of the variance of pairs it has not seen");
        Ok(match estimate.standard_error {
            Some(_) => estimate.note(note),
            None => estimate.note(note).note("no standard error: boosted trees do not know theirs"),
        })
    }
}

/// The model that loses least on pairs that it has not seen: its name, what it loses, and what it makes of the sample.
fn best(sampled: &Sampled) -> Option<(String, f64, Fit)> {
    let mut best: Option<(String, f64, Fit)> = None;
    let mut margin = 1.0;
    if let Some(sparse) = sparse(sampled).filter(|sparse| sparse.charge < 1.0 || sparse.charged < PERFECT) {
        let name = match sparse.triples {
            0 => "a linear function".to_owned(),
            1 => "a linear function and a triple".to_owned(),
            triples => format!("a linear function and {triples} triples"),
        };
        margin = if sparse.triples > 0 { MARGIN } else { 1.0 };
        best = Some((name, sparse.charged, sparse.regressed.fit));
    }
    if best.as_ref().is_some_and(|(_, lost, _)| *lost < PERFECT) {
        return best;
    }
    let rival = match sampled.len() <= MOST_IN_PROCESS {
        true => posterior::fit(sampled).map(|Posterior { fit, covariance, is_products }| {
            let name = if is_products { OF_PRODUCTS } else { "a Gaussian process" };
            match warped::fit(sampled, &covariance) {
                Some(warped) => (format!("{name}, and one of normal scores"), sampled.blend(fit, &warped)),
                None => (name.to_owned(), fit),
            }
        }),
        false => Some(("boosted trees".to_owned(), trees(sampled))),
    };
    let products = match sampled.len() {
        pairs if pairs > MOST_IN_PROCESS && pairs <= MOST_OF_PRODUCTS => posterior::fit_products(sampled),
        _ => None,
    };
    let products = products.map(|fit| (OF_PRODUCTS.to_owned(), fit));
    for (name, fit) in rival.into_iter().chain(products) {
        let lost = sampled.lost(&fit);
        if best.as_ref().is_none_or(|(_, least, _)| margin * lost < *least) {
            best = Some((name, lost, fit));
            margin = 1.0;
        }
    }
    best
}

/// Boosted trees, judged by what trees that learned the other folds say.
fn trees(sampled: &Sampled) -> Fit {
    let mut own = (&sampled.sum + &sampled.difference) * 0.5;
    let mut others = (&sampled.sum - &sampled.difference) * 0.5;
    for (mut own, mut others) in own.columns_mut().into_iter().zip(others.columns_mut()) {
        let mean = (own.sum() + others.sum()) / (2 * sampled.len()) as f64;
        own -= mean;
        others -= mean;
    }
    let mut left_out = sampled.difference.clone();
    let mut shares = ndarray::Array2::zeros((sampled.n, own.ncols()));
    let mut missed = sampled.difference.clone();
    for output in 0..own.ncols() {
        for fold in 0..FOLDS {
            let taught: Vec<bool> = (0..sampled.len()).map(|pair| pair % FOLDS != fold).collect();
            let worth = [own.column(output), others.column(output)];
            let boosted = boost_both(&sampled.signs, worth, &taught, GROWTH);
            for pair in (fold..sampled.len()).step_by(FOLDS) {
                left_out[[pair, output]] = 2.0 * boosted.half[pair];
            }
            for (player, share) in boosted.shares.iter().enumerate() {
                shares[[player, output]] += share / FOLDS as f64;
            }
            for pair in 0..sampled.len() {
                missed[[pair, output]] -= 2.0 * boosted.half[pair] / FOLDS as f64;
            }
        }
    }
    shares += &of_seen(sampled, &missed);
    Fit { shares, left_out, standard_error: None }
}
