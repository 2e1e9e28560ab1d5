//! What a player of a table is, and what its absence means.
//!
//! | masker | an absent player's columns take the values of | evaluations a coalition |
//! |---|---|---|
//! | [`Background`] | every background row in turn; the worth is the weighted mean | background rows |
//! | [`Baseline`] | one fixed row | 1 |
//! | [`Gaussian`] | draws from a normal distribution, given the present columns | draws |
//! | [`GaussianCopula`] | draws by each column's own distribution, tied together as normal scores are, given the present columns | draws |
//! | [`Neighbours`] | rows of the data near the sample in the present columns | at most draws |
//! | [`ConditionalTree`] | rows of the data in the sample's leaf of a tree on the present columns | at most draws |
//! | [`Regions`] | a fill: regions of images, series and other arrays | 1 |
//!
//! The first two break the ties between columns and say what the *model* does with each: the marginal expectation. The
//! others keep the ties and say what the present columns *tell*, directly or through others: the conditional expectation,
//! by which a column gets credit that the model never looks at.
//!
//! [`Absence`] chooses among them by name.
//!
//! All take [`Groups`](xai_core::Groups): then a player is a group of columns, such as the one-hot columns of one
//! category, and is present or absent as a whole. A masker for another form of input (texts, images) implements
//! [`Masker`](xai_core::Masker) for it, and every estimator of this crate serves it.

mod absence;
mod association;
mod background;
mod baseline;
mod codes;
mod columns;
mod conditional_tree;
mod copula;
pub(crate) mod draws;
mod gaussian;
mod kmeans;
mod moments;
mod neighbours;
mod regions;
mod training;

pub use absence::Absence;
pub use background::Background;
pub use baseline::Baseline;
pub use conditional_tree::ConditionalTree;
pub use copula::GaussianCopula;
pub use gaussian::Gaussian;
pub use moments::Shrinkage;
pub use neighbours::Neighbours;
pub use regions::{Fill, Regions};
