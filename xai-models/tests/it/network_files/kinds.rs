//! Every kind of layer of a description, against the layer that it stands for.

use ndarray::{Array1, ArrayD, arr1, arr2, array};
use serde_json::{Value, json};
use xai_models::network::{Convolution, Network, Node, Op, Preparation, Window, description};

use super::scores;

/// A description of one layer behind an input of `shape`, made flat.
fn described(shape: &[usize], layer: Value) -> Value {
    json!({"schema": "xai/network/1", "input": {"shape": shape}, "layers": [layer, {"kind": "flatten"}]})
}

fn window(size: [usize; 2], stride: [usize; 2], padding: [[usize; 2]; 2]) -> Window {
    Window { stride: stride.to_vec(), padding: padding.to_vec(), ..Window::new(size.to_vec()) }
}

fn convolution() -> Convolution {
    let weight = ArrayD::from_shape_fn(vec![2, 1, 2, 3], |i| (i[0] * 7 + i[2] * 3 + i[3]) as f32 / 4.0 - 1.0);
    Convolution {
        stride: vec![1, 2],
        padding: vec![[1, 0], [2, 2]],
        dilation: vec![2, 1],
        groups: 2,
        ..Convolution::new(weight, Some(arr1(&[0.5, -0.5])))
    }
}

fn layers() -> Vec<(Value, Op)> {
    let weight = json!([[[[-1, -0.75, -0.5], [-0.25, 0, 0.25]]], [[[0.75, 1, 1.25], [1.5, 1.75, 2]]]]);
    let two = arr1(&[2.0, 4.0]);
    let norm = Op::batch_norm(&two, &arr1(&[1.0, 0.0]), &arr1(&[0.5, -1.0]), &arr1(&[4.0, 0.25]), 1e-3).unwrap();
    let plain =
        Op::batch_norm(&Array1::ones(2), &Array1::zeros(2), &arr1(&[0.5, -1.0]), &arr1(&[4.0, 0.25]), 1e-5).unwrap();
    let square = window([2, 2], [2, 2], [[0; 2]; 2]);
    let far = Window { ceil_mode: true, dilation: vec![1, 2], ..window([2, 2], [1, 3], [[1, 1], [0, 0]]) };
    vec![
        (
            json!({"kind": "linear", "weight": [[1, 0, 2, 0], [0, 1, 0, -1]], "bias": [1, -1]}),
            Op::Linear { weight: arr2(&[[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, -1.0]]), bias: Some(arr1(&[1.0, -1.0])) },
        ),
        (
            json!({"kind": "convolution", "weight": weight, "bias": [0.5, -0.5], "stride": [1, 2], "groups": 2,
                "padding": [[1, 0], 2], "dilation": [2, 1]}),
            Op::Convolution(convolution()),
        ),
        (
            json!({"kind": "batch-norm", "weight": [2, 4], "bias": [1, 0], "mean": [0.5, -1], "variance": [4, 0.25], "epsilon": 1e-3}),
            norm,
        ),
        (json!({"kind": "batch-norm", "mean": [0.5, -1], "variance": [4, 0.25]}), plain),
        (
            json!({"kind": "affine", "scale": [2, 4], "shift": [1, -1]}),
            Op::BatchNorm { scale: two, shift: arr1(&[1.0, -1.0]) },
        ),
        (
            json!({"kind": "normalize", "mean": [1, 2], "std": [2, 4]}),
            Op::BatchNorm { scale: arr1(&[0.5, 0.25]), shift: arr1(&[-0.5, -0.5]) },
        ),
        (
            json!({"kind": "layer-norm", "weight": [1, 2, 1, 1], "bias": [0, 0, 0, 5], "epsilon": 0.5}),
            Op::LayerNorm {
                scale: array![1.0, 2.0, 1.0, 1.0].into_dyn(),
                shift: array![0.0, 0.0, 0.0, 5.0].into_dyn(),
                epsilon: 0.5,
            },
        ),
        (
            json!({"kind": "layer-norm", "shape": [3, 4]}),
            Op::LayerNorm { scale: ArrayD::ones(vec![3, 4]), shift: ArrayD::zeros(vec![3, 4]), epsilon: 1e-5 },
        ),
        (json!({"kind": "max-pool", "size": 2}), Op::MaxPool(square.clone())),
        (
            json!({"kind": "max-pool", "size": 2, "stride": [1, 3], "padding": [1, 0], "dilation": [1, 2], "ceil_mode": true}),
            Op::MaxPool(far),
        ),
        (json!({"kind": "average-pool", "size": 2}), Op::AveragePool { window: square, count_include_pad: true }),
        (
            json!({"kind": "average-pool", "size": [3, 2], "padding": 1, "count_include_pad": false}),
            Op::AveragePool { window: window([3, 2], [3, 2], [[1; 2]; 2]), count_include_pad: false },
        ),
        (json!({"kind": "adaptive-average-pool", "size": [2, 3]}), Op::AdaptiveAveragePool(vec![2, 3])),
        (json!({"kind": "global-average-pool"}), Op::GlobalAveragePool),
        (json!({"kind": "relu"}), Op::Relu),
        (json!({"kind": "leaky-relu"}), Op::LeakyRelu(0.01)),
        (json!({"kind": "leaky-relu", "slope": 0.5}), Op::LeakyRelu(0.5)),
        (json!({"kind": "elu"}), Op::Elu(1.0)),
        (json!({"kind": "celu", "alpha": 0.5}), Op::Celu(0.5)),
        (json!({"kind": "selu"}), Op::Selu),
        (json!({"kind": "gelu"}), Op::Gelu { tanh: false }),
        (json!({"kind": "gelu", "approximate": "tanh"}), Op::Gelu { tanh: true }),
        (json!({"kind": "silu"}), Op::Silu),
        (json!({"kind": "sigmoid"}), Op::Sigmoid),
        (json!({"kind": "tanh"}), Op::Tanh),
        (json!({"kind": "softplus"}), Op::Softplus),
        (json!({"kind": "clip", "low": -0.5, "high": 0.5}), Op::Clip { low: -0.5, high: 0.5 }),
        (json!({"kind": "clip", "low": 0}), Op::Clip { low: 0.0, high: f32::INFINITY }),
        (json!({"kind": "softmax"}), Op::Softmax { axis: 0 }),
        (json!({"kind": "log-softmax", "axis": 2}), Op::LogSoftmax { axis: 2 }),
        (json!({"kind": "reshape", "shape": [4, 6]}), Op::Reshape(vec![4, 6])),
        (json!({"kind": "permute", "order": [2, 0, 1]}), Op::Permute(vec![2, 0, 1])),
        (
            json!({"kind": "slice", "step": [1, 2, 2], "end": [1, 3, 4]}),
            Op::Slice(vec![[0, 1, 1], [0, 3, 2], [0, 4, 2]]),
        ),
        (json!({"kind": "pad", "padding": [1, 0, [0, 2]]}), Op::Pad(vec![[1, 1], [0, 0], [0, 2]])),
        (json!({"kind": "dropout", "rate": 0.5}), Op::Identity),
        (json!({"kind": "identity"}), Op::Identity),
    ]
}

