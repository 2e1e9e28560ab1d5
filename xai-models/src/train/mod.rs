//! Training of described networks: multilayer perceptrons and small convolutional networks.
//!
//! | what | where |
//! |---|---|
//! | [`Training`]: how to train, and the loop | `training.rs`, `stage.rs` |
//! | [`Loss`], [`one_hot`] | `loss.rs` |
//! | [`Optimizer`], [`Decay`] | `optimizer.rs` |
//! | [`fresh`]: parameters to begin with | `initial.rs` |
//! | [`State`]: checkpoints | `state.rs` |
//! | [`History`], [`Watch`], [`TextView`]: what went on, live and afterwards as a page | `history.rs`, `watch.rs`, `page.rs` |
//!
//! burn differentiates by the parameters, on any of its devices. On a processor the same seed gives the same bits.

mod history;
mod initial;
mod learner;
mod loss;
mod optimizer;
mod page;
mod stage;
mod state;
mod training;
mod watch;

pub use history::{Epoch, Histogram, History, LayerState, Scored};
pub use initial::fresh;
pub use loss::{Loss, one_hot};
pub use optimizer::{Decay, Optimizer};
pub use state::State;
pub use training::{Trained, Training};
pub use watch::{Quiet, TextView, Watch};
