//! What goes on inside a model: activations, gradients and paths at one of its layers, and at single neurons.
//!
//! | method | what a value is | values sum to |
//! |---|---|---|
//! | [`LayerActivation`] | the neuron's activation | their sum |
//! | [`LayerGradient`] | the slope of the score by the neuron, or activation × slope | nothing |
//! | [`LayerIntegratedGradients`] | integrated gradients of what comes after the layer | score − score with the layer's baseline |
//! | [`LayerConductance`] | how much of the score's change flows through the neuron | score − base, if all flows through the layer |
//! | [`InternalInfluence`] | the mean slope by the neuron on the way from a baseline | nothing |
//! | [`NeuronConductance`] | how much of the change flows from each input cell through one neuron | the neuron's conductance |
//!
//! [`Neurons`] makes the activations of neurons the outputs of a model of its own: [`Saliency`](super::Saliency) of that
//! is the neuron's gradient, [`IntegratedGradients`](super::IntegratedGradients) of it the neuron's integrated gradients,
//! and so on for every method.

mod activation;
mod along;
mod at;
mod conductance;
mod gradient;
mod influence;
mod integrated;
mod look;
mod neuron_conductance;
mod neurons;

pub use activation::LayerActivation;
pub use at::At;
pub use conductance::{Grid, LayerConductance};
pub use gradient::LayerGradient;
pub use influence::InternalInfluence;
pub use integrated::LayerIntegratedGradients;
pub(crate) use look::{Inside, activations, look};
pub use neuron_conductance::NeuronConductance;
pub use neurons::Neurons;
