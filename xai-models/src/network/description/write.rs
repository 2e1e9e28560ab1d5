//! From a network to a description with its weights beside it.

use std::path::Path;

use ndarray::ArrayD;
use serde_json::{Map, Value, json};
use xai_core::{Cells, Error, Result};

use super::SCHEMA;
use crate::network::{Network, Node, Op, Preparation, Window};
use crate::weights::Weights;

/// Writes a network as the description at `path` and, beside it under the same name, a file of weights in safetensors.
/// What is read back has the same layers and the same bits of every number; batch normalisations become `affine`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Parameter`] for a path without a name.
///
/// # Laws
/// `written_networks_are_read_back`.
pub fn write<B: Cells + ?Sized>(network: &Network<B>, preparation: &Preparation, path: &Path) -> Result<()> {
    let weights_path = path.with_extension("safetensors");
    let file =
        weights_path.file_name().filter(|_| weights_path != path).map(|name| name.to_string_lossy().into_owned());
    let expected = "a path with a name that does not end in .safetensors";
    let file = file.ok_or_else(|| Error::parameter("path", path.display(), expected))?;
    let (text, weights) = described(network, preparation, &file);
    let io = |path: &Path, source| Error::Io { path: path.to_owned(), source };
    let text = serde_json::to_string_pretty(&text).map_err(|error| io(path, error.into()))?;
    std::fs::write(&weights_path, weights.to_safetensors()).map_err(|source| io(&weights_path, source))?;
    std::fs::write(path, text + "\n").map_err(|source| io(path, source))
}

fn described<B: Cells + ?Sized>(network: &Network<B>, preparation: &Preparation, file: &str) -> (Value, Weights) {
    let mut weights = Weights::default();
    let nodes: Vec<Node> = network.nodes().collect();
    let layers: Vec<Value> = (0..nodes.len()).map(|at| layer(&nodes, at, &mut weights)).collect();
    let mut input = Map::from_iter([("shape".to_owned(), json!(network.input_shape()))]);
    let names: Vec<&str> = network.features.iter().map(|feature| feature.name.as_str()).collect();
    for (key, value) in [("names", json!(names)), ("mean", reals(&preparation.mean)), ("std", reals(&preparation.std))]
    {
        if value.as_array().is_some_and(|list| !list.is_empty()) {
            input.insert(key.to_owned(), value);
        }
    }
    let outputs: Vec<&str> = network.outputs.iter().map(|output| output.name.as_str()).collect();
    let mut text = json!({"schema": SCHEMA, "input": input, "layers": layers});
    if !outputs.is_empty() {
        text["outputs"] = json!(outputs);
    }
    if !weights.tensors.is_empty() {
        text["weights"] = json!({"file": file});
    }
    (text, weights)
}

fn layer(nodes: &[Node], at: usize, weights: &mut Weights) -> Value {
    let node = &nodes[at];
    let mut tensor = |name: &str, values: ArrayD<f32>| weights.tensors.insert(format!("{}.{name}", node.name), values);
    let mut layer = match &node.op {
        Op::Linear { weight, bias } => {
            tensor("weight", weight.clone().into_dyn());
            bias.iter().for_each(|bias| drop(tensor("bias", bias.clone().into_dyn())));
            json!({"kind": "linear"})
        }
        Op::Convolution(c) => {
            tensor("weight", c.weight.clone());
            c.bias.iter().for_each(|bias| drop(tensor("bias", bias.clone().into_dyn())));
            json!({"kind": "convolution", "stride": c.stride, "padding": c.padding, "dilation": c.dilation, "groups": c.groups})
        }
        Op::BatchNorm { scale, shift } => {
            tensor("scale", scale.clone().into_dyn());
            tensor("shift", shift.clone().into_dyn());
            json!({"kind": "affine"})
        }
        Op::LayerNorm { scale, shift, epsilon } => {
            tensor("weight", scale.clone());
            tensor("bias", shift.clone());
            json!({"kind": "layer-norm", "epsilon": epsilon})
        }
        Op::MaxPool(w) => window("max-pool", w),
        Op::AveragePool { window: w, count_include_pad } => {
            let mut layer = window("average-pool", w);
            layer["count_include_pad"] = json!(count_include_pad);
            layer
        }
        Op::AdaptiveAveragePool(size) => json!({"kind": "adaptive-average-pool", "size": size}),
        Op::GlobalAveragePool => json!({"kind": "global-average-pool"}),
        Op::Relu => json!({"kind": "relu"}),
        Op::LeakyRelu(slope) => json!({"kind": "leaky-relu", "slope": slope}),
        Op::Elu(alpha) => json!({"kind": "elu", "alpha": alpha}),
        Op::Celu(alpha) => json!({"kind": "celu", "alpha": alpha}),
        Op::Selu => json!({"kind": "selu"}),
        Op::Gelu { tanh } => json!({"kind": "gelu", "approximate": if *tanh { "tanh" } else { "none" }}),
        Op::Silu => json!({"kind": "silu"}),
        Op::Sigmoid => json!({"kind": "sigmoid"}),
        Op::Tanh => json!({"kind": "tanh"}),
        Op::Softplus => json!({"kind": "softplus"}),
        // A bound that is infinite is none, in JSON as in the layer.
        Op::Clip { low, high } => json!({"kind": "clip", "low": low, "high": high}),
        Op::Softmax { axis } => json!({"kind": "softmax", "axis": axis}),
        Op::LogSoftmax { axis } => json!({"kind": "log-softmax", "axis": axis}),
        Op::Add => json!({"kind": "add"}),
        Op::Multiply => json!({"kind": "multiply"}),
        Op::Concatenate { axis } => json!({"kind": "concatenate", "axis": axis}),
        Op::Slice(parts) => {
            let of = |i: usize| parts.iter().map(|part| part[i]).collect::<Vec<_>>();
            json!({"kind": "slice", "start": of(0), "end": of(1), "step": of(2)})
        }
        Op::Pad(padding) => json!({"kind": "pad", "padding": padding}),
        Op::Permute(order) => json!({"kind": "permute", "order": order}),
        Op::Flatten => json!({"kind": "flatten"}),
        Op::Reshape(shape) => json!({"kind": "reshape", "shape": shape}),
        Op::Identity => json!({"kind": "identity"}),
        Op::Constant(value) => {
            tensor("value", value.clone());
            json!({"kind": "constant"})
        }
    };
    layer["name"] = json!(node.name);
    if node.inputs != [at] {
        let name = |&input: &usize| input.checked_sub(1).map_or("input", |node| nodes[node].name.as_str());
        layer["inputs"] = json!(node.inputs.iter().map(name).collect::<Vec<_>>());
    }
    layer
}

fn window(kind: &str, w: &Window) -> Value {
    json!({"kind": kind, "size": w.size, "stride": w.stride, "padding": w.padding, "dilation": w.dilation,
        "ceil_mode": w.ceil_mode})
}

/// The shortest decimals that read back as the same numbers.
fn reals(list: &[f32]) -> Value {
    list.iter().map(|x| x.to_string().parse::<f64>().map_or(Value::Null, Value::from)).collect()
}
