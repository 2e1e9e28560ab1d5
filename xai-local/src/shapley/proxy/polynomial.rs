//! Odd polynomials of ±1 memberships, fitted by weighted least squares.
//!
//! A term is the product of the memberships x of an odd number of players, 1 for present and −1 for absent; products of
//! an even number are the same for a coalition and its complement. On the coalition of all every term is 1, so that
//! efficiency is one linear constraint on the coefficients, and a term's value is shared equally by its players.

use ndarray::{Array1, Array2, Axis};

use super::Fit;
use super::sample::Sampled;
use super::share::of_seen;
use crate::cholesky::Cholesky;

/// The players of a term, ascending.
pub(crate) type Term = Vec<usize>;

/// A polynomial that was fitted.
pub(crate) struct Regressed {
    /// What it makes of the sample.
    pub fit: Fit,
    /// What it leaves of half of each pair's difference: (pair, output).
    pub residual: Array2<f64>,
    /// The coefficients: (term, output).
    pub coefficients: Array2<f64>,
}

/// What a polynomial owes the worth of all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gain {
    /// It is met exactly.
    Met,
    /// Nothing: a polynomial that lacks terms bends too far to meet it.
    Ignored,
}

/// Fits `terms` to the sample, pairs weighing by `weight`; nothing if the pairs do not settle the coefficients.
///
/// # Cost
/// O(m p²) for m pairs and p terms, m · p numbers.
pub(crate) fn regress(sampled: &Sampled, terms: &[Term], weight: &Array1<f64>, gain: Gain) -> Option<Regressed> {
    let columns = columns(&sampled.signs, terms);
    let weights = weight.view().insert_axis(Axis(1));
    let weighted = &columns * &weights;
    let normal = Cholesky::new(weighted.t().dot(&columns)).ok()?;
    let half = &sampled.difference * 0.5;
    let mut ones = normal.solve(&Array2::ones((terms.len(), 1)));
    let all = ones.sum();
    if gain == Gain::Ignored {
        ones.fill(0.0);
    }
    let mut coefficients = normal.solve(&weighted.t().dot(&half));
    let lack = (&sampled.gain * 0.5 - coefficients.sum_axis(Axis(0))) / all;
    coefficients += &ones.dot(&lack.insert_axis(Axis(0)));

    let residual = &half - &columns.dot(&coefficients);
    // How the coefficients follow each pair: (term, pair), before weights.
    let mut pulls = normal.solve(&columns.t());
    let along = ones.t().dot(&columns.t());
    pulls -= &(ones.dot(&along) / all);
    let leverage = (&pulls.t() * &weighted).sum_axis(Axis(1));
    let left = |pair: usize| 1.0 / (1.0 - leverage[pair]).max(f64::EPSILON);
    let lost = Array2::from_shape_fn(residual.dim(), |(pair, o)| residual[[pair, o]] * left(pair));
    let left_out = (&half - &lost) * 2.0;

    let mut shares = of_seen(sampled, &(&residual * 2.0));
    let mut share_pulls = Array2::<f64>::zeros((sampled.n, sampled.len()));
    for (k, term) in terms.iter().enumerate() {
        let part = 2.0 / term.len() as f64;
        for &player in term {
            shares.row_mut(player).scaled_add(part, &coefficients.row(k));
            share_pulls.row_mut(player).scaled_add(part, &pulls.row(k));
        }
    }
    let mut noise = lost;
    for (pair, mut row) in noise.outer_iter_mut().enumerate() {
        let unseen = sampled.unseen[pair] * weight[pair] * weight[pair];
        row.mapv_inplace(|r| r * r * unseen);
    }
    let standard_error = share_pulls.mapv(|x| x * x).dot(&noise).mapv(f64::sqrt);
    Some(Regressed { fit: Fit { shares, left_out, standard_error: Some(standard_error) }, residual, coefficients })
}

/// The terms on the pairs: (pair, term).
fn columns(signs: &Array2<f64>, terms: &[Term]) -> Array2<f64> {
    let mut columns = Array2::ones((signs.nrows(), terms.len()));
    for (mut row, signs) in columns.outer_iter_mut().zip(signs.outer_iter()) {
        for (cell, term) in row.iter_mut().zip(terms) {
            term.iter().for_each(|&player| *cell *= signs[player]);
        }
    }
    columns
}

/// All terms of `n` players with an odd number of at most `order` of them.
pub(crate) fn all_terms(n: usize, order: usize) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for size in (1..=order.min(n)).step_by(2) {
        let mut term: Term = (0..size).collect();
        loop {
            terms.push(term.clone());
            let Some(k) = (0..size).rposition(|k| term[k] < n - size + k) else { break };
            term[k] += 1;
            for later in k + 1..size {
                term[later] = term[later - 1] + 1;
            }
        }
    }
    terms
}

/// How many [`all_terms`] are.
pub(crate) fn count_terms(n: usize, order: usize) -> f64 {
    let mut count = 1.0;
    let mut sum = 0.0;
    for size in 1..=order.min(n) {
        count *= (n + 1 - size) as f64 / size as f64;
        if size % 2 == 1 {
            sum += f64::round(count);
        }
    }
    sum
}
