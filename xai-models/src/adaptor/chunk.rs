//! Small batches for a model that cannot take large ones.

use std::borrow::Borrow;
use std::ops::Range;

use ndarray::{Array2, ArrayD, ArrayRef2, Axis, Slice};
use xai_core::error::same_shape;
use xai_core::{Batch, Cells, Differentiable, Error, Feature, Model, Output, Owned, Result};

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
fn ranges(n: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
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

impl<M: Differentiable> Differentiable for Chunk<M>
where
    M::Batch: Cells,
{
    fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        let n = batch.n_samples();
        same_shape("weights (sample, output)", &[n, self.n_outputs()], weights.shape())?;
        let mut gradient = ArrayD::zeros(batch.cells().raw_dim());
        for range in ranges(n, self.n_samples) {
            let part = self.model.vjp(batch.samples(range.clone()).borrow(), &weights.samples(range.clone()))?;
            assign::<M::Batch>(&mut gradient, range, part.borrow())?;
        }
        M::Batch::of_cells(gradient)
    }

    fn scores_and_vjps(&self, batch: &Self::Batch, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
        let n = batch.n_samples();
        for weights in weights {
            same_shape("weights (sample, output)", &[n, self.n_outputs()], weights.shape())?;
        }
        let mut scores = Array2::zeros((n, self.n_outputs()));
        let mut gradients = vec![ArrayD::zeros(batch.cells().raw_dim()); weights.len()];
        for range in ranges(n, self.n_samples) {
            let here: Vec<Array2<f64>> = weights.iter().map(|weights| weights.samples(range.clone())).collect();
            let (found, parts) = self.model.scores_and_vjps(batch.samples(range.clone()).borrow(), &here)?;
            same_shape("scores of the model", &[range.len(), self.n_outputs()], found.shape())?;
            scores.slice_axis_mut(Axis(0), Slice::from(range.clone())).assign(&found);
            for (gradient, part) in gradients.iter_mut().zip(&parts) {
                assign::<M::Batch>(gradient, range.clone(), part.borrow())?;
            }
        }
        Ok((scores, gradients.into_iter().map(M::Batch::of_cells).collect::<Result<_>>()?))
    }

    fn line_vjps(
        &self,
        from: &Self::Batch,
        to: &Self::Batch,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<Self>>>> {
        let n = to.n_samples();
        same_shape("samples where the lines begin", &[n], &[from.n_samples()])?;
        if n <= self.n_samples {
            return self.model.line_vjps(from, to, points, weights);
        }
        let mut sums = vec![ArrayD::zeros(to.cells().raw_dim()); weights.len()];
        for range in ranges(n, self.n_samples) {
            let here: Vec<Array2<f64>> = weights.iter().map(|weights| weights.samples(range.clone())).collect();
            let (from, to) = (from.samples(range.clone()), to.samples(range.clone()));
            let Some(parts) = self.model.line_vjps(from.borrow(), to.borrow(), points, &here)? else { return Ok(None) };
            for (sum, part) in sums.iter_mut().zip(&parts) {
                assign::<M::Batch>(sum, range.clone(), part.borrow())?;
            }
        }
        Ok(Some(sums.into_iter().map(M::Batch::of_cells).collect::<Result<_>>()?))
    }
}

/// Puts the gradients of some samples in their place.
fn assign<B: Cells + ?Sized>(all: &mut ArrayD<B::Cell>, range: Range<usize>, part: &B) -> Result<()> {
    let mut slot = all.slice_axis_mut(Axis(0), Slice::from(range));
    let part = part.cells();
    same_shape("gradient of the model", slot.shape(), part.shape())?;
    slot.assign(&part);
    Ok(())
}

super::forward_structure!(Chunk);
