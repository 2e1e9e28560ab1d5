//! A Gaussian process of the normal scores of a game's worths.
//!
//! A probability saturates, and a signed confidence jumps, where what the model computed before was smooth. Any monotone
//! change of scale has the same normal scores: they bring such games near to what a process expects. The process of the
//! scores falls apart into an odd and an even part, on pairs of coalitions. What it expects of a worth is the mean over
//! the scores that it holds possible. The change of scale leaves no closed form for Shapley values, so that every pair of
//! coalitions that was not seen is foreseen one by one: for games of few players only.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};

use super::Fit;
use super::posterior::learned;
use super::process::{Covariance, Parts};
use super::sample::Sampled;
use super::share::{marginal_weights, of_pair, of_seen};
use super::warp::{Warp, points};
use crate::cholesky::Cholesky;

/// Pairs to foresee times pairs seen: a second.
const MOST_CELLS: u64 = 1 << 26;

/// Pairs that are foreseen at once.
const AT_ONCE: usize = 512;

/// Fits a process of normal scores, whose search begins with the covariance `start`; nothing if there are too many pairs
/// to foresee, or if its matrix is singular in these digits.
///
/// # Cost
/// m³ / 2 for m pairs, and m exponentials for each pair that was not seen.
pub(crate) fn fit(sampled: &Sampled, start: &Covariance) -> Option<Fit> {
    let (m, n) = sampled.signs.dim();
    if n >= 64 || (1u64 << (n - 1)).saturating_mul(m as u64) > MOST_CELLS {
        return None;
    }
    let scores = Scores::of(sampled);
    let x = concatenate(Axis(0), &[sampled.signs.view(), Array2::ones((1, n)).view()]).ok()?;
    let places = learned(m + 1);
    let (odd, even) = (scores.odd.select(Axis(0), &places), scores.even.select(Axis(0), &places));
    let parts = Parts { odd: &odd, even: Some(&even) };
    let (covariance, _) = Covariance::learn(&x.select(Axis(0), &places), parts, Some(start));

    let own = covariance.own(&x);
    let [odd, even] = covariance.of_parts(&x, &x);
    let odd = Known::of(odd, &own, &scores.odd)?;
    let even = Known::of(even, &own, &scores.even)?;
    let unsure: Array1<f64> = &odd.unsure + &even.unsure;

    let mut left_out = Array2::zeros(sampled.difference.dim());
    for (pair, mut row) in left_out.outer_iter_mut().enumerate() {
        let deviation = unsure[pair].sqrt();
        scores.difference(odd.left_out.row(pair), even.left_out.row(pair), deviation, |place, x| row[place] = x);
    }
    let mut shares = of_seen(sampled, &sampled.difference);
    let deviations = deviations(sampled, &unsure);
    let weights = marginal_weights(n);
    let unseen = not_seen(sampled);
    let blocks: Vec<&[u64]> = unseen.chunks(AT_ONCE).collect();
    let foreseen = blocks.into_par_iter().map(|unseen| {
        let mut shares = Array2::<f64>::zeros(shares.dim());
        let signs = Array2::from_shape_fn((unseen.len(), n), |(k, p)| if unseen[k] >> p & 1 == 1 { 1.0 } else { -1.0 });
        let [to_odd, to_even] = covariance.of_parts(&signs, &x);
        let (odd, even) = (to_odd.dot(&odd.told), to_even.dot(&even.told));
        for (k, coalition) in unseen.iter().enumerate() {
            let size = coalition.count_ones() as usize;
            let (inside, outside) = of_pair(&weights, size);
            scores.difference(odd.row(k), even.row(k), deviations[size - 1], |output, difference| {
                for player in 0..n {
                    let weight = if coalition >> player & 1 == 1 { inside } else { outside };
                    shares[[player, output]] += weight * difference;
                }
            });
        }
        shares
    });
    // In the order of the blocks, whoever was ready first.
    for foreseen in foreseen.collect::<Vec<_>>() {
        shares += &foreseen;
    }
    Some(Fit { shares, left_out, standard_error: None })
}

/// The scores of the pairs and, last, of the end; only of outputs that vary.
struct Scores {
    /// The outputs that vary, and how worths become scores there.
    warps: Vec<(usize, Warp)>,
    /// Half of how much a coalition's score is above its complement's: (pair, varying output).
    odd: Array2<f64>,
    /// The mean of the two: (pair, varying output).
    even: Array2<f64>,
    points: Vec<f64>,
}

