//! Models whose explanations are known by hand.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayRef2, Axis};
use xai_core::{LinearFirst, Model, Result, Table};

type Score = Box<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;

/// A function of a row as a model that counts the rows it scores.
pub struct Function {
    n_outputs: usize,
    score: Score,
    scored: AtomicU64,
}

impl Function {
    pub fn many(n_outputs: usize, score: impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'static) -> Self {
        Function { n_outputs, score: Box::new(score), scored: AtomicU64::new(0) }
    }

    pub fn one(score: impl Fn(&[f64]) -> f64 + Send + Sync + 'static) -> Self {
        Function::many(1, move |x| vec![score(x)])
    }

    /// The number of rows scored so far.
    pub fn scored(&self) -> u64 {
        self.scored.load(Ordering::Relaxed)
    }
}

impl Model for Function {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        self.scored.fetch_add(batch.nrows() as u64, Ordering::Relaxed);
        let mut scores = Array2::zeros((batch.nrows(), self.n_outputs));
        for (row, mut score) in batch.outer_iter().zip(scores.axis_iter_mut(Axis(0))) {
            score.assign(&ndarray::Array1::from((self.score)(&row.to_vec())));
        }
        Ok(scores)
    }
}

/// For six features: the first layer passes them on as they are.
impl LinearFirst for Function {
    fn first_weights(&self) -> &ArrayRef2<f64> {
        static IDENTITY: OnceLock<Array2<f64>> = OnceLock::new();
        IDENTITY.get_or_init(|| Array2::eye(6))
    }

    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        self.predict(products)
    }
}

/// Two outputs with interactions of up to four features, of six.
pub fn rugged() -> Function {
    Function::many(2, |x| {
        let first = x[0] * x[1] * x[2] + 2.0 * x[3].max(x[4]) - x[5] + (x[0] + x[4]).sin();
        let second = x[1] * x[3] * x[4] * x[5] - (0.3 * x[2]).exp();
        vec![first, second]
    })
}

/// Features 0 and 1 alike, 2 ignored, interactions of two at most: exact for every estimator of Shapley values.
pub fn pairwise() -> Function {
    Function::one(|x| x[0] * x[1] + 3.0 * (x[0] + x[1]) * x[3] - x[4] * x[5] + 0.5 * x[5])
}

/// Five samples of six features.
pub fn samples() -> Array2<f64> {
    Array2::from_shape_fn((5, 6), |(s, f)| ((s * 7 + f * 3) % 11) as f64 / 4.0 - 1.0)
}

/// Four background rows in which features 0 and 1 agree.
pub fn background() -> Array2<f64> {
    Array2::from_shape_fn((4, 6), |(r, f)| ((r * 5 + f.max(1) * 2) % 7) as f64 / 3.0 - 1.0)
}
