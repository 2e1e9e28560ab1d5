//! Metrics that go along an order of the players, against one coalition at a time.

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use xai_core::{Masker, Output, Run};
use xai_eval::*;

use crate::zoo::{Function, attribution};

/// Sums of a dozen numbers, correlations of seven.
const ROUNDING: f64 = 1e-12;

/// Two baselines, with weights; `shared` says that nothing of a sample is left when all players are absent.
struct Two {
    rows: Array2<f64>,
    shared: bool,
}

impl Masker<xai_core::Table> for Two {
    fn n_players(&self, batch: &xai_core::Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        &[0.3, 0.7]
    }
    fn empty_is_shared(&self) -> bool {
        self.shared
    }
    fn mask(
        &self,
        batch: &xai_core::Table,
        sample: usize,
        coalitions: &ndarray::ArrayRef2<bool>,
    ) -> xai_core::Result<Array2<f64>> {
        Ok(Array2::from_shape_fn((2 * coalitions.nrows(), batch.ncols()), |(r, j)| {
            if coalitions[[r / 2, j]] { batch[[sample, j]] } else { self.rows[[r % 2, j]] }
        }))
    }
    fn describe(&self) -> String {
        "two".into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Curves, falls, spreads and kept parts of any number of samples, players and outputs, one coalition at a time.
    #[test]
    fn paths_are_what_single_coalitions_say(
        (n, p, outputs) in (1usize..4, 1usize..8, 1usize..4),
        (n_steps, insertion, shared) in (1usize..9, any::<bool>(), any::<bool>()),
        salt in 0usize..1000,
    ) {
        let wave = |i: usize, j: usize, k: usize| ((salt + i * 101 + j * 37 + k * 13) as f64 * 0.618).sin();
        let values = Array3::from_shape_fn((n, p, outputs), |(i, j, k)| wave(i, j, k));
        let batch = Array2::from_shape_fn((n, p), |(i, j)| wave(j, i, 7));
        let masker = Two { rows: Array2::from_shape_fn((2, p), |(r, j)| wave(r, j, 11)), shared };
        let of = move |row: &[f64], k: usize| {
            (0..row.len()).map(|j| (row[j] * (j + k + 1) as f64).sin()).product::<f64>() + row[0] * (k + 1) as f64
        };
        let model = Function::new(outputs, move |row| (0..outputs).map(|k| of(&row.to_vec(), k)).collect());
        let mut shares = attribution(&Array2::zeros((n, p)));
        shares.outputs = Output::unnamed(outputs);
        (shares.base, shares.scores) = (Array2::zeros((n, outputs)), Array2::zeros((n, outputs)));
        shares.values = values.clone();
        let worth = |i: usize, k: usize, present: &dyn Fn(usize) -> bool| -> f64 {
            [0.3, 0.7].iter().enumerate().map(|(r, weight)| {
                let row: Vec<f64> =
                    (0..p).map(|j| if present(j) { batch[[i, j]] } else { masker.rows[[r, j]] }).collect();
                weight * of(&row, k)
            }).sum()
        };
        let first = |i: usize, k: usize, count: usize| -> Vec<usize> {
            let mut order: Vec<usize> = (0..p).collect();
            order.sort_by(|&a, &b| values[[i, b, k]].total_cmp(&values[[i, a, k]]));
            order.truncate(count);
            order
        };
        let case = Case::new(&model, &*batch).with_masker(&masker);
        let run = Run::default();

        let curve = RemovalCurve { insertion, n_steps, ..RemovalCurve::default() };
        let found = curve.curves(&case, &shares, &run).unwrap();
        let n_steps = n_steps.min(p);
        for ((i, point, k), score) in found.scores.indexed_iter() {
            let gone = first(i, k, p * point / n_steps);
            prop_assert!((score - worth(i, k, &|j| gone.contains(&j) == insertion)).abs() < ROUNDING);
        }
        let (falls, _) = RegionPerturbation::default().falls(&case, &shares, &run).unwrap();
        for ((i, point, k), fall) in falls.indexed_iter() {
            let gone = first(i, k, point);
            let expected = worth(i, k, &|_| true) - worth(i, k, &|j| !gone.contains(&j));
            prop_assert!((fall - expected).abs() < ROUNDING);
        }
        // Ranks of sizes and of mean squared changes: the second by hand, over both baselines.
        let found = MonotonicityCorrelation::default().measure(&case, &shares, &run).unwrap();
        for ((i, k), value) in found.values.indexed_iter() {
            let whole = worth(i, k, &|_| true);
            let change = |j: usize| -> f64 {
                [0.3, 0.7].iter().enumerate().map(|(r, weight)| {
                    let mut row = batch.row(i).to_vec();
                    row[j] = masker.rows[[r, j]];
                    weight * (of(&row, k) - whole).powi(2)
                }).sum()
            };
            let rank = |all: &[f64], own: f64| all.iter().filter(|v| **v < own).count() as f64;
            let (sizes, changes): (Vec<f64>, Vec<f64>) =
                (0..p).map(|j| (values[[i, j, k]].abs(), change(j))).unzip();
            let distance: f64 = (0..p).map(|j| (rank(&sizes, sizes[j]) - rank(&changes, changes[j])).powi(2)).sum();
            let n = p as f64;
            let expected = 1.0 - 6.0 * distance / (n * (n * n - 1.0));
            let right = if p == 1 { value.is_nan() } else { (value - expected).abs() < ROUNDING };
            prop_assert!(right, "{} and {}", value, expected);
        }
    }
}
