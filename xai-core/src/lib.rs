//! The contract of the xai toolkit: what a model is, what an explainer is, and what an explanation is.
//!
//! Traits and plain data; no algorithm, no file, no random generator. Read it in one sitting:
//!
//! | what | where |
//! |---|---|
//! | [`Batch`], [`Table`]: what a model eats | `batch.rs` |
//! | [`Model`] and what more it can be: [`TreeStructured`], [`LinearStructured`], [`LinearFirst`], [`Differentiable`] | `model.rs` |
//! | [`Cells`]: batches that are arrays of numbers | `cells.rs` |
//! | [`Layered`], [`Composed`], [`Parametric`]: what can be seen and done inside a network | `layers.rs` |
//! | [`Explainer`], [`Explanation`], [`Provenance`]: a method and its account of itself | `explain.rs` |
//! | [`Run`], [`Observer`], [`Meter`]: seed, budget, progress, cancellation | `run.rs` |
//! | [`Stream`], [`cut`]: batches in, explanations out | `stream.rs` |
//! | [`Game`], [`Masker`], [`MaskedGame`]: what perturbation methods see | `game.rs` |
//! | [`Attribution`], [`Interactions`], [`Importance`], [`Effects`], [`Prediction`]: results | a file each |
//! | [`Inside`]: what the layers of a model hold and put out | `inside.rs` |
//! | [`League`]: what a contest of methods found | `league.rs` |
//! | [`Document`]: the versioned JSON form of all results | `document.rs` |
//! | [`Feature`], [`Output`], [`Scale`], [`Groups`]: names, kinds, units | `feature.rs`, `groups.rs` |
//! | [`TreeEnsemble`]: decision trees as arrays, with exact routing | `trees/` |
//! | [`Link`]: from a margin to a prediction | `link.rs` |
//! | [`Error`]: everything that can go wrong | `error.rs` |

mod attribution;
mod batch;
mod cells;
mod document;
mod effects;
pub mod error;
mod explain;
mod feature;
mod game;
mod groups;
mod importance;
mod inside;
mod interactions;
pub mod layers;
pub mod league;
mod link;
pub mod model;
pub mod nested;
mod run;
mod stream;
pub mod trees;

pub use attribution::Attribution;
pub use batch::{Batch, Table};
pub use cells::{Cell, Cells};
pub use document::{Document, Prediction};
pub use effects::{Curve, Distribution, Effects};
pub use error::{Error, Result};
pub use explain::{Explainer, Explanation, Provenance, Value};
pub use feature::{Feature, FeatureKind, Output, Scale};
pub use game::{Game, MaskedGame, Masker, Replicas};
pub use groups::Groups;
pub use importance::Importance;
pub use inside::{Inside, LayerFacts, Spread};
pub use interactions::{InteractionIndex, Interactions};
pub use layers::{Composed, Layer, LayerKind, Layered, Operator, Parametric, Probe, Probed};
pub use league::League;
pub use link::Link;
pub use model::{Differentiable, LinearFirst, LinearStructured, Model, Owned, TreeStructured};
pub use run::{Meter, Observer, Run, Silent};
pub use stream::{Stream, cut};
pub use trees::{TreeEnsemble, TreeParts};
