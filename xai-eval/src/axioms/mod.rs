//! Does the explanation keep the promises that explanations should keep?
//!
//! *Pitfalls of all of them.* They find violations, not truth: the same share for every feature is symmetric. Whether a
//! feature is used, and whether two are alike, is asked of the model by masking: with another masker, another answer.

mod dummy;
mod input_invariance;
mod non_sensitivity;
mod residual;
mod symmetry;
mod toggles;

pub use dummy::Dummy;
pub use input_invariance::{InputInvariance, Shifted};
pub use non_sensitivity::NonSensitivity;
pub use residual::CompletenessGap;
pub use symmetry::Symmetry;
