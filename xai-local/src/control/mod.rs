//! Attributions that know nothing of the model: what an explanation must beat to have said anything.
//!
//! [`RandomAttribution`] is noise, [`EdgeDetector`] shows the input's edges. On synthetic images with known truth many
//! well-known methods do no better than these (Clark et al., *XAI-TRIS*, 2023): put them beside every comparison.

mod edges;
mod random;

pub use edges::EdgeDetector;
pub use random::RandomAttribution;
