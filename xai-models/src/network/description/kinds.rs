//! Each kind of layer from its keys.

use ndarray::{Array1, ArrayD};
use xai_core::error::same_shape;
use xai_core::{Error, Result};

use super::layers::{Source, unknown_kind};
use super::malformed;
use crate::network::{Convolution, Op, Window};

/// The kinds of layers, blocks apart.
pub(super) const KINDS: [&str; 34] = [
    "linear",
    "convolution",
    "batch-norm",
    "layer-norm",
    "normalize",
    "max-pool",
    "average-pool",
    "adaptive-average-pool",
    "global-average-pool",
    "relu",
    "leaky-relu",
    "elu",
    "celu",
    "selu",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "softplus",
    "clip",
    "softmax",
    "log-softmax",
    "add",
    "multiply",
    "concatenate",
    "flatten",
    "reshape",
    "permute",
    "slice",
    "pad",
    "constant",
    "dropout",
    "identity",
    "affine",
];

/// The ε that PyTorch's normalisations have where nothing is said.
const EPSILON: f64 = 1e-5;

/// The layer of a kind.
///
/// # Errors
/// [`Error::Unknown`] for a kind that is not there; [`Error::Malformed`] for a key; [`Error::Shape`] with the tensor's
/// name.
pub(super) fn op(kind: &str, source: &mut Source) -> Result<Op> {
    Ok(match kind {
        "linear" => linear(source)?,
        "convolution" => convolution(source)?,
        "batch-norm" => batch_norm(source)?,
        "layer-norm" => layer_norm(source)?,
        "normalize" => normalize(source)?,
        "affine" => affine(source)?,
        "max-pool" => Op::MaxPool(window(source)?),
        "average-pool" => {
            let count_include_pad = source.fields.flag("count_include_pad")?.unwrap_or(true);
            Op::AveragePool { window: window(source)?, count_include_pad }
        }
        "adaptive-average-pool" => {
            let size = source.fields.per_axis("size", source.axes())?;
            Op::AdaptiveAveragePool(source.fields.required("size", size)?)
        }
        "global-average-pool" => Op::GlobalAveragePool,
        "relu" => Op::Relu,
        "leaky-relu" => Op::LeakyRelu(number(source, "slope", 0.01)?),
        "elu" => Op::Elu(number(source, "alpha", 1.0)?),
        "celu" => Op::Celu(number(source, "alpha", 1.0)?),
        "selu" => Op::Selu,
        "gelu" => match source.fields.text("approximate")?.as_deref() {
            None | Some("none") => Op::Gelu { tanh: false },
            Some("tanh") => Op::Gelu { tanh: true },
            Some(other) => return Err(Error::parameter("approximate", other, "\"none\" or \"tanh\"")),
        },
        "silu" => Op::Silu,
        "sigmoid" => Op::Sigmoid,
        "tanh" => Op::Tanh,
        "softplus" => Op::Softplus,
        "clip" => {
            Op::Clip { low: number(source, "low", f64::NEG_INFINITY)?, high: number(source, "high", f64::INFINITY)? }
        }
        "softmax" => Op::Softmax { axis: source.fields.whole("axis")?.unwrap_or(0) },
        "log-softmax" => Op::LogSoftmax { axis: source.fields.whole("axis")?.unwrap_or(0) },
        "add" => Op::Add,
        "multiply" => Op::Multiply,
        "concatenate" => Op::Concatenate { axis: source.fields.whole("axis")?.unwrap_or(0) },
        "flatten" => Op::Flatten,
        "reshape" => {
            let shape = source.fields.wholes("shape")?;
            Op::Reshape(source.fields.required("shape", shape)?)
        }
        "permute" => {
            let order = source.fields.wholes("order")?;
            Op::Permute(source.fields.required("order", order)?)
        }
        "slice" => slice(source)?,
        "pad" => {
            let padding = source.fields.both_sides("padding", source.input.len())?;
            Op::Pad(source.fields.required("padding", padding)?)
        }
        "constant" => Op::Constant(source.tensor("value", "value")?),
        "dropout" => {
            // The rate is of no use after training, but stands in descriptions that were written for it.
            source.fields.real("rate")?;
            Op::Identity
        }
        "identity" => Op::Identity,
        other => return Err(unknown_kind(other)),
    })
}

fn linear(source: &mut Source) -> Result<Op> {
    let n_inputs = source.input.last().copied().unwrap_or(0);
    let weight = source.tensor("weight", "weight")?;
    let weight = source.matrix("weight", n_inputs, weight)?;
    let bias = channels(source, "bias", "bias", weight.nrows())?;
    Ok(Op::Linear { weight, bias })
}

fn convolution(source: &mut Source) -> Result<Op> {
    let axes = source.axes();
    let weight = source.tensor("weight", "weight")?;
    let groups = source.fields.whole("groups")?.unwrap_or(1);
    let channels_in = source.input.first().copied().unwrap_or(0);
    if groups == 0 || channels_in % groups != 0 {
        return Err(Error::parameter("groups", groups, format!("a divisor of the {channels_in} channels")));
    }
    // The number of output channels and the size of the kernel are the tensor's own; all else must fit.
    let mut expected = weight.shape().to_vec();
    expected.resize(axes + 2, 1);
    expected[1] = channels_in / groups;
    same_shape(source.called("weight"), &expected, weight.shape())?;
    let kernel = &weight.shape()[2..];
    let dilation = source.fields.per_axis("dilation", axes)?.unwrap_or_else(|| vec![1; axes]);
    let stride = source.fields.per_axis("stride", axes)?.unwrap_or_else(|| vec![1; axes]);
    let padding = match source.fields.take_same("padding") {
        // As PyTorch has it: the longer side is the later one.
        true => {
            let reach = kernel.iter().zip(&dilation).map(|(k, d)| k.saturating_sub(1).saturating_mul(*d));
            reach.map(|reach| [reach / 2, reach - reach / 2]).collect()
        }
        false => source.fields.both_sides("padding", axes)?.unwrap_or_else(|| vec![[0; 2]; axes]),
    };
    let bias = channels(source, "bias", "bias", weight.shape()[0])?;
    Ok(Op::Convolution(Convolution { weight, bias, stride, padding, dilation, groups }))
}

