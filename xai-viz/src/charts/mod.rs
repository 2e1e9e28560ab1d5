//! The charts: a struct of options each, with a method `scene` that draws data.

pub mod bar;
pub mod beeswarm;
pub mod waterfall;
