//! The contract, used as somebody else's crate would use it.

mod contract;
mod groups;
mod json;
mod run;
mod stream;
mod trees;
