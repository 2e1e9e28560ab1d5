//! burn modules as models.

mod adaptor;
mod describe;
mod engine;
mod faults;
mod modules;
mod taps;
