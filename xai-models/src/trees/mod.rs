//! Tree ensembles: building them, predicting with them.

mod build;
mod compact;
mod cover;
mod model;

pub use build::{Split, TreeBuilder};
pub use cover::{has_covers, with_covers, with_weighted_covers};
pub use model::TreeModel;
