//! Interactions of what a Gaussian process expects of a game.

use ndarray::{Array2, ArrayRef2, Axis, concatenate};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, InteractionIndex, Provenance, Result};

use super::conversion::Conversion;
use super::process::{Covariance, foreseen, scale};
use super::sets::{count_up_to, sets_up_to};
use super::{ExactInteractions, InteractionEstimator, Terms, sample};
use crate::cholesky::Cholesky;
use crate::shapley::{Ends, ExactShap};
use crate::tree::interactions::measure::{Measures, Nodes};
use crate::tree::interactions::terms::Sums;

/// Any interaction index of any number of players, from some coalitions: a Gaussian process is fitted to their worth,
/// and what it expects of the game is explained exactly.
///
/// The covariance of the process is a product over players, so that the index of what it expects is a sum of integrals
/// in one variable, one for each coalition seen, without an expansion in sets. Coalitions come in pairs, about as many
/// of every size. How much each player's presence changes coalitions is learned from the likelihood.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `index` | k-SII | any [`InteractionIndex`] |
/// | `order` | 2 | 1 to 4 |
/// | `n_coalitions` | 2n + 512 for n players | ≥ 2n; at most 4096, or all 2ⁿ − 2 |
///
/// # Units
/// For k-SII, STII and FSII the values sum to the worth of all less the worth of nobody, up to rounding. No standard
/// error: how much of the worth of coalitions left out is foreseen is told instead.
///
/// # Cost
/// At most `n_coalitions` coalitions m; m³ / 3 additions and 16 m² bytes for the fit, m · n · sets for the index. All
/// coalitions give exact values, as by [`ExactInteractions`].
///
/// # Errors
/// [`Error::Parameter`] for too few coalitions or an order out of range; [`Error::TooLarge`] for more than 4096;
/// [`Error::Unsupported`] when the fit is not regular.
///
/// # Laws
/// `a_process_finds_pairs_of_many_players`, `a_process_that_sees_everything_is_exact`,
/// `a_process_follows_its_seed_and_its_budget`.
///
/// # Source
/// Rasmussen & Williams, *Gaussian Processes for Machine Learning*, 2006, chapters 2 and 5; the idea to explain a proxy
/// exactly: Witter et al., *RegressionMSR*, 2025, and *ProxySHAP*, 2026. *Differs:* the proxy is a process, not trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GpInteractions {
    /// What the values mean.
    pub index: InteractionIndex,
    /// The most players of a set that has a value.
    pub order: usize,
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

impl Default for GpInteractions {
    fn default() -> Self {
        GpInteractions { index: InteractionIndex::KSii, order: 2, n_coalitions: None }
    }
}

/// Coalitions beyond two a player, when nothing is said.
const DEFAULT_COALITIONS: usize = 512;
/// The work grows with the cube of their number.
const MOST_COALITIONS: u64 = 4096;
/// Larger sets have too small a part of what is seen.
const MOST_ORDER: usize = 4;
/// Coalitions from which the covariance is learned.
const LEARNED: usize = 200;
/// The ends, which come first, are known to rounding.
const ENDS: usize = 2;

impl GpInteractions {
    fn is_exact(planned: u64, n: usize) -> bool {
        n <= ExactShap::MOST_PLAYERS && planned == (1u64 << n).saturating_sub(2)
    }
}

