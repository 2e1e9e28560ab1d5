//! Shapley values of tree ensembles from the trees themselves: exact, and without a call of the model.
//!
//! | method | absence of a feature means | time for each sample |
//! |---|---|---|
//! | [`TreeShap`] | the split sends the sample both ways, by cover | leaves × players on a path / 2 |
//! | [`InterventionalTreeShap`] | the values of the background rows | leaves × players on a path / 2, and each row once |
//!
//! The two answer different questions. The first needs no data but the covers of the training run; a feature that the
//! trees never use gets 0, but so may the credit of a used feature flow to others that it is correlated with. The
//! second is the Shapley value of the score with respect to a stated background, as
//! [`ExactShap`](crate::shapley::ExactShap) computes it by enumeration; it also explains probabilities and losses.

mod absence;
mod backdrop;
mod blocks;
mod coalitions;
mod crowd;
mod cutter;
mod direct;
mod hits;
pub(crate) mod interactions;
mod interventional;
mod levels;
mod pair;
mod path_dependent;
#[cfg(target_arch = "x86_64")]
mod permute;
mod plan;
mod players;
mod precision;
pub(crate) mod quadrature;
mod router;
mod scale;
mod sweep;
mod tables;
mod tabulated;
mod trail;
mod twigs;

pub use interactions::{InterventionalTreeInteractions, TreeInteractions};
pub use interventional::InterventionalTreeShap;
pub use path_dependent::{Algorithm, TreeShap};
pub use precision::Precision;
pub use scale::{Nonlinear, OutputScale};
