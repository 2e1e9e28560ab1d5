//! How much a model is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayRef2};
use xai_core::{
    Batch, Composed, Differentiable, Feature, Layer, Layered, Model, Operator, Output, Owned, Probe, Probed, Result,
};

/// A model that counts what it is asked, whether the answer is a success or not.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::{adaptor::Count, function::Function};
/// let model = Count::new(Function::by_row(|x| [x[0]]));
/// model.predict(&array![[1.0], [2.0], [3.0]]).unwrap();
/// assert_eq!((model.samples(), model.calls()), (3, 1));
/// ```
#[derive(Debug, Default)]
pub struct Count<M> {
    model: M,
    samples: AtomicU64,
    calls: AtomicU64,
    gradients: AtomicU64,
}

impl<M: Model> Count<M> {
    /// `model`, with every count at 0.
    pub fn new(model: M) -> Self {
        Count { model, samples: AtomicU64::new(0), calls: AtomicU64::new(0), gradients: AtomicU64::new(0) }
    }
}

impl<M> Count<M> {
    /// The samples that it was asked to score.
    pub fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// The calls that gave scores.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The samples that it was asked to differentiate.
    pub fn gradients(&self) -> u64 {
        self.gradients.load(Ordering::Relaxed)
    }

    fn count_scores(&self, n_samples: usize) {
        self.samples.fetch_add(n_samples as u64, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn count_gradients(&self, n_samples: usize, each: usize) {
        self.gradients.fetch_add((n_samples as u64).saturating_mul(each as u64), Ordering::Relaxed);
    }

    /// The model, without its counts.
    pub fn into_inner(self) -> M {
        self.model
    }
}

impl<M: Model> Model for Count<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
        self.count_scores(batch.n_samples());
        self.model.predict(batch)
    }

    fn predict_filled(
        &self,
        batch: &Self::Batch,
        boxes: &[Vec<std::ops::Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        let scores = self.model.predict_filled(batch, boxes, fill)?;
        if scores.is_some() {
            self.count_scores(batch.n_samples() * boxes.len());
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

/// Each product is a gradient of every sample; the scores that come with them are counted as scored. What has a short way
/// along lines is counted point by point.
impl<M: Differentiable> Differentiable for Count<M> {
    fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        self.count_gradients(batch.n_samples(), 1);
        self.model.vjp(batch, weights)
    }

    fn scores_and_vjps(&self, batch: &Self::Batch, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
        self.count_scores(batch.n_samples());
        self.count_gradients(batch.n_samples(), weights.len());
        self.model.scores_and_vjps(batch, weights)
    }

    fn line_vjps(
        &self,
        from: &Self::Batch,
        to: &Self::Batch,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<Self>>>> {
        let sums = self.model.line_vjps(from, to, points, weights)?;
        if sums.is_some() {
            self.count_gradients(to.n_samples(), points.len() * weights.len());
        }
        Ok(sums)
    }
}

impl<M: Layered> Layered for Count<M> {
    fn layers(&self) -> &[Layer] {
        self.model.layers()
    }

    fn probe(&self, batch: &Self::Batch, probe: &Probe) -> Result<Probed> {
        self.count_scores(batch.n_samples());
        self.count_gradients(batch.n_samples(), probe.weights.len());
        self.model.probe(batch, probe)
    }
}

impl<M: Composed> Composed for Count<M> {
    fn operator(&self, layer: usize) -> Result<&dyn Operator> {
        self.model.operator(layer)
    }
}

super::forward_structure!(Count);
