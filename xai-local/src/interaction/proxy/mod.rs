//! Interactions of functions fitted to some coalitions, corrected by what the functions miss.

mod correction;
mod fit;
mod posterior;
mod products;
mod seen;
mod trees;

use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, InteractionIndex, Provenance, Result};

use self::correction::{Belief, correct};
use self::fit::Fit;
use self::seen::{Parity, Seen};
use super::conversion::Conversion;
use super::sets::{Ranks, count_up_to, sets_up_to};
use super::{ExactInteractions, InteractionEstimator, Terms};
use crate::shapley::proxy::boosting::Growth;
use crate::shapley::{Ends, ExactShap};
use crate::tree::interactions::measure::Measures;
use crate::tree::interactions::terms::Sums;

/// Any interaction index of any number of players, from some coalitions: what functions that were fitted to their worth
/// make of it, exactly, and an estimate of what they miss.
///
/// Coalitions come in pairs, about as many of every size, so that the game falls apart into an odd and an even part. To
/// each are fitted few products of players, boosted trees, and, up to some thousand coalitions, a Gaussian process. The
/// products are taken if they tell pairs that they have not seen better than the best mixture of the others, else that
/// mixture. What is left of the pairs seen is added; what is left of pairs not seen is estimated from pairs left out, and
/// believed as far as it exceeds its noise.
///
/// With `unbiased` trees alone are fitted, and the estimate of what they miss is believed whole: in the mean over seeds
/// the values are right, whatever the game, and have standard errors. For one run they are farther off, often much.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `index` | k-SII | any [`InteractionIndex`] |
/// | `order` | 2 | 1 to 4 |
/// | `n_coalitions` | 2n + 2048 for n players | ≥ 2n; at most 65,536, or all 2ⁿ − 2 |
/// | `unbiased` | no | |
///
/// # Units
/// For k-SII, STII and FSII the values sum to the worth of all less the worth of nobody, up to rounding: what lacks is
/// shared equally by the single players. Standard errors with `unbiased` alone, for SII, STII, FSII, BII and Möbius;
/// otherwise the share of the variance of coalitions left out that is foreseen.
///
/// # Cost
/// At most `n_coalitions` coalitions m; m · n for each split of 1000 trees, m³ / 6 for the process, m · sets for the
/// correction. All coalitions give exact values, as by [`ExactInteractions`].
///
/// # Errors
/// [`Error::Parameter`] for too few coalitions or an order out of range; [`Error::TooLarge`] for more coalitions, sets or
/// coalitions times players than memory holds.
///
/// # Laws
/// `few_products_are_found_exactly`, `proxies_know_a_part_of_smooth_games`, `corrected_trees_have_no_bias`,
/// `proxies_that_see_everything_are_exact`, `proxies_follow_their_seed_and_budget`.
///
/// # Source
/// Trees explained exactly and corrected by their residual: Witter, Liu & Musco, *RegressionMSR*, 2025; *ProxySHAP*, 2026.
/// Products found by their size: Butler et al., *ProxySPEX*, 2025. *Differs:* odd and even part apart, a choice among
/// three kinds of functions by pairs left out, a residual that is shrunk (James & Stein 1961).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyInteractions {
    /// What the values mean.
    pub index: InteractionIndex,
    /// The most players of a set that has a value.
    pub order: usize,
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
    /// Whether values must be right in the mean over seeds.
    pub unbiased: bool,
}

impl Default for ProxyInteractions {
    fn default() -> Self {
        ProxyInteractions { index: InteractionIndex::KSii, order: 2, n_coalitions: None, unbiased: false }
    }
}

