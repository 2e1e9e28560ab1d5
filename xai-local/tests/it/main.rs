//! The tests of this crate, as one binary.

mod adaptive;
mod analytic;
mod conditional;
mod conditional_golden;
mod continuation;
mod games;
mod golden;
mod gradient;
mod indices;
mod interaction;
mod laws;
mod lime;
mod masker;
mod owen;
mod owen_golden;
mod products;
mod proxy;
mod regression;
mod shapley;
mod shapley_golden;
mod tree;
mod tree_interactions;
mod tree_oracle;
mod tree_zoo;
mod zoo;
