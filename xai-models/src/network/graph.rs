//! A network: its layers, checked.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use xai_core::error::same_shape;
use xai_core::{Cells, Error, Feature, Layer, LayerKind, Output, Result};

use super::kernel;
use super::op::Op;
use super::operator::Function;
use super::shape::{MOST_CELLS, cells};

/// One layer of a [`Network`].
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name, such as `layer1.0.conv1`; no two layers share one.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The layers that it reads: 0 is the input of the network, 1 the first node, 2 the second.
    pub inputs: Vec<usize>,
}

impl Node {
    /// A layer by its parts.
    pub fn new(name: impl Into<String>, op: Op, inputs: Vec<usize>) -> Self {
        Node { name: name.into(), op, inputs }
    }
}

/// A network of layers, for batches of kind `B`: tables (sample, feature), series (sample, channel, step), images
/// (sample, channel, row, column).
///
/// Layer 0 is the input, called `input`; the last node gives the scores. It computes in `f32`; the cells of a table are
/// rounded to that at the door. A sample's scores and gradients have the same bits in any batch and on any number of
/// threads. Nothing random or dependent on the batch is in it: dropout is [`Op::Identity`], batch normalisation a fixed
/// scale and shift.
///
/// # Cost
/// A clone shares the parameters.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Differentiable, Model, Table};
/// use xai_models::network::{Network, Node, Op};
/// let first = Op::Linear { weight: array![[1.0], [-1.0]], bias: Some(array![0.0, 0.5]) };
/// let last = Op::Linear { weight: array![[2.0, 4.0]], bias: Some(array![1.0]) };
/// let network = Network::<Table>::sequence(&[1], [("hidden", first), ("relu", Op::Relu), ("scores", last)])?;
/// assert_eq!(network.predict(&array![[3.0], [-1.0]])?, array![[7.0], [7.0]]);
/// assert_eq!(network.vjp(&array![[3.0], [-1.0]], &array![[1.0], [1.0]])?, array![[2.0], [-4.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct Network<B: ?Sized> {
    pub(super) plan: Arc<Plan>,
    pub(super) features: Vec<Feature>,
    pub(super) outputs: Vec<Output>,
    kind: PhantomData<fn(&B)>,
}

/// The checked layers of a network.
#[derive(Debug)]
pub(super) struct Plan {
    /// Every layer, the input first.
    pub layers: Vec<Layer>,
    /// What computes each layer; none for the input.
    pub functions: Vec<Option<Function>>,
    /// The cells that each layer has for one sample.
    pub sizes: Vec<usize>,
    /// The last layer that reads each layer, itself where there is none.
    pub last_reader: Vec<usize>,
    /// Whether the way back needs the cells of each layer.
    pub needed: Vec<bool>,
}

impl<B: Cells + ?Sized> Network<B> {
    /// A network of `nodes`, each behind those that it reads; the last gives the scores, on one axis.
    ///
    /// # Errors
    /// [`Error::InLayer`] with the name of the layer around [`Error::Shape`] or [`Error::Parameter`] for what does not fit
    /// together, [`Error::NonFinite`] for a parameter that is not finite; [`Error::TooLarge`] for more cells than can be
    /// served; [`Error::Parameter`] when there is no layer or two share a name.
    pub fn new(input_shape: &[usize], nodes: Vec<Node>) -> Result<Self> {
        let mut taken = HashSet::from(["input".to_owned()]);
        let mut plan = Plan::new(input_shape)?;
        let mut all = plan.sizes[0] as u64;
        for node in nodes {
            if !taken.insert(node.name.clone()) {
                return Err(Error::parameter("name of a layer", node.name, "a name that no other layer has"));
            }
            let name = node.name.clone();
            let size = plan.push(node).map_err(|error| error.in_layer(name))?;
            all = all.saturating_add(size as u64);
            if all > MOST_CELLS {
                let what = "cells of a sample in all layers".to_owned();
                return Err(Error::TooLarge { what, limit: MOST_CELLS, found: all });
            }
        }
        let last = &plan.layers[plan.layers.len() - 1];
        if plan.layers.len() < 2 {
            return Err(Error::parameter("layers", "none", "at least one"));
        }
        if last.shape.len() != 1 || last.shape[0] == 0 {
            let error = Error::parameter("axes of the scores", format!("{:?}", last.shape), "one axis, not empty");
            return Err(error.in_layer(last.name.clone()));
        }
        Ok(Network::of(plan, Vec::new(), Vec::new()))
    }

