//! What single pairs of coalitions, and what samples of them, add to the Shapley values.

use ndarray::{Array2, ArrayRef1, ArrayRef2};

use super::sample::Sampled;

/// s! (n − s − 1)! / n! for s = 0, …, n − 1: the weight of a marginal contribution to s others.
pub(crate) fn marginal_weights(n: usize) -> Vec<f64> {
    let mut weights = vec![1.0 / n as f64; n];
    for s in 1..n {
        weights[s] = weights[s - 1] * s as f64 / (n - s) as f64;
    }
    weights
}

/// The Shapley values of a game that is worth ½ on one pair's coalition, −½ on its complement, and 0 elsewhere, for
/// those in the coalition and for the others.
pub(crate) fn of_pair(weights: &[f64], size: usize) -> (f64, f64) {
    (weights.get(size.wrapping_sub(1)).copied().unwrap_or(0.0), -weights.get(size).copied().unwrap_or(0.0))
}

/// The Shapley values of the game that differs from zero only on the pairs seen: (player, output).
///
/// `difference` is v(S) − v(N∖S): (pair, output).
pub(crate) fn of_seen(sampled: &Sampled, difference: &ArrayRef2<f64>) -> Array2<f64> {
    let weights = marginal_weights(sampled.n);
    sum(sampled, difference, |pair| of_pair(&weights, sampled.pairs.chosen.size(pair)))
}

/// Adds the same to every player's share, so that they sum to `gain`: efficiency, to the last digit.
pub(crate) fn make_efficient(shares: &mut Array2<f64>, gain: &ArrayRef1<f64>) {
    let n = shares.nrows().max(1) as f64;
    // Twice: the second time takes away what rounding left.
    for _ in 0..2 {
        for (mut column, gain) in shares.columns_mut().into_iter().zip(gain) {
            let lack = (gain - column.sum()) / n;
            column.mapv_inplace(|x| x + lack);
        }
    }
}

/// Pairs of which some stand for all that were not seen.
///
/// Of each size, pairs that do not stand for others count for themselves alone, and those that do for themselves and,
/// together, for every pair that was not seen. Since the latter are a random part of what the former leave, Shapley
/// values estimated so have no bias, even if the former decided what the game is (maximum sample reuse).
pub(crate) struct Rest {
    /// Of each pair, its weight for those in its coalition and for the others.
    weights: Vec<(f64, f64)>,
    /// Of each size from 1: the pairs that stand for others, and the share of all pairs that was not seen.
    sizes: Vec<(usize, f64)>,
}

impl Rest {
    /// `stands` says which pairs stand for others.
    pub fn new(sampled: &Sampled, stands: impl Fn(usize) -> bool) -> Self {
        let n = sampled.n;
        let chosen = &sampled.pairs.chosen;
        let mut seen = vec![0usize; n / 2 + 1];
        let mut standing = seen.clone();
        for pair in 0..sampled.len() {
            seen[chosen.size(pair)] += 1;
            standing[chosen.size(pair)] += usize::from(stands(pair));
        }
        let alone = marginal_weights(n);
        let mut pairs = 1.0;
        let mut unseen = vec![0.0; n / 2 + 1];
        for size in 1..=n / 2 {
            pairs *= (n + 1 - size) as f64 / size as f64;
            let all = if 2 * size == n { pairs / 2.0 } else { pairs };
            unseen[size] = (1.0 - seen[size] as f64 / all.round()).max(0.0);
        }
        let weights = (0..sampled.len())
            .map(|pair| {
                let size = chosen.size(pair);
                let (inside, outside) = of_pair(&alone, size);
                if !stands(pair) {
                    return (inside, outside);
                }
                // The pairs of a size times the weight of one: a number that neither overflows nor vanishes.
                let half = if 2 * size == n { 0.5 } else { 1.0 };
                let others = half * unseen[size] / standing[size] as f64;
                (inside + others / size as f64, outside - others / (n - size) as f64)
            })
            .collect();
        Rest { weights, sizes: standing.into_iter().zip(unseen).skip(1).collect() }
    }

    /// Whether no size lacks a pair that stands for those not seen.
    pub fn sees_all(&self) -> bool {
        self.sizes.iter().all(|&(standing, unseen)| standing > 0 || unseen == 0.0)
    }

    /// The Shapley values: (player, output).
    pub fn shares(&self, sampled: &Sampled, difference: &ArrayRef2<f64>) -> Array2<f64> {
        sum(sampled, difference, |pair| self.weights[pair])
    }

    /// The standard error of [`Rest::shares`], from the spread of what pairs of a size add; nothing if a size has too few
    /// for a spread.
    pub fn standard_error(&self, sampled: &Sampled, difference: &ArrayRef2<f64>) -> Option<Array2<f64>> {
        if self.sizes.iter().any(|&(standing, unseen)| standing < 2 && unseen > 0.0) {
            return None;
        }
        let mut variance = Array2::<f64>::zeros((sampled.n, difference.ncols()));
        for ((player, output), variance) in variance.indexed_iter_mut() {
            let mut sums = vec![(0.0, 0.0); self.sizes.len()];
            for pair in 0..sampled.len() {
                let (inside, outside) = self.weights[pair];
                let part = if sampled.signs[[pair, player]] > 0.0 { inside } else { outside };
                let sum = &mut sums[sampled.pairs.chosen.size(pair) - 1];
                let added = part * difference[[pair, output]];
                *sum = (sum.0 + added, sum.1 + added * added);
            }
            for (&(k, unseen), (sum, squares)) in self.sizes.iter().zip(sums).filter(|((_, unseen), _)| *unseen > 0.0) {
                let k = k as f64;
                *variance += unseen * k / (k - 1.0) * (squares - sum * sum / k).max(0.0);
            }
        }
        Some(variance.mapv(f64::sqrt))
    }
}

fn sum(sampled: &Sampled, difference: &ArrayRef2<f64>, weights: impl Fn(usize) -> (f64, f64)) -> Array2<f64> {
    let mut shares = Array2::zeros((sampled.n, difference.ncols()));
    for (pair, row) in difference.outer_iter().enumerate() {
        let (inside, outside) = weights(pair);
        for (player, mut share) in shares.outer_iter_mut().enumerate() {
            share.scaled_add(if sampled.signs[[pair, player]] > 0.0 { inside } else { outside }, &row);
        }
    }
    shares
}
