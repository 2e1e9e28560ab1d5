//! From the objects of `layers` to nodes.

use std::collections::HashMap;

use ndarray::{Array1, ArrayD, Ix1, Ix2};
use serde_json::Value;
use xai_core::error::same_shape;
use xai_core::{Error, Result};

use super::fields::{Fields, unknown};
use super::kinds::{self, KINDS};
use super::malformed;
use super::tensors::{Tensors, inline};
use crate::network::{Node, Op};

/// The nodes so far.
pub(super) struct Builder {
    pub nodes: Vec<Node>,
    /// The axes of one sample of the input and of every node.
    shapes: Vec<Vec<usize>>,
    by_name: HashMap<String, usize>,
    tensors: Tensors,
}

impl Builder {
    pub fn new(input_shape: &[usize], tensors: Tensors) -> Self {
        let by_name = HashMap::from([("input".to_owned(), 0)]);
        Builder { nodes: Vec::new(), shapes: vec![input_shape.to_vec()], by_name, tensors }
    }

    /// Adds layers one after another, the first behind `from`, under names that begin with `scope`; gives the last. A
    /// layer without a name is called by its place behind `unnamed`.
    pub fn sequence(&mut self, scope: &str, unnamed: &str, layers: Vec<Value>, from: usize) -> Result<usize> {
        let mut last = from;
        for (place, layer) in layers.into_iter().enumerate() {
            last = self.layer(scope, format!("{unnamed}{place}"), layer, last)?;
        }
        Ok(last)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// As [`Tensors::end`].
    pub fn end(self) -> Result<Vec<Node>> {
        self.tensors.end()?;
        Ok(self.nodes)
    }

    fn layer(&mut self, scope: &str, place: String, layer: Value, before: usize) -> Result<usize> {
        let mut fields = Fields::of(format!("layers, {scope}{place}"), layer)?;
        let own = fields.text("name")?.unwrap_or(place);
        let name = format!("{scope}{own}");
        fields.rename(format!("layer {name:?}"));
        let kind = fields.text("kind")?;
        let kind = fields.required("kind", kind)?;
        let inputs = match fields.texts("inputs")? {
            None => vec![before],
            Some(inputs) => inputs.iter().map(|input| self.named(scope, &name, input)).collect::<Result<_>>()?,
        };
        match kind.as_str() {
            "sequence" | "residual" => self.block(&kind, name, fields, inputs),
            _ => {
                let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.shapes[input].as_slice()).collect();
                let input = shapes.first().map_or_else(Vec::new, |shape| shape.to_vec());
                let mut source = Source { fields, layer: &name, input, tensors: &mut self.tensors };
                let op = kinds::op(&kind, &mut source).and_then(|op| source.fields.end().map(|()| op));
                // An error of the text says already where it is.
                let op = op.map_err(|error| match error {
                    Error::Malformed { .. } => error,
                    other => other.in_layer(&name),
                })?;
                self.push(name, op, inputs)
            }
        }
    }

    /// Layers whose names begin with the block's name; a residual block adds what goes in, or its shortcut.
    fn block(&mut self, kind: &str, name: String, mut fields: Fields, inputs: Vec<usize>) -> Result<usize> {
        let &[from] = inputs.as_slice() else {
            return Err(Error::parameter("inputs", inputs.len(), "one, for a block").in_layer(name));
        };
        let layers = fields.list("layers")?;
        let layers = fields.required("layers", layers)?;
        let shortcut = if kind == "residual" { fields.list("shortcut")? } else { None };
        fields.end()?;
        let scope = format!("{name}.");
        let end = self.sequence(&scope, "", layers, from)?;
        if kind == "sequence" {
            return match self.by_name.insert(name.clone(), end) {
                None => Ok(end),
                Some(_) => Err(twice(&name)),
            };
        }
        let around = self.sequence(&scope, "shortcut.", shortcut.unwrap_or_default(), from)?;
        self.push(name, Op::Add, vec![end, around])
    }

