//! Models made of layers, and what can be seen and done inside them.

use std::fmt;

use ndarray::{Array2, ArrayD, ArrayViewMutD};
use serde::{Deserialize, Serialize};

use crate::{Differentiable, Error, Model, Result};

/// One layer of a model: a function of the outputs of earlier layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The name that its maker gave it, such as `layer1.0.conv1`; no two layers share one.
    pub name: String,
    /// What it computes.
    pub kind: LayerKind,
    /// The layers that it reads, all before itself.
    pub inputs: Vec<usize>,
    /// The axes of its output for one sample.
    pub shape: Vec<usize>,
}

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LayerKind {
    /// The model's input.
    Input,
    /// x·Wᵀ + b on the last axis. Parameters: `weight` (output, input), `bias` (output).
    Linear,
    /// A convolution over one or two axes. Parameters: `weight` (output channel, input channel of a group, …), `bias`.
    Convolution,
    /// A fixed scale and shift of each channel. Parameters: `scale` γ/√(σ² + ε), `shift` β − μ·scale.
    BatchNorm,
    /// Normalisation over the last axes by each sample's own mean and variance. Parameters: `scale`, `shift`.
    LayerNorm,
    /// The greatest of each window.
    MaxPool,
    /// The mean of each window, also of one that covers all places.
    AveragePool,
    /// max(x, 0).
    Relu,
    /// x where positive, a fixed share of it elsewhere.
    LeakyRelu,
    /// An exponential linear unit (ELU, SELU, CELU).
    Elu,
    /// A Gaussian error linear unit.
    Gelu,
    /// x·σ(x), also called swish.
    Silu,
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// ln(1 + exp x).
    Softplus,
    /// x between two bounds, such as ReLU6 and hard tanh.
    Clip,
    /// exp xₖ / Σⱼ exp xⱼ over one axis.
    Softmax,
    /// The logarithm of softmax.
    LogSoftmax,
    /// The sum of its inputs, such as a residual connection.
    Add,
    /// The product of its inputs.
    Multiply,
    /// Its inputs one after another along one axis.
    Concatenate,
    /// The same cells under other axes.
    Reshape,
    /// Cells picked, moved and padded with zeros: a slice, another order of axes.
    Rearrange,
    /// Nothing: dropout outside training, identity.
    Identity,
    /// The same numbers for every sample; it reads no layer. Parameter: `value`.
    Constant,
    /// Anything else.
    Other,
}

impl LayerKind {
    /// Whether it works on each cell alone, by the same curve everywhere.
    pub fn is_elementwise(self) -> bool {
        use LayerKind::*;
        matches!(self, Relu | LeakyRelu | Elu | Gelu | Silu | Sigmoid | Tanh | Softplus | Clip)
    }

