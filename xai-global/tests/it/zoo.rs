//! Models whose explanations are known, and which remember what they were asked.

use std::ops::ControlFlow;
use std::sync::Mutex;

use ndarray::{Array2, ArrayView1};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai_core::{Feature, Model, Observer, Output, Result, Table};

type Score = Box<dyn Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync>;

/// A function of one row, which keeps every batch that it scores.
pub struct Function {
    score: Score,
    n_outputs: usize,
    pub features: Vec<Feature>,
    pub outputs: Vec<Output>,
    pub seen: Mutex<Vec<Array2<f64>>>,
}

impl Function {
    pub fn new(score: impl Fn(ArrayView1<f64>) -> f64 + Send + Sync + 'static) -> Self {
        Function::of_outputs(1, move |row| vec![score(row)])
    }

    pub fn of_outputs(n_outputs: usize, score: impl Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync + 'static) -> Self {
        Function { score: Box::new(score), n_outputs, features: vec![], outputs: vec![], seen: Mutex::default() }
    }

    pub fn linear(slopes: &'static [f64]) -> Self {
        Function::new(move |row| row.iter().zip(slopes).map(|(x, s)| x * s).sum())
    }

    pub fn score(&self, row: ArrayView1<f64>) -> f64 {
        (self.score)(row)[0]
    }

    pub fn seen(&self) -> Vec<Array2<f64>> {
        self.seen.lock().unwrap().clone()
    }

    pub fn n_seen(&self) -> usize {
        self.seen().iter().map(|batch| batch.nrows()).sum()
    }
}

impl Model for Function {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.n_outputs
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        self.seen.lock().unwrap().push(batch.to_owned());
        let flat: Vec<f64> = batch.outer_iter().flat_map(|row| (self.score)(row)).collect();
        Ok(Array2::from_shape_vec((batch.nrows(), self.n_outputs), flat).unwrap())
    }
    fn features(&self) -> &[Feature] {
        &self.features
    }
    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

/// Numbers from −2 to 2.
pub fn table(n_rows: usize, n_columns: usize, seed: u64) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n_rows, n_columns), || random.random_range(-2.0..2.0))
}

/// Stops a run at its first report.
pub struct Stop;

impl Observer for Stop {
    fn progress(&self, _done: u64, _total: u64) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

pub fn with_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let gap = (found - expected).abs();
    assert!(gap <= tolerance * expected.abs().max(1.0), "found {found}, expected {expected}, apart {gap:e}");
}
