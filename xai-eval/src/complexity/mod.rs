//! How much must a reader take in? A short explanation is not a better one: these say how short it is.

mod effective;
mod entropy;
mod sparseness;

pub use effective::EffectiveComplexity;
pub use entropy::{Entropy, entropy};
pub use sparseness::{Sparseness, gini};
