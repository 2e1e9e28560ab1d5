//! What players contribute together: interactions of any game.
//!
//! | estimator | coalitions it evaluates | indices | error |
//! |---|---|---|---|
//! | [`ExactInteractions`] | all 2ⁿ, up to 20 players | all, of any order | none |
//! | [`GpInteractions`] | a budget of them, up to 4096 | all, up to order 4 | fidelity |
//! | [`ProxyInteractions`] | a budget of them | all, up to order 4 | fidelity, or standard errors without bias |
//!
//! [`MaskedInteractions`] joins an estimator and a [masker](crate::masker) to an explainer. An estimator sees only a
//! [`Game`]: one of your own plugs in by implementing [`InteractionEstimator`]. [`indices`] turns the worth of all
//! coalitions into any index, without a model. Interactions of trees are found without asking the model at all: see
//! [`tree`](crate::tree).

mod conversion;
mod dividends;
mod exact;
mod gp;
mod masked;
mod process;
mod proxy;
mod sample;
mod sets;

use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Game, InteractionIndex, Provenance, Result};

pub use dividends::indices;
pub use exact::ExactInteractions;
pub use gp::GpInteractions;
pub use masked::MaskedInteractions;
pub use proxy::ProxyInteractions;

use crate::shapley::Ends;

/// A way to find or estimate interactions of a game.
pub trait InteractionEstimator: Send + Sync {
    /// The method's name in kebab case.
    fn name(&self) -> &'static str;

    /// What the values mean, and the most players of a set that has one.
    fn index(&self) -> (InteractionIndex, usize);

    /// Adds the estimator's parameters to the account of a run.
    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance
    }

    /// The number of coalitions that [`InteractionEstimator::estimate`] evaluates at most, for a game of `n_players`.
    ///
    /// # Errors
    /// Parameters that cannot serve so many players.
    fn coalitions(&self, n_players: usize) -> Result<u64>;

    /// The number of sets that have a value, at most.
    fn most_sets(&self, n_players: usize) -> u64;

    /// The interactions of one game. Random choices follow from `seed` alone.
    ///
    /// # Errors
    /// Those of [`InteractionEstimator::coalitions`] and of the game.
    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Terms>;
}

impl<E: InteractionEstimator + ?Sized> InteractionEstimator for Box<E> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn index(&self) -> (InteractionIndex, usize) {
        (**self).index()
    }
    fn parameters(&self, provenance: Provenance) -> Provenance {
        (**self).parameters(provenance)
    }
    fn coalitions(&self, n_players: usize) -> Result<u64> {
        (**self).coalitions(n_players)
    }
    fn most_sets(&self, n_players: usize) -> u64 {
        (**self).most_sets(n_players)
    }
    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Terms> {
        (**self).estimate(game, ends, seed)
    }
}

/// The interactions of one game.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The sets of players that have a value, each ascending: by size, then by players; others have the value 0: (term).
    pub sets: Vec<Vec<usize>>,
    /// The value of each set: (term, output).
    pub values: Array2<f64>,
    /// The standard error of each value, where there is one: (term, output).
    pub standard_error: Option<Array2<f64>>,
    /// The number of coalitions that were evaluated.
    pub coalitions: u64,
    /// Where a proxy was fitted: the share of the variance of coalitions left out that it foresees, as far as known.
    pub fidelity: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Terms {
    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn checked(self, n_outputs: usize) -> Result<Self> {
        same_shape("interactions (term, output)", &[self.sets.len(), n_outputs], self.values.shape())?;
        if let Some(error) = &self.standard_error {
            same_shape("standard errors (term, output)", self.values.shape(), error.shape())?;
        }
        Ok(self)
    }
}
