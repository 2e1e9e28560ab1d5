//! Models around models: each adaptor changes one thing about a model and is a model again.
//!
//! | adaptor | what it changes | capabilities kept |
//! |---|---|---|
//! | [`Select`] | only some outputs, in any order | trees, linear, gradients |
//! | [`Contrast`] | one weighted sum of the outputs, such as class 3 − class 5 | linear, gradients |
//! | [`Linked`] | scores behind a link or its inverse: probabilities, log-odds, logarithms | gradients |
//! | [`Chunk`] | at most n samples a call | trees, linear, gradients of tables |
//! | [`Count`] | counts what the model is asked | trees, linear, gradients |
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
