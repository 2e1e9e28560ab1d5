//! A closure as a model.

use ndarray::{Array2, Axis};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Batch, Feature, Model, Output, Result, Table};

/// A model that is a closure from a batch to its scores.
///
/// `B` is what the closure eats, [`Table`] unless told otherwise.
///
/// # Errors
/// [`Model::predict`] passes the closure's errors on, and says [`Error::Shape`](xai_core::Error::Shape) when its scores
/// are not (sample, output), or when features are named and the batch has another width.
///
/// # Example
/// ```
/// use ndarray::{Axis, array};
/// use xai_core::{Model, Table};
/// use xai_models::function::Function;
/// let total = Function::new(1, |batch: &Table| batch.sum_axis(Axis(1)).insert_axis(Axis(1)));
/// assert_eq!(total.predict(&array![[1.0, 2.0]]).unwrap(), array![[3.0]]);
/// let by_row = Function::by_row(|x| [x[0] * x[1], x[0] - x[1]]);
/// assert_eq!(by_row.predict(&array![[3.0, 2.0]]).unwrap(), array![[6.0, 1.0]]);
/// ```
pub struct Function<'f, B: Batch + ?Sized = Table> {
    n_outputs: usize,
    score: Score<'f, B>,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

type Score<'f, B> = Box<dyn Fn(&B) -> Result<Array2<f64>> + Send + Sync + 'f>;

impl<'f, B: Batch + ?Sized> Function<'f, B> {
    /// A model that scores a whole batch by `score`: (sample, output).
    pub fn new(n_outputs: usize, score: impl Fn(&B) -> Array2<f64> + Send + Sync + 'f) -> Self {
        Self::fallible(n_outputs, move |batch| Ok(score(batch)))
    }

    /// A model that scores a whole batch by `score`, which may fail;
    /// [`Error::model`](xai_core::Error::model) wraps an error of another kind.
    pub fn fallible(n_outputs: usize, score: impl Fn(&B) -> Result<Array2<f64>> + Send + Sync + 'f) -> Self {
        Function { n_outputs, score: Box::new(score), features: Vec::new(), outputs: Vec::new() }
    }

    /// Names the outputs.
    ///
    /// # Errors
    /// [`Error::Shape`](xai_core::Error::Shape) when they are not as many as the outputs.
    pub fn with_outputs(mut self, outputs: Vec<Output>) -> Result<Self> {
        same_shape("names of outputs", &[self.n_outputs], &[outputs.len()])?;
        self.outputs = outputs;
        Ok(self)
    }
}

impl<'f> Function<'f, Table> {
    /// A model that scores one row at a time; rows are shared out among the threads.
    pub fn by_row<const OUTPUTS: usize>(score: impl Fn(&[f64]) -> [f64; OUTPUTS] + Send + Sync + 'f) -> Self {
        Function::new(OUTPUTS, move |batch: &Table| {
            let mut scores = Array2::zeros((batch.nrows(), OUTPUTS));
            let rows = scores.axis_iter_mut(Axis(0)).into_par_iter().zip(batch.axis_iter(Axis(0)));
            rows.for_each(|(mut scores, row)| {
                let found = match row.as_slice() {
                    Some(row) => score(row),
                    None => score(&row.to_vec()),
                };
                scores.iter_mut().zip(found).for_each(|(slot, value)| *slot = value);
            });
            scores
        })
    }

    /// Names the features; from now on a batch must have as many columns.
    #[must_use]
    pub fn with_features(self, features: Vec<Feature>) -> Self {
        let (width, score) = (features.len(), self.score);
        let checked = move |batch: &Table| {
            same_shape("columns of the batch", &[width], &[batch.ncols()])?;
            score(batch)
        };
        Function { score: Box::new(checked), features, ..self }
    }
}

impl<B: Batch + ?Sized> Model for Function<'_, B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        let scores = (self.score)(batch)?;
        same_shape("scores of the function (sample, output)", &[batch.n_samples(), self.n_outputs], scores.shape())?;
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<B: Batch + ?Sized> std::fmt::Debug for Function<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("n_outputs", &self.n_outputs)
            .field("features", &self.features)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
