//! Many samples are asked in few calls, with the same answers as one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, ArrayRef2, array};
use xai_core::{Attribution, Batch, Masker, Model, Replicas, Result, Run, Table};
use xai_eval::*;

use crate::zoo::{attribution, table};

/// A row's score bends and mixes; counts the calls.
#[derive(Default)]
struct Calls(AtomicUsize);

fn score(row: impl Iterator<Item = f64>) -> f64 {
    let row: Vec<f64> = row.collect();
    row.iter().enumerate().map(|(j, x)| (x * (j + 1) as f64).tanh()).sum::<f64>() + row[0] * row[1]
}

impl Model for Calls {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let scores: Vec<f64> = batch.outer_iter().map(|row| score(row.iter().copied())).collect();
        Ok(Array2::from_shape_vec((scores.len(), 1), scores).unwrap())
    }
}

/// Absent features come from two rows; with `own`, a coalition has one to three replicas with weights of its own.
struct Rows {
    own: bool,
}

const AWAY: [f64; 3] = [0.25, -0.5, 0.125];

impl Masker<Table> for Rows {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        if self.own { &[0.25, 0.25, 0.5] } else { &[0.25, 0.75] }
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let n = self.weights().len();
        let value =
            |(row, j): (usize, usize)| if coalitions[[row / n, j]] { batch[[sample, j]] } else { AWAY[row % n] };
        Ok(Array2::from_shape_fn((coalitions.nrows() * n, batch.ncols()), value))
    }
    fn replicas(
        &self,
        batch: &Table,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
    ) -> Result<Option<Replicas<Array2<f64>>>> {
        if !self.own {
            return Ok(None);
        }
        let (mut rows, mut weights, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for coalition in coalitions.outer_iter() {
            let n = 1 + coalition.iter().filter(|present| **present).count() % 3;
            for away in &AWAY[..n] {
                rows.extend(coalition.iter().zip(batch.row(sample)).map(|(here, x)| if *here { *x } else { *away }));
                weights.push(1.0 / n as f64);
            }
            ends.push(weights.len());
        }
        let samples = Array2::from_shape_vec((weights.len(), batch.ncols()), rows).unwrap();
        Ok(Some(Replicas { samples, weights, ends }))
    }
    fn describe(&self) -> String {
        "rows".into()
    }
}

pub fn metrics<M: Model + ?Sized>() -> Vec<Box<dyn Metric<M>>> {
    vec![
        Box::new(FaithfulnessCorrelation { subset_size: Some(2), n_subsets: 7 }),
        Box::new(Infidelity { subset_size: Some(2), n_subsets: 7, scaled: false }),
        Box::new(SensitivityN { sizes: vec![1, 3], n_subsets: 5 }),
        Box::new(FaithfulnessEstimate::default()),
        Box::new(MonotonicityCorrelation::default()),
        Box::new(NonSensitivity::default()),
        Box::new(FFidelity { n_draws: 3, sizes: vec![0.5], ..FFidelity::default() }),
        Box::new(RemovalCurve::default()),
        Box::new(RemovalCurve::insertion()),
        Box::new(Eraser::sufficiency()),
        Box::new(Irof::default()),
        Box::new(RegionPerturbation::default()),
        Box::new(Monotonicity::default()),
        Box::new(KeepRemove::default()),
    ]
}

fn part(all: &Attribution, sample: usize) -> Attribution {
    let of = |values: &Array2<f64>| values.samples(sample..sample + 1);
    let values = all.values.samples(sample..sample + 1);
    Attribution { values, scores: of(&all.scores), base: of(&all.base), ..all.clone() }
}

#[test]
fn coalitions_of_many_samples_are_asked_together() {
    const SAMPLES: usize = 9;
    let (rows, shares) = (table(SAMPLES, 5), attribution(&table(SAMPLES, 5).mapv(|x| (3.0 * x).sin())));
    for own in [false, true] {
        let masker = Rows { own };
        for metric in metrics() {
            let model = Calls::default();
            let together = metric.measure(&Case::new(&model, &*rows).with_masker(&masker), &shares, &Run::default());
            let together = together.unwrap();
            let calls = model.0.load(Ordering::Relaxed);
            // The samples as they are, and what is masked: fewer calls than samples.
            assert!((2..SAMPLES).contains(&calls), "{}: {calls}", metric.name());
            let mut evaluations = 0;
            for sample in 0..SAMPLES {
                let row = rows.samples(sample..sample + 1);
                let run = Run { first_sample: sample as u64, ..Run::default() };
                let case = Case::new(&model, &*row).with_masker(&masker);
                let alone = metric.measure(&case, &part(&shares, sample), &run).unwrap();
                let (one, other) = (alone.values[[0, 0]], together.values[[sample, 0]]);
                assert_eq!(one.to_bits(), other.to_bits(), "{} of sample {sample}", metric.name());
                evaluations += alone.evaluations;
            }
            assert_eq!(evaluations, together.evaluations, "{}", metric.name());
        }
    }
}

