//! The small networks of `tools/reference/golden/networks` and what the reference libraries say of them.

use std::path::PathBuf;

use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn};
use serde_json::Value;
use xai_core::{Cell, Cells};
use xai_models::network::{Convolution, Network, Node, Op, Window};

use crate::golden::numbers;

/// A network with its samples.
pub struct Recorded<B: Cells + ?Sized> {
    pub network: Network<B>,
    pub rows: B::Owned,
    /// (baseline, axes of one sample …).
    pub baselines: ArrayD<f64>,
    /// (sample, output).
    pub scores: Array2<f64>,
}

/// One method's values.
pub struct Case {
    pub name: String,
    /// The library's name for the method.
    pub method: String,
    pub params: Value,
    /// The layer that is explained, where it is not the input.
    pub layer: Option<String>,
    /// (sample, cell, output).
    pub values: Array3<f64>,
}

/// The network of this name.
pub fn network<B: Cells + ?Sized>(name: &str) -> Recorded<B> {
    let file = read(name);
    let shape = whole(&file["shape"]);
    let nodes = file["nodes"].as_array().unwrap();
    let place = |input: &Value| match input.as_str().unwrap() {
        "input" => 0,
        name => 1 + nodes.iter().position(|node| node["name"] == name).unwrap(),
    };
    let made = nodes.iter().map(|node| {
        let inputs = node["inputs"].as_array().unwrap().iter().map(place).collect();
        Node::new(node["name"].as_str().unwrap(), op(node), inputs)
    });
    let rows = array(&file["rows"]).mapv(<B::Cell as Cell>::of);
    Recorded {
        network: Network::new(&shape, made.collect()).unwrap(),
        rows: B::of_cells(rows).unwrap(),
        baselines: array(&file["baselines"]),
        scores: crate::golden::table(&file["scores"]),
    }
}

/// The cases of a group of a network, such as `gradients`.
pub fn cases(network: &str, group: &str) -> Vec<Case> {
    let file = read(&format!("{network}.{group}"));
    let one = |case: &Value| Case {
        name: case["name"].as_str().unwrap().into(),
        method: case["method"].as_str().unwrap_or_default().into(),
        params: case["params"].clone(),
        layer: case["layer"].as_str().map(Into::into),
        values: array(&case["values"]).into_dimensionality().unwrap(),
    };
    file["cases"].as_array().unwrap().iter().map(one).collect()
}

/// The image that the trained ResNet-20 was explained on, the output, and what the references say.
pub fn resnet() -> (ArrayD<f32>, usize, Vec<Case>) {
    let file = read("resnet20");
    let image = ArrayD::from_shape_vec(IxDyn(&[1, 3, 32, 32]), floats(&file["image"])).unwrap();
    let one = |case: &Value| Case {
        name: case["name"].as_str().unwrap().into(),
        method: case["method"].as_str().unwrap_or_default().into(),
        params: case["params"].clone(),
        layer: None,
        values: Array3::from_shape_vec((1, image.len(), 1), numbers(&case["values"])).unwrap(),
    };
    let cases = file["cases"].as_array().unwrap().iter().map(one).collect();
    let output = file["output"].as_u64().unwrap() as usize;
    (image, output, cases)
}

/// Asserts that values agree to `tolerance` of the largest recorded one.
#[track_caller]
pub fn assert_same(what: &str, found: &Array3<f64>, recorded: &Array3<f64>, tolerance: f64) {
    let gap = gap(found, recorded);
    assert!(gap <= tolerance, "{what}: {gap:.2e} of the largest value");
}

/// The largest difference, as a share of the largest recorded value.
pub fn gap(found: &Array3<f64>, recorded: &Array3<f64>) -> f64 {
    assert_eq!(found.shape(), recorded.shape());
    let largest = |array: &Array3<f64>| array.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let gap = largest(&(found - recorded)) / largest(recorded);
    assert!(gap.is_finite());
    gap
}

fn read(name: &str) -> Value {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden/networks"));
    serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

fn op(node: &Value) -> Op {
    let list = |key: &str| Array1::from(floats(&node[key]));
    let bias = || (!node["bias"].is_null()).then(|| list("bias"));
    let both = |key: &str| whole(&node[key]).into_iter().map(|n| [n; 2]).collect::<Vec<_>>();
    let window =
        || Window { stride: whole(&node["stride"]), padding: both("padding"), ..Window::new(whole(&node["kernel"])) };
    let float = |key: &str| node[key].as_f64().unwrap();
    let dyn32 = |key: &str| array(&node[key]).mapv(|x| x as f32);
    match node["op"].as_str().unwrap() {
        "linear" => Op::Linear { weight: dyn32("weight").into_dimensionality().unwrap(), bias: bias() },
        "convolution" => Op::Convolution(Convolution {
            stride: whole(&node["stride"]),
            padding: both("padding"),
            dilation: whole(&node["dilation"]),
            groups: node["groups"].as_u64().unwrap() as usize,
            ..Convolution::new(dyn32("weight"), bias())
        }),
        "batch-norm" => {
            Op::batch_norm(&list("weight"), &list("bias"), &list("mean"), &list("variance"), float("epsilon")).unwrap()
        }
        "layer-norm" => {
            Op::LayerNorm { scale: dyn32("weight"), shift: dyn32("bias"), epsilon: float("epsilon") as f32 }
        }
        "max-pool" => Op::MaxPool(window()),
        "average-pool" => {
            Op::AveragePool { window: window(), count_include_pad: node["count_include_pad"].as_bool().unwrap() }
        }
        "global-average-pool" => Op::GlobalAveragePool,
        "relu" => Op::Relu,
        "relu6" => Op::Clip { low: 0.0, high: 6.0 },
        "leaky-relu" => Op::LeakyRelu(float("slope") as f32),
        "elu" => Op::Elu(float("alpha") as f32),
        "gelu" => Op::Gelu { tanh: node["tanh"].as_bool().unwrap() },
        "silu" => Op::Silu,
        "sigmoid" => Op::Sigmoid,
        "tanh" => Op::Tanh,
        "softplus" => Op::Softplus,
        "add" => Op::Add,
        "multiply" => Op::Multiply,
        "flatten" => Op::Flatten,
        other => panic!("op {other}"),
    }
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|x| x as f32).collect()
}

fn whole(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|x| x as usize).collect()
}

fn array(value: &Value) -> ArrayD<f64> {
    let mut axes = Vec::new();
    let mut inner = value;
    while let Value::Array(items) = inner {
        axes.push(items.len());
        inner = &items[0];
    }
    ArrayD::from_shape_vec(IxDyn(&axes), numbers(value)).unwrap()
}
