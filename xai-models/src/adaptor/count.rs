//! How much a model is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayRef2};
use xai_core::{Batch, Differentiable, Feature, Model, Output, Result};

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

    /// The calls of [`Model::predict`].
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The samples that it was asked to differentiate.
    pub fn gradients(&self) -> u64 {
        self.gradients.load(Ordering::Relaxed)
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
        self.samples.fetch_add(batch.n_samples() as u64, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.model.predict(batch)
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

impl<M: Differentiable> Differentiable for Count<M> {
    fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<<Self::Batch as ToOwned>::Owned> {
        self.gradients.fetch_add(batch.n_samples() as u64, Ordering::Relaxed);
        self.model.vjp(batch, weights)
    }
}

super::forward_structure!(Count);
