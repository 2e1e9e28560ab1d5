//! ONNX graphs of neural networks, as PyTorch's and scikit-learn's converters and others write them.
//!
//! The graph becomes the layers of one [`Network`](crate::network::Network), so that whatever explains a network explains
//! these: gradients, relevance, activations. Axis 0 of every value is the sample.
//!
//! | operators | become |
//! |---|---|
//! | Gemm, MatMul with a constant, Conv | linear layers and convolutions; a constant added behind is their bias |
//! | BatchNormalization, LayerNormalization, Scaler | normalisations with fixed numbers, or by sample |
//! | MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, ReduceMean over places | pools |
//! | Relu, LeakyRelu, Elu, Celu, Selu, Gelu, Sigmoid, Tanh, Softplus, Clip, HardSigmoid, HardSwish, Softmax, LogSoftmax | activations; GELU also where it is written out with Erf |
//! | Add, Sub, Mul, Div, Neg, Sum, Pow 2 | sums, products, scales and shifts |
//! | Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat, Slice, Split, Gather of one place, Pad | other axes, parts |
//! | Identity, Dropout, Cast between reals, Constant, ZipMap | nothing; ZipMap names the outputs |
//! | Shape and the arithmetic on shapes | worked out while reading |
//!
//! Anything else is refused by its name and that of its node. Of several graph outputs the one that holds real numbers is
//! taken: the probabilities of a classifier, not its labels.

mod activations;
mod affine;
mod arithmetic;
mod axes;
mod constant;
mod outside;
mod pools;
mod reader;
mod shapes;
mod value;

use std::path::Path;

use xai_core::{Error, Result};

use super::attributes::Attributes;
use super::proto::{GraphProto, ModelProto, NodeProto, element};
use super::{graph, malformed};
use crate::file::FileKind;
use crate::network::{AnyNetwork, Face, Preparation};
use outside::Outside;
use reader::Reader;

/// The network in a decoded file of `length` bytes, whose other files lie in `folder`.
///
/// # Errors
/// As [`read_network`](super::read_network).
pub(super) fn read(file: &ModelProto, length: usize, folder: Option<&Path>) -> Result<AnyNetwork> {
    let graph = file.graph.as_ref().ok_or_else(|| malformed("the top", "no graph".into()))?;
    let shape = input_shape(graph)?;
    let scores = scores(graph)?;
    let mut reader = Reader::new(graph, opset(file), &shape.sample, shape.samples, Outside::new(folder), length)?;
    let names = reader.run(scores)?;
    let mut facts = Vec::new();
    if !file.producer_name.is_empty() {
        facts.push(("made by".to_owned(), format!("{} {}", file.producer_name, file.producer_version)));
    }
    let face =
        Face { features: Vec::new(), outputs: names, preparation: Preparation::default(), kind: FileKind::Onnx, facts };
    AnyNetwork::new(&shape.sample, reader.into_nodes(), face)
}

/// The version of the main operator set.
fn opset(file: &ModelProto) -> i64 {
    let main = file.opset_import.iter().filter(|set| ["", "ai.onnx"].contains(&set.domain.as_str()));
    main.map(|set| set.version).max().unwrap_or(1)
}

/// The input's name, axes and element type.
pub(super) struct InputShape<'a> {
    #[cfg_attr(not(feature = "onnx-any"), allow(dead_code))]
    pub name: &'a str,
    pub sample: Vec<usize>,
    /// The number of samples, where the file fixes it.
    pub samples: Option<i64>,
    #[cfg_attr(not(feature = "onnx-any"), allow(dead_code))]
    pub element: i32,
}

pub(super) fn input_shape(graph: &GraphProto) -> Result<InputShape<'_>> {
    let input = graph::data_input(graph)?;
    let at = || format!("graph.input {:?}", input.name);
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| malformed(at(), "it is no tensor".into()))?;
    if ![element::FLOAT, element::DOUBLE, element::FLOAT16].contains(&tensor.elem_type) {
        let what = format!("ONNX: a network whose input {:?} has the element type {}", input.name, tensor.elem_type);
        return Err(Error::unsupported(what, "real numbers can be explained: float, double"));
    }
    let Some([samples, sample @ ..]) = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()) else {
        let reason = "export it with the axes of its input";
        return Err(Error::unsupported(format!("ONNX: a network whose input {:?} has no shape", input.name), reason));
    };
    let lengths = sample.iter().map(|axis| usize::try_from(axis.dim_value).ok().filter(|&n| n > 0));
    let sample = lengths.collect::<Option<Vec<usize>>>().ok_or_else(|| {
        let what = format!("ONNX: a network whose input {:?} has an open axis beside the samples'", input.name);
        Error::unsupported(what, "export it with the length of every axis but the first")
    })?;
    let samples = Some(samples.dim_value).filter(|&n| n > 0);
    Ok(InputShape { name: &input.name, sample, samples, element: tensor.elem_type })
}

/// The graph output that holds the scores: the only one of real numbers.
pub(super) fn scores(graph: &GraphProto) -> Result<&str> {
    let real = |kind: i32| matches!(kind, 0 | element::FLOAT | element::DOUBLE | element::FLOAT16);
    let holds_reals = |output: &&super::proto::ValueInfo| {
        let tensor = output.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
        // No tensor: the maps of class to probability that ZipMap makes.
        tensor.is_none_or(|tensor| real(tensor.elem_type))
    };
    let found: Vec<&str> = graph.output.iter().filter(holds_reals).map(|output| output.name.as_str()).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(malformed("graph.output", "no output of real numbers".into())),
        several => Err(Error::unsupported(
            format!("ONNX: a network with the outputs {}", several.join(", ")),
            "export it with one output of scores",
        )),
    }
}

/// Where a node stands, for errors.
fn place(node: &NodeProto) -> String {
    format!("{} {:?}", node.op_type, named(node))
}

/// The name of a node, or of what it makes.
fn named(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

/// What a node asks for that no layer does.
fn refuse(node: &NodeProto, reason: impl Into<String>) -> Error {
    Error::unsupported(format!("ONNX: the operator {} of the node {:?}", node.op_type, named(node)), reason)
}

/// The attributes of a node that [`Attributes`] reads, with what they are when they are not given.
fn flag(attributes: &Attributes, name: &str) -> bool {
    attributes.int(name).unwrap_or(0) != 0
}
