//! What a layer computes, with its parameters.

use ndarray::{Array1, Array2, ArrayD};
use xai_core::{Error, LayerKind, Result};

/// What a layer computes of the layers that it reads. Axes are those of one sample: axis 0 of an image is its channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// x·Wᵀ + b on the last axis.
    Linear {
        /// (output, input).
        weight: Array2<f32>,
        /// (output).
        bias: Option<Array1<f32>>,
    },
    /// A convolution over the one or two axes behind the channels.
    Convolution(Convolution),
    /// x·scale + shift for each channel, axis 0: batch normalisation as it is after training.
    BatchNorm {
        /// γ/√(σ² + ε): (channel).
        scale: Array1<f32>,
        /// β − μ·scale: (channel).
        shift: Array1<f32>,
    },
    /// (x − mean)/√(variance + ε)·scale + shift, with each sample's own mean and variance over its last axes.
    LayerNorm {
        /// The last axes, over which is normalised.
        scale: ArrayD<f32>,
        /// As `scale`.
        shift: ArrayD<f32>,
        /// ε.
        epsilon: f32,
    },
    /// The greatest of each window; places beyond the edge do not count. The first of several greatest is the one that
    /// gets the gradient.
    MaxPool(Window),
    /// The mean of each window.
    AveragePool {
        /// The windows.
        window: Window,
        /// Whether places beyond the edge, but not beyond the padding, count as zeros.
        count_include_pad: bool,
    },
    /// The means of windows that share the places out evenly: ⌊i·length/size⌋ to ⌈(i + 1)·length/size⌉ on each axis.
    AdaptiveAveragePool(
        /// The places of the output on each axis.
        Vec<usize>,
    ),
    /// The mean over all places of a channel; the axes stay, with one place each.
    GlobalAveragePool,
    /// max(x, 0), with slope 0 at 0.
    Relu,
    /// x where positive, this share of it elsewhere.
    LeakyRelu(f32),
    /// x where positive, α·(exp x − 1) elsewhere.
    Elu(f32),
    /// x where positive, α·(exp(x/α) − 1) elsewhere.
    Celu(f32),
    /// The ELU with the scale of self-normalising networks.
    Selu,
    /// x·Φ(x).
    Gelu {
        /// Whether Φ is approximated by a hyperbolic tangent.
        tanh: bool,
    },
    /// x·σ(x).
    Silu,
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// ln(1 + exp x).
    Softplus,
    /// x between two bounds, with slope 0 at and beyond them: ReLU6 is 0 to 6.
    Clip {
        /// The lower bound.
        low: f32,
        /// The upper bound.
        high: f32,
    },
    /// exp xₖ / Σⱼ exp xⱼ over an axis.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// The logarithm of softmax over an axis.
    LogSoftmax {
        /// The axis.
        axis: usize,
    },
    /// The sum of its inputs. An axis of one place, or one that lacks in front, is repeated to fit.
    Add,
    /// The product of its inputs, which are repeated to fit as for [`Op::Add`].
    Multiply,
    /// Its inputs one after another along an axis.
    Concatenate {
        /// The axis.
        axis: usize,
    },
    /// A part of its input: on each axis every `step`th place from `start` to before `end`.
    Slice(
        /// Start, end and step for each axis.
        Vec<[usize; 3]>,
    ),
    /// Its input with zeros around it.
    Pad(
        /// How many places before and after, for each axis.
        Vec<[usize; 2]>,
    ),
    /// Its input with other order of axes.
    Permute(
        /// Which axis of the input each axis of the output is.
        Vec<usize>,
    ),
    /// All cells on one axis.
    Flatten,
    /// The same cells under these axes.
    Reshape(Vec<usize>),
    /// Nothing: dropout outside training.
    Identity,
    /// The same numbers for every sample; it reads no layer.
    Constant(ArrayD<f32>),
}

/// A convolution: for each output channel, the sum over the input channels of its group and over the places of the
/// kernel of weight·x, and a bias. Places beyond the edge are zeros. One entry an axis, for one axis or two.
#[derive(Debug, Clone, PartialEq)]
pub struct Convolution {
    /// (output channel, input channel of a group, places of the kernel …).
    pub weight: ArrayD<f32>,
    /// (output channel).
    pub bias: Option<Array1<f32>>,
    /// How far the kernel moves from one output to the next.
    pub stride: Vec<usize>,
    /// How many zeros lie before and after.
    pub padding: Vec<[usize; 2]>,
    /// How far apart the places of the kernel are.
    pub dilation: Vec<usize>,
    /// How many groups the channels are divided into.
    pub groups: usize,
}

