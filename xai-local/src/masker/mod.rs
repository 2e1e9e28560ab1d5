//! What a player of a table is, and what its absence means.
//!
//! | masker | an absent player's columns take the values of | evaluations a coalition |
//! |---|---|---|
//! | [`Background`] | every background row in turn; the worth is the weighted mean | background rows |
//! | [`Baseline`] | one fixed row | 1 |
//!
//! Both take [`Groups`](xai_core::Groups): then a player is a group of columns, such as the one-hot columns of one
//! category, and is present or absent as a whole. A masker for another form of input (texts, images) implements
//! [`Masker`](xai_core::Masker) for it, and every estimator of this crate serves it.

mod background;
mod baseline;
mod kmeans;

pub use background::Background;
pub use baseline::Baseline;
