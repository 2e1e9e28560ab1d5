//! Small batches for a model that cannot take large ones.

use std::borrow::Borrow;

use ndarray::{Array2, ArrayRef2, Axis, Slice};
use xai_core::error::same_shape;
use xai_core::{Batch, Differentiable, Error, Feature, Model, Output, Result, Table};

/// A model that is asked for at most so many samples a call.
///
/// # Cost
/// A copy of each chunk; nothing for a batch that is small enough.
///
/// # Laws
/// `chunks_give_the_same_bits`.
#[derive(Debug, Clone)]
pub struct Chunk<M> {
    model: M,
    n_samples: usize,
}

impl<M: Model> Chunk<M> {
    /// `model`, asked for at most `n_samples` samples a call.
    ///
    /// # Errors
    /// [`Error::Parameter`] for 0 samples.
    pub fn new(model: M, n_samples: usize) -> Result<Self> {
        if n_samples == 0 {
            return Err(Error::parameter("samples a call", 0, "at least 1"));
        }
        Ok(Chunk { model, n_samples })
    }
}

/// The ranges of at most `step` numbers that cover `0..n`.
fn ranges(n: usize, step: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..n).step_by(step).map(move |start| start..n.min(start.saturating_add(step)))
}

impl<M: Model> Model for Chunk<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
        let n = batch.n_samples();
        if n <= self.n_samples {
            return self.model.predict(batch);
        }
        let mut scores = Array2::zeros((n, self.n_outputs()));
        for range in ranges(n, self.n_samples) {
            let part = self.model.predict(batch.samples(range.clone()).borrow())?;
            same_shape("scores of the model", &[range.len(), self.n_outputs()], part.shape())?;
            scores.slice_axis_mut(Axis(0), Slice::from(range)).assign(&part);
        }
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

impl<M: Differentiable + Model<Batch = Table>> Differentiable for Chunk<M> {
    fn vjp(&self, batch: &Table, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        let n = batch.nrows();
        same_shape("weights (sample, output)", &[n, self.n_outputs()], weights.shape())?;
        let mut gradient = Array2::zeros(batch.raw_dim());
        for range in ranges(n, self.n_samples) {
            let part = self.model.vjp(&batch.samples(range.clone()), &weights.samples(range.clone()))?;
            same_shape("gradient of the model", &[range.len(), batch.ncols()], part.shape())?;
            gradient.slice_axis_mut(Axis(0), Slice::from(range)).assign(&part);
        }
        Ok(gradient)
    }
}

super::forward_structure!(Chunk);
