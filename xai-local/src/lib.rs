//! Explanations of one prediction.
//!
//! | method | needs of the model | model calls for each sample | source |
//! |---|---|---|---|
//! | [`shapley::ExactShap`] | nothing | 2^players × background rows | Shapley 1953 |
//! | [`shapley::KernelShap`] | nothing | budget × background rows | Lundberg & Lee 2017; Covert & Lee 2021 |
//! | [`shapley::LeverageShap`] | nothing | budget × background rows | Musco & Witter 2025 |
//! | [`shapley::OwenShap`] | nothing | budget × background rows | Owen 1977; Winter 1989 |
//! | [`shapley::Auto`] | nothing | budget × background rows | its parts name theirs |
//! | [`shapley::GpShap`] | nothing | budget × background rows | Rasmussen & Williams 2006; Chau et al. 2023 |
//! | [`shapley::RegressionMsr`] | nothing | budget × background rows | Witter et al. 2025 |
//! | [`shapley::PolyShap`] | nothing | budget × background rows | Fumagalli et al. 2026 |
//! | [`shapley::PermutationShap`] | nothing | permutations × (players − 1) × background rows | Castro et al. 2009; Mitchell et al. 2022 |
//! | [`interaction::ExactInteractions`] | nothing | 2^players × background rows | Harsanyi 1963; Grabisch & Roubens 1999 |
//! | [`linear::LinearShap`] | [`LinearStructured`](xai_core::LinearStructured) | none | Lundberg & Lee 2017, corollary 1 |
//! | [`lime::LimeTabular`] | nothing | number of draws | Ribeiro et al. 2016; Tan et al. 2023 |
//! | [`gradient`] | [`Differentiable`](xai_core::Differentiable) | 1 to some hundred gradients | its parts name theirs |
//! | [`segments::SegmentShap`], [`segments::SegmentLime`] | nothing | coalitions of regions; draws | Lundberg & Lee 2017; Ribeiro et al. 2016 |
//! | [`perturbation::Occlusion`], [`perturbation::FeatureAblation`] | nothing | windows; regions | Zeiler & Fergus 2014 |
//! | [`perturbation::Rise`] | nothing | number of masks | Petsiuk et al. 2018 |
//! | [`cam`] | [`Layered`](xai_core::Layered) | 1 gradient | its parts name theirs |
//! | [`control`]: what an explanation must beat | nothing | none | |
//! | [`relevance`] | [`Composed`](xai_core::Composed) | 1 forward pass, 1 back for each output | its parts name theirs |
//! | [`tree`] | [`TreeStructured`](xai_core::TreeStructured) | none | Lundberg et al. 2020 |
//!
//! A [`masker`] says what a player is and what its absence means; the [`shapley`] estimators see only the game that
//! comes of it, so they serve tables, images and texts alike.

pub mod cam;
mod cholesky;
pub mod control;
pub mod gradient;
pub mod interaction;
pub mod lime;
pub mod linear;
pub mod masker;
pub mod perturbation;
pub mod relevance;
pub mod segments;
pub mod shapley;
pub mod tree;