impl InteractionEstimator for GpInteractions {
    fn name(&self) -> &'static str {
        "gp-interactions"
    }

    fn index(&self) -> (InteractionIndex, usize) {
        (self.index, self.order)
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let provenance = provenance.with("index", self.index.name()).with("order", self.order);
        match self.n_coalitions {
            Some(n) => provenance.with("n_coalitions", n),
            None => provenance.with("n_coalitions", "2n + 512"),
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
        if budget > MOST_COALITIONS {
            let what = "coalitions of a Gaussian process".into();
            return Err(Error::TooLarge { what, limit: MOST_COALITIONS, found: budget });
        }
        if budget < 2 * n_players as u64 {
            let expected = format!("at least {}: two for each of {n_players} players", 2 * n_players);
            return Err(Error::parameter("n_coalitions", budget, expected));
        }
        Ok(budget / 2 * 2)
    }

    fn most_sets(&self, n_players: usize) -> u64 {
        count_up_to(n_players, self.order)
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Terms> {
        let n = game.n_players();
        let planned = self.coalitions(n)?;
        if GpInteractions::is_exact(planned, n) {
            return ExactInteractions { index: self.index, order: self.order }.estimate(game, ends, seed);
        }
        let drawn = sample::draw(n, planned as usize, seed);
        let worth = game.worth(&drawn)?;
        let extremes = Array2::from_shape_fn((ENDS, n), |(end, _)| if end == 1 { 1.0 } else { -1.0 });
        let x = stacked(&extremes, &drawn.mapv(|present| if present { 1.0 } else { -1.0 }));
        let known = Array2::from_shape_fn((ENDS, worth.ncols()), |(end, k)| [&ends.empty, &ends.full][end][k]);
        let mut y = stacked(&known, &worth);
        let scales: Vec<(f64, f64)> = y.columns().into_iter().map(|column| scale(&column)).collect();
        y.columns_mut().into_iter().zip(&scales).for_each(|(mut y, (mean, sd))| y.mapv_inplace(|y| (y - mean) / sd));

        // Evenly along the pairs, which lie by size.
        let places: Vec<usize> = match x.nrows() {
            m if m <= LEARNED => (0..m).collect(),
            m => (0..LEARNED).map(|k| k * m / LEARNED).collect(),
        };
        let (some, seen) = (x.select(Axis(0), &places), y.select(Axis(0), &places));
        let covariance = Covariance::learn(&some, &seen);
        let fidelity = foreseen(&covariance, &some, &seen);
        let factor = Cholesky::new(covariance.matrix(&x, ENDS)).map_err(|row| {
            Error::unsupported("gp-interactions of this game", format!("coalition {row} adds nothing to the others"))
        })?;
        let told = factor.solve(&y);
        let order = self.order.min(n.max(1));
        let sets = sets_up_to(n, order);
        let mut values = expected(&covariance, &x, &told, self.index, order, &sets);
        for (mut column, (_, sd)) in values.columns_mut().into_iter().zip(&scales) {
            column *= *sd;
        }
        let outputs = values.ncols();
        if let Some(cells) = values.as_slice_mut() {
            Sums::new(self.index, order, &sets)?.apply(cells, outputs);
        }
        if self.index.is_efficient() {
            let lacking = (ends.gain() - values.sum_axis(Axis(0))) / n.max(1) as f64;
            values
                .outer_iter_mut()
                .zip(&sets)
                .filter(|(_, set)| set.len() == 1)
                .for_each(|(mut row, _)| row += &lacking);
        }
        let note = "no standard error: a process was fitted to one sample of coalitions; its fidelity is the share of the \
                    variance of coalitions left out that it foresees";
        let terms = Terms { sets, values, standard_error: None, coalitions: planned, fidelity, notes: Vec::new() };
        Ok(terms.note(note))
    }
}

fn stacked(top: &ArrayRef2<f64>, bottom: &ArrayRef2<f64>) -> Array2<f64> {
    concatenate(Axis(0), &[top.view(), bottom.view()]).unwrap_or_else(|_| top.to_owned())
}

/// The index of what the process expects, before sums over larger sets: (set, output).
///
/// The process expects Σ over the coalitions T seen of told(T) · k(S, T). Under an index of measure μ the smooth part is
/// ∫ Π over U of Δᵢ · Π over the others of (t fᵢ(1) + (1 − t) fᵢ(0)) dμ(t), the linear part 2b x for a single player, and
/// what T has to itself ± ∫ t^|T∖U| (1 − t)^(n − |T ∪ U|) dμ(t).
pub(super) fn expected(
    covariance: &Covariance,
    x: &Array2<f64>,
    told: &Array2<f64>,
    index: InteractionIndex,
    order: usize,
    sets: &[Vec<usize>],
) -> Array2<f64> {
    let n = x.ncols();
    let measures = Measures::new(index, order);
    let Nodes { t, rest, weights } = measures.nodes(n, x.nrows(), true);
    let mut values = Array2::zeros((sets.len(), told.ncols()));
    let mut ratios = vec![0.0; n];
    for (c, (row, told)) in x.outer_iter().zip(told.outer_iter()).enumerate() {
        let mut shares = vec![0.0; sets.len()];
        for (q, (t, rest)) in t.iter().zip(&rest).enumerate() {
            let mut product = covariance.smooth;
            for ((ratio, &present), &forgets) in ratios.iter_mut().zip(&row).zip(&covariance.forgets) {
                let blend = if present > 0.0 { t + rest * forgets } else { t * forgets + rest };
                product *= blend;
                *ratio = present * (1.0 - forgets) / blend;
            }
            for (share, set) in shares.iter_mut().zip(sets) {
                *share += set.iter().fold(weights[set.len() - 1][q] * product, |all, &i| all * ratios[i]);
            }
        }
        let inside = row.iter().filter(|x| **x > 0.0).count();
        for (share, set) in shares.iter_mut().zip(sets) {
            let shared = set.iter().filter(|&&i| row[i] > 0.0).count();
            if let [one] = set[..] {
                *share += 2.0 * covariance.linear * row[one];
            }
            let own = if c < ENDS { 0.0 } else { covariance.own };
            let others = n - inside - (set.len() - shared);
            let sign = if (set.len() - shared).is_multiple_of(2) { 1.0 } else { -1.0 };
            *share += own * sign * measures.moment(set.len(), inside - shared, others);
        }
        for (mut value, share) in values.outer_iter_mut().zip(shares) {
            value.scaled_add(share, &told);
        }
    }
    values
}
