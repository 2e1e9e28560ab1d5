//! The regressions against equations solved by hand, and for thousands of players.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use xai_local::shapley::{Estimator, KernelShap, LeverageShap};

use crate::games::Formula;

/// Some thousand products in f64, solved twice.
const ROUNDING: f64 = 1e-9;

fn rugged(present: &[bool]) -> f64 {
    let sum: f64 = present.iter().enumerate().map(|(p, &here)| if here { (p * 7 % 5) as f64 - 1.5 } else { 0.1 }).sum();
    sum.sin() + (0.1 * sum).exp()
}

/// Gauss's elimination with pivots.
fn solve(mut matrix: Array2<f64>, mut right: Array1<f64>) -> Array1<f64> {
    let n = right.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&a, &b| matrix[[a, column]].abs().total_cmp(&matrix[[b, column]].abs()));
        let pivot = pivot.unwrap();
        for k in 0..n {
            matrix.swap([column, k], [pivot, k]);
        }
        right.swap(column, pivot);
        for row in (0..n).filter(|&row| row != column) {
            let factor = matrix[[row, column]] / matrix[[column, column]];
            for k in column..n {
                matrix[[row, k]] -= factor * matrix[[column, k]];
            }
            right[row] -= factor * right[column];
        }
    }
    Array1::from_shape_fn(n, |row| right[row] / matrix[[row, row]])
}

/// With the coalitions that were asked, each size as heavy as the Shapley kernel makes it: Lagrange's equations of
/// Σ w (v(S) − v(∅) − Σ_{i ∈ S} φᵢ)² under Σ φ = v(N) − v(∅).
#[test]
fn regressions_solve_the_normal_equations() {
    const N: usize = 13;
    // Leverage scores give every size as many draws: 2, 3, and 40 of each of five, over pairs and over players.
    for draws in [10, 15, 200] {
        let game = Formula::new(N, rugged);
        let leverage = LeverageShap { n_coalitions: Some(2 * (N + draws)) };
        let found = game.shares(&leverage, 11).unwrap().values;
        let asked = game.asked.lock().unwrap().clone();
        let mut of_size: BTreeMap<usize, f64> = BTreeMap::new();
        let size = |row: &[bool]| row.iter().filter(|p| **p).count();
        asked.iter().for_each(|row| *of_size.entry(size(row)).or_default() += 1.0);
        assert_eq!(of_size.len(), N - 1);

        let (mut matrix, mut right) = (Array2::<f64>::zeros((N + 1, N + 1)), Array1::<f64>::zeros(N + 1));
        let nobody = rugged(&[false; N]);
        for row in &asked {
            let s = size(row);
            let weight = (N - 1) as f64 / (s * (N - s)) as f64 / of_size[&s];
            for i in (0..N).filter(|&i| row[i]) {
                right[i] += weight * (rugged(row) - nobody);
                (0..N).filter(|&j| row[j]).for_each(|j| matrix[[i, j]] += weight);
            }
        }
        (0..N).for_each(|i| (matrix[[i, N]], matrix[[N, i]]) = (1.0, 1.0));
        right[N] = rugged(&[true; N]) - nobody;
        let expected = solve(matrix, right);
        for player in 0..N {
            let difference = found[[player, 0]] - expected[player];
            assert!(difference.abs() < ROUNDING, "{draws} draws, player {player}: off by {difference}");
        }
    }
}

/// Two players for every word of a long text, with pairs and triples: exact but for the triples, and with errors.
#[test]
fn two_thousand_players() {
    const N: usize = 2000;
    let slope = |p: usize| (p % 17) as f64 - 8.0;
    let pairwise = |present: &[bool]| {
        let alone: f64 = (0..N).filter(|&p| present[p]).map(slope).sum();
        let pairs = (0..N - 1).filter(|&p| present[p] && present[p + 1]).count();
        alone + 0.5 * pairs as f64
    };
    let owed = |p: usize| slope(p) + 0.25 * f64::from(u8::from(p > 0) + u8::from(p + 1 < N));
    for estimator in [
        &KernelShap { n_coalitions: Some(2 * N + 256) } as &dyn Estimator,
        &LeverageShap { n_coalitions: Some(2 * N + 256) },
    ] {
        let estimate = Formula::new(N, pairwise).shares(estimator, 3).unwrap();
        assert_eq!(estimate.coalitions, 2 * N as u64 + 256);
        for (player, value) in estimate.values.iter().enumerate() {
            assert!((value - owed(player)).abs() < ROUNDING, "{}: {value} for {}", estimator.name(), owed(player));
        }
        assert!(estimate.standard_error.unwrap().iter().all(|e| *e < ROUNDING));
    }
}
