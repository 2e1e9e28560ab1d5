//! Samples for a model that is tuned on what a metric hides.

use std::collections::HashSet;

use ndarray::{Array1, Array2, ArrayRef2};
use xai_core::{Batch, Error, Masker, Result, Run, Table};
use xai_eval::FFidelity;

use crate::zoo::{Baseline, Function, table};

/// What every absent feature becomes.
const AWAY: f64 = 9.0;
const FEATURES: usize = 10;

fn gone(masked: &Array2<f64>) -> Vec<Vec<usize>> {
    masked.outer_iter().map(|row| (0..row.len()).filter(|j| row[*j] == AWAY).collect()).collect()
}

#[test]
fn tuning_never_hides_more_than_the_metric() {
    const ROUNDS: usize = 200;
    let (batch, masker) = (table(4, FEATURES), Baseline(Array1::from_elem(FEATURES, AWAY)));
    let metric = FFidelity { most: 0.35, ..FFidelity::plus() };
    let mut sizes = [0usize; 4];
    let mut alone = [0usize; FEATURES];
    for round in 0..ROUNDS {
        let masked = metric.masked(&masker, &*batch, round, &Run::default()).unwrap();
        assert!(masked.iter().zip(&batch).all(|(now, before)| *now == AWAY || now == before));
        for set in gone(&masked) {
            sizes[set.len()] += 1;
            set.into_iter().for_each(|feature| alone[feature] += 1);
        }
    }
    // 800 samples, each number from 0 to 3 as often, within five standard errors of √(800·¼·¾).
    sizes.iter().for_each(|n| assert!(n.abs_diff(200) < 62, "{sizes:?}"));
    // 1.5 of ten features are gone on average.
    alone.iter().for_each(|n| assert!(n.abs_diff(120) < 55, "{alone:?}"));
}

#[test]
fn rounds_differ_and_cuts_do_not() {
    let (batch, masker) = (table(6, FEATURES), Baseline(Array1::from_elem(FEATURES, AWAY)));
    let metric = FFidelity { most: 0.5, ..FFidelity::plus() };
    let run = Run { seed: 3, ..Run::default() };
    let all = |round: usize| metric.masked(&masker, &*batch, round, &run).unwrap();
    let different: HashSet<Vec<Vec<usize>>> = (0..20).map(|round| gone(&all(round))).collect();
    assert_eq!(different.len(), 20);
    for sample in 0..6 {
        let run = Run { first_sample: sample as u64, ..run };
        let alone = metric.masked(&masker, &*batch.samples(sample..sample + 1), 7, &run).unwrap();
        assert_eq!(alone, all(7).samples(sample..sample + 1));
    }
    assert_eq!(metric.masked(&masker, &*batch.samples(0..0), 0, &run).unwrap().dim(), (0, FEATURES));
}

/// Two rows to draw from, the second three times as often.
struct Two;

impl Masker<Table> for Two {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        &[0.25, 0.75]
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let value = |(row, j): (usize, usize)| {
            if coalitions[[row / 2, j]] { batch[[sample, j]] } else { 10.0 + (row % 2) as f64 }
        };
        Ok(Array2::from_shape_fn((2 * coalitions.nrows(), batch.ncols()), value))
    }
    fn describe(&self) -> String {
        "two".into()
    }
}

#[test]
fn replicas_are_drawn_by_their_weights() {
    let batch = table(1, 2);
    let metric = FFidelity { most: 0.5, ..FFidelity::plus() };
    let mut drawn = [0usize; 2];
    for round in 0..2000 {
        let masked = metric.masked(&Two, &*batch, round, &Run::default()).unwrap();
        if let Some(away) = masked.iter().find(|x| **x >= 10.0) {
            drawn[(away - 10.0) as usize] += 1;
        }
    }
    let n = (drawn[0] + drawn[1]) as f64;
    // Half of the rounds hide one; five standard errors of a share of ¼.
    assert!((800.0..1200.0).contains(&n));
    assert!((drawn[0] as f64 / n - 0.25).abs() < 5.0 * (0.1875 / n).sqrt(), "{drawn:?}");
}

#[test]
fn every_round_gets_the_model_of_the_one_before() {
    let (batch, masker) = (table(3, 4), Baseline(Array1::from_elem(4, AWAY)));
    let metric = FFidelity { most: 0.5, ..FFidelity::plus() };
    let mut seen = Vec::new();
    let start = Function::new(1, |_| vec![0.0]);
    let tuned = metric.tuned(start, &masker, &*batch, 3, &Run::default(), |model, masked| {
        seen.push(masked.to_owned());
        let round = seen.len();
        Ok(Function::new(1, move |row| vec![(model.score)(row)[0] + round as f64]))
    });
    use xai_core::Model;
    assert_eq!(tuned.unwrap().predict(&batch).unwrap()[[0, 0]], 6.0);
    for (round, seen) in seen.iter().enumerate() {
        assert_eq!(*seen, metric.masked(&masker, &*batch, round, &Run::default()).unwrap());
    }
    let stops = metric.tuned(Function::new(1, |_| vec![0.0]), &masker, &*batch, 3, &Run::default(), |_, _| {
        Err(Error::unsupported("this model", "it learns nothing"))
    });
    assert!(stops.is_err());
    let wrong = FFidelity { most: 0.0, ..metric };
    assert!(matches!(wrong.masked(&masker, &*batch, 0, &Run::default()), Err(Error::Parameter { .. })));
}