impl Convolution {
    /// A convolution that moves by one place, without padding, dilation or groups.
    pub fn new(weight: ArrayD<f32>, bias: Option<Array1<f32>>) -> Self {
        let axes = weight.ndim().saturating_sub(2);
        Convolution {
            weight,
            bias,
            stride: vec![1; axes],
            padding: vec![[0; 2]; axes],
            dilation: vec![1; axes],
            groups: 1,
        }
    }
}

/// The windows of a pooling layer. One entry an axis, for one axis or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The places of a window.
    pub size: Vec<usize>,
    /// How far one window lies from the next.
    pub stride: Vec<usize>,
    /// How far the first window begins before the edge, and how far the last may reach beyond it.
    pub padding: Vec<[usize; 2]>,
    /// How far apart the places of a window are.
    pub dilation: Vec<usize>,
    /// Whether a last window that reaches further still counts, if it begins before the edge.
    pub ceil_mode: bool,
}

impl Window {
    /// Windows side by side, without padding or dilation.
    pub fn new(size: Vec<usize>) -> Self {
        let axes = size.len();
        Window { stride: size.clone(), size, padding: vec![[0; 2]; axes], dilation: vec![1; axes], ceil_mode: false }
    }
}

impl Op {
    /// Batch normalisation (x − `mean`)/√(`variance` + `epsilon`)·`weight` + `bias`, folded into scale and shift.
    ///
    /// # Errors
    /// [`Error::Shape`] when the parameters have different lengths; [`Error::Parameter`] when a variance plus `epsilon`
    /// is not positive.
    pub fn batch_norm(
        weight: &Array1<f32>,
        bias: &Array1<f32>,
        mean: &Array1<f32>,
        variance: &Array1<f32>,
        epsilon: f64,
    ) -> Result<Self> {
        for (what, other) in [("bias", bias), ("mean", mean), ("variance", variance)] {
            xai_core::error::same_shape(format!("{what} of a batch norm"), weight.shape(), other.shape())?;
        }
        let fits = |v: f32| f64::from(v) + epsilon > 0.0;
        if let Some(&low) = variance.iter().find(|&&v| !fits(v)) {
            return Err(Error::parameter("variance of a batch norm", low, "more than −ε"));
        }
        let wide = |x: &Array1<f32>| x.mapv(f64::from);
        let scale = wide(weight) / (wide(variance) + epsilon).mapv(f64::sqrt);
        let shift = wide(bias) - wide(mean) * &scale;
        Ok(Op::BatchNorm { scale: scale.mapv(|x| x as f32), shift: shift.mapv(|x| x as f32) })
    }

    /// What kind of layer it is.
    pub fn kind(&self) -> LayerKind {
        match self {
            Op::Linear { .. } => LayerKind::Linear,
            Op::Convolution(_) => LayerKind::Convolution,
            Op::BatchNorm { .. } => LayerKind::BatchNorm,
            Op::LayerNorm { .. } => LayerKind::LayerNorm,
            Op::MaxPool(_) => LayerKind::MaxPool,
            Op::AveragePool { .. } | Op::AdaptiveAveragePool(_) | Op::GlobalAveragePool => LayerKind::AveragePool,
            Op::Relu => LayerKind::Relu,
            Op::LeakyRelu(_) => LayerKind::LeakyRelu,
            Op::Elu(_) | Op::Celu(_) | Op::Selu => LayerKind::Elu,
            Op::Gelu { .. } => LayerKind::Gelu,
            Op::Silu => LayerKind::Silu,
            Op::Sigmoid => LayerKind::Sigmoid,
            Op::Tanh => LayerKind::Tanh,
            Op::Softplus => LayerKind::Softplus,
            Op::Softmax { .. } => LayerKind::Softmax,
            Op::LogSoftmax { .. } => LayerKind::LogSoftmax,
            Op::Add => LayerKind::Add,
            Op::Multiply => LayerKind::Multiply,
            Op::Concatenate { .. } => LayerKind::Concatenate,
            Op::Flatten | Op::Reshape(_) => LayerKind::Reshape,
            Op::Identity => LayerKind::Identity,
            Op::Slice(_) | Op::Pad(_) | Op::Permute(_) => LayerKind::Rearrange,
            Op::Constant(_) => LayerKind::Constant,
            Op::Clip { .. } => LayerKind::Clip,
        }
    }
}
