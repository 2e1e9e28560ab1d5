//! Few products of memberships that tell one part of a game.
//!
//! The odd part is a sum of products of one, three, … memberships x, 1 for present and −1 for absent; the even part one of
//! none, two, …. Singles always enter; pairs and triples some at a time, by what they have in common with what is left.

use std::collections::HashSet;

use ndarray::{Array2, Axis, Slice};

use super::super::sets::Ranks;
use super::fit::Fit;
use super::seen::{Parity, Seen};
use crate::cholesky::Cholesky;
use crate::tree::interactions::measure::Measures;

/// Players whose triples are looked at; of more players, those with the largest coefficients of their own.
const MOST_PLAYERS: usize = 128;

/// Pairs of coalitions on which triples are compared.
const MOST_COMPARED: usize = 2048;

/// Pairs times terms of a regression: a quarter of a gigabyte.
const MOST_CELLS: usize = 1 << 25;

/// A share of the squares that is rounding.
const NOTHING: f64 = 1e-24;

/// Squares of coefficients this far below the largest are rounding.
const ROUNDING: f64 = 1e-20;

/// Rounds without a better fit before the search ends.
const PATIENCE: usize = 3;

/// The most players of a term.
const LARGEST: usize = 3;

struct Regressed {
    coefficients: Array2<f64>,
    said: Array2<f64>,
    left_out: Array2<f64>,
    charged: f64,
}

/// The fit and what it loses, where each product is charged for having been chosen among many (risk inflation
/// criterion: Foster & George, *Annals of Statistics* 1994); nothing if not even the first terms are settled.
pub(super) fn fit(seen: &Seen, parity: Parity, measures: &Measures, ranks: &Ranks) -> Option<(Fit, f64)> {
    let (m, n) = seen.signs.dim();
    let mut terms: Vec<Vec<usize>> = match parity {
        Parity::Odd => (0..n).map(|player| vec![player]).collect(),
        Parity::Even => vec![Vec::new()],
    };
    let always = terms.len();
    let regress =
        |terms: &[Vec<usize>], charge: f64| regress(seen, parity, terms, charge * (terms.len() - always) as f64);
    let mut last = regress(&terms, 0.0)?;
    let players = match parity {
        Parity::Odd => largest(&last.coefficients, MOST_PLAYERS),
        Parity::Even => (0..n).collect(),
    };
    let q = players.len() as f64;
    let candidates = if parity == Parity::Odd { q * (q - 1.0) * (q - 2.0) / 6.0 } else { q * (q - 1.0) / 2.0 };
    let charge = 2.0 * candidates.max(1.0).ln() / m as f64;
    let most = (m / 2).min(MOST_CELLS / m);
    let (mut best, mut kept, mut rounds) = (last.charged, terms.clone(), 0);
    while rounds < PATIENCE && best > NOTHING {
        let more = (terms.len() / 4).max(4).min(most.saturating_sub(terms.len()));
        let residual = seen.part(parity) - &last.said;
        let chosen = likeliest(seen, parity, &residual, &players, &terms, more);
        if chosen.is_empty() {
            break;
        }
        terms.extend(chosen);
        let Some(next) = regress(&terms, charge) else { break };
        rounds += 1;
        if next.charged < best {
            best = next.charged;
            kept.clone_from(&terms);
            rounds = 0;
        }
        last = next;
    }
    let mut all = if kept.len() == terms.len() { last } else { regress(&kept, charge)? };
    // They entered some at a time: those that turn out to tell less than their charge leave again.
    let left = (seen.part(parity) - &all.said).mapv(|x| x * x).mean().unwrap_or(0.0);
    let squares: Vec<f64> = all.coefficients.outer_iter().map(|row| row.dot(&row)).collect();
    let least = (charge * left).max(ROUNDING * squares.iter().fold(0.0, |most: f64, x| most.max(*x)));
    let mut place = 0..;
    let mut fewer = kept.clone();
    fewer.retain(|_| place.next().is_some_and(|k| k < always || squares[k] > least));
    let leaner = if fewer.len() < kept.len() { regress(&fewer, charge) } else { None };
    if let Some(leaner) = leaner.filter(|leaner| leaner.charged <= all.charged.max(NOTHING)) {
        (all, kept) = (leaner, fewer);
    }
    let values = values(&kept, &all.coefficients, measures, ranks);
    Some((Fit { values, said: all.said, left_out: all.left_out }, all.charged))
}

/// Least squares, and what the fit without a pair says of it.
fn regress(seen: &Seen, parity: Parity, terms: &[Vec<usize>], charge: f64) -> Option<Regressed> {
    let x = columns(&seen.signs, terms);
    let y = seen.part(parity);
    let normal = Cholesky::new(x.t().dot(&x)).ok()?;
    let coefficients = normal.solve(&x.t().dot(y));
    let leverage = (&normal.solve(&x.t()).t() * &x).sum_axis(Axis(1));
    let said = x.dot(&coefficients);
    let mut left_out = y - &said;
    for (mut row, leverage) in left_out.outer_iter_mut().zip(leverage) {
        row /= (1.0 - leverage).max(f64::EPSILON);
    }
    let left_out = y - left_out;
    let charged = seen.lost(parity, &left_out) * (1.0 + charge);
    Some(Regressed { coefficients, said, left_out, charged })
}

