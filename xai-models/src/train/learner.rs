//! The parameters of a network while they move.

use std::collections::BTreeMap;

use ::burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array1, ArrayD, IxDyn};
use xai_core::{Cells, Error, Layered, Model, Result};

use super::optimizer::Optimizer;
use super::stage::{EPSILON, Running};
use super::{Histogram, LayerState, State};
use crate::burn::interpret::Plan;
use crate::burn::taps::cells;
use crate::network::{Network, Node, Op};

/// A parameter array.
pub(super) struct Own {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub value: Tensor<1>,
    pub moments: Vec<Tensor<1>>,
    /// Whether it learns.
    pub learns: bool,
}

/// A network whose parameters move.
pub(super) struct Learner {
    pub plan: Plan,
    pub layers: Vec<Vec<Own>>,
    pub running: Vec<Running>,
    pub steps: u64,
}

impl Learner {
    pub fn new<B: Cells + ?Sized>(
        network: &Network<B>,
        device: &Device,
        optimizer: &Optimizer,
        frozen: &[String],
        batch_statistics: bool,
    ) -> Result<Self>
    where
        Network<B>: Layered,
    {
        let plan = Plan::new(network)?;
        for name in frozen {
            xai_core::layers::layer_named(&plan.layers, name)?;
        }
        let (mut layers, mut running) = (vec![], vec![]);
        for (layer, op) in plan.layers.iter().zip(&plan.ops) {
            let learns = !frozen.contains(&layer.name);
            let mut own = vec![];
            for (name, value) in op.as_ref().map_or_else(Vec::new, Op::parameters) {
                let zeros = || Tensor::<1>::zeros([value.len()], device);
                own.push(Own {
                    name,
                    shape: value.shape().to_vec(),
                    value: tensor(value.iter().copied().collect(), device),
                    moments: (0..optimizer.n_moments()).map(|_| zeros()).collect(),
                    learns: learns && has(op.as_ref(), name),
                });
            }
            // Variance and ε make 1: what the network gave as scale and shift is what it is before the first step.
            let start = |scale: &Array1<f32>| {
                let ones = Tensor::<1>::ones([scale.len()], device);
                [Tensor::zeros([scale.len()], device), ones * (1.0 - EPSILON)]
            };
            running.push(match op {
                Some(Op::BatchNorm { scale, .. }) if learns && batch_statistics => Some(start(scale)),
                _ => None,
            });
            layers.push(own);
        }
        Ok(Learner { plan, layers, running, steps: 0 })
    }

    /// The parameters, those that learn at the root of a graph.
    pub fn tracked(&self) -> Vec<Vec<Tensor<1>>> {
        let leaf = |own: &Own| match own.learns {
            true => own.value.clone().autodiff().require_grad(),
            false => own.value.clone(),
        };
        self.layers.iter().map(|layer| layer.iter().map(leaf).collect()).collect()
    }

    /// The parameters, off any graph.
    pub fn values(&self) -> Vec<Vec<Tensor<1>>> {
        self.layers.iter().map(|layer| layer.iter().map(|own| own.value.clone()).collect()).collect()
    }

    pub fn state(&self, epochs: usize) -> Result<State> {
        let mut tensors = BTreeMap::new();
        for (place, layer) in self.plan.layers.iter().enumerate() {
            for own in &self.layers[place] {
                let name = format!("{}.{}", layer.name, own.name);
                for (at, moment) in own.moments.iter().enumerate().filter(|_| own.learns) {
                    tensors.insert(format!("{name}.moment{at}"), array(moment, &own.shape)?);
                }
                tensors.insert(name, array(&own.value, &own.shape)?);
            }
            if let Some([mean, variance]) = &self.running[place] {
                let shape = mean.dims();
                tensors.insert(format!("{}.running_mean", layer.name), array(mean, &shape)?);
                tensors.insert(format!("{}.running_var", layer.name), array(variance, &shape)?);
            }
        }
        Ok(State { epochs, steps: self.steps, tensors })
    }

