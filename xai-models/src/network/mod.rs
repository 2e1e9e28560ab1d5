//! Networks: layers that read earlier layers, run and differentiated in `f32`.
//!
//! A [`Network`] is made of [`Node`]s, each an [`Op`] with its parameters and the layers that it reads. It predicts,
//! tells gradients by its input, shows what goes on in its layers, and hands them out one by one:
//!
//! | trait | for |
//! |---|---|
//! | [`Differentiable`](xai_core::Differentiable) | saliency, integrated gradients |
//! | [`Layered`](xai_core::Layered) | class activation maps, conductance |
//! | [`Composed`](xai_core::Composed) | relevance propagation, DeepLIFT |
//! | [`Parametric`](xai_core::Parametric) | tests against a random model |

mod any;
pub mod description;
mod filled;
mod graph;
mod kernel;
mod line;
mod model;
mod op;
mod operator;
mod parameters;
mod probe;
mod run;
mod shape;

#[cfg(feature = "onnx")]
pub(crate) use any::Face;
pub use any::{AnyNetwork, LoadedNetwork, Preparation};
pub use graph::{Network, Node};
pub use op::{Convolution, Op, Window};
