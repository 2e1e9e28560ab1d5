//! The commands, one a file.

pub mod bench;
pub mod demo;
pub mod effects;
pub mod explain;
pub mod importance;
pub mod layers;
pub mod merge;
pub mod methods;
pub mod networks;
pub mod plot;
pub mod predict;
pub mod report;
pub mod stream;
