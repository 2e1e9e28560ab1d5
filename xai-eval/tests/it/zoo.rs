//! Models and a masker whose games are known.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array1, Array2, Array3, ArrayRef2, ArrayView1};
use xai_core::{Attribution, Batch, Feature, Masker, Model, Output, Provenance, Result, Run, Table};

type Score = Box<dyn Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync>;

/// A function of one row, which counts the rows that it scores.
pub struct Function {
    pub score: Score,
    pub n_outputs: usize,
    pub n_seen: AtomicUsize,
}

impl Function {
    pub fn new(n_outputs: usize, score: impl Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync + 'static) -> Self {
        Function { score: Box::new(score), n_outputs, n_seen: AtomicUsize::new(0) }
    }

    pub fn linear(slopes: &'static [f64]) -> Self {
        Function::new(1, move |row| vec![row.iter().zip(slopes).map(|(x, s)| x * s).sum()])
    }

    pub fn n_seen(&self) -> usize {
        self.n_seen.load(Ordering::Relaxed)
    }
}

impl Model for Function {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.n_outputs
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        self.n_seen.fetch_add(batch.nrows(), Ordering::Relaxed);
        let flat: Vec<f64> = batch.outer_iter().flat_map(|row| (self.score)(row)).collect();
        Ok(Array2::from_shape_vec((batch.nrows(), self.n_outputs), flat).unwrap())
    }
}

/// An absent feature has the value of the baseline.
pub struct Baseline(pub Array1<f64>);

impl Masker<Table> for Baseline {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let value = |(c, j): (usize, usize)| if coalitions[[c, j]] { batch[[sample, j]] } else { self.0[j] };
        Ok(Array2::from_shape_fn(coalitions.dim(), value))
    }
    fn describe(&self) -> String {
        "baseline".into()
    }
}

/// An attribution of one output with these values (sample, feature), base 0 and the sums as scores.
pub fn attribution(values: &Array2<f64>) -> Attribution {
    let (n, p) = values.dim();
    Attribution {
        provenance: Provenance::new("known", &Run::default()),
        features: Feature::unnamed(p),
        outputs: Output::unnamed(1),
        base: Array2::zeros((n, 1)),
        values: Array3::from_shape_fn((n, p, 1), |(i, j, _)| values[[i, j]]),
        scores: Array2::from_shape_fn((n, 1), |(i, _)| values.row(i).sum()),
        standard_error: None,
        data: None,
        shape: None,
        fidelity: None,
    }
}

/// The exact shares of a linear model against a baseline: slope · (x − baseline).
pub fn exact(slopes: &[f64], batch: &Array2<f64>, baseline: &Baseline) -> Attribution {
    attribution(&Array2::from_shape_fn(batch.dim(), |(i, j)| slopes[j] * (batch[[i, j]] - baseline.0[j])))
}

/// Numbers from −1 to 1 that look random.
pub fn table(n: usize, p: usize) -> Array2<f64> {
    let batch = Array2::from_shape_fn((n, p), |(i, j)| ((i * 37 + j * 101 + 13) as f64).sin());
    assert_eq!(batch.n_samples(), n);
    batch
}

#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let gap = (found - expected).abs();
    assert!(gap <= tolerance, "found {found}, expected {expected}, apart {gap:e}");
}
