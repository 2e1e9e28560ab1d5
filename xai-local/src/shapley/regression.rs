//! Shapley values as a weighted regression on pairs of coalitions.
//!
//! For a pair (S, N∖S) let d = v(S) − v(N∖S). A linear function with values φ that share out the gain g has
//! d = (2|S|/n − 1) g + c · φ′, where φ′ are the values less their mean g / n and c = 2 (1_S − |S| / n). So
//! φ′ = (Σ w c cᵀ)⁻¹ Σ w c (d − (2|S|/n − 1) g), the sums over pairs, w their weights.
//!
//! The pairs of complete sizes make Σ w c cᵀ a multiple α of the identity (on what sums to zero), known by formula. Only
//! pairs that were drawn need arithmetic: as a matrix over players, or over those pairs if they are fewer (Woodbury).

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayRef2, Axis, Slice};
use xai_core::{Error, Game, Result};

use super::coalitions::bounded;
use super::exact::ExactShap;
use super::residual::standard_error;
use super::strata::{Lean, Pairs};
use super::{Ends, Estimate, Estimator};
use crate::cholesky::{Cholesky, part, part_mut};

/// `shap`'s budget beyond two coalitions a player.
const DEFAULT_COALITIONS: usize = 2048;

/// Rows and columns of the matrix that is factored: half a gigabyte, and a quarter of a minute.
const MOST_ROWS: usize = 8192;

/// The coalitions that a regression with this budget evaluates.
pub(super) fn planned(n_coalitions: Option<usize>, n_players: usize) -> Result<u64> {
    let budget = n_coalitions.unwrap_or(DEFAULT_COALITIONS.saturating_add(2 * n_players)) as u64;
    let all = all_coalitions(n_players);
    let asked = all.map_or(budget, |all| all.min(budget));
    bounded(asked.saturating_mul(n_players.div_ceil(64) as u64))?;
    if all == Some(asked) {
        return Ok(asked);
    }
    if budget < 2 * n_players as u64 {
        let expected = format!("at least {}: two for each of {n_players} players", 2 * n_players);
        return Err(Error::parameter("n_coalitions", budget, expected));
    }
    let drawn = asked / 2 - n_players as u64;
    if drawn.min(n_players as u64) > MOST_ROWS as u64 {
        return Err(Error::TooLarge {
            what: "players, or pairs beyond one a player, of a regression".into(),
            limit: MOST_ROWS as u64,
            found: drawn.min(n_players as u64),
        });
    }
    Ok(asked / 2 * 2)
}

/// All coalitions but the empty and the full one, if a number can hold them.
fn all_coalitions(n_players: usize) -> Option<u64> {
    1u64.checked_shl(u32::try_from(n_players).ok()?).map(|all| all.saturating_sub(2))
}

/// The values that fit `coalitions` coalitions best, as many as [`planned`].
pub(super) fn estimate(game: &dyn Game, ends: &Ends, coalitions: u64, seed: u64, lean: Lean) -> Result<Estimate> {
    let n = game.n_players();
    if all_coalitions(n) == Some(coalitions) && n <= ExactShap::MOST_PLAYERS {
        return ExactShap.estimate(game, ends, seed);
    }
    bounded(coalitions.saturating_mul(game.n_outputs() as u64))?;
    let pairs = Pairs::draw(n, coalitions as usize / 2, seed, lean);
    let regression = Regression::new(n, &pairs)?;
    let mut difference = pairs.chosen.differences(game)?;
    let gain = ends.gain();
    for (pair, mut row) in difference.outer_iter_mut().enumerate() {
        row.scaled_add(1.0 - 2.0 * pairs.chosen.size(pair) as f64 / n as f64, &gain);
    }
    let (mut values, residual) = regression.fit(difference);
    for mut row in values.outer_iter_mut() {
        row.scaled_add(1.0 / n as f64, &gain);
    }

    let errors_known = pairs.strata.iter().all(|stratum| stratum.is_complete() || stratum.span.len() > 1);
    let standard_error = errors_known.then(|| standard_error(&regression, &residual));
    let estimate = Estimate { values, standard_error, coalitions: 2 * pairs.chosen.len() as u64, notes: Vec::new() };
    Ok(match pairs.strata.last() {
        Some(last) if last.span.is_empty() => estimate.note(format!(
            "the budget reaches no coalition of {} to {} players",
            last.sizes.start(),
            n - last.sizes.start()
        )),
        _ if !errors_known => estimate.note("no standard error: a stratum of coalition sizes has a single draw"),
        _ => estimate,
    })
}

