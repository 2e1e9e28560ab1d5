//! Modules as burn's users write them.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};
use xai_models::burn::Taps;

/// Two layers with everything between them that differs between training and prediction.
#[derive(Module, Debug)]
pub struct Mlp {
    pub first: Linear,
    pub norm: BatchNorm,
    pub dropout: Dropout,
    pub last: Linear,
}

impl Mlp {
    pub fn new(device: &Device) -> Self {
        Mlp {
            first: LinearConfig::new(4, 16).init(device),
            norm: BatchNormConfig::new(16).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            last: LinearConfig::new(16, 3).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = sigmoid(self.norm.forward(self.first.forward(x)));
        self.last.forward(self.dropout.forward(hidden))
    }
}

/// A convolution, a hidden layer, scores, each tapped.
#[derive(Module, Debug)]
pub struct Cnn {
    pub convolution: Conv2d,
    pub hidden: Linear,
    pub last: Linear,
}

impl Cnn {
    pub fn new(device: &Device) -> Self {
        Cnn {
            convolution: Conv2dConfig::new([2, 3], [3, 3]).init(device),
            hidden: LinearConfig::new(3 * 4 * 4, 8).init(device),
            last: LinearConfig::new(8, 2).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<4>, taps: &mut Taps) -> Tensor<2> {
        let maps = taps.tap("maps", sigmoid(self.convolution.forward(x)));
        let hidden = taps.tap("hidden", relu(self.hidden.forward(maps.flatten(1, 3))));
        self.last.forward(hidden)
    }
}

/// x·W + b with these weights, (input, output) as burn keeps them.
pub fn linear<const I: usize, const O: usize>(weight: [[f32; O]; I], bias: [f32; O], device: &Device) -> Linear {
    Linear { weight: Param::from_data(weight, device), bias: Some(Param::from_data(bias, device)) }
}