/// Coalitions beyond two a player, when nothing is said.
const DEFAULT_COALITIONS: usize = 2048;
/// Trees of so many rows take minutes.
const MOST_COALITIONS: u64 = 1 << 16;
/// Larger sets have too small a part of what is seen.
const MOST_ORDER: usize = 4;
/// Pairs times players, and pairs times sets of one output: half a gigabyte.
const MOST_CELLS: u64 = 1 << 26;
/// Sets that have a value.
const MOST_SETS: u64 = 1 << 20;
/// Pairs that a process is fitted to; more take longer than seconds.
const MOST_IN_PROCESS: usize = 1500;
/// Products that miss less than this share of the squares need no rival.
const PERFECT: f64 = 1e-18;
/// Products were chosen among many by the pairs that judge them: to be taken they must lose less than this share of what
/// their rival loses.
const MARGIN: f64 = 0.9;
/// How trees grow.
const GROWTH: Growth = Growth { trees: 200, depth: 5, rate: 0.1 };
/// What moments of coalitions may fall to before they vanish.
const MOST_CORRECTED: usize = 500;

impl ProxyInteractions {
    fn is_exact(planned: u64, n: usize) -> bool {
        n <= ExactShap::MOST_PLAYERS && planned == (1u64 << n).saturating_sub(2)
    }
}

impl InteractionEstimator for ProxyInteractions {
    fn name(&self) -> &'static str {
        "proxy-interactions"
    }

    fn index(&self) -> (InteractionIndex, usize) {
        (self.index, self.order)
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let provenance = provenance.with("index", self.index.name()).with("order", self.order);
        let provenance = provenance.with("unbiased", self.unbiased);
        match self.n_coalitions {
            Some(n) => provenance.with("n_coalitions", n),
            None => provenance.with("n_coalitions", "2n + 2048"),
        }
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        Conversion::new(self.index, self.order, n_players)?;
        if self.order > MOST_ORDER {
            return Err(Error::parameter("order", self.order, format!("1 to {MOST_ORDER}")));
        }
        let budget = self.n_coalitions.unwrap_or(DEFAULT_COALITIONS.saturating_add(2 * n_players)) as u64;
        let all = if n_players <= ExactShap::MOST_PLAYERS { (1u64 << n_players).saturating_sub(2) } else { u64::MAX };
        if budget >= all {
            return Ok(all);
        }
        at_most("coalitions of a proxy", MOST_COALITIONS, budget)?;
        if budget < 2 * n_players as u64 {
            let expected = format!("at least {}: two for each of {n_players} players", 2 * n_players);
            return Err(Error::parameter("n_coalitions", budget, expected));
        }
        at_most("pairs of coalitions times players, for a proxy", MOST_CELLS, budget / 2 * n_players as u64)?;
        at_most("sets of players", MOST_SETS, self.most_sets(n_players))?;
        Ok(budget / 2 * 2)
    }

    fn most_sets(&self, n_players: usize) -> u64 {
        count_up_to(n_players, self.order)
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Terms> {
        let n = game.n_players();
        let planned = self.coalitions(n)?;
        if ProxyInteractions::is_exact(planned, n) {
            return ExactInteractions { index: self.index, order: self.order }.estimate(game, ends, seed);
        }
        let seen = Seen::draw(game, ends, planned, seed)?;
        let ranks = Ranks::new(n, self.order);
        let (order, sets) = (ranks.order(), sets_up_to(n, ranks.order()));
        let measures = Measures::new(self.index, order);
        let [odd, even] = match self.unbiased {
            true => trees::fit(&seen, GROWTH, &measures, &ranks).map(|fit| ("boosted trees", fit)),
            false => best(&seen, self.index, &sets, &measures, &ranks),
        };
        let lost = [(Parity::Odd, &odd.1), (Parity::Even, &even.1)].map(|(p, fit)| seen.lost(p, &fit.left_out));
        let mut values = &odd.1.values + &even.1.values;
        let mut notes = vec![format!(
            "odd part: {}, which tell {:.2} % of pairs left out; even part: {}, {:.2} %",
            odd.0,
            100.0 * (1.0 - lost[0]),
            even.0,
            100.0 * (1.0 - lost[1])
        )];
        let mut standard_error = None;
        if n <= MOST_CORRECTED {
            let fits = [(Parity::Odd, &odd.1), (Parity::Even, &even.1)].map(|(p, fit)| (p, &fit.said, &fit.left_out));
            let belief = if self.unbiased { Belief::Whole } else { Belief::Shrunk };
            let correction = correct(&seen, fits, &sets, &measures, belief);
            values += &correction.values;
            if self.unbiased && !correction.sees_all {
                notes.push("not without bias: a fold lacks a size of coalitions".to_owned());
            }
            let is_sum = matches!(self.index, InteractionIndex::KSii | InteractionIndex::Fbii);
            standard_error = correction.variance.filter(|_| self.unbiased && !is_sum).map(|v| v.mapv(f64::sqrt));
        } else {
            notes.push(format!("what the proxies miss is not estimated for more than {MOST_CORRECTED} players"));
        }
        let outputs = values.ncols();
        if let Some(cells) = values.as_slice_mut() {
            Sums::new(self.index, order, &sets)?.apply(cells, outputs);
        }
        if self.index.is_efficient() {
            let lacking = (ends.gain() - values.sum_axis(ndarray::Axis(0))) / n.max(1) as f64;
            let singles = values.outer_iter_mut().take(n);
            singles.for_each(|mut row| row += &lacking);
        }
        if standard_error.is_none() {
            notes.push(
                "no standard error: the fidelity is the share of the variance of pairs left out that is foreseen"
                    .to_owned(),
            );
        }
        let fidelity = fidelity(&seen, [&odd.1.left_out, &even.1.left_out]);
        Ok(Terms { sets, values, standard_error, coalitions: planned, fidelity, notes })
    }
}