/// The regression on some pairs, whatever they turn out to be worth.
pub(super) struct Regression<'p> {
    pub n: usize,
    pub pairs: &'p Pairs,
    /// The place of the first pair that was drawn; those before are of complete sizes.
    pub first_drawn: usize,
    /// What complete sizes add to the matrix: a multiple of the identity.
    alpha: f64,
    solver: Solver,
}

enum Solver {
    /// αI + Σ w c cᵀ over players.
    Players(Cholesky),
    /// αI + (√w c · √w c) over pairs.
    Pairs(Cholesky),
}

/// Pairs spelled out at once.
const SPELLED: usize = 512;

impl<'p> Regression<'p> {
    fn new(n: usize, pairs: &'p Pairs) -> Result<Self> {
        let complete = pairs.strata.iter().take_while(|stratum| stratum.is_complete());
        let first_drawn = complete.clone().map(|stratum| stratum.span.end).last().unwrap_or(0);
        let alpha = complete.map(|s| s.mass * (s.sizes.start() * (n - s.sizes.start()) * 4) as f64).sum::<f64>()
            / (n * (n - 1)) as f64;
        let drawn = pairs.chosen.len() - first_drawn;
        // The pairs of size 1 make both positive definite, so this cannot fail but for a broken invariant.
        let broken = |row| Error::unsupported("a regression on these coalitions", format!("row {row} is not settled"));
        let mut regression = Regression { n, pairs, first_drawn, alpha, solver: Solver::Players(Cholesky::default()) };
        regression.solver = match drawn < n {
            true => Solver::Pairs(Cholesky::new(regression.over_pairs()).map_err(broken)?),
            false => Solver::Players(Cholesky::new(regression.over_players()).map_err(broken)?),
        };
        Ok(regression)
    }

    /// √w c of some pairs: (pair, player).
    fn spelled(&self, places: std::ops::Range<usize>) -> Array2<f64> {
        let mut rows = Array2::zeros((places.len(), self.n));
        for (place, mut row) in places.zip(rows.outer_iter_mut()) {
            let root = 2.0 * self.pairs.weight[place].sqrt();
            row.fill(-root * self.pairs.chosen.size(place) as f64 / self.n as f64);
            self.pairs.chosen.members(place).for_each(|player| row[player] += root);
        }
        rows
    }

    /// The drawn pairs, some at once.
    pub fn drawn(&self, at_once: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let end = self.pairs.chosen.len();
        (self.first_drawn..end).step_by(at_once).map(move |start| start..end.min(start + at_once))
    }

    /// The lower triangle, by blocks of rows.
    fn over_players(&self) -> Array2<f64> {
        const ROWS: usize = 128;
        let mut matrix = Array2::from_diag_elem(self.n, self.alpha);
        for places in self.drawn(SPELLED) {
            let rows = self.spelled(places);
            matrix.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().enumerate().for_each(|(k, block)| {
                let (start, end) = (k * ROWS, k * ROWS + block.nrows());
                let left = part(rows.view(), 0..rows.nrows(), start..end);
                let right = part(rows.view(), 0..rows.nrows(), 0..end);
                let height = block.nrows();
                general_mat_mul(1.0, &left.t(), &right, 1.0, &mut part_mut(block, 0..height, 0..end));
            });
        }
        matrix
    }