    /// Whether it is a linear function of its inputs and parameters: a weighted sum and a shift.
    pub fn is_affine(self) -> bool {
        use LayerKind::*;
        matches!(
            self,
            Linear | Convolution | BatchNorm | AveragePool | Add | Concatenate | Reshape | Rearrange | Identity
        )
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A model whose layers can be read, replaced and differentiated by.
///
/// Layer 0 is the input, the last layer the scores. Activations are `f32`, (sample, axes of [`Layer::shape`] …).
pub trait Layered: Differentiable {
    /// The layers, each after those that it reads.
    fn layers(&self) -> &[Layer];

    /// Runs the model once forward, and once backward for each set of weights.
    ///
    /// # Errors
    /// As [`Model::predict`]; [`Error::Shape`] for a replacement or for weights that do not fit; [`Error::Parameter`] for
    /// a layer that is not there.
    fn probe(&self, batch: &Self::Batch, probe: &Probe) -> Result<Probed>;
}

/// What is wanted from inside a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Probe<'a> {
    /// The layers whose activations, and gradients if there are weights, are wanted.
    pub read: &'a [usize],
    /// What takes the place of one layer's output: (sample, axes of the layer …), as many samples as the batch has.
    pub replace: Option<(usize, &'a ArrayD<f32>)>,
    /// For each gradient that is wanted, the weights (sample, output) of the scores that are differentiated.
    pub weights: &'a [Array2<f64>],
}

/// What a [`Probe`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// The scores: (sample, output).
    pub scores: Array2<f64>,
    /// The activations of the layers read, in their order; of a replaced layer, what replaced it.
    pub activations: Vec<ArrayD<f32>>,
    /// For each set of weights, the gradients of Σₖ weightₖ·scoreₖ by the activations of the layers read, in their order;
    /// zero for a layer that the scores do not hang on.
    pub gradients: Vec<Vec<ArrayD<f32>>>,
}

/// A layered model whose layers can be run one by one, also with other parameters: what relevance propagation rewrites.
pub trait Composed: Layered {
    /// The function that a layer computes of its inputs; there is none for layer 0.
    ///
    /// # Errors
    /// [`Error::Parameter`] for layer 0 and for a layer that is not there; [`Error::Unsupported`] for one that cannot be
    /// run alone.
    fn operator(&self, layer: usize) -> Result<&dyn Operator>;
}

/// A layer as a function by itself.
pub trait Operator: Send + Sync + fmt::Debug {
    /// Its output: (sample, …).
    ///
    /// # Errors
    /// [`Error::Shape`] for inputs that do not fit.
    fn forward(&self, inputs: &[&ArrayD<f32>]) -> Result<ArrayD<f32>>;

    /// For each input, the vector-Jacobian product: the gradient of Σ `gradient`·output by that input. `output` is
    /// [`Operator::forward`] of the same inputs.
    ///
    /// # Errors
    /// As [`Operator::forward`].
    fn vjp(&self, inputs: &[&ArrayD<f32>], output: &ArrayD<f32>, gradient: &ArrayD<f32>) -> Result<Vec<ArrayD<f32>>>;

    /// Its parameters by the names that [`LayerKind`] gives; a bias that is not there is shown as zeros.
    fn parameters(&self) -> Vec<(&'static str, ArrayD<f32>)>;

    /// The same function with other parameters of the same shapes.
    ///
    /// # Errors
    /// [`Error::Shape`] for a parameter whose shape was changed.
    fn with_parameters(&self, change: &mut dyn FnMut(&str, ArrayD<f32>) -> ArrayD<f32>) -> Result<Box<dyn Operator>>;
}

/// A model whose parameters can be replaced layer by layer, as tests that compare a trained model with a random one do.
pub trait Parametric: Model + Sized {
    /// The names of the layers that hold parameters, from the input to the scores.
    fn parameter_layers(&self) -> Vec<String>;

    /// The same model with other parameters: `change` sees every parameter array once, with the place of its layer in
    /// [`Parametric::parameter_layers`] and its name, and may write to it.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for a parameter that is not finite afterwards.
    fn with_parameters(&self, change: &mut dyn FnMut(usize, &str, ArrayViewMutD<f64>)) -> Result<Self>;
}

/// The place of the layer called `name`.
///
/// # Errors
/// [`Error::Unknown`] with the names that there are.
pub fn layer_named(layers: &[Layer], name: &str) -> Result<usize> {
    layers.iter().position(|layer| layer.name == name).ok_or_else(|| Error::Unknown {
        kind: "layer".into(),
        name: name.into(),
        nearest: None,
        known: layers.iter().map(|layer| layer.name.clone()).collect(),
    })
}

/// References and boxes of layered models are layered models.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: Layered + ?Sized> Layered for $pointer {
            fn layers(&self) -> &[Layer] {
                (**self).layers()
            }
            fn probe(&self, batch: &Self::Batch, probe: &Probe) -> Result<Probed> {
                (**self).probe(batch, probe)
            }
        }
        impl<M: Composed + ?Sized> Composed for $pointer {
            fn operator(&self, layer: usize) -> Result<&dyn Operator> {
                (**self).operator(layer)
            }
        }
    )*};
}
forward!(&M, Box<M>, std::sync::Arc<M>);