/// For the odd and the even part, the functions that tell most of pairs that they have not seen.
fn best(
    seen: &Seen,
    index: InteractionIndex,
    sets: &[Vec<usize>],
    measures: &Measures,
    ranks: &Ranks,
) -> [(&'static str, Fit); 2] {
    let mut products = Parity::BOTH.map(|parity| products::fit(seen, parity, measures, ranks));
    let is_perfect = |fit: &Option<(Fit, f64)>| fit.as_ref().is_some_and(|(_, lost)| *lost < PERFECT);
    let (mut processes, mut grown) = ([None, None], [None, None]);
    if !products.iter().all(is_perfect) {
        grown = trees::fit(seen, GROWTH, measures, ranks).map(Some);
        if let Some(fits) = Some(())
            .filter(|()| seen.len() <= MOST_IN_PROCESS)
            .and_then(|()| posterior::fit(seen, index, ranks.order(), sets))
        {
            processes = fits.map(Some);
        }
    }
    Parity::BOTH.map(|parity| {
        let part = usize::from(parity == Parity::Even);
        let products = products[part].take();
        let rival = match (processes[part].take(), grown[part].take()) {
            (Some(process), Some(trees)) => {
                Some(("a Gaussian process and boosted trees", process.blend(trees, seen, parity)))
            }
            (None, Some(trees)) => Some(("boosted trees", trees)),
            (process, None) => process.map(|process| ("a Gaussian process", process)),
        };
        match (products, rival) {
            (Some((fit, lost)), Some(rival))
                if lost < PERFECT || lost < MARGIN * seen.lost(parity, &rival.1.left_out) =>
            {
                drop(rival);
                ("few products", fit)
            }
            (_, Some(rival)) => rival,
            (Some((fit, _)), None) => ("few products", fit),
            (None, None) => ("nothing", Fit::nothing(seen, parity, ranks.len())),
        }
    })
}

/// The share of the variance of the worth of coalitions that is foreseen when they are left out, mean over the outputs.
fn fidelity(seen: &Seen, left_out: [&Array2<f64>; 2]) -> Option<f64> {
    let square = |a: &ArrayRef2<f64>| a.iter().map(|x| x * x).sum::<f64>();
    let all = square(&seen.odd) + square(&seen.even);
    let missed = square(&(&seen.odd - left_out[0])) + square(&(&seen.even - left_out[1]));
    (all > 0.0).then(|| 1.0 - missed / all)
}

fn at_most(what: &str, limit: u64, found: u64) -> Result<()> {
    if found > limit { Err(Error::TooLarge { what: what.into(), limit, found }) } else { Ok(()) }
}
