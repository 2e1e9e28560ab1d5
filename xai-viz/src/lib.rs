//! Pictures of explanations: charts as plain scenes, written as SVG, PNG, text for a terminal, or one HTML page.
//!
//! A chart is a struct of options with a method `scene` that draws data; a [`Scene`] is written by [`Scene::svg`] or,
//! with the feature `png`, by [`Png`]. Nothing here is global, reads a file or opens a window.
//!
//! | what it shows | chart |
//! |---|---|
//! | one score as a sum | [`Waterfall`] |
//! | how much features contribute, on average or to one sample | [`Bar`] |
//! | one score as forces in a line | [`Force`] |
//! | what features do to all samples | [`Beeswarm`], [`Heatmap`] |
//! | how the scores of many samples build up | [`Decision`] |
//! | a feature's value against its contribution | [`Dependence`] |
//! | how much features matter to the model | [`ImportanceBars`] |
//! | what features contribute together | [`InteractionMatrix`] (pairs), [`InteractionBars`] (sets of any size) |
//! | the response to one feature, or to two | [`EffectCurve`], [`Surface`] |
//! | which cells of an image matter, for many methods, outputs or samples | [`ImageMaps`] |
//! | which steps of a series matter | [`SeriesMap`] |
//! | the layers of a network, their weights and activations | [`LayerMap`] |
//! | who won a contest of methods, at what cost, and who agrees | [`LeagueTable`], [`CostPicture`], [`AgreementMap`] |
//! | the same as text | [`Terminal`] |
//! | all of it on one page | [`Report`], [`LeaguePage`] |
//!
//! # Example
//! ```
//! use xai_core::{Attribution, Feature, Output, Provenance, Run};
//! use xai_viz::{Theme, Waterfall};
//! let attribution = Attribution {
//!     provenance: Provenance::new("exact-shapley", &Run::default()),
//!     features: vec![Feature::numeric("age"), Feature::categorical("sex", ["female", "male"])],
//!     outputs: Output::unnamed(1),
//!     base: ndarray::array![[1.0]], values: ndarray::array![[[0.5], [-2.0]]], scores: ndarray::array![[-0.5]],
//!     standard_error: None, data: Some(ndarray::array![[39.0, 1.0]]), fidelity: None, shape: None,
//! };
//! let svg = Waterfall::default().scene(&attribution)?.svg(&Theme::light());
//! assert!(svg.starts_with("<svg "));
//! # Ok::<(), xai_core::Error>(())
//! ```

mod axis;
pub mod charts;
mod clean;
mod cluster;
mod door;
pub mod font;
mod frame;
mod number;
#[cfg(feature = "png")]
mod png;
mod rank;
pub mod raster;
pub mod report;
mod rows;
pub mod scene;
mod standings;
pub mod svg;
mod terminal;
pub mod theme;

#[cfg(feature = "png")]
pub use self::png::Png;
pub use charts::bar::Bar;
pub use charts::beeswarm::Beeswarm;
pub use charts::curves::EffectCurve;
pub use charts::decision::Decision;
pub use charts::dependence::{Colour, Dependence, strongest_interaction};
pub use charts::force::Force;
pub use charts::heatmap::{Heatmap, Order};
pub use charts::images::{ImageMaps, MapStyle, Panel};
pub use charts::importance::ImportanceBars;
pub use charts::layers::LayerMap;
pub use charts::league::agreement::AgreementMap;
pub use charts::league::pareto::{Cost, CostPicture};
pub use charts::league::table::LeagueTable;
pub use charts::matrix::InteractionMatrix;
pub use charts::series::SeriesMap;
pub use charts::surface::Surface;
pub use charts::terms::InteractionBars;
pub use charts::waterfall::Waterfall;
pub use raster::Raster;
pub use report::{Confusion, Individual, LeaguePage, Maps, Overview, Picture, Report};
pub use scene::{Anchor, Ink, Mark, Scene, Shape, Span, Stroke, Text};
pub use terminal::Terminal;
pub use theme::Theme;
