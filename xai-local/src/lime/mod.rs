//! LIME for tables: a linear surrogate of the model around one sample.
//!
//! | part | file |
//! |---|---|
//! | [`LimeTabular`], the explainer | `tabular.rs` |
//! | [`Training`]: bins, means and frequencies of the training data | `training.rs` |
//! | [`Sampling`]: how neighbours of the sample are drawn | `neighbourhood.rs` |
//! | [`Surrogate`]: weighted ridge regression and its fit | `surrogate.rs` |
//! | [`Selection`]: which features the surrogate uses | `selection.rs`, `lasso.rs` |

mod lasso;
mod neighbourhood;
mod selection;
mod surrogate;
mod tabular;
mod training;

pub(crate) use neighbourhood::normal;
pub use neighbourhood::{Neighbourhood, Sampling, kernel, weights_by_distance};
pub use selection::Selection;
pub use surrogate::Surrogate;
pub use tabular::LimeTabular;
pub use training::{Bins, Column, Training};
