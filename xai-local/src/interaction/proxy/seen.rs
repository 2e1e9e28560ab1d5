//! What a game told about pairs of coalitions, apart into its odd and its even part.

use ndarray::{Array2, ArrayView1, Axis, Slice};
use xai_core::{Game, Result};

use super::super::sample::{draw, n_pairs};
use crate::shapley::Ends;

/// How a part of a game changes when everybody present leaves and everybody else comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parity {
    /// It changes its sign.
    Odd,
    /// Not at all.
    Even,
}

impl Parity {
    /// Both, in the order of everything that has one of each.
    pub const BOTH: [Parity; 2] = [Parity::Odd, Parity::Even];

    /// −1 or 1.
    pub fn sign(self) -> f64 {
        if self == Parity::Odd { -1.0 } else { 1.0 }
    }
}

/// The worth of pairs of coalitions S and N∖S. The first pair is everybody and nobody.
pub(super) struct Seen {
    /// 1 for those in the pair's coalition, −1 for the others: (pair, player).
    pub signs: Array2<f64>,
    /// (v(S) − v(N∖S)) / 2: (pair, output).
    pub odd: Array2<f64>,
    /// (v(S) + v(N∖S)) / 2, less its mean over the pairs: (pair, output).
    pub even: Array2<f64>,
    /// For how many pairs of its size that were not seen each pair stands: (pair).
    pub stands_for: Vec<f64>,
    /// Where the pairs of each size lie: (size), from those of the ends on.
    pub spans: Vec<std::ops::Range<usize>>,
}

impl Seen {
    /// Asks the game for `coalitions`, an even number.
    pub fn draw(game: &dyn Game, ends: &Ends, coalitions: u64, seed: u64) -> Result<Self> {
        let n = game.n_players();
        let drawn = draw(n, coalitions as usize, seed);
        let worth = game.worth(&drawn)?;
        let m = drawn.nrows() / 2 + 1;
        let signs = Array2::from_shape_fn(
            (m, n),
            |(pair, player)| {
                if pair == 0 || drawn[[2 * pair - 2, player]] { 1.0 } else { -1.0 }
            },
        );
        let mut own = Array2::zeros((m, game.n_outputs()));
        let mut others = own.clone();
        for (side, first, step) in [(&mut own, &ends.full, 0), (&mut others, &ends.empty, 1)] {
            side.row_mut(0).assign(first);
            let rows = worth.slice_axis(Axis(0), Slice::new(step, None, 2));
            side.slice_axis_mut(Axis(0), Slice::from(1..)).assign(&rows);
        }
        let odd = (&own - &others) / 2.0;
        let mut even = (own + others) / 2.0;
        for mut column in even.columns_mut() {
            let mean = column.sum() / m as f64;
            column -= mean;
        }

        let size = |pair: usize| if pair == 0 { 0 } else { signs.row(pair).iter().filter(|x| **x > 0.0).count() };
        let mut spans = Vec::new();
        let mut stands_for = vec![0.0; m];
        let mut start = 0;
        while start < m {
            let end = (start..m).find(|&pair| size(pair) != size(start)).unwrap_or(m);
            let seen = (end - start) as f64;
            if start > 0 {
                let unseen = (n_pairs(n, size(start)) - seen).max(0.0);
                stands_for[start..end].fill(unseen / seen);
            }
            spans.push(start..end);
            start = end;
        }
        Ok(Seen { signs, odd, even, stands_for, spans })
    }

    /// The number of pairs, that of the ends included.
    pub fn len(&self) -> usize {
        self.signs.nrows()
    }

    /// One of the two parts: (pair, output).
    pub fn part(&self, parity: Parity) -> &Array2<f64> {
        if parity == Parity::Odd { &self.odd } else { &self.even }
    }

    /// The share of the squares of a part, mean over the outputs, that a fit does not tell of pairs it has not seen;
    /// pairs of complete sizes do not count.
    pub fn lost(&self, parity: Parity, left_out: &Array2<f64>) -> f64 {
        let part = self.part(parity);
        let mut sum = 0.0;
        for (known, said) in part.columns().into_iter().zip(left_out.columns()) {
            let scale: f64 = self.open(known).map(|(_, x)| x * x).sum();
            if scale > 0.0 {
                sum += self.open(known).map(|(pair, x)| (x - said[pair]).powi(2)).sum::<f64>() / scale;
            }
        }
        sum / part.ncols().max(1) as f64
    }

    /// The pairs of sizes that are not complete, with what `column` has for them.
    pub fn open<'a>(&'a self, column: ArrayView1<'a, f64>) -> impl Iterator<Item = (usize, f64)> + 'a {
        let open = (0..self.len()).filter(|&pair| self.stands_for[pair] > 0.0);
        open.map(move |pair| (pair, column[pair]))
    }
}
