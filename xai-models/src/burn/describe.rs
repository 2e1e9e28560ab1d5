//! A burn module written down as a described network.

use ::burn::module::Module;
use ndarray::{ArrayD, Axis};
use xai_core::{Cell, Cells, Error, Feature, Layered, Model, Output, Result};

use super::{AsOp, BurnModel, Tensors};
use crate::network::{Network, Node, Op};

/// How far the description's scores may lie from the module's, as a share of the score or of 1: two programs in `f32`.
const AGREES: f64 = 1e-3;
/// The samples on which both are compared.
const SAMPLES: usize = 8;

/// Layers written down one after another; see [`BurnModel::describe`].
#[derive(Debug)]
pub struct Description {
    nodes: Vec<Node>,
    shapes: Vec<Vec<usize>>,
}

/// The output of a layer in a [`Description`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(usize);

impl Description {
    /// The input of the module.
    pub fn input(&self) -> Place {
        Place(0)
    }

    /// Adds a layer of burn, under a name that no other has, that reads `from`.
    ///
    /// # Errors
    /// [`Error::InLayer`] around [`Error::Shape`], [`Error::Parameter`] or [`Error::Unsupported`] for a layer that does not
    /// fit, or that has no counterpart.
    pub fn add(&mut self, name: &str, layer: &dyn AsOp, from: Place) -> Result<Place> {
        let op = layer.as_op(&self.shapes[from.0]).map_err(|error| error.in_layer(name))?;
        self.op(name, op, &[from])
    }

    /// Adds what is no module of its own: a ReLU, a sum, a flattening.
    ///
    /// # Errors
    /// As [`Description::add`].
    pub fn op(&mut self, name: &str, op: Op, from: &[Place]) -> Result<Place> {
        let shapes: Vec<&[usize]> = from.iter().map(|place| &self.shapes[place.0][..]).collect();
        let shape = op.output_shape(&shapes).map_err(|error| error.in_layer(name))?;
        self.shapes.push(shape);
        self.nodes.push(Node::new(name, op, from.iter().map(|place| place.0).collect()));
        Ok(Place(self.nodes.len()))
    }
}

impl<B: Tensors + ?Sized, M: Module + Sync> BurnModel<B, M> {
    /// The module as a described network, on which relevance propagation and DeepLIFT work: `write` adds its layers in the
    /// order of its forward function and gives the place of the scores. Both then score eight samples, and must agree.
    ///
    /// # Errors
    /// As [`Description::add`]; [`Error::Parameter`] when the scores are not the layer that was added last, or when the
    /// description scores otherwise than the module.
    ///
    /// # Example
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, activation::relu};
    /// use xai_models::burn::BurnModel;
    /// use xai_models::network::Op;
    /// let device = Device::flex();
    /// let layer: Linear = LinearConfig::new(2, 3).init(&device);
    /// let model = BurnModel::table(layer, 2, &device, |layer, x, _| relu(layer.forward(x)))?;
    /// let network = model.describe(|layer, layers| {
    ///     let sums = layers.add("sums", layer, layers.input())?;
    ///     layers.op("relu", Op::Relu, &[sums])
    /// })?;
    /// assert_eq!(network.n_parameters(), 9);
    /// // Forgetting the ReLU is found out.
    /// assert!(model.describe(|layer, layers| layers.add("sums", layer, layers.input())).is_err());
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    pub fn describe(&self, write: impl FnOnce(&M, &mut Description) -> Result<Place>) -> Result<Network<B>>
    where
        Network<B>: Model<Batch = B>,
        B::Owned: std::borrow::Borrow<B>,
    {
        use std::borrow::Borrow;
        let shape = self.layers()[0].shape.clone();
        let mut description = Description { nodes: vec![], shapes: vec![shape.clone()] };
        let scores = super::guard::guarded("the module", || write(self.module(), &mut description))?;
        if scores.0 != description.nodes.len() {
            return Err(Error::parameter("place of the scores", scores.0, "that of the layer that was added last"));
        }
        let named = |network: Network<B>| {
            network.named(self.features().to_vec() as Vec<Feature>, self.outputs().to_vec() as Vec<Output>)
        };
        let network = named(Network::new(&shape, description.nodes)?)?;
        let batch = B::of_cells(spread::<B>(&shape))?;
        let (here, there) = (self.predict(batch.borrow())?, network.predict(batch.borrow())?);
        xai_core::error::same_shape("scores of the description", here.shape(), there.shape())?;
        for ((place, a), b) in here.indexed_iter().zip(&there) {
            let gap = (a - b).abs() / a.abs().max(1.0);
            if gap > AGREES || gap.is_nan() {
                let expected = format!("{a}, as the module scores sample {} of the comparison", place.0);
                return Err(Error::parameter(format!("description, output {}", place.1), b, expected));
            }
        }
        Ok(network)
    }
}

/// Samples between −2 and 2 that hold no pattern: the golden ratio scatters their cells.
fn spread<B: Cells + ?Sized>(shape: &[usize]) -> ArrayD<B::Cell> {
    let axes = [&[SAMPLES], shape].concat();
    let mut cells = ArrayD::zeros(ndarray::IxDyn(&axes));
    for (sample, mut row) in cells.axis_iter_mut(Axis(0)).enumerate() {
        for (at, cell) in row.iter_mut().enumerate() {
            let turn = (at as f64 + 1.0) * 0.618_033_988_749_895 + sample as f64 * 0.754_877_666_246_693;
            *cell = <B::Cell as Cell>::of(4.0 * turn.fract() - 2.0);
        }
    }
    cells
}
