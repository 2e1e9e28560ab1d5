//! Explanations of a whole model.
//!
//! | what | needs | cost in evaluations | source |
//! |---|---|---|---|
//! | [`PermutationImportance`]: how much worse without a feature | labels | n · (1 + features · repeats) | Fisher et al. 2019 |
//! | [`MeanAbsolute`]: how much a feature contributes on average | a local method | that of the local method | Lundberg et al. 2020 |
//! | [`running::Running`]: the same with deviations, quantiles and histograms, of batches that are not kept | attributions | none | Shewchuk 1997; Masson et al. 2019 |
//! | [`running::top`]: the few features that matter most to each score | an attribution | none | |
//! | [`PartialDependence`]: the mean response to a feature or two, and each sample's | | n a point | Friedman 2001 |
//! | [`ExactPartialDependence`]: the same mean response, of trees | trees | none | Friedman 2001 |
//! | [`FriedmanH`]: how much of an effect is interaction | | n² a feature and a pair | Friedman & Popescu 2008 |
//! | [`ExactFriedmanH`]: the same of trees, on all data | trees | none | Friedman & Popescu 2008 |
//! | [`AccumulatedLocalEffects`]: the same without impossible samples | | 2 n a feature, 4 n a pair, 3 n for categories | Apley, Zhu 2020 |
//! | [`Loss`], [`performance()`]: how good a model is on [`Labels`] | labels | none | |
//!
//! n is the number of samples. All are deterministic for any number of threads, keep a run's budget, and can be
//! cancelled between calls of the model, which score at most 4096 rows.

mod ale;
mod auc;
mod axes;
mod copies;
mod distribution;
mod exact_derivatives;
mod exact_friedman_h;
mod exact_leaves;
mod exact_partial_dependence;
mod friedman_h;
mod grid;
mod h_statistic;
mod inside;
mod labels;
mod loss;
mod mean_absolute;
mod partial_dependence;
mod performance;
mod permutation;
pub mod running;

pub use ale::{AccumulatedLocalEffects, CategoryOrder, Centring};
pub use distribution::distribution;
pub use exact_friedman_h::ExactFriedmanH;
pub use exact_partial_dependence::ExactPartialDependence;
pub use friedman_h::FriedmanH;
pub use grid::Grid;
pub use h_statistic::HStatistic;
pub use inside::LookInside;
pub use labels::Labels;
pub use loss::{Loss, Needs};
pub use mean_absolute::{MeanAbsolute, mean_absolute};
pub use partial_dependence::PartialDependence;
pub use performance::{Measure, Performance, performance};
pub use permutation::PermutationImportance;