    /// The layer that `input` names: one of the same block, or any by its whole name.
    fn named(&self, scope: &str, layer: &str, input: &str) -> Result<usize> {
        let found = self.by_name.get(&format!("{scope}{input}")).or_else(|| self.by_name.get(input));
        found.copied().ok_or_else(|| {
            let mut known: Vec<String> = self.by_name.keys().cloned().collect();
            known.sort_unstable();
            unknown("layer (only earlier ones can be read)", input, known).in_layer(layer)
        })
    }

    fn push(&mut self, name: String, op: Op, inputs: Vec<usize>) -> Result<usize> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.shapes[input].as_slice()).collect();
        let shape = op.output_shape(&shapes).map_err(|error| error.in_layer(&name))?;
        self.nodes.push(Node { name: name.clone(), op, inputs });
        self.shapes.push(shape);
        match self.by_name.insert(name.clone(), self.nodes.len()) {
            None => Ok(self.nodes.len()),
            Some(_) => Err(twice(&name)),
        }
    }
}

fn twice(name: &str) -> Error {
    Error::parameter("name of a layer", name, "a name that no other layer has")
}

/// What a layer is made from: its keys, the axes of its first input, the tensors.
pub(super) struct Source<'a> {
    pub fields: Fields,
    pub layer: &'a str,
    pub input: Vec<usize>,
    tensors: &'a mut Tensors,
}

impl Source<'_> {
    /// The places behind the channels.
    pub fn axes(&self) -> usize {
        self.input.len().saturating_sub(1)
    }

    /// A tensor: numbers that stand in the description, the tensor that it names, or the layer's own called `suffix`.
    pub fn tensor(&mut self, key: &'static str, suffix: &str) -> Result<ArrayD<f32>> {
        match self.fields.take(key) {
            None => self.tensors.get(&self.own(suffix)),
            Some(given) => self.given(key, &given),
        }
    }

    /// As [`Source::tensor`], but nothing where the key is `false`, or is missing and the layer has no such tensor.
    ///
    /// A name that was mistyped leaves its tensor unused, which is an error in the end.
    pub fn optional(&mut self, key: &'static str, suffix: &str) -> Result<Option<ArrayD<f32>>> {
        match self.fields.take(key) {
            None => Ok(self.tensors.find(&self.own(suffix))),
            Some(Value::Bool(false)) => Ok(None),
            Some(given) => self.given(key, &given).map(Some),
        }
    }

    /// One number for each of `n` channels.
    pub fn per_channel(&self, what: &str, n: usize, tensor: ArrayD<f32>) -> Result<Array1<f32>> {
        same_shape(self.called(what), &[n], tensor.shape())?;
        tensor.into_dimensionality::<Ix1>().map_err(|error| malformed(self.fields.at(what), error.to_string()))
    }

    /// A matrix whose rows have `n` columns.
    pub fn matrix(&self, what: &str, n: usize, tensor: ArrayD<f32>) -> Result<ndarray::Array2<f32>> {
        let rows = tensor.shape().first().copied().unwrap_or(0);
        same_shape(self.called(what), &[rows, n], tensor.shape())?;
        tensor.into_dimensionality::<Ix2>().map_err(|error| malformed(self.fields.at(what), error.to_string()))
    }

    /// What an error calls a tensor.
    pub fn called(&self, what: &str) -> String {
        format!("the tensor {:?}", self.own(what))
    }

    fn own(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.layer)
    }

    fn given(&mut self, key: &'static str, given: &Value) -> Result<ArrayD<f32>> {
        match given {
            Value::String(name) => self.tensors.get(name),
            Value::Array(_) => inline(&self.fields.at(key), given),
            _ => Err(malformed(self.fields.at(key), "neither the name of a tensor nor lists of numbers")),
        }
    }
}

/// The kinds of layers and blocks, for an error.
pub(super) fn unknown_kind(kind: &str) -> Error {
    let known = KINDS.iter().chain(&["sequence", "residual"]).map(|&kind| kind.to_owned()).collect();
    unknown("kind of layer", kind, known)
}
