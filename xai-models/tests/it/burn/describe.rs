//! burn modules written down as described networks.

use burn::module::{Module, Param};
use burn::nn::activation::{Relu6, SiLU};
use burn::nn::conv::{Conv1dConfig, Conv2d, Conv2dConfig};
use burn::nn::pool::{
    AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AvgPool1dConfig, AvgPool2dConfig, MaxPool1dConfig, MaxPool2d,
    MaxPool2dConfig,
};
use burn::nn::{
    BatchNorm, BatchNormConfig, DropoutConfig, EluConfig, Gelu, LayerNormConfig, LeakyReluConfig, Linear, LinearConfig,
    PaddingConfig1d, PaddingConfig2d, Relu, Sigmoid, Tanh,
};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use ndarray::{Array2, ArrayRef3, ArrayRef4};
use xai_core::{Composed, Differentiable, Error, Layered, Model};
use xai_models::burn::{AsOp, BurnModel, layer_norm};
use xai_models::network::{Network, Node, Op};

use super::adaptor::noise;
use super::modules::{Mlp, linear};

/// Two programs in `f32`, a few layers.
const AGREES: f64 = 1e-5;

/// A residual network as burn's users write one.
#[derive(Module, Debug)]
struct Residual {
    first: Conv2d,
    norm: BatchNorm,
    second: Conv2d,
    pool: MaxPool2d,
    last: Linear,
}