    /// By counting common members: √(wᵢ wⱼ) cᵢ · cⱼ = 4 √(wᵢ wⱼ) (|Sᵢ ∩ Sⱼ| − |Sᵢ| |Sⱼ| / n).
    fn over_pairs(&self) -> Array2<f64> {
        let (pairs, first) = (self.pairs, self.first_drawn);
        let drawn = pairs.chosen.len() - first;
        let mut matrix = Array2::zeros((drawn, drawn));
        matrix.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(i, mut row)| {
            let own = pairs.chosen.get(first + i);
            for j in 0..=i {
                let other = pairs.chosen.get(first + j);
                let common: u32 = own.iter().zip(other).map(|(a, b)| (a & b).count_ones()).sum();
                let sizes = (pairs.chosen.size(first + i) * pairs.chosen.size(first + j)) as f64;
                let roots = (pairs.weight[first + i] * pairs.weight[first + j]).sqrt();
                row[j] = 4.0 * roots * (f64::from(common) - sizes / self.n as f64);
            }
            row[i] += self.alpha;
        });
        matrix
    }

    /// The values less their mean (player, output), and what they leave of the differences (pair, output).
    fn fit(&self, mut difference: Array2<f64>) -> (Array2<f64>, Array2<f64>) {
        // The pairs of size 1 alone settle linear functions; what is left is corrected, with small numbers only.
        let mut values = 0.5 * &difference.slice_axis(Axis(0), Slice::from(..self.n));
        centre(&mut values);
        self.subtract(&values, &mut difference);
        let mut right = Array2::zeros(values.dim());
        for (place, row) in difference.outer_iter().enumerate() {
            for player in self.pairs.chosen.members(place) {
                right.row_mut(player).scaled_add(2.0 * self.pairs.weight[place], &row);
            }
        }
        centre(&mut right);
        let mut correction = self.solve(right);
        centre(&mut correction);
        self.subtract(&correction, &mut difference);
        values += &correction;
        centre(&mut values);
        (values, difference)
    }

    /// Takes c · values from the difference of each pair, for values that sum to zero.
    fn subtract(&self, values: &Array2<f64>, difference: &mut Array2<f64>) {
        difference.outer_iter_mut().into_par_iter().enumerate().for_each(|(place, mut row)| {
            self.pairs.chosen.members(place).for_each(|player| row.scaled_add(-2.0, &values.row(player)));
        });
    }

    fn solve(&self, right: Array2<f64>) -> Array2<f64> {
        match &self.solver {
            Solver::Players(matrix) => matrix.solve(&right),
            Solver::Pairs(matrix) => {
                let mut over_pairs = Array2::zeros((self.pairs.chosen.len() - self.first_drawn, right.ncols()));
                for places in self.drawn(SPELLED) {
                    let own = Slice::from(places.start - self.first_drawn..places.end - self.first_drawn);
                    over_pairs.slice_axis_mut(Axis(0), own).assign(&self.spelled(places).dot(&right));
                }
                (right - self.back(&matrix.solve(&over_pairs))) / self.alpha
            }
        }
    }

    /// Σ √w c · x over the drawn pairs: (pair, column) → (player, column).
    fn back(&self, x: &ArrayRef2<f64>) -> Array2<f64> {
        let mut sum = Array2::zeros((self.n, x.ncols()));
        for places in self.drawn(SPELLED) {
            let own =
                x.slice_axis(Axis(0), Slice::from(places.start - self.first_drawn..places.end - self.first_drawn));
            let rows = self.spelled(places);
            sum.axis_chunks_iter_mut(Axis(0), SPELLED)
                .into_par_iter()
                .zip(rows.axis_chunks_iter(Axis(1), SPELLED).into_par_iter())
                .for_each(|(mut part, rows)| general_mat_mul(1.0, &rows.t(), &own, 1.0, &mut part));
        }
        sum
    }

    /// How the values follow a change of √w times the differences of some drawn pairs: (player, pair).
    pub fn pulls(&self, places: std::ops::Range<usize>) -> Array2<f64> {
        match &self.solver {
            Solver::Players(matrix) => matrix.solve(&self.spelled(places).t()),
            Solver::Pairs(matrix) => {
                let drawn = self.pairs.chosen.len() - self.first_drawn;
                let (start, columns) = (places.start - self.first_drawn, places.len());
                let unit = Array2::from_shape_fn((drawn, columns), |(i, j)| f64::from(u8::from(i == start + j)));
                self.back(&matrix.solve(&unit))
            }
        }
    }
}

/// Makes every column sum to zero, to the last digit.
fn centre(values: &mut Array2<f64>) {
    for mut column in values.axis_iter_mut(Axis(1)) {
        let excess = column.sum() / column.len().max(1) as f64;
        column.mapv_inplace(|v| v - excess);
    }
}