impl Scores {
    fn of(sampled: &Sampled) -> Scores {
        let m = sampled.len();
        // Of the coalitions and of their complements; of the end: (pair, output).
        let side = |sign: f64| {
            let mut side = Array2::zeros((m + 1, sampled.gain.len()));
            for ((pair, output), worth) in side.indexed_iter_mut() {
                *worth = match pair < m {
                    true => (sampled.sum[[pair, output]] + sign * sampled.difference[[pair, output]]) / 2.0,
                    false => sampled.full[output] - if sign < 0.0 { sampled.gain[output] } else { 0.0 },
                };
            }
            side
        };
        let (own, others) = (side(1.0), side(-1.0));
        let warps: Vec<(usize, Warp)> = (0..sampled.gain.len())
            .filter_map(|output| {
                let worths = own.column(output).into_iter().chain(others.column(output));
                Some((output, Warp::of(worths.copied())?))
            })
            .collect();
        let part = |sign: f64| {
            Array2::from_shape_fn((m + 1, warps.len()), |(pair, place)| {
                let (output, warp) = &warps[place];
                (warp.score(own[[pair, *output]]) + sign * warp.score(others[[pair, *output]])) / 2.0
            })
        };
        let (odd, even) = (part(-1.0), part(1.0));
        Scores { warps, odd, even, points: points() }
    }

    /// Calls `each` with every varying output and how much more a coalition is expected to be worth than its complement,
    /// if their scores are so far from normal.
    fn difference(
        &self,
        odd: ArrayView1<f64>,
        even: ArrayView1<f64>,
        deviation: f64,
        mut each: impl FnMut(usize, f64),
    ) {
        for ((output, warp), (odd, even)) in self.warps.iter().zip(odd.iter().zip(even)) {
            let worth = |score: f64| warp.expected(score, deviation, &self.points);
            each(*output, worth(even + odd) - worth(even - odd));
        }
    }
}

/// What is known of one part of the scores.
struct Known {
    /// K⁻¹ y: (pair, output).
    told: Array2<f64>,
    /// What is expected of each pair, were it not seen: (pair, output).
    left_out: Array2<f64>,
    /// The variance of that: (pair).
    unsure: Array1<f64>,
}

impl Known {
    /// Nothing if the matrix is singular in these digits.
    fn of(mut matrix: Array2<f64>, own: &[f64], y: &Array2<f64>) -> Option<Known> {
        matrix.diag_mut().iter_mut().zip(own).for_each(|(d, own)| *d += own);
        let factor = Cholesky::new(matrix).ok()?;
        let told = factor.solve(y);
        // Rasmussen & Williams 2006, equation 5.12.
        let unsure = factor.inverse_diagonal().mapv(f64::recip);
        let left_out = y - &(&told * &unsure.view().insert_axis(Axis(1)));
        Some(Known { told, left_out, unsure })
    }
}

/// How far the scores of pairs of each size from 1 may be off, from those left out; of sizes with none, from all.
fn deviations(sampled: &Sampled, unsure: &Array1<f64>) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); sampled.n / 2];
    let mut all = (0.0, 0.0);
    for pair in 0..sampled.len() {
        for sum in [&mut sums[sampled.pairs.chosen.size(pair) - 1], &mut all] {
            *sum = (sum.0 + unsure[pair], sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|sum| if sum.1 > 0.0 { sum } else { all }).map(|(sum, count)| (sum / count).sqrt()).collect()
}

/// The smaller coalitions of the pairs that were not seen, as bits; of two as large the one with player 0.
fn not_seen(sampled: &Sampled) -> Vec<u64> {
    let n = sampled.n;
    let mut seen = vec![false; 1 << n];
    for pair in 0..sampled.len() {
        let bits = sampled.pairs.chosen.members(pair).fold(0usize, |bits, player| bits | 1 << player);
        seen[bits] = true;
    }
    (1..1u64 << n)
        .filter(|bits| {
            let size = bits.count_ones() as usize;
            (2 * size < n || (2 * size == n && bits & 1 == 1)) && !seen[*bits as usize]
        })
        .collect()
}
