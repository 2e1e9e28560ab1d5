//! Models that only predict, where methods by name ask for a network.

use ndarray::{Array2, ArrayRef2};
use xai_core::model::Owned;
use xai_core::{
    Composed, Differentiable, Error, Feature, Layer, LayerKind, Layered, Model, Operator, Output, Probe, Probed, Result,
};

/// A model of series or images that only predicts, as [`Arrays`](super::Arrays) take it: methods that ask for scores
/// explain it, those that ask for gradients or layers refuse it.
///
/// # Example
/// ```
/// use ndarray::{Array2, Array4, ArrayRef4};
/// use xai::core::{Document, Model, Result, Run};
/// use xai::registry::{ArrayInputs, Arrays, OnlyPredicts, Registry, Settings};
/// /// The brightness of the first pixel.
/// struct First;
/// impl Model for First {
///     type Batch = ArrayRef4<f32>;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
///         Ok(Array2::from_shape_fn((batch.shape()[0], 1), |(i, _)| f64::from(batch[[i, 0, 0, 0]])))
///     }
/// }
/// let model = OnlyPredicts::new(First, &[1, 4, 4]);
/// let (batch, run, registry) = (Array4::ones((1, 1, 4, 4)), Run::default(), Registry::standard());
/// let inputs = ArrayInputs { arrays: Arrays::Images(&model, &batch), background: None, run: &run };
/// let occlusion = registry.get("occlusion")?;
/// let found = occlusion.explain_arrays(&inputs, &Settings::from_pairs(occlusion.spec(), ["window=1"])?)?;
/// let Document::Attribution(found) = found else { panic!() };
/// assert_eq!((found.values[[0, 0, 0]], found.values[[0, 5, 0]]), (1.0, 0.0));
/// let saliency = registry.get("saliency")?;
/// let refused = saliency.explain_arrays(&inputs, &Settings::default_of(saliency.spec())).unwrap_err();
/// assert!(refused.to_string().contains("only predicts"));
/// # Ok::<(), xai::core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OnlyPredicts<M> {
    model: M,
    /// What goes in and what comes out.
    layers: [Layer; 2],
}

impl<M: Model> OnlyPredicts<M> {
    /// A model whose samples have these axes.
    pub fn new(model: M, input_shape: &[usize]) -> Self {
        let layer =
            |name: &str, kind, inputs, shape: &[usize]| Layer { name: name.into(), kind, inputs, shape: shape.into() };
        let layers = [
            layer("input", LayerKind::Input, vec![], input_shape),
            layer("scores", LayerKind::Other, vec![0], &[model.n_outputs()]),
        ];
        OnlyPredicts { model, layers }
    }
}

fn refused<T>(what: &str) -> Result<T> {
    let advice = "ask for a method that needs scores alone: occlusion, rise, segment-shap, segment-lime, kernel-shap";
    Err(Error::unsupported(format!("{what} of a model that only predicts"), advice))
}

impl<M: Model> Model for OnlyPredicts<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &M::Batch) -> Result<Array2<f64>> {
        self.model.predict(batch)
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

impl<M: Model> Differentiable for OnlyPredicts<M> {
    fn vjp(&self, _batch: &M::Batch, _weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        refused("gradients")
    }
}

impl<M: Model> Layered for OnlyPredicts<M> {
    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn probe(&self, _batch: &M::Batch, _probe: &Probe) -> Result<Probed> {
        refused("layers")
    }
}

impl<M: Model> Composed for OnlyPredicts<M> {
    fn operator(&self, _layer: usize) -> Result<&dyn Operator> {
        refused("layers")
    }
}
