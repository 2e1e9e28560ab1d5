//! Walks a graph's nodes and makes layers of them.

use std::collections::{HashMap, HashSet};

use xai_core::{Error, Result};

use super::constant::Constant;
use super::outside::Outside;
use super::value::{Length, Part, Value};
use super::{malformed, named, place, refuse};
use crate::network::{Node, Op};
use crate::onnx::attributes::Attributes;
use crate::onnx::graph;
use crate::onnx::proto::{GraphProto, NodeProto, TensorProto, element};
use crate::weights::Budget;

/// A graph on its way to layers.
pub(super) struct Reader<'a> {
    pub opset: i64,
    /// The number of samples, where the file fixes it.
    pub samples: Option<i64>,
    pub outside: Outside,
    graph: &'a GraphProto,
    stored: HashMap<&'a str, &'a TensorProto>,
    values: HashMap<&'a str, Value>,
    /// How often each name is read.
    uses: HashMap<&'a str, usize>,
    nodes: Vec<Node>,
    /// The axes of a sample of the input and of each layer.
    shapes: Vec<Vec<usize>>,
    names: HashSet<String>,
    /// What each layer is called in the graph; nothing once it has two names.
    open: HashMap<usize, Option<&'a str>>,
    budget: Budget,
    /// The names that ZipMap gives to the outputs.
    pub classes: Vec<String>,
}

/// How many numbers the layers may have for each byte of the file, and for any file: constants may be read again and
/// again, and one number may be spread over all channels.
const NUMBERS_A_BYTE: u64 = 4;
const NUMBERS: u64 = 1 << 22;

impl<'a> Reader<'a> {
    pub fn new(
        graph: &'a GraphProto,
        opset: i64,
        input_shape: &[usize],
        samples: Option<i64>,
        outside: Outside,
        length: usize,
    ) -> Result<Self> {
        let input = graph::data_input(graph)?.name.as_str();
        Ok(Reader {
            opset,
            samples,
            outside,
            graph,
            stored: graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect(),
            values: HashMap::from([(input, Value::Layer(0))]),
            uses: HashMap::new(),
            nodes: Vec::new(),
            shapes: vec![input_shape.to_vec()],
            names: HashSet::from(["input".to_owned()]),
            open: HashMap::new(),
            budget: Budget::of(length, NUMBERS_A_BYTE, NUMBERS),
            classes: Vec::new(),
        })
    }

    /// Makes the layers that `scores` needs; gives the names of the outputs, or none.
    pub fn run(&mut self, scores: &'a str) -> Result<Vec<String>> {
        let graph = self.graph;
        let needed = self.needed(scores)?;
        for node in graph.node.iter().enumerate().filter(|(at, _)| needed.contains(at)).map(|(_, node)| node) {
            for name in &node.input {
                *self.uses.entry(name).or_default() += 1;
            }
        }
        *self.uses.entry(scores).or_default() += 1;
        for node in graph.node.iter().enumerate().filter(|(at, _)| needed.contains(at)).map(|(_, node)| node) {
            let outputs = self.apply(node)?;
            for (name, value) in node.output.iter().zip(outputs).filter(|(name, _)| !name.is_empty()) {
                if let Value::Layer(layer) = value {
                    self.open.entry(layer).and_modify(|name| *name = None).or_insert(Some(name));
                }
                self.values.insert(name, value);
            }
        }
        let value = self.values.get(scores).cloned();
        let value = value.ok_or_else(|| malformed("graph.output", format!("nothing makes {scores:?}")))?;
        let layer = match value {
            Value::Layer(layer) => layer,
            Value::Part(layer, Part::Scaled(factor)) => self.scaled("scores", layer, factor)?,
            _ => return Err(Error::unsupported("ONNX: a network whose scores are constant", "nothing explains them")),
        };
        let shape = &self.shapes[layer];
        if shape.len() > 1 && shape[1..].iter().all(|&n| n == 1) {
            self.push("scores", Op::Flatten, vec![layer])?;
        } else if layer != self.nodes.len() || layer == 0 {
            self.push("scores", Op::Identity, vec![layer])?;
        }
        Ok(std::mem::take(&mut self.classes))
    }

