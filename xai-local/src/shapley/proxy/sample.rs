//! What a game told about pairs of coalitions.

use ndarray::{Array1, Array2};
use xai_core::{Error, Game, Result};

use super::super::Ends;
use super::super::coalitions::{bounded, has};
use super::super::strata::{Lean, Pairs};
use super::Fit;

/// Pairs of coalitions and how much the one is worth more than the other.
pub(crate) struct Sampled {
    /// The number of players.
    pub n: usize,
    /// The pairs; all of size 1 are among them.
    pub pairs: Pairs,
    /// 1 for those in the pair's coalition, −1 for the others: (pair, player).
    pub signs: Array2<f64>,
    /// The share of each pair's stratum that was not drawn: nothing is uncertain about complete ones. (pair).
    pub unseen: Vec<f64>,
    /// v(S) − v(N∖S): (pair, output).
    pub difference: Array2<f64>,
    /// v(S) + v(N∖S): (pair, output).
    pub sum: Array2<f64>,
    /// v(N) − v(∅): (output).
    pub gain: Array1<f64>,
    /// v(N): (output).
    pub full: Array1<f64>,
}

/// Cells of the matrix of signs: half a gigabyte.
const MOST_CELLS: u64 = 1 << 26;

impl Sampled {
    /// Asks the game for `coalitions` / 2 pairs, and at least those of size 1, as many of each size as of another.
    pub fn draw(game: &dyn Game, ends: &Ends, coalitions: u64, seed: u64) -> Result<Self> {
        let n = game.n_players();
        check(n, coalitions)?;
        bounded(coalitions.saturating_mul(game.n_outputs() as u64))?;
        let pairs = Pairs::draw(n, coalitions as usize / 2, seed, Lean::LEVERAGE);
        let signs = Array2::from_shape_fn((pairs.chosen.len(), n), |(pair, player)| {
            if has(pairs.chosen.get(pair), player) { 1.0 } else { -1.0 }
        });
        let [own, others] = pairs.chosen.sides(game)?;
        let (difference, sum) = (&own - &others, own + others);
        let mut unseen = vec![0.0; pairs.chosen.len()];
        for stratum in &pairs.strata {
            unseen[stratum.span.clone()].fill((1.0 - stratum.span.len() as f64 / stratum.pairs).max(0.0));
        }
        Ok(Sampled { n, pairs, signs, unseen, difference, sum, gain: ends.gain(), full: ends.full.clone() })
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.signs.nrows()
    }

    /// The mean square of what a fit does not know of pairs that it has not seen, the outputs' own squares being one.
    ///
    /// Pairs weigh by the Shapley kernel and by the share of their size that was not drawn: what a fit does not know of
    /// sizes that are complete does no harm.
    pub fn lost(&self, fit: &Fit) -> f64 {
        let stakes = || self.pairs.weight.iter().zip(&self.unseen).map(|(weight, unseen)| weight * unseen);
        let mut sum = 0.0;
        for (known, said) in self.difference.columns().into_iter().zip(fit.left_out.columns()) {
            let scale: f64 = known.iter().zip(stakes()).map(|(known, stake)| stake * known * known).sum();
            if scale > 0.0 {
                let lost = known.iter().zip(said).zip(stakes()).map(|((a, b), stake)| stake * (a - b) * (a - b));
                sum += lost.sum::<f64>() / scale;
            }
        }
        sum / self.difference.ncols().max(1) as f64
    }

    /// The mixture of two fits that loses least (see [`Sampled::lost`]). Its standard error is the first's, less by as much
    /// as the mixture loses less than the first.
    pub fn blend(&self, first: Fit, second: &Fit) -> Fit {
        let (mut along, mut square) = (0.0, 0.0);
        for (output, known) in self.difference.columns().into_iter().enumerate() {
            let stakes = self.pairs.weight.iter().zip(&self.unseen).map(|(weight, unseen)| weight * unseen);
            let scale: f64 = known.iter().zip(stakes).map(|(known, stake)| stake * known * known).sum();
            for pair in (0..self.len()).filter(|_| scale > 0.0) {
                let stake = self.pairs.weight[pair] * self.unseen[pair] / scale;
                let apart = first.left_out[[pair, output]] - second.left_out[[pair, output]];
                along += stake * apart * (known[pair] - second.left_out[[pair, output]]);
                square += stake * apart * apart;
            }
        }
        let part = if square > 0.0 { (along / square).clamp(0.0, 1.0) } else { 1.0 };
        let mix = |a: &Array2<f64>, b: &Array2<f64>| a * part + b * (1.0 - part);
        let mut fit = Fit {
            shares: mix(&first.shares, &second.shares),
            left_out: mix(&first.left_out, &second.left_out),
            standard_error: None,
        };
        let (before, after) = (self.lost(&first), self.lost(&fit));
        let less = if before > 0.0 { (after / before).sqrt() } else { 1.0 };
        fit.standard_error = first.standard_error.map(|error| error * less);
        fit
    }

    /// The number of coalitions that were evaluated.
    pub fn coalitions(&self) -> u64 {
        2 * self.len() as u64
    }
}

/// Refuses more pairs of more players than memory can hold.
///
/// # Errors
/// [`Error::TooLarge`].
pub(crate) fn check(n_players: usize, coalitions: u64) -> Result<()> {
    let found = (coalitions / 2).saturating_mul(n_players as u64);
    if found <= MOST_CELLS {
        return Ok(());
    }
    Err(Error::TooLarge { what: "pairs of coalitions times players, for a proxy".into(), limit: MOST_CELLS, found })
}
