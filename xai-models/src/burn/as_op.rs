//! burn's layers as those of described networks.

use ::burn::module::Param;
use ::burn::nn::activation::{Relu6, SiLU};
use ::burn::nn::conv::{Conv1d, Conv2d};
use ::burn::nn::pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
use ::burn::nn::{BatchNorm, Celu, Dropout, Elu, Gelu, LayerNorm, LeakyRelu, Linear, Relu, Selu, Sigmoid, Tanh};
use ::burn::nn::{PaddingConfig1d, PaddingConfig2d};
use ::burn::tensor::Tensor;
use ndarray::{Array1, Array2, ArrayD, IxDyn};
use xai_core::{Error, Result};

use super::taps::cells;
use crate::network::{Convolution, Op, Window};

/// A layer that has a counterpart in described networks.
pub trait AsOp {
    /// The same layer, for an input with these axes, the samples not counted.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when there is no counterpart.
    fn as_op(&self, input: &[usize]) -> Result<Op>;
}

/// A layer norm with its ε, which burn's own does not tell: 1e-5 unless its configuration said otherwise.
///
/// # Errors
/// [`Error::Model`] when its parameters cannot be read.
pub fn layer_norm(norm: &LayerNorm, epsilon: f64) -> Result<Op> {
    let scale = array(&norm.gamma)?;
    let shift = norm.beta.as_ref().map_or_else(|| Ok(ArrayD::zeros(scale.shape())), array)?;
    Ok(Op::LayerNorm { scale, shift, epsilon: epsilon as f32 })
}

impl AsOp for Linear {
    fn as_op(&self, _input: &[usize]) -> Result<Op> {
        let weight: Array2<f32> = array(&self.weight)?.into_dimensionality().map_err(Error::model)?;
        Ok(Op::Linear { weight: weight.t().as_standard_layout().into_owned(), bias: vector(self.bias.as_ref())? })
    }
}

impl AsOp for Conv1d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        let places = input.get(1).copied().unwrap_or(0);
        Ok(Op::Convolution(Convolution {
            weight: array(&self.weight)?,
            bias: vector(self.bias.as_ref())?,
            stride: vec![self.stride],
            padding: vec![one_axis(&self.padding, places, self.kernel_size, self.stride)],
            dilation: vec![self.dilation],
            groups: self.groups,
        }))
    }
}

impl AsOp for Conv2d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        Ok(Op::Convolution(Convolution {
            weight: array(&self.weight)?,
            bias: vector(self.bias.as_ref())?,
            stride: self.stride.to_vec(),
            padding: two_axes(&self.padding, input, self.kernel_size, self.stride),
            dilation: self.dilation.to_vec(),
            groups: self.groups,
        }))
    }
}

impl AsOp for BatchNorm {
    fn as_op(&self, _input: &[usize]) -> Result<Op> {
        let read = |tensor: Tensor<1>| Ok::<_, Error>(Array1::from_vec(cells(tensor)?));
        let (mean, variance) = (read(self.running_mean.value())?, read(self.running_var.value())?);
        Op::batch_norm(&read(self.gamma.val())?, &read(self.beta.val())?, &mean, &variance, self.epsilon)
    }
}

impl AsOp for MaxPool1d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        let places = input.get(1).copied().unwrap_or(0);
        Ok(Op::MaxPool(Window {
            size: vec![self.kernel_size],
            stride: vec![self.stride],
            padding: vec![one_axis(&self.padding, places, self.kernel_size, self.stride)],
            dilation: vec![self.dilation],
            ceil_mode: self.ceil_mode,
        }))
    }
}

impl AsOp for MaxPool2d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        Ok(Op::MaxPool(Window {
            size: self.kernel_size.to_vec(),
            stride: self.stride.to_vec(),
            padding: two_axes(&self.padding, input, self.kernel_size, self.stride),
            dilation: self.dilation.to_vec(),
            ceil_mode: self.ceil_mode,
        }))
    }
}

