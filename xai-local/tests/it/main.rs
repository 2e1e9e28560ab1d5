//! The tests of this crate, as one binary.

mod adaptive;
mod analytic;
mod cam;
mod conditional;
mod conditional_golden;
mod continuation;
mod games;
mod golden;
mod gradient;
mod gradient_golden;
mod indices;
mod interaction;
mod laws;
mod lime;
#[cfg(feature = "lrp")]
mod lrp;
#[cfg(feature = "lrp")]
mod lrp_golden;
mod many_players;
mod masker;
mod networks;
mod noise;
mod owen;
mod owen_golden;
mod perturbation;
mod products;
mod proxy;
mod proxy_interactions;
mod regression;
mod relevance;
mod relevance_golden;
mod resnet;
mod segments;
mod shapley;
mod shapley_golden;
mod tree;
mod tree_crowd;
mod tree_interactions;
mod tree_oracle;
mod tree_single;
mod tree_zoo;
mod zoo;
