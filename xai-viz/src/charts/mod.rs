//! The charts: a struct of options each, with a method `scene` that draws data.

pub mod bar;
pub mod beeswarm;
pub mod curves;
pub mod decision;
pub mod dependence;
pub mod force;
pub mod heatmap;
pub mod images;
pub mod importance;
pub mod layers;
pub mod league;
pub mod matrix;
mod outline;
pub mod series;
pub mod surface;
pub mod terms;
pub mod waterfall;