    pub fn put(&mut self, state: &State, device: &Device) -> Result<()> {
        let get = |name: &str, shape: &[usize]| {
            Ok::<_, Error>(tensor(state.tensor(name, shape)?.iter().copied().collect(), device))
        };
        for (place, layer) in self.plan.layers.iter().enumerate() {
            for own in &mut self.layers[place] {
                let name = format!("{}.{}", layer.name, own.name);
                own.value = get(&name, &own.shape)?;
                for (at, moment) in own.moments.iter_mut().enumerate().filter(|_| own.learns) {
                    *moment = get(&format!("{name}.moment{at}"), &own.shape)?;
                }
            }
            if let Some([mean, variance]) = &mut self.running[place] {
                let shape = mean.dims();
                *mean = get(&format!("{}.running_mean", layer.name), &shape)?;
                *variance = get(&format!("{}.running_var", layer.name), &shape)?;
            }
        }
        self.steps = state.steps;
        Ok(())
    }

    /// `network` with the parameters of now, norms folded to what they do outside training.
    pub fn network<B: Cells + ?Sized>(&self, network: &Network<B>) -> Result<Network<B>>
    where
        Network<B>: Model,
    {
        let mut nodes: Vec<Node> = vec![];
        for (place, mut node) in network.nodes().enumerate() {
            let place = place + 1;
            for own in self.layers[place].iter().filter(|own| own.learns) {
                set(&mut node.op, own.name, array(&own.value, &own.shape)?);
            }
            if let (Some([mean, variance]), Op::BatchNorm { scale, shift }) = (&self.running[place], &node.op) {
                let [mean, variance] = [cells(mean.clone())?, cells(variance.clone())?].map(Array1::from_vec);
                node.op = Op::batch_norm(scale, shift, &mean, &variance, EPSILON)?;
            }
            nodes.push(node);
        }
        Network::new(network.input_shape(), nodes)?.named(network.features().to_vec(), network.outputs().to_vec())
    }

    /// The layers that learn, with the norms of their gradients.
    pub fn layer_states(&self, squares: &[f64], steps: usize) -> Result<Vec<LayerState>> {
        let mut states = vec![];
        for (place, own) in self.layers.iter().enumerate() {
            let Some(first) = own.iter().find(|own| own.learns) else { continue };
            let gradient_norm = (squares[place] / steps.max(1) as f64).sqrt();
            let weights = Histogram::of(&cells(first.value.clone())?);
            states.push(LayerState { name: self.plan.layers[place].name.clone(), gradient_norm, weights });
        }
        Ok(states)
    }
}

/// Whether a layer has this parameter to learn: a bias that is shown as zeros is not there, a constant does not learn.
fn has(op: Option<&Op>, name: &str) -> bool {
    match op {
        Some(Op::Constant(_)) | None => false,
        Some(Op::Linear { bias: None, .. }) => name != "bias",
        Some(Op::Convolution(own)) if own.bias.is_none() => name != "bias",
        Some(_) => true,
    }
}

fn set(op: &mut Op, name: &str, value: ArrayD<f32>) {
    let flat = || value.iter().copied();
    match (op, name) {
        (Op::Linear { weight, .. }, "weight") => weight.iter_mut().zip(flat()).for_each(|(old, new)| *old = new),
        (Op::Linear { bias, .. }, "bias") => *bias = Some(flat().collect()),
        (Op::Convolution(own), "weight") => own.weight = value,
        (Op::Convolution(own), "bias") => own.bias = Some(flat().collect()),
        (Op::BatchNorm { scale, .. }, "scale") => *scale = flat().collect(),
        (Op::BatchNorm { shift, .. }, "shift") => *shift = flat().collect(),
        (Op::LayerNorm { scale, .. }, "scale") => *scale = value,
        (Op::LayerNorm { shift, .. }, "shift") => *shift = value,
        _ => {}
    }
}

pub(super) fn tensor(cells: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = cells.len();
    Tensor::from_data(TensorData::new(cells, [length]), device)
}

fn array(tensor: &Tensor<1>, shape: &[usize]) -> Result<ArrayD<f32>> {
    ArrayD::from_shape_vec(IxDyn(shape), cells(tensor.clone())?).map_err(Error::model)
}