fn batch_norm(source: &mut Source) -> Result<Op> {
    let n = source.input.first().copied().unwrap_or(0);
    let mean = source.tensor("mean", "running_mean")?;
    let mean = source.per_channel("running_mean", n, mean)?;
    let variance = source.tensor("variance", "running_var")?;
    let variance = source.per_channel("running_var", n, variance)?;
    let weight = channels(source, "weight", "weight", n)?.unwrap_or_else(|| Array1::ones(n));
    let bias = channels(source, "bias", "bias", n)?.unwrap_or_else(|| Array1::zeros(n));
    let epsilon = source.fields.real("epsilon")?.unwrap_or(EPSILON);
    Op::batch_norm(&weight, &bias, &mean, &variance, epsilon)
}

fn layer_norm(source: &mut Source) -> Result<Op> {
    let weight = source.optional("weight", "weight")?;
    let bias = source.optional("bias", "bias")?;
    let shape = source.fields.wholes("shape")?;
    let epsilon = number(source, "epsilon", EPSILON)?;
    let shape = shape.or_else(|| weight.as_ref().or(bias.as_ref()).map(|tensor| tensor.shape().to_vec()));
    let shape = source.fields.required("shape", shape)?;
    // Checked before anything of that size is made.
    let from = source.input.len().saturating_sub(shape.len());
    same_shape("the axes that are normalised", &source.input[from..], &shape)?;
    let scale = weight.unwrap_or_else(|| ArrayD::ones(shape.clone()));
    let shift = bias.unwrap_or_else(|| ArrayD::zeros(shape.clone()));
    same_shape(source.called("weight"), &shape, scale.shape())?;
    same_shape(source.called("bias"), &shape, shift.shape())?;
    Ok(Op::LayerNorm { scale, shift, epsilon })
}

/// (x − mean)/std for each channel, with numbers that stand in the description.
fn normalize(source: &mut Source) -> Result<Op> {
    let n = source.input.first().copied().unwrap_or(0);
    let mut numbers = |key: &'static str| -> Result<Vec<f64>> {
        let list = source.fields.reals(key)?;
        let list = source.fields.required(key, list)?;
        same_shape(source.fields.at(key), &[n], &[list.len()])?;
        Ok(list)
    };
    let (mean, std) = (numbers("mean")?, numbers("std")?);
    if let Some(&std) = std.iter().find(|&&std| std.is_nan() || std <= 0.0) {
        return Err(Error::parameter("std", std, "positive numbers"));
    }
    let scale = std.iter().map(|std| (1.0 / std) as f32).collect();
    let shift = mean.iter().zip(&std).map(|(mean, std)| (-mean / std) as f32).collect();
    Ok(Op::BatchNorm { scale, shift })
}

/// x·scale + shift for each channel: a batch normalisation whose numbers are already folded.
fn affine(source: &mut Source) -> Result<Op> {
    let n = source.input.first().copied().unwrap_or(0);
    let scale = source.tensor("scale", "scale")?;
    let shift = source.tensor("shift", "shift")?;
    Ok(Op::BatchNorm { scale: source.per_channel("scale", n, scale)?, shift: source.per_channel("shift", n, shift)? })
}

fn slice(source: &mut Source) -> Result<Op> {
    let axes = source.input.len();
    let start = source.fields.per_axis("start", axes)?.unwrap_or_else(|| vec![0; axes]);
    let end = source.fields.per_axis("end", axes)?.unwrap_or_else(|| source.input.clone());
    let step = source.fields.per_axis("step", axes)?.unwrap_or_else(|| vec![1; axes]);
    Ok(Op::Slice((0..axes).map(|axis| [start[axis], end[axis], step[axis]]).collect()))
}

fn window(source: &mut Source) -> Result<Window> {
    let axes = source.axes();
    let size = source.fields.per_axis("size", axes)?;
    let size = source.fields.required("size", size)?;
    Ok(Window {
        stride: source.fields.per_axis("stride", axes)?.unwrap_or_else(|| size.clone()),
        padding: source.fields.both_sides("padding", axes)?.unwrap_or_else(|| vec![[0; 2]; axes]),
        dilation: source.fields.per_axis("dilation", axes)?.unwrap_or_else(|| vec![1; axes]),
        ceil_mode: source.fields.flag("ceil_mode")?.unwrap_or(false),
        size,
    })
}

fn channels(source: &mut Source, key: &'static str, suffix: &str, n: usize) -> Result<Option<Array1<f32>>> {
    match source.optional(key, suffix)? {
        None => Ok(None),
        Some(tensor) => source.per_channel(suffix, n, tensor).map(Some),
    }
}

fn number(source: &mut Source, key: &'static str, otherwise: f64) -> Result<f32> {
    let number = source.fields.real(key)?.unwrap_or(otherwise) as f32;
    match number.is_nan() {
        true => Err(malformed(source.fields.at(key), "a number that is none")),
        false => Ok(number),
    }
}
