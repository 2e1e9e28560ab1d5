//! Tree ensembles: building them, predicting with them.

mod build;
mod model;

pub use build::{Split, TreeBuilder};
pub use model::TreeModel;