fn columns(signs: &Array2<f64>, terms: &[Vec<usize>]) -> Array2<f64> {
    let mut columns = Array2::ones((signs.nrows(), terms.len()));
    for (mut row, signs) in columns.outer_iter_mut().zip(signs.outer_iter()) {
        for (cell, term) in row.iter_mut().zip(terms) {
            term.iter().for_each(|&player| *cell *= signs[player]);
        }
    }
    columns
}

/// The rows with the largest coefficients, ascending.
fn largest(coefficients: &Array2<f64>, most: usize) -> Vec<usize> {
    let size: Vec<f64> = coefficients.outer_iter().map(|row| row.dot(&row)).collect();
    let mut players: Vec<usize> = (0..size.len()).collect();
    players.sort_by(|&a, &b| size[b].total_cmp(&size[a]));
    players.truncate(most);
    players.sort_unstable();
    players
}

/// The `more` triples (odd) or pairs (even), not among `terms`, that have most in common with `residual`.
fn likeliest(
    seen: &Seen,
    parity: Parity,
    residual: &Array2<f64>,
    players: &[usize],
    terms: &[Vec<usize>],
    more: usize,
) -> Vec<Vec<usize>> {
    let known: HashSet<&[usize]> = terms.iter().map(Vec::as_slice).collect();
    // Pairs lie by size; every so many of them are as good as all.
    let step = if parity == Parity::Odd { seen.len().div_ceil(MOST_COMPARED) } else { 1 };
    let rows = Slice::new(0, None, step as isize);
    let signs = seen.signs.slice_axis(Axis(0), rows).select(Axis(1), players);
    let residual = residual.slice_axis(Axis(0), rows);
    let scale: Vec<f64> = residual.columns().into_iter().map(|c| c.dot(&c).max(f64::MIN_POSITIVE)).collect();
    let q = players.len();
    let mut found: Vec<(f64, Vec<usize>)> = Vec::new();
    // Products of one player more than this one, if any, with two later ones.
    let firsts: Vec<Option<usize>> = if parity == Parity::Odd { (0..q).map(Some).collect() } else { vec![None] };
    for first in firsts {
        let start = first.map_or(0, |i| i + 1);
        let later = signs.slice_axis(Axis(1), Slice::from(start..q));
        let mut common = Array2::<f64>::zeros((q - start, q - start));
        for (column, scale) in residual.columns().into_iter().zip(&scale) {
            let own = match first {
                Some(i) => &column * &signs.column(i),
                None => column.to_owned(),
            };
            common += &(&later * &own.insert_axis(Axis(1))).t().dot(&later).mapv(|x| x * x / scale);
        }
        for j in 0..q - start {
            for k in j + 1..q - start {
                let pair = [players[start + j], players[start + k]];
                let term = first.map(|i| players[i]).into_iter().chain(pair).collect();
                found.push((common[[j, k]], term));
            }
        }
    }
    found.retain(|(_, term)| !known.contains(term.as_slice()));
    let order = |a: &(f64, Vec<usize>), b: &(f64, Vec<usize>)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if more < found.len() {
        found.select_nth_unstable_by(more, order);
        found.truncate(more);
    }
    found.sort_by(order);
    found.into_iter().map(|(_, term)| term).collect()
}

/// In a product of the players P, a set U ⊆ P has the value 2^|U| ∫ (2t − 1)^|P∖U| dμ.
fn values(terms: &[Vec<usize>], coefficients: &Array2<f64>, measures: &Measures, ranks: &Ranks) -> Array2<f64> {
    let nodes = measures.nodes(LARGEST + 1, 1, true);
    let share = |size: usize, gap: usize| -> f64 {
        let sum: f64 = nodes
            .t
            .iter()
            .zip(&nodes.rest)
            .zip(&nodes.weights[size - 1])
            .map(|((t, r), w)| w * (t - r).powi(gap as i32))
            .sum();
        2f64.powi(size as i32) * sum
    };
    let shares: Vec<Vec<f64>> = (1..=ranks.order().min(LARGEST))
        .map(|size| (0..=LARGEST - size).map(|gap| share(size, gap)).collect())
        .collect();
    let mut values = Array2::zeros((ranks.len(), coefficients.ncols()));
    let mut set = Vec::new();
    for (term, coefficients) in terms.iter().zip(coefficients.outer_iter()) {
        for mask in 1u32..1 << term.len() {
            set.clear();
            set.extend(term.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, &player)| player));
            if let Some(shares) = shares.get(set.len() - 1) {
                values.row_mut(ranks.place(&set)).scaled_add(shares[term.len() - set.len()], &coefficients);
            }
        }
    }
    values
}
