//! Does the explanation depend on what the model has learnt?
//!
//! *Pitfalls of all of them.* They find methods that do not look at the model (edge detectors, for instance); a method that
//! passes may still be wrong. A random model keeps its architecture, and with it some of what explanations show: similarity
//! falls slowly for good methods, too, most of all when layers are randomised from the scores down (Binder et al. 2023).
//! Similarity is of absolute shares unless said otherwise.

mod efficient;
mod labels;
mod mprt;
mod random_logit;
mod reset;
mod similarity;
mod smooth;
mod ssim;

pub use efficient::{EfficientMprt, histogram_entropy};
pub use labels::label_randomisation;
pub use mprt::{LayerOrder, LayerSimilarities, Mprt, Summary};
pub use random_logit::RandomLogit;
pub use reset::{Reset, randomised};
pub use similarity::Similarity;
pub use smooth::SmoothMprt;