#[test]
fn kinds_become_layers() {
    let cells: Vec<f32> = (0..48).map(|i| (i * 29 % 48) as f32 / 8.0 - 3.0).collect();
    for (text, op) in layers() {
        let read =
            description::read_bytes(&serde_json::to_vec(&described(&[2, 3, 4], text.clone())).unwrap(), None, None);
        let read = read.unwrap_or_else(|error| panic!("{text}: {error}")).images().unwrap();
        let nodes = vec![Node::new("a", op, vec![0]), Node::new("b", Op::Flatten, vec![1])];
        let mut direct = read.clone();
        direct.network = Network::new(&[2, 3, 4], nodes).unwrap();
        let of = |loaded| scores(&xai_models::network::AnyNetwork::Images(loaded), &cells).unwrap();
        assert_eq!(of(read), of(direct), "{text}");
    }
}

/// A network and its preparation come back with the same layers and the same bits.
#[test]
fn written_networks_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    let again = |network: &Network<ndarray::ArrayRef4<f32>>, preparation: &Preparation| {
        description::write(network, preparation, &path).unwrap();
        description::read(&path, None).unwrap().images().unwrap()
    };
    for (text, op) in layers() {
        let joined = Node::new("sum", Op::Multiply, vec![1, 1]);
        let constant = Node::new("c", Op::Constant(ArrayD::from_elem(vec![1], 0.1)), vec![]);
        let nodes = vec![Node::new("a.b", op, vec![0]), joined, constant, Node::new("add", Op::Add, vec![2, 3])];
        let nodes = [nodes, vec![Node::new("flat", Op::Flatten, vec![4])]].concat();
        let network = Network::new(&[2, 3, 4], nodes).unwrap();
        let preparation = Preparation::new(2, vec![0.1, 0.2], vec![0.3, 0.7]).unwrap();
        let read = again(&network, &preparation);
        assert!(read.network.nodes().eq(network.nodes()), "{text}");
        assert_eq!(read.preparation, preparation);
    }
    let described = description::read(&super::folder().join("described.net.json"), None).unwrap().images().unwrap();
    let read = again(&described.network, &described.preparation);
    assert!(read.network.nodes().eq(described.network.nodes()));
    assert_eq!(xai_core::Model::outputs(&read.network), xai_core::Model::outputs(&described.network));
    let odd = description::write(&described.network, &described.preparation, &path.with_extension("safetensors"));
    assert!(matches!(odd, Err(xai_core::Error::Parameter { .. })));
}

/// Padding "same" keeps the places, the longer side behind, as PyTorch has it.
#[test]
fn same_padding_keeps_the_places() {
    let layer = json!({"kind": "convolution", "weight": [[[1, 0, 0, 0]]], "padding": "same"});
    let text = described(&[1, 4], layer);
    let network = description::read_bytes(&serde_json::to_vec(&text).unwrap(), None, None).unwrap();
    // One zero before, two behind.
    assert_eq!(scores(&network, &[1.0, 2.0, 3.0, 4.0]).unwrap(), array![[0.0, 1.0, 2.0, 3.0]]);
}
