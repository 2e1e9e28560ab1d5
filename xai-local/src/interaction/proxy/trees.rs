//! Boosted trees on a game, and the exact interactions of both of their parts.

use ndarray::Array2;

use super::super::sets::Ranks;
use super::fit::Fit;
use super::seen::{Parity, Seen};
use crate::shapley::proxy::boosting::{Growth, grow};
use crate::tree::interactions::measure::Measures;

/// Parts in turn left out.
pub(super) const FOLDS: usize = 5;

/// Which pairs a fold leaves out: every fifth of each size.
pub(super) fn is_left_out(pair: usize, fold: usize) -> bool {
    pair > 0 && pair % FOLDS == fold
}

/// Trees that learned the worth of four fifths of the pairs each, their mean, and what they say of the rest: the odd and
/// the even part.
///
/// A leaf of worth c that asks for the players P and against the players Q is the game c · 1[P ⊆ S, Q ∩ S = ∅], in which
/// T ⊆ P ∪ Q has the value c · (−1)^|T ∩ Q| ∫ t^|P∖T| (1 − t)^|Q∖T| dμ. Its odd and even part are half of the differences
/// and sums with the leaf that has P and Q exchanged.
pub(super) fn fit(seen: &Seen, growth: Growth, measures: &Measures, ranks: &Ranks) -> [Fit; 2] {
    let (m, outputs) = seen.odd.dim();
    let order = ranks.order();
    let moments = moments(measures, order, growth.depth);
    let share = 1.0 / FOLDS as f64;
    let mut fits = Parity::BOTH.map(|parity| Fit {
        values: Array2::zeros((ranks.len(), outputs)),
        said: Array2::zeros((m, outputs)),
        left_out: seen.part(parity).clone(),
    });
    let (own, others) = (&seen.even + &seen.odd, &seen.even - &seen.odd);
    for output in 0..outputs {
        for fold in 0..FOLDS {
            let taught: Vec<bool> = (0..m).map(|pair| !is_left_out(pair, fold)).collect();
            let (mut players, mut set) = (Vec::new(), Vec::new());
            let worth = [own.column(output), others.column(output)];
            let [own, others] = grow(&seen.signs, worth, &taught, growth, |path, worth| {
                players.clear();
                players.extend_from_slice(path);
                players.sort_unstable();
                let inside = path.iter().filter(|(_, present)| *present).count();
                let leaf = Leaf { inside, outside: path.len() - inside, order, moments: &moments };
                let half = 0.5 * share * worth;
                leaf.visit(&players, &mut set, 0, &mut |set, own, mirrored| {
                    let place = [ranks.place(set), output];
                    fits[0].values[place] += half * (own - mirrored);
                    fits[1].values[place] += half * (own + mirrored);
                });
            });
            for (fit, parity) in fits.iter_mut().zip(Parity::BOTH) {
                for pair in 0..m {
                    let told = (own[pair] + parity.sign() * others[pair]) / 2.0;
                    fit.said[[pair, output]] += share * told;
                    if is_left_out(pair, fold) {
                        fit.left_out[[pair, output]] = told;
                    }
                }
            }
        }
    }
    fits
}

/// ∫ tⁱ (1 − t)ʲ dμ: (size − 1, i, j).
fn moments(measures: &Measures, order: usize, depth: usize) -> Vec<Vec<Vec<f64>>> {
    let of = |size: usize| (0..=depth).map(|i| (0..=depth).map(|j| measures.moment(size, i, j)).collect()).collect();
    (1..=order).map(of).collect()
}

struct Leaf<'a> {
    inside: usize,
    outside: usize,
    order: usize,
    moments: &'a [Vec<Vec<f64>>],
}

impl Leaf<'_> {
    /// Visits every set of `players` that begins with `set`, of which `against` must be absent, with its value in
    /// the leaf and in the one with those present and those absent exchanged.
    fn visit(
        &self,
        players: &[(usize, bool)],
        set: &mut Vec<usize>,
        against: usize,
        each: &mut impl FnMut(&[usize], f64, f64),
    ) {
        for (at, &(player, present)) in players.iter().enumerate() {
            set.push(player);
            let against = against + usize::from(!present);
            let of_size = &self.moments[set.len() - 1];
            let (i, j) = (self.inside + against - set.len(), self.outside - against);
            let sign = |n: usize| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
            let mirrored = sign(set.len() - against) * of_size[j][i];
            each(set, sign(against) * of_size[i][j], mirrored);
            if set.len() < self.order {
                self.visit(&players[at + 1..], set, against, each);
            }
            set.pop();
        }
    }
}