    pub fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    /// The places of the nodes that `scores` hangs on.
    fn needed(&self, scores: &'a str) -> Result<HashSet<usize>> {
        let mut makers = HashMap::new();
        for (at, node) in self.graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if makers.insert(output.as_str(), at).is_some() {
                    return Err(malformed(place(node), format!("{output:?} is made twice")));
                }
            }
        }
        let mut needed = HashSet::new();
        let mut wanted = vec![scores];
        while let Some(name) = wanted.pop() {
            if let Some(&at) = makers.get(name)
                && needed.insert(at)
            {
                wanted.extend(self.graph.node[at].input.iter().map(String::as_str));
            }
        }
        Ok(needed)
    }

    /// What a node makes.
    fn apply(&mut self, node: &'a NodeProto) -> Result<Vec<Value>> {
        let attributes = &Attributes::of(node);
        if !["", "ai.onnx", "ai.onnx.ml"].contains(&node.domain.as_str()) {
            return Err(refuse(node, format!("its domain {:?} is not known", node.domain)));
        }
        if let Some(values) = self.apply_to_shapes(node, attributes)? {
            return Ok(values);
        }
        if let Some(constant) = self.apply_to_constants(node, attributes)? {
            return Ok(vec![Value::Constant(constant)]);
        }
        let value = match node.op_type.as_str() {
            "Identity" | "Dropout" => self.value(node, 0)?,
            "Cast" => match attributes.int("to").unwrap_or(0) as i32 {
                element::FLOAT | element::DOUBLE => self.value(node, 0)?,
                to => return Err(refuse(node, format!("it turns scores into the element type {to}"))),
            },
            "ZipMap" => {
                self.classes = match attributes.ints("classlabels_int64s") {
                    [] => attributes.texts("classlabels_strings")?.into_iter().map(str::to_owned).collect(),
                    numbers => numbers.iter().map(i64::to_string).collect(),
                };
                self.value(node, 0)?
            }
            "Gemm" => self.gemm(node, attributes)?,
            "MatMul" => self.mat_mul(node)?,
            "Conv" => self.conv(node, attributes)?,
            "BatchNormalization" => self.batch_normalization(node, attributes)?,
            "LayerNormalization" => self.layer_normalization(node, attributes)?,
            "Scaler" => self.scaler(node, attributes)?,
            "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" => {
                self.pool(node, attributes)?
            }
            "Add" | "Sum" => self.add(node)?,
            "Sub" => self.subtract(node)?,
            "Mul" => self.multiply(node)?,
            "Div" => self.divide(node)?,
            "Neg" => self.negate(node)?,
            "Pow" => self.power(node)?,
            "Erf" => self.erf(node)?,
            "Flatten" => self.flatten(node, attributes)?,
            "Reshape" => self.reshape(node, attributes)?,
            "Squeeze" | "Unsqueeze" => self.squeeze(node, attributes)?,
            "Transpose" => self.transpose(node, attributes)?,
            "Concat" => self.concat(node, attributes)?,
            "Slice" => self.slice(node, attributes)?,
            "Split" => return self.split(node, attributes),
            "Gather" => self.gather(node, attributes)?,
            "Pad" => self.pad(node, attributes)?,
            _ => self.activation(node, attributes)?,
        };
        Ok(vec![value])
    }

    /// The input of a node at a place, if it has one.
    pub fn optional(&mut self, node: &'a NodeProto, at: usize) -> Result<Option<Value>> {
        let Some(name) = node.input.get(at).filter(|name| !name.is_empty()) else { return Ok(None) };
        if let Some(value) = self.values.get(name.as_str()) {
            if let Value::Constant(Constant::Reals(array)) = value {
                self.budget.take(array.len())?;
            }
            return Ok(Some(value.clone()));
        }
        let Some(tensor) = self.stored.get(name.as_str()) else {
            return Err(malformed(place(node), format!("it reads {name:?}, which nothing before it makes")));
        };
        let constant = Constant::of(tensor, &self.outside)?;
        if let Constant::Reals(array) = &constant {
            // What lies in another file is not counted in the length of this one.
            if tensor.data_location != 0 {
                self.budget.raise(array.len());
            }
            self.budget.take(array.len())?;
        }
        Ok(Some(Value::Constant(constant)))
    }

    /// The input of a node at a place.
    pub fn value(&mut self, node: &'a NodeProto, at: usize) -> Result<Value> {
        let value = self.optional(node, at)?;
        value.ok_or_else(|| malformed(place(node), format!("it has no input {at}")))
    }

    /// The layer that a node reads at a place.
    pub fn layer(&mut self, node: &'a NodeProto, at: usize) -> Result<usize> {
        let value = self.value(node, at)?;
        self.as_layer(node, value)
    }

    /// A value as a layer.
    pub fn as_layer(&mut self, node: &NodeProto, value: Value) -> Result<usize> {
        match value {
            Value::Layer(layer) => Ok(layer),
            Value::Part(layer, Part::Scaled(factor)) => self.scaled(named(node), layer, factor),
            Value::Part(..) => Err(refuse(node, "Erf is read only as a part of x·½·(1 + erf(x/√2))")),
            Value::Constant(_) | Value::Shape(_) => Err(refuse(node, "it reads a constant where a layer is needed")),
        }
    }

    /// The constant that a node reads at a place, if it reads anything there.
    pub fn constant(&mut self, node: &'a NodeProto, at: usize) -> Result<Option<Constant>> {
        match self.optional(node, at)? {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(_) => Err(refuse(node, format!("its input {at} is worked out from the data, not constant"))),
        }
    }

    /// The real numbers that a node reads at a place.
    pub fn reals(&mut self, node: &'a NodeProto, at: usize) -> Result<Option<ndarray::ArrayD<f32>>> {
        match self.constant(node, at)? {
            None => Ok(None),
            Some(Constant::Reals(array)) => Ok(Some(array)),
            Some(_) => Err(refuse(node, format!("its input {at} holds whole numbers"))),
        }
    }

    /// The whole numbers that a node reads at a place, or has as an attribute in older versions.
    pub fn wholes(
        &mut self,
        node: &'a NodeProto,
        at: usize,
        attributes: &Attributes,
        name: &str,
    ) -> Result<Option<Vec<i64>>> {
        let listed = match self.optional(node, at)? {
            None if attributes.has(name) => return Ok(Some(attributes.ints(name).to_vec())),
            None => return Ok(None),
            Some(Value::Constant(constant)) => constant.wholes(),
            Some(Value::Shape(lengths)) => {
                let known = lengths.iter().map(|length| match length {
                    Length::Known(n) => Some(*n),
                    Length::Samples => None,
                });
                known.collect()
            }
            Some(_) => None,
        };
        listed.map(Some).ok_or_else(|| refuse(node, format!("its {name} are worked out from the data, not constant")))
    }

    /// The axes of a sample of a layer.
    pub fn shape(&self, layer: usize) -> &[usize] {
        &self.shapes[layer]
    }

    /// Counts numbers that are made for a layer.
    pub fn take(&mut self, numbers: usize) -> Result<()> {
        self.budget.take(numbers)
    }

    /// Adds a layer.
    pub fn push(&mut self, name: &str, op: Op, inputs: Vec<usize>) -> Result<usize> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.shapes[input].as_slice()).collect();
        let shape = op.output_shape(&shapes).map_err(|error| error.in_layer(name))?;
        let mut free = name.to_owned();
        let mut next = 2_usize;
        while !self.names.insert(free.clone()) {
            free = format!("{name}.{next}");
            next += 1;
        }
        self.nodes.push(Node { name: free, op, inputs });
        self.shapes.push(shape);
        Ok(self.nodes.len())
    }

    /// Adds the layer of a node that reads one layer.
    pub fn push_one(&mut self, node: &'a NodeProto, op: Op) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        self.push(named(node), op, vec![layer]).map(Value::Layer)
    }

    /// The op of a layer that has no bias yet and that nobody else reads: a constant added to it becomes its bias.
    pub fn without_bias(&mut self, layer: usize) -> Option<&mut Op> {
        let name = self.open.get(&layer).copied().flatten()?;
        let only = self.uses.get(name) == Some(&1) && layer == self.nodes.len();
        self.nodes.last_mut().filter(|_| only).map(|node| &mut node.op)
    }
}
