//! burn 0.22: its modules explained, and networks on its devices.
//!
//! | what | where |
//! |---|---|
//! | [`BurnModel`]: any burn module of tables, series or images, with gradients | `model.rs` |
//! | [`OnDevice`]: a described network on any device of burn | `on_device.rs`, `interpret.rs` |
//! | [`BurnModel::describe`]: a module as a described network, for rules that rewrite layers | `describe.rs`, `as_op.rs` |
//! | [`Taps`]: places in its forward function that become layers | `taps.rs`, `layered.rs` |
//! | [`Tensors`]: which batches burn takes | `tensors.rs` |
//!
//! A device is always the one that the caller names: burn's default changes with the features of the whole build.

mod as_op;
mod describe;
pub(crate) mod guard;
pub(crate) mod interpret;
mod layered;
mod model;
mod on_device;
mod parametric;
pub(crate) mod taps;
pub(crate) mod tensors;

pub use as_op::{AsOp, layer_norm};
pub use describe::{Description, Place};
pub use model::BurnModel;
pub use on_device::OnDevice;
pub use taps::Taps;
pub use tensors::Tensors;