impl AsOp for AvgPool1d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        let places = input.get(1).copied().unwrap_or(0);
        let window = Window {
            size: vec![self.kernel_size],
            stride: vec![self.stride],
            padding: vec![one_axis(&self.padding, places, self.kernel_size, self.stride)],
            dilation: vec![1],
            ceil_mode: self.ceil_mode,
        };
        Ok(Op::AveragePool { window, count_include_pad: self.count_include_pad })
    }
}

impl AsOp for AvgPool2d {
    fn as_op(&self, input: &[usize]) -> Result<Op> {
        let window = Window {
            size: self.kernel_size.to_vec(),
            stride: self.stride.to_vec(),
            padding: two_axes(&self.padding, input, self.kernel_size, self.stride),
            dilation: vec![1, 1],
            ceil_mode: self.ceil_mode,
        };
        Ok(Op::AveragePool { window, count_include_pad: self.count_include_pad })
    }
}

/// Layers whose counterpart hangs on their fields only.
macro_rules! plain {
    ($($layer:ty, $this:ident => $op:expr;)*) => {$(
        impl AsOp for $layer {
            fn as_op(&self, _input: &[usize]) -> Result<Op> {
                let $this = self;
                Ok($op)
            }
        }
    )*};
}
plain! {
    AdaptiveAvgPool1d, this => Op::AdaptiveAveragePool(vec![this.output_size]);
    AdaptiveAvgPool2d, this => Op::AdaptiveAveragePool(this.output_size.to_vec());
    Dropout, _this => Op::Identity;
    Relu, _this => Op::Relu;
    Relu6, _this => Op::Clip { low: 0.0, high: 6.0 };
    LeakyRelu, this => Op::LeakyRelu(this.negative_slope as f32);
    Elu, this => Op::Elu(this.alpha as f32);
    Celu, this => Op::Celu(this.alpha as f32);
    Selu, _this => Op::Selu;
    Gelu, this => Op::Gelu { tanh: this.approximate };
    SiLU, _this => Op::Silu;
    Sigmoid, _this => Op::Sigmoid;
    Tanh, _this => Op::Tanh;
}

fn array<const D: usize>(param: &Param<Tensor<D>>) -> Result<ArrayD<f32>> {
    let value = param.val();
    let dims = value.dims();
    ArrayD::from_shape_vec(IxDyn(&dims), cells(value)?).map_err(Error::model)
}

fn vector(param: Option<&Param<Tensor<1>>>) -> Result<Option<Array1<f32>>> {
    param.map(|param| Ok(Array1::from_vec(cells(param.val())?))).transpose()
}

fn one_axis(padding: &PaddingConfig1d, places: usize, size: usize, stride: usize) -> [usize; 2] {
    match padding {
        PaddingConfig1d::Same => same(places, size, stride),
        PaddingConfig1d::Valid => [0, 0],
        PaddingConfig1d::Explicit(before, after) => [*before, *after],
    }
}

fn two_axes(padding: &PaddingConfig2d, input: &[usize], size: [usize; 2], stride: [usize; 2]) -> Vec<[usize; 2]> {
    let places = |axis: usize| input.get(axis + 1).copied().unwrap_or(0);
    match padding {
        PaddingConfig2d::Same => (0..2).map(|axis| same(places(axis), size[axis], stride[axis])).collect(),
        PaddingConfig2d::Valid => vec![[0, 0]; 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => vec![[*top, *bottom], [*left, *right]],
    }
}

/// So much that there are ⌈places/stride⌉ windows; an odd zero goes to the end.
fn same(places: usize, size: usize, stride: usize) -> [usize; 2] {
    let windows = places.div_ceil(stride.max(1));
    let lacking = (windows.saturating_sub(1) * stride + size).saturating_sub(places);
    [lacking / 2, lacking - lacking / 2]
}