    /// A network whose layers each read the one before.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn sequence<S: Into<String>>(input_shape: &[usize], layers: impl IntoIterator<Item = (S, Op)>) -> Result<Self> {
        let node = |(i, (name, op)): (usize, (S, Op))| Node::new(name, op, vec![i]);
        Network::new(input_shape, layers.into_iter().enumerate().map(node).collect())
    }

    /// Names the input's cells, in order, and the outputs; either may be empty for no names.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are names, but not as many as cells or outputs.
    pub fn named(mut self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        if !features.is_empty() {
            same_shape("names of features", &[self.plan.sizes[0]], &[features.len()])?;
        }
        if !outputs.is_empty() {
            same_shape("names of outputs", &[self.plan.n_outputs()], &[outputs.len()])?;
        }
        (self.features, self.outputs) = (features, outputs);
        Ok(self)
    }

    /// The axes of one sample.
    pub fn input_shape(&self) -> &[usize] {
        &self.plan.layers[0].shape
    }

    /// The layers as they were given; layer 0, the input, is not among them.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let pairs = self.plan.layers.iter().zip(&self.plan.functions);
        pairs.filter_map(|(layer, function)| {
            Some(Node { name: layer.name.clone(), op: function.as_ref()?.op.clone(), inputs: layer.inputs.clone() })
        })
    }

    /// What computes a layer; none for layer 0 and beyond the last.
    pub fn op(&self, layer: usize) -> Option<&Op> {
        Some(&self.plan.functions.get(layer)?.as_ref()?.op)
    }

    /// The numbers that were learned, counted.
    pub fn n_parameters(&self) -> usize {
        self.plan.functions.iter().flatten().map(|function| function.op.n_parameters()).sum()
    }

    pub(super) fn of(plan: Plan, features: Vec<Feature>, outputs: Vec<Output>) -> Self {
        Network { plan: Arc::new(plan), features, outputs, kind: PhantomData }
    }
}

impl Plan {
    /// The input alone.
    pub fn new(input_shape: &[usize]) -> Result<Self> {
        let shape = input_shape.to_vec();
        let size = cells("the input", &shape)?;
        let input = Layer { name: "input".into(), kind: LayerKind::Input, inputs: Vec::new(), shape };
        Ok(Plan {
            layers: vec![input],
            functions: vec![None],
            sizes: vec![size],
            last_reader: vec![0],
            needed: vec![false],
        })
    }

    /// Adds a layer and says how many cells it has.
    pub fn push(&mut self, node: Node) -> Result<usize> {
        let here = self.layers.len();
        if let Some(&ahead) = node.inputs.iter().find(|&&input| input >= here) {
            return Err(Error::parameter("inputs", ahead, format!("layers before this one, less than {here}")));
        }
        let inputs: Vec<Vec<usize>> = node.inputs.iter().map(|&i| self.layers[i].shape.clone()).collect();
        let function = Function::new(node.op, inputs)?;
        let size = cells("an output", &function.shape)?;
        let [reads_inputs, reads_output] = kernel::needs(&function.op);
        for &input in &node.inputs {
            self.last_reader[input] = here;
            self.needed[input] |= reads_inputs;
        }
        self.last_reader.push(here);
        self.needed.push(reads_output);
        self.layers.push(Layer {
            name: node.name,
            kind: function.op.kind(),
            inputs: node.inputs,
            shape: function.shape.clone(),
        });
        self.functions.push(Some(function));
        self.sizes.push(size);
        Ok(size)
    }

    pub fn n_outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }
}

impl<B: ?Sized> Clone for Network<B> {
    fn clone(&self) -> Self {
        let (features, outputs) = (self.features.clone(), self.outputs.clone());
        Network { plan: self.plan.clone(), features, outputs, kind: PhantomData }
    }
}

impl<B: ?Sized> fmt::Debug for Network<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("layers", &self.plan.layers).finish_non_exhaustive()
    }
}
