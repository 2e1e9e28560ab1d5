//! The Shapley family.
