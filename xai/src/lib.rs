//! Explain machine-learning models: one door to the crates of the xai toolkit.
//!
//! | module | what | feature |
//! |---|---|---|
//! | [`core`] | models, explainers, explanations | – |
//! | [`models`] | tree ensembles and their files, linfa, closures, adaptors, tables | `models` |
//! | [`local`] | one prediction: TreeSHAP, Shapley estimators, LIME | `local` |
//! | [`global`] | the whole model: importance, partial dependence, accumulated local effects | `global` |
//! | [`eval`] | is the explanation right? | `eval` |
//! | [`viz`] | SVG, PNG, terminal, HTML report | `viz`, `png` |
//! | [`data`] | a real data set for first steps | `csv` |
//! | [`report`] | a model and its rows explained on one page | `viz` and those of `registry` |
//! | [`metrics`], [`contest`] | metrics by name; methods by name compared | `eval` and those of `registry` |
//! | [`registry`] | methods by name, with typed parameters | `local`, `global` and `models` |

#[cfg(all(feature = "local", feature = "global", feature = "models", feature = "eval"))]
pub mod contest;
#[cfg(feature = "csv")]
pub mod data;
#[cfg(all(feature = "local", feature = "global", feature = "models", feature = "eval"))]
pub mod metrics;
pub mod nearest;
#[cfg(all(feature = "local", feature = "global", feature = "models"))]
pub mod registry;
#[cfg(all(feature = "local", feature = "global", feature = "models", feature = "viz"))]
pub mod report;

pub use xai_core as core;
#[cfg(feature = "eval")]
pub use xai_eval as eval;
#[cfg(feature = "global")]
pub use xai_global as global;
#[cfg(feature = "local")]
pub use xai_local as local;
#[cfg(feature = "models")]
pub use xai_models as models;
#[cfg(feature = "viz")]
pub use xai_viz as viz;

/// The README's example is a test.
#[cfg(all(doctest, feature = "local", feature = "models"))]
#[doc = include_str!("../../README.md")]
struct Readme;