/// More coalitions than one call takes, and questions that end within a call.
#[test]
fn many_coalitions_take_several_calls() {
    let (rows, shares) = (table(3, 12), attribution(&table(3, 12).mapv(|x| (5.0 * x).cos())));
    let masker = Rows { own: false };
    let metric = FaithfulnessCorrelation { subset_size: Some(6), n_subsets: 900 };
    let model = Calls::default();
    let case = Case::new(&model, &*rows).with_masker(&masker);
    let together = metric.measure(&case, &shares, &Run::default()).unwrap();
    // 900 coalitions of two replicas each: a call for each sample and one for the samples as they are.
    assert_eq!((together.evaluations, model.0.load(Ordering::Relaxed)), (3 * 1801, 4));
    for sample in 0..3 {
        let row = rows.samples(sample..sample + 1);
        let run = Run { first_sample: sample as u64, ..Run::default() };
        let case = Case::new(&model, &*row).with_masker(&masker);
        let alone = metric.measure(&case, &part(&shares, sample), &run).unwrap();
        assert_eq!(alone.values[[0, 0]].to_bits(), together.values[[sample, 0]].to_bits());
    }
}

/// Rows that nothing can join.
#[derive(Clone)]
struct Loose(Vec<Vec<f64>>);

impl Batch for Loose {
    fn n_samples(&self) -> usize {
        self.0.len()
    }
    fn samples(&self, range: std::ops::Range<usize>) -> Loose {
        Loose(self.0[range].to_vec())
    }
}

impl Model for Loose {
    type Batch = Loose;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Loose) -> Result<Array2<f64>> {
        let scores: Vec<f64> = batch.0.iter().map(|row| score(row.iter().copied())).collect();
        Ok(Array2::from_shape_vec((scores.len(), 1), scores).unwrap())
    }
}

/// Absent features are 0.
struct Nothing;

impl Masker<Loose> for Nothing {
    fn n_players(&self, batch: &Loose, sample: usize) -> usize {
        batch.0[sample].len()
    }
    fn mask(&self, batch: &Loose, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Loose> {
        let of = |here: ndarray::ArrayView1<bool>| {
            batch.0[sample].iter().zip(here).map(|(x, here)| if *here { *x } else { 0.0 }).collect()
        };
        Ok(Loose(coalitions.outer_iter().map(of).collect()))
    }
    fn describe(&self) -> String {
        "nothing".into()
    }
}

#[test]
fn batches_that_cannot_be_joined_are_asked_one_by_one() {
    let (rows, values) = (table(4, 5), table(4, 5).mapv(|x| (3.0 * x).sin()));
    let shares = attribution(&values);
    let (tables, zero) = (Calls::default(), crate::zoo::Baseline(ndarray::Array1::zeros(5)));
    let (loose, batch) = (Loose(Vec::new()), Loose(rows.outer_iter().map(|row| row.to_vec()).collect()));
    for (metric, same) in metrics::<Calls>().into_iter().zip(metrics::<Loose>()) {
        let one = metric.measure(&Case::new(&tables, &*rows).with_masker(&zero), &shares, &Run::default()).unwrap();
        let other = same.measure(&Case::new(&loose, &batch).with_masker(&Nothing), &shares, &Run::default()).unwrap();
        assert_eq!(one, other, "{}", metric.name());
    }
}

#[test]
fn parts_of_other_shapes_are_not_joined() {
    let parts = [array![[1.0, 2.0]], array![[3.0]]];
    assert!(matches!(Table::joined(&[&parts[0], &parts[1]]), Err(xai_core::Error::Shape { .. })));
    assert_eq!(Table::joined(&[]).unwrap(), None);
    let words = [vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]];
    let joined = <[String]>::joined(&[&words[0], &words[1]]).unwrap();
    assert_eq!(joined.unwrap(), ["a", "b", "c"]);
}
