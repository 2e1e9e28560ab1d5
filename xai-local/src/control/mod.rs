//! Attributions that know nothing of the model: what an explanation must beat to have said anything.
//!
//! [`EdgeDetector`] shows the input's edges. On synthetic images with known truth many well-known methods do no better
//! than edges or chance (Clark et al., *XAI-TRIS*, 2023): put them beside every comparison. Chance takes part in every
//! tournament of `xai-eval`.

mod edges;

pub use edges::EdgeDetector;
