//! Places inside a burn model where activations are read and replaced, and gradients taken.

use ::burn::tensor::{Device, Gradients, Tensor, TensorData};
use ndarray::{ArrayD, IxDyn};
use xai_core::error::same_shape;
use xai_core::{Error, Layer, LayerKind, Result};

/// What passes through a model's forward function so that named activations can be read, replaced and differentiated by.
///
/// A forward function gives each activation that should be a layer a name; what it gets back it computes on with.
/// Names differ, and every run gives the same ones in the same order.
///
/// # Example
/// ```
/// use burn::tensor::{Tensor, activation::relu};
/// use xai_models::burn::Taps;
/// fn forward(x: Tensor<2>, taps: &mut Taps) -> Tensor<2> {
///     let hidden = taps.tap("hidden", relu(x));
///     hidden * 2.0
/// }
/// # let _ = forward;
/// ```
pub struct Taps {
    seen: Vec<Layer>,
    samples: usize,
    order: Order,
    found: Vec<Option<Found>>,
    problem: Option<Error>,
}

/// What one run shall do at the taps.
#[derive(Default)]
pub(super) struct Order {
    /// The layers to read; no layers yet where the taps are only counted.
    pub read: Vec<usize>,
    /// Whether the activations of the layers read are wanted.
    pub activations: bool,
    /// Whether gradients by the layers read are wanted.
    pub gradients: bool,
    /// A layer and the cells that take the place of its output.
    pub replace: Option<(usize, Vec<f32>)>,
    /// The layers of earlier runs.
    pub known: Option<Vec<Layer>>,
}

type Leaf = Box<dyn FnOnce(&mut Gradients) -> Result<Option<Vec<f32>>>>;

struct Found {
    activation: Option<Vec<f32>>,
    leaf: Option<Leaf>,
}

impl Taps {
    pub(super) fn new(samples: usize, order: Order) -> Self {
        Taps { seen: Vec::new(), samples, order, found: Vec::new(), problem: None }
    }

    /// Names an activation (sample, axes of the layer …); what comes back is the activation to go on with.
    pub fn tap<const D: usize>(&mut self, name: &str, activation: Tensor<D>) -> Tensor<D> {
        self.tap_as(name, LayerKind::Other, activation)
    }

    /// As [`Taps::tap`], and says what kind of layer made it.
    pub fn tap_as<const D: usize>(&mut self, name: &str, kind: LayerKind, activation: Tensor<D>) -> Tensor<D> {
        if self.problem.is_some() {
            return activation;
        }
        match self.enter(name, kind, activation.clone()) {
            Ok(next) => next,
            Err(problem) => {
                self.problem = Some(problem);
                activation
            }
        }
    }

    fn enter<const D: usize>(&mut self, name: &str, kind: LayerKind, mut activation: Tensor<D>) -> Result<Tensor<D>> {
        let place = self.seen.len();
        let dims = activation.dims();
        same_shape(format!("samples of the activation {name:?}"), &[self.samples], &dims[..1])?;
        let inputs = if place == 0 { vec![] } else { vec![place - 1] };
        let layer = Layer { name: name.to_owned(), kind, inputs, shape: dims[1..].to_vec() };
        match &self.order.known {
            Some(known) => match known.get(place) {
                Some(known) if known.name != layer.name => {
                    return Err(Error::model(format!(
                        "activation {place} is {name:?} now, was {:?} before",
                        known.name
                    )));
                }
                Some(known) => same_shape(format!("activation {name:?}"), &known.shape, &layer.shape)?,
                None => return Err(Error::model(format!("the activation {name:?} was not there before"))),
            },
            None if self.seen.iter().any(|seen| seen.name == name) => {
                return Err(Error::model(format!("two activations are named {name:?}")));
            }
            None => {}
        }
        self.seen.push(layer);
        if self.order.replace.as_ref().is_some_and(|(replaced, _)| *replaced == place) {
            let cells = self.order.replace.take().map_or_else(Vec::new, |(_, cells)| cells);
            activation = Tensor::from_data(TensorData::new(cells, dims), &plain(&activation.device()));
        }
        if !self.order.read.contains(&place) {
            self.found.push(None);
            return Ok(activation);
        }
        let values = if self.order.activations { Some(cells(activation.clone())?) } else { None };
        let mut way_back = None;
        if self.order.gradients {
            let leaf;
            (activation, leaf) = tracked(activation);
            let take = move |gradients: &mut Gradients| leaf.grad_remove(gradients).map(cells).transpose();
            way_back = Some(Box::new(take) as Leaf);
        }
        self.found.push(Some(Found { activation: values, leaf: way_back }));
        Ok(activation)
    }

    /// The layers that the run has passed, if all went well.
    pub(super) fn layers(&mut self) -> Result<Vec<Layer>> {
        match (self.problem.take(), &self.order.known) {
            (Some(problem), _) => Err(problem),
            (None, Some(known)) if known.len() > self.seen.len() => {
                Err(Error::model(format!("the activation {:?} is not there any more", known[self.seen.len()].name)))
            }
            (None, _) => Ok(std::mem::take(&mut self.seen)),
        }
    }

    /// The activation of `layer`: (sample, …).
    pub(super) fn activation(&mut self, layer: &Layer, place: usize) -> Result<ArrayD<f32>> {
        let found = self.found.get_mut(place).and_then(Option::as_mut).and_then(|found| found.activation.take());
        self.shaped(layer, found.unwrap_or_default())
    }

    /// Forgets where gradients would arrive, so that nothing holds the graph any more.
    pub(super) fn cut(&mut self) {
        self.found.iter_mut().flatten().for_each(|found| found.leaf = None);
    }

    /// The gradient by the output of `layer`, if a path leads from there to what was differentiated: (sample, …).
    pub(super) fn gradient(&mut self, layer: &Layer, place: usize, of: &mut Gradients) -> Result<Option<ArrayD<f32>>> {
        let leaf = self.found.get_mut(place).and_then(Option::as_mut).and_then(|found| found.leaf.take());
        match leaf.map_or(Ok(None), |leaf| leaf(of))? {
            Some(gradient) => self.shaped(layer, gradient).map(Some),
            None => Ok(None),
        }
    }

    fn shaped(&self, layer: &Layer, cells: Vec<f32>) -> Result<ArrayD<f32>> {
        let shape = [&[self.samples], &layer.shape[..]].concat();
        ArrayD::from_shape_vec(IxDyn(&shape), cells).map_err(Error::model)
    }
}

/// The same activation on the graph, and the leaf whose gradient is the activation's.
fn tracked<const D: usize>(activation: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    if !activation.is_tracked() {
        let leaf = activation.inner().autodiff().require_grad();
        return (leaf.clone(), leaf);
    }
    let zeros = Tensor::<D>::zeros(activation.dims(), &plain(&activation.device())).autodiff().require_grad();
    (activation + zeros.clone(), zeros)
}

/// The cells of a tensor, row-major.
pub(crate) fn cells<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.inner().try_into_vec_as::<f32>().map_err(|error| Error::model(format!("burn: {error:?}")))
}

fn plain(device: &Device) -> Device {
    device.clone().without_autodiff()
}