impl Residual {
    fn new(device: &Device) -> Self {
        let mut norm = BatchNormConfig::new(4).init(device);
        norm.gamma = Param::from_data([1.0, 0.5, -2.0, 1.5], device);
        norm.beta = Param::from_data([0.1, 0.0, 0.5, -0.2], device);
        norm.running_mean.update(Tensor::from_data([0.1, -0.2, 0.3, 0.0], device));
        norm.running_var.update(Tensor::from_data([0.5, 1.0, 2.0, 0.1], device));
        let same = |inputs, size| Conv2dConfig::new([inputs, 4], size).with_padding(PaddingConfig2d::Same).init(device);
        Residual {
            first: same(2, [3, 3]),
            norm,
            second: same(4, [2, 4]),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            last: LinearConfig::new(36, 3).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let stem = relu(self.norm.forward(self.first.forward(x)));
        let sum = self.second.forward(stem.clone()) + stem;
        self.last.forward(self.pool.forward(sum).flatten(1, 3))
    }
}

fn residual() -> (BurnModel<ArrayRef4<f32>, Residual>, Network<ArrayRef4<f32>>) {
    let device = Device::flex();
    let model = BurnModel::images(Residual::new(&device), [2, 6, 6], &device, |m, x, _| m.forward(x)).unwrap();
    let network = model.describe(|m, layers| {
        let first = layers.add("first", &m.first, layers.input())?;
        let norm = layers.add("norm", &m.norm, first)?;
        let stem = layers.op("relu", Op::Relu, &[norm])?;
        let second = layers.add("second", &m.second, stem)?;
        let sum = layers.op("sum", Op::Add, &[second, stem])?;
        let pool = layers.add("pool", &m.pool, sum)?;
        let flat = layers.op("flat", Op::Flatten, &[pool])?;
        layers.add("last", &m.last, flat)
    });
    (model, network.unwrap())
}

#[test]
fn burn_modules_can_be_written_down() {
    let (model, network) = residual();
    let batch = noise((7, 72), 11).mapv(|x| x as f32).into_shape_with_order((7, 2, 6, 6)).unwrap();
    let weights = noise((7, 3), 12);
    let gap = model.predict(&batch).unwrap() - network.predict(&batch).unwrap();
    assert!(gap.iter().all(|gap| gap.abs() < AGREES), "{gap}");
    let gap = model.vjp(&batch, &weights).unwrap() - network.vjp(&batch, &weights).unwrap();
    assert!(gap.iter().all(|gap| f64::from(gap.abs()) < AGREES), "{gap}");
    assert_eq!(network.layers()[5].name, "sum");
    assert!(network.operator(1).is_ok());
}

#[test]
fn burn_descriptions_that_differ_are_found_out() {
    let device = Device::flex();
    let (model, _) = residual();
    let error = model.describe(|m, layers| {
        let first = layers.add("first", &m.first, layers.input())?;
        let flat = layers.op("flat", Op::Flatten, &[first])?;
        layers.add("last", &m.last, flat)
    });
    assert!(matches!(error, Err(Error::InLayer { .. })), "{error:?}");
    let mlp = BurnModel::table(Mlp::new(&device), 4, &device, |mlp, x, _| mlp.forward(x)).unwrap();
    let write = |curve: Op| {
        mlp.describe(|m, layers| {
            let first = layers.add("first", &m.first, layers.input())?;
            let norm = layers.add("norm", &m.norm, first)?;
            let curve = layers.op("curve", curve.clone(), &[norm])?;
            let dropout = layers.add("dropout", &m.dropout, curve)?;
            layers.add("last", &m.last, dropout)
        })
    };
    assert!(write(Op::Sigmoid).is_ok());
    let error = write(Op::Tanh).unwrap_err();
    assert!(error.to_string().contains("as the module scores sample"), "{error}");
    let error = mlp.describe(|m, layers| {
        let first = layers.add("first", &m.first, layers.input())?;
        layers.add("norm", &m.norm, first)?;
        Ok(first)
    });
    assert!(matches!(error, Err(Error::Parameter { .. })));
}

/// Whether a layer and its counterpart score alike, on (channel 2, step 9).
fn series<L: Module + Sync + AsOp + 'static>(name: &str, layer: L, forward: fn(&L, Tensor<3>) -> Tensor<3>) {
    let device = Device::flex();
    let model = BurnModel::series(layer, [2, 9], &device, move |layer, x, _| {
        let [n, _, _] = x.dims();
        forward(layer, x * 3.0).reshape([n as i32, -1])
    })
    .unwrap();
    let scale = Op::Linear { weight: Array2::eye(9) * 3.0, bias: None };
    let network: Network<ArrayRef3<f32>> = model
        .describe(|layer, layers| {
            let scaled = layers.op("scale", scale, &[layers.input()])?;
            let own = layers.add("own", layer, scaled)?;
            layers.op("flat", Op::Flatten, &[own])
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(network.n_outputs(), model.n_outputs());
}

#[test]
fn burn_layers_have_their_counterparts() {
    let device = Device::flex();
    let odd = PaddingConfig1d::Explicit(1, 2);
    let kernel = Conv1dConfig::new(2, 4, 4).with_stride(2).with_dilation(2);
    series("convolution", kernel.with_padding(odd.clone()).init(&device), |l, x| l.forward(x));
    let same = Conv1dConfig::new(2, 4, 4).with_groups(2).with_bias(false).with_padding(PaddingConfig1d::Same);
    series("same padding", same.init(&device), |l, x| l.forward(x));
    let even = PaddingConfig1d::Explicit(1, 1);
    series("max pool", MaxPool1dConfig::new(3).with_stride(2).with_padding(even.clone()).init(), |l, x| l.forward(x));
    let average = AvgPool1dConfig::new(3).with_stride(2).with_padding(even);
    series("average pool", average.clone().with_count_include_pad(false).init(), |l, x| l.forward(x));
    series("average pool with zeros", average.with_count_include_pad(true).init(), |l, x| l.forward(x));
    series("adaptive pool", AdaptiveAvgPool1dConfig::new(4).init(), |l, x| l.forward(x));
    series("dropout", DropoutConfig::new(0.5).init(), |l, x| l.forward(x));
    series("relu", Relu::new(), |l, x| l.forward(x));
    series("relu6", Relu6::new(), |l, x| l.forward(x));
    series("leaky relu", LeakyReluConfig::new().with_negative_slope(0.2).init(), |l, x| l.forward(x));
    series("elu", EluConfig::new().with_alpha(0.7).init(), |l, x| l.forward(x));
    series("gelu", Gelu::new(), |l, x| l.forward(x));
    series("silu", SiLU::new(), |l, x| l.forward(x));
    series("sigmoid", Sigmoid::new(), |l, x| l.forward(x));
    series("tanh", Tanh::new(), |l, x| l.forward(x));
}

#[test]
fn burn_pools_of_images_and_norms_have_their_counterparts() {
    let input = [2, 7, 8];
    let padding = PaddingConfig2d::Explicit(1, 0, 1, 0);
    let max = MaxPool2dConfig::new([3, 2]).with_strides([2, 1]).with_padding(padding.clone()).init();
    let average = AvgPool2dConfig::new([3, 2]).with_strides([2, 1]).with_padding(padding).init();
    let adaptive = AdaptiveAvgPool2dConfig::new([3, 5]).init();
    let device = Device::flex();
    let x = noise((2, 112), 13);
    let tensor = Tensor::<2>::from_data(
        burn::tensor::TensorData::new(x.iter().map(|&x| x as f32).collect::<Vec<_>>(), [2, 112]),
        &device,
    )
    .reshape([2, 2, 7, 8]);
    let batch = x.mapv(|x| x as f32).into_shape_with_order((2, 2, 7, 8)).unwrap();
    let outputs = [max.forward(tensor.clone()), average.forward(tensor.clone()), adaptive.forward(tensor)];
    for (op, output) in [max.as_op(&input), average.as_op(&input), adaptive.as_op(&input)].into_iter().zip(outputs) {
        let nodes = vec![Node::new("own", op.unwrap(), vec![0]), Node::new("flat", Op::Flatten, vec![1])];
        let found = Network::<ArrayRef4<f32>>::new(&input, nodes).unwrap().predict(&batch).unwrap();
        let expected: Vec<f32> = output.try_into_vec_as().unwrap();
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - f64::from(*b)).abs() < AGREES));
    }
    let norm = LayerNormConfig::new(2).with_epsilon(0.01).init(&device);
    let layer = linear([[1.0, 2.0], [3.0, -1.0]], [0.0, 0.0], &device);
    let model = BurnModel::table((layer, norm), 2, &device, |m, x, _| m.1.forward(m.0.forward(x) * 0.1)).unwrap();
    let tenth = Op::Linear { weight: Array2::eye(2) * 0.1, bias: None };
    let with = |epsilon: f64| {
        model.describe(|(layer, norm), layers| {
            let own = layers.add("layer", layer, layers.input())?;
            let own = layers.op("tenth", tenth.clone(), &[own])?;
            layers.op("norm", layer_norm(norm, epsilon)?, &[own])
        })
    };
    assert!(with(0.01).is_ok());
    assert!(with(1e-5).is_err(), "another ε scores otherwise");
}
