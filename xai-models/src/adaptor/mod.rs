//! Models around models: each adaptor changes one thing about a model and is a model again.
//!
//! | adaptor | what it changes | capabilities kept |
//! |---|---|---|
//! | [`Select`] | only some outputs, in any order | trees, linear, gradients, layers |
//! | [`Contrast`] | one weighted sum of the outputs, such as class 3 − class 5 | linear, gradients, layers |
//! | [`Linked`] | scores behind a link or its inverse: probabilities, log-odds, logarithms | gradients, layers |
//! | [`Chunk`] | at most n samples a call | trees, linear, gradients |
//! | [`Count`] | counts what the model is asked | trees, linear, gradients, layers and their functions |
//! | [`Cache`] | remembers rows that it has seen | trees, linear, gradients |
//!
//! [`contrast_trees`] is the contrast of an ensemble as an ensemble, for methods that look at the trees.
//!
//! A reference or a box of a model is a model, so an adaptor may borrow (`Select::new(&model, …)`) or own. An
//! explanation of an adapted model names the adapted outputs and their scale.

mod cache;
mod chunk;
mod contrast;
mod count;
mod linked;
mod select;
mod trees;

pub use cache::Cache;
pub use chunk::Chunk;
pub use contrast::Contrast;
pub use count::Count;
pub use linked::{Linked, Transform};
pub use select::Select;
pub use trees::{contrast_trees, select_trees};

/// For an adaptor that leaves the scores as they are: the inner model's trees and slopes are its own.
macro_rules! forward_structure {
    ($adaptor:ident) => {
        impl<M: xai_core::TreeStructured> xai_core::TreeStructured for $adaptor<M> {
            fn trees(&self) -> &xai_core::TreeEnsemble {
                self.model.trees()
            }
        }

        impl<M: xai_core::LinearStructured> xai_core::LinearStructured for $adaptor<M> {
            fn coefficients(&self) -> &ndarray::ArrayRef2<f64> {
                self.model.coefficients()
            }

            fn intercept(&self) -> &ndarray::ArrayRef1<f64> {
                self.model.intercept()
            }
        }
    };
}
use forward_structure;

/// For an adaptor whose scores are weighted sums of the inner model's: `widen` turns weights of its scores into weights of the
/// inner ones, `narrow` the inner scores into its own. One forward pass of the inner model stays one.
macro_rules! forward_weighted {
    ($adaptor:ident, $widen:ident, $narrow:ident) => {
        impl<M: xai_core::Differentiable> xai_core::Differentiable for $adaptor<M> {
            fn vjp(
                &self,
                batch: &Self::Batch,
                weights: &ndarray::ArrayRef2<f64>,
            ) -> xai_core::Result<xai_core::Owned<Self>> {
                self.model.vjp(batch, &self.$widen(weights)?)
            }

            fn scores_and_vjps(
                &self,
                batch: &Self::Batch,
                weights: &[ndarray::Array2<f64>],
            ) -> xai_core::Result<(ndarray::Array2<f64>, Vec<xai_core::Owned<Self>>)> {
                let weights = weights.iter().map(|w| self.$widen(w)).collect::<xai_core::Result<Vec<_>>>()?;
                let (scores, gradients) = self.model.scores_and_vjps(batch, &weights)?;
                Ok((self.$narrow(scores)?, gradients))
            }

            fn line_vjps(
                &self,
                from: &Self::Batch,
                to: &Self::Batch,
                points: &[(f64, f64)],
                weights: &[ndarray::Array2<f64>],
            ) -> xai_core::Result<Option<Vec<xai_core::Owned<Self>>>> {
                let weights = weights.iter().map(|w| self.$widen(w)).collect::<xai_core::Result<Vec<_>>>()?;
                self.model.line_vjps(from, to, points, &weights)
            }
        }

        /// The layers are the inner model's: the scores are sums of what the last one holds.
        impl<M: xai_core::Layered> xai_core::Layered for $adaptor<M> {
            fn layers(&self) -> &[xai_core::Layer] {
                self.model.layers()
            }

            fn probe(&self, batch: &Self::Batch, probe: &xai_core::Probe) -> xai_core::Result<xai_core::Probed> {
                let weights = probe.weights.iter().map(|w| self.$widen(w)).collect::<xai_core::Result<Vec<_>>>()?;
                let probed = self.model.probe(batch, &xai_core::Probe { weights: &weights, ..*probe })?;
                Ok(xai_core::Probed { scores: self.$narrow(probed.scores)?, ..probed })
            }
        }

        impl<M: xai_core::Composed> xai_core::Composed for $adaptor<M> {
            fn operator(&self, layer: usize) -> xai_core::Result<&dyn xai_core::Operator> {
                self.model.operator(layer)
            }
        }
    };
}
use forward_weighted;
