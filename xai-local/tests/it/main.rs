//! The tests of this crate, as one binary.

mod masker;
mod shapley;
mod zoo;
mod tree;
mod tree_oracle;
mod tree_zoo;
