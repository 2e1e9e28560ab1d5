//! Against PyTorch: outputs and input gradients of single ops, recorded by `tools/reference/torch_ops_cases.py`.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array1, ArrayD, Ix1, Ix2, IxDyn};
use serde::Deserialize;
use xai_core::{Composed, Layered, Probe};
use xai_models::network::{Convolution, Network, Node, Op, Window};

/// Against double precision, of the largest number of an array: some roundings of `f32`.
const ROUNDING: f64 = 2e-6;

#[derive(Deserialize)]
struct File {
    source: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    op: String,
    arrays: BTreeMap<String, Cells>,
    plain: serde_json::Value,
    input: Cells,
    output: Cells,
    weights: Cells,
    gradient: Cells,
}

#[derive(Deserialize)]
struct Cells {
    shape: Vec<usize>,
    cells: Vec<f64>,
}

impl Cells {
    fn array(&self) -> ArrayD<f32> {
        let cells = self.cells.iter().map(|&x| x as f32).collect();
        ArrayD::from_shape_vec(IxDyn(&self.shape), cells).unwrap()
    }
}

impl Case {
    fn list<T: serde::de::DeserializeOwned>(&self, key: &str) -> T {
        serde_json::from_value(self.plain[key].clone()).unwrap_or_else(|error| panic!("{}, {key}: {error}", self.name))
    }

    fn vector(&self, key: &str) -> Array1<f32> {
        self.arrays[key].array().into_dimensionality::<Ix1>().unwrap()
    }

    fn window(&self) -> Window {
        let padding: Vec<usize> = self.list("padding");
        Window {
            size: self.list("size"),
            stride: self.list("stride"),
            padding: padding.iter().map(|&p| [p, p]).collect(),
            dilation: self.list("dilation"),
            ceil_mode: self.list("ceil"),
        }
    }

    fn op(&self) -> Op {
        let bias = || self.arrays.contains_key("bias").then(|| self.vector("bias"));
        match (&self.op[..], &self.name[..]) {
            ("linear", _) => {
                let weight = self.arrays["weight"].array().into_dimensionality::<Ix2>().unwrap();
                Op::Linear { weight, bias: bias() }
            }
            ("convolution", _) => {
                let padding: Vec<usize> = self.list("padding");
                Op::Convolution(Convolution {
                    weight: self.arrays["weight"].array(),
                    bias: bias(),
                    stride: self.list("stride"),
                    padding: padding.iter().map(|&p| [p, p]).collect(),
                    dilation: self.list("dilation"),
                    groups: self.list("groups"),
                })
            }
            ("max", _) => Op::MaxPool(self.window()),
            ("mean", _) => Op::AveragePool { window: self.window(), count_include_pad: self.list("count_include_pad") },
            ("adaptive", _) => Op::AdaptiveAveragePool(self.list("size")),
            ("global", _) => Op::GlobalAveragePool,
            ("batch norm", _) => {
                let [mean, variance] = ["mean", "variance"].map(|key| self.vector(key));
                Op::batch_norm(&self.vector("weight"), &self.vector("bias"), &mean, &variance, 1e-5).unwrap()
            }
            ("layer norm", _) => {
                let [scale, shift] = ["weight", "bias"].map(|key| self.arrays[key].array());
                Op::LayerNorm { scale, shift, epsilon: 1e-5 }
            }
            ("softmax", _) => Op::Softmax { axis: self.list("axis") },
            ("log softmax", _) => Op::LogSoftmax { axis: self.list("axis") },
            ("pad", _) => Op::Pad(self.list("padding")),
            ("slice", _) => Op::Slice(self.list("ranges")),
            ("permute", _) => Op::Permute(self.list("order")),
            (_, "relu") => Op::Relu,
            (_, "leaky") => Op::LeakyRelu(0.125),
            (_, "elu") => Op::Elu(0.75),
            (_, "celu") => Op::Celu(1.5),
            (_, "selu") => Op::Selu,
            (_, "gelu") => Op::Gelu { tanh: false },
            (_, "gelu tanh") => Op::Gelu { tanh: true },
            (_, "silu") => Op::Silu,
            (_, "sigmoid") => Op::Sigmoid,
            (_, "tanh") => Op::Tanh,
            (_, "softplus") => Op::Softplus,
            (_, "relu6") => Op::Clip { low: 0.0, high: 6.0 },
            other => panic!("no op for {other:?}"),
        }
    }
}

/// How far two arrays are apart, of the largest number of what is expected.
fn gap(found: &ArrayD<f32>, expected: &Cells) -> f64 {
    assert_eq!(found.shape(), expected.shape);
    let most = expected.cells.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let apart = found.iter().zip(&expected.cells).fold(0.0_f64, |most, (a, b)| most.max((f64::from(*a) - b).abs()));
    apart / most
}

#[test]
fn ops_are_those_of_torch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/reference/golden/torch_ops.json");
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file.source.starts_with("torch 2."), "{}", file.source);
    assert!(file.cases.len() > 40);
    for case in &file.cases {
        let nodes = vec![Node::new("op", case.op(), vec![0]), Node::new("flat", Op::Flatten, vec![1])];
        let network = Network::<ndarray::ArrayRefD<f32>>::new(&case.input.shape[1..], nodes);
        let network = network.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let (input, weights) = (case.input.array(), case.weights.array());
        let n = case.input.shape[0];
        let flat = weights.mapv(f64::from).into_shape_with_order((n, case.weights.cells.len() / n)).unwrap();
        let probe = Probe { read: &[0, 1], replace: None, weights: &[flat] };
        let probed = network.probe(&input, &probe).unwrap();
        let value = gap(&probed.activations[1], &case.output);
        let gradient = gap(&probed.gradients[0][0], &case.gradient);
        assert!(value < ROUNDING && gradient < ROUNDING, "{}: {value:e}, gradient {gradient:e}", case.name);
        let operator = network.operator(1).unwrap();
        let output = operator.forward(&[&input]).unwrap();
        assert_eq!(output, probed.activations[1], "{}", case.name);
        assert_eq!(operator.vjp(&[&input], &output, &weights).unwrap()[0], probed.gradients[0][0], "{}", case.name);
    }
}
