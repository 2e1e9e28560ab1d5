//! Relevance: a score goes back through the layers of a model, and each layer passes it on by a rule.
//!
//! | method | what a layer passes back | source |
//! |---|---|---|
//! | [`DeepLift`] | differences to a baseline | Shrikumar et al. 2017 |
//! | [`DeepShap`] | the same, for many baselines | Lundberg & Lee 2017, section 4.2 |
//! | [`GuidedBackpropagation`] | gradients, only positive ones through a ReLU | Springenberg et al. 2015 |
//! | [`Deconvolution`] | as guided backpropagation, whatever the ReLU did | Zeiler & Fergus 2014 |
//! | `Lrp` (feature `lrp`) | shares of the score, by a rule for each layer | Bach et al. 2015; Montavon et al. 2019 |
//!
//! All need a [`Composed`](xai_core::Composed) model, whose layers can be run one by one. Layers are told apart by their
//! place, so an activation that a network uses twice is two layers here.

mod deep_lift;
mod differences;
mod guided;
#[cfg(feature = "lrp")]
pub mod lrp;
mod norm;
mod reveal;
mod structure;
mod trace;

pub use deep_lift::{DeepLift, DeepShap, NonLinearRule};
pub use guided::{Deconvolution, GuidedBackpropagation};
#[cfg(feature = "lrp")]
pub use lrp::{Bounds, Composite, Lrp, Rule, Start, Which};
