//! Which few of very many triple products a game has.

use std::collections::HashSet;

use ndarray::{Array1, Array2, Axis, Slice};

use super::polynomial::{Gain, Regressed, Term, all_terms, regress};
use super::sample::Sampled;

/// Players whose triples are looked at; of more players, those with the largest shares in the linear fit.
const MOST_PLAYERS: usize = 128;

/// Pairs on which triples are compared.
const MOST_COMPARED: usize = 2048;

/// Pairs times terms of the regression: a quarter of a gigabyte.
const MOST_CELLS: usize = 1 << 25;

/// What is left of the differences, as a share of their squares, that needs no further term.
const NOTHING: f64 = 1e-24;

/// Squares of coefficients this far below the largest are rounding.
const ROUNDING: f64 = 1e-20;

/// Rounds without a better fit before the search ends.
const PATIENCE: usize = 3;

/// A polynomial of all players and of those triples that best tell what the others leave.
///
/// Triples enter some at a time, by how much they have in common with what is left. The number of them is the one with
/// the least squares left out, where each triple is charged for having been chosen among many (the risk inflation
/// criterion of Foster & George, *Annals of Statistics* 1994). Only the last fit meets the worth of all: a polynomial that
/// still lacks triples would bend to do so, and hide which.
pub(crate) struct Sparse {
    /// The fit.
    pub regressed: Regressed,
    /// The number of triples.
    pub triples: usize,
    /// The mean square of what is left out, charged.
    pub charged: f64,
    /// What the triples are charged together. From 1 on so many were chosen by so few pairs that what is left out says
    /// nothing, unless it is nothing.
    pub charge: f64,
}

/// Nothing if not even a linear function is settled.
pub(crate) fn sparse(sampled: &Sampled) -> Option<Sparse> {
    let (m, n) = sampled.signs.dim();
    let weight = Array1::ones(m);
    let mut terms = all_terms(n, 1);
    let mut last = regress(sampled, &terms, &weight, Gain::Ignored)?;
    let players = players(&last);
    let q = players.len() as f64;
    let charge = 2.0 * (q * (q - 1.0) * (q - 2.0) / 6.0).max(1.0).ln() / m as f64;
    let charged = sampled.lost(&last.fit);
    let mut best = (0, charged);
    let mut kept = terms.clone();
    let mut rounds = 0;
    let most = (m / 2).min(MOST_CELLS / m.max(1));
    while rounds < PATIENCE && best.1 > NOTHING {
        let more = (terms.len() / 4).max(4).min(most.saturating_sub(terms.len()));
        let chosen = likeliest(sampled, &last.residual, &players, &terms, more);
        if chosen.is_empty() {
            break;
        }
        terms.extend(chosen);
        let Some(next) = regress(sampled, &terms, &weight, Gain::Ignored) else { break };
        let triples = terms.len() - n;
        let charged = sampled.lost(&next.fit) * (1.0 + charge * triples as f64);
        rounds += 1;
        if charged < best.1 {
            best = (triples, charged);
            kept.clone_from(&terms);
            rounds = 0;
        }
        last = next;
    }
    let regressed = regress(sampled, &kept, &weight, Gain::Met)?;
    // They entered some at a time: those that turn out to tell less than their charge leave again.
    let charged = sampled.lost(&regressed.fit) * (1.0 + charge * best.0 as f64);
    let all = Sparse { regressed, triples: best.0, charged, charge: charge * best.0 as f64 };
    let worthy = worthy(&all.regressed, n, charge);
    let fewer: Vec<Term> =
        kept.iter().zip(worthy).filter(|(_, worthy)| *worthy).map(|(term, _)| term.clone()).collect();
    if fewer.len() == kept.len() {
        return Some(all);
    }
    let regressed = regress(sampled, &fewer, &weight, Gain::Met)?;
    let triples = fewer.len() - n;
    let charged = sampled.lost(&regressed.fit) * (1.0 + charge * triples as f64);
    let fewer = Sparse { regressed, triples, charged, charge: charge * triples as f64 };
    Some(if charged <= all.charged.max(NOTHING) { fewer } else { all })
}

/// Which terms tell more than they are charged for: single players always, triples by the square of their coefficients
/// beside the mean square of what is left.
fn worthy(regressed: &Regressed, n: usize, charge: f64) -> Vec<bool> {
    let left = regressed.residual.mapv(|r| r * r).mean().unwrap_or(0.0);
    let squares: Vec<f64> = regressed.coefficients.outer_iter().map(|row| row.dot(&row)).collect();
    let largest = squares.iter().fold(0.0, |most: f64, x| most.max(*x));
    let least = (charge * left).max(ROUNDING * largest);
    squares.iter().enumerate().map(|(k, square)| k < n || *square > least).collect()
}

/// Those with the largest coefficients of their own, ascending.
fn players(linear: &Regressed) -> Vec<usize> {
    let size: Vec<f64> = linear.coefficients.outer_iter().map(|row| row.dot(&row)).collect();
    let mut players: Vec<usize> = (0..size.len()).collect();
    players.sort_by(|&a, &b| size[b].total_cmp(&size[a]));
    players.truncate(MOST_PLAYERS);
    players.sort_unstable();
    players
}

/// The `more` triples, not among `terms`, that have most in common with `residual` (pair, output).
fn likeliest(sampled: &Sampled, residual: &Array2<f64>, players: &[usize], terms: &[Term], more: usize) -> Vec<Term> {
    let known: HashSet<&[usize]> = terms.iter().map(Vec::as_slice).collect();
    // Pairs lie by size; every so many of them are as good as all.
    let step = sampled.len().div_ceil(MOST_COMPARED);
    let rows = Slice::new(0, None, step as isize);
    let signs = sampled.signs.slice_axis(Axis(0), rows).select(Axis(1), players);
    let residual = residual.slice_axis(Axis(0), rows);
    let scale: Vec<f64> = residual.columns().into_iter().map(|c| c.dot(&c).max(f64::MIN_POSITIVE)).collect();
    let q = players.len();
    let mut found: Vec<(f64, [usize; 3])> = Vec::new();
    for i in 0..q.saturating_sub(2) {
        let later = signs.slice_axis(Axis(1), Slice::from(i + 1..q));
        let mut common = Array2::<f64>::zeros((q - i - 1, q - i - 1));
        for (column, scale) in residual.columns().into_iter().zip(&scale) {
            let own = (&column * &signs.column(i)).insert_axis(Axis(1));
            common += &(&later * &own).t().dot(&later).mapv(|x| x * x / scale);
        }
        for j in 0..q - i - 1 {
            for k in j + 1..q - i - 1 {
                found.push((common[[j, k]], [players[i], players[i + 1 + j], players[i + 1 + k]]));
            }
        }
    }
    found.retain(|(_, term)| !known.contains(term.as_slice()));
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().take(more).map(|(_, term)| term.to_vec()).collect()
}
