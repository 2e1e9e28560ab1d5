//! The tests of this crate, as one binary.

mod masker;
mod shapley;
mod zoo;
