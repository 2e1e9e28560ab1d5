//! What a fit misses: known of the pairs seen, estimated for the others by maximum sample reuse.

use ndarray::{Array2, ArrayView1};

use super::seen::{Parity, Seen};
use super::trees::{FOLDS, is_left_out};
use crate::tree::interactions::measure::Measures;

/// How much of what is estimated for the pairs not seen is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// All: no bias, where what a pair misses is told by trees that have not seen it.
    Whole,
    /// As much of the sets of a size as exceeds its noise (the positive part of James & Stein's factor).
    Shrunk,
}

/// The index of what is missed.
pub(super) struct Correction {
    /// What is added: (set, output).
    pub values: Array2<f64>,
    /// The sampling variance of what is added, where every size has pairs enough to tell: (set, output).
    pub variance: Option<Array2<f64>>,
    /// Whether every size is seen in every fold.
    pub sees_all: bool,
}

/// Corrects fits of both parts.
///
/// The index of a set T is Σ over S of (−1)^|T∖S| · ∫ t^|S∖T| (1 − t)^(n − |S ∪ T|) dμ · v(S). Pairs seen enter with what
/// the fit leaves of them; those not seen with the mean, over their size, of what it leaves of pairs left out.
///
/// # Shapes
/// `fits` are what they say of pairs, and of pairs left out: (pair, output).
pub(super) fn correct(
    seen: &Seen,
    fits: [(Parity, &Array2<f64>, &Array2<f64>); 2],
    sets: &[Vec<usize>],
    measures: &Measures,
    belief: Belief,
) -> Correction {
    let (m, outputs) = (seen.len(), seen.odd.ncols());
    let (stands_for, sees_all) = match belief {
        Belief::Shrunk => (seen.stands_for.clone(), true),
        Belief::Whole => by_folds(seen),
    };
    let tables: Vec<Vec<Vec<f64>>> = weights(seen, measures, sets.last().map_or(0, Vec::len));
    let mut values = Array2::zeros((sets.len(), outputs));
    let mut estimated = Array2::<f64>::zeros((sets.len(), outputs));
    let mut variance = Array2::<f64>::zeros((sets.len(), outputs));
    let missed =
        fits.map(|(parity, said, left_out)| (parity.sign(), seen.part(parity) - said, seen.part(parity) - left_out));
    let mut reach = vec![(0.0, 0.0); m];
    for (place, set) in sets.iter().enumerate() {
        for (pair, reach) in reach.iter_mut().enumerate() {
            let inside = set.iter().filter(|&&player| seen.signs[[pair, player]] > 0.0).count();
            *reach = of_pair(&tables[pair], set.len(), inside);
        }
        for output in 0..outputs {
            let mut sums = (0.0, 0.0, 0.0);
            for span in &seen.spans {
                let (mut sum, mut squares) = (0.0, 0.0);
                for pair in span.clone() {
                    let mut rest = 0.0;
                    for (sign, seen_missed, left_missed) in &missed {
                        let weight = reach[pair].0 + sign * reach[pair].1;
                        sums.0 += weight * seen_missed[[pair, output]];
                        rest += weight * left_missed[[pair, output]];
                    }
                    let added = stands_for[pair] * rest;
                    (sum, squares) = (sum + added, squares + added * added);
                }
                sums.1 += sum;
                sums.2 += spread(span.len() as f64, sum, squares, seen.stands_for[span.start]);
            }
            values[[place, output]] = sums.0;
            estimated[[place, output]] = sums.1;
            variance[[place, output]] = sums.2;
        }
    }
    if belief == Belief::Shrunk {
        shrink(&mut estimated, &variance, sets);
    }
    values += &estimated;
    let lonely = seen.spans.iter().any(|span| span.len() < 2 && seen.stands_for[span.start] > 0.0);
    Correction { values, variance: (!lonely).then_some(variance), sees_all }
}

/// The variance of a sum over `k` pairs that stand for `others` more each, drawn without repetition.
fn spread(k: f64, sum: f64, squares: f64, others: f64) -> f64 {
    if others == 0.0 {
        return 0.0;
    }
    // The total of those not seen is as uncertain as that of the seen.
    let own = 1.0 + 1.0 / others;
    if k < 2.0 { squares * own } else { k / (k - 1.0) * (squares - sum * sum / k).max(0.0) * own }
}

/// For how many pairs not seen each pair left out stands, in the mean over the folds; whether all are stood for.
fn by_folds(seen: &Seen) -> (Vec<f64>, bool) {
    let mut stands_for = vec![0.0; seen.len()];
    let mut sees_all = true;
    for span in seen.spans.iter().filter(|span| seen.stands_for[span.start] > 0.0) {
        let unseen = seen.stands_for[span.start] * span.len() as f64;
        for fold in 0..FOLDS {
            let left_out = || span.clone().filter(|&pair| is_left_out(pair, fold));
            let count = left_out().count();
            sees_all &= count > 0;
            left_out().for_each(|pair| stands_for[pair] = unseen / (FOLDS * count) as f64);
        }
    }
    (stands_for, sees_all)
}

/// Of the pair's own coalition: the weight of its worth by the size of a set and how many of the set it holds.
///
/// (pair, size − 1, inside · 2 + (0 for the coalition, 1 for those who are not in it))
fn weights(seen: &Seen, measures: &Measures, order: usize) -> Vec<Vec<Vec<f64>>> {
    let n = seen.signs.ncols();
    let of = |size: usize| -> Vec<Vec<f64>> {
        (1..=order)
            .map(|k| {
                let both = |inside: usize| {
                    let one = |size: usize, inside: usize| {
                        let outside = k - inside;
                        if size < inside || n - size < outside {
                            return 0.0;
                        }
                        let sign = if outside.is_multiple_of(2) { 1.0 } else { -1.0 };
                        sign * measures.moment(k, size - inside, n - size - outside)
                    };
                    [one(size, inside), one(n - size, k - inside)]
                };
                (0..=k).flat_map(both).collect()
            })
            .collect()
    };
    let mut all = Vec::with_capacity(seen.len());
    for span in &seen.spans {
        let size = seen.signs.row(span.start).iter().filter(|x| **x > 0.0).count();
        let table = of(size);
        span.clone().for_each(|_| all.push(table.clone()));
    }
    all
}

fn of_pair(table: &[Vec<f64>], size: usize, inside: usize) -> (f64, f64) {
    let table = &table[size - 1];
    (table[2 * inside], table[2 * inside + 1])
}

/// Keeps of the sets of each size what exceeds their noise.
fn shrink(estimated: &mut Array2<f64>, variance: &Array2<f64>, sets: &[Vec<usize>]) {
    let sum = |column: ArrayView1<f64>, size: usize, of: fn(f64) -> f64| -> f64 {
        column.iter().zip(sets).filter(|(_, set)| set.len() == size).map(|(x, _)| of(*x)).sum()
    };
    for (mut column, variance) in estimated.columns_mut().into_iter().zip(variance.columns()) {
        for size in 1..=sets.last().map_or(0, Vec::len) {
            let signal = sum(column.view(), size, |x| x * x);
            let noise = sum(variance, size, |x| x);
            let part = if signal > noise { 1.0 - noise / signal } else { 0.0 };
            column.iter_mut().zip(sets).filter(|(_, set)| set.len() == size).for_each(|(x, _)| *x *= part);
        }
    }
}
