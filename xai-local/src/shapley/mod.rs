//! The Shapley family: who is owed what of a score.
//!
//! | estimator | coalitions it evaluates | exact for | standard error |
//! |---|---|---|---|
//! | [`ExactShap`] | all 2ⁿ, up to 20 players | everything | none needed |
//! | [`KernelShap`] | a budget of them, in pairs, without repetition | games without interactions of three or more players; any game that the budget covers | yes |
//! | [`LeverageShap`] | the same, as many of every size | the same | yes |
//! | [`Auto`] | a budget, in pairs | what one of its models is exact for | that of the model it takes |
//! | [`GpShap`] | a budget of up to 8,192, in pairs | any game that the budget covers | if the game is like a draw of the process |
//! | [`RegressionMsr`] | a budget, in pairs | the same; right on average for every game | yes |
//! | [`PolyShap`] | a budget, in pairs | games without interactions of five or more players | yes |
//! | [`PermutationShap`] | the prefixes of random orders | games without interactions of three or more players | yes |
//! | [`OwenShap`] | those that respect a [partition tree](PartitionTree), or prefixes of orders that do | any game, if the budget covers the tree | yes |
//!
//! [`Adaptive`] lets a budget grow until the standard errors are small; [`Known`] spares what was asked before.
//!
//! [`Masked`] joins an estimator and a [masker](crate::masker) to an explainer; [`MaskedProducts`] does it for models
//! whose first step is a matrix product, most of which it saves. An estimator sees only a
//! [`Game`]: one of your own plugs in by implementing [`Estimator`].

mod adaptive;
mod auto;
mod coalitions;
mod exact;
mod games;
mod gp;
mod kernel;
mod known;
mod leverage;
mod masked;
mod orders;
mod owen;
pub mod partition;
mod permutation;
mod poly;
mod products;
pub(crate) mod proxy;
mod regression;
mod regression_msr;
mod residual;
mod strata;

use std::sync::Arc;

use ndarray::{Array1, Array2};
use xai_core::error::same_shape;
use xai_core::{Game, Provenance, Result};

pub use adaptive::{Adaptive, Stop};
pub use auto::Auto;
pub use exact::ExactShap;
pub(crate) use games::{Spread, at};
pub use gp::GpShap;
pub use kernel::KernelShap;
pub use known::Known;
pub use leverage::LeverageShap;
pub use masked::Masked;
pub use owen::OwenShap;
pub use partition::{Linkage, PartitionTree};
pub use permutation::PermutationShap;
pub use poly::PolyShap;
pub use products::MaskedProducts;
pub use regression_msr::RegressionMsr;

/// A way to find or estimate Shapley values (or other shares) of a game.
///
/// # Example
/// An estimator that gives every player what it is worth alone:
/// ```
/// use ndarray::{Array2, Axis};
/// use xai_core::{Explainer, Game, Result, Run};
/// use xai_local::{masker::Baseline, shapley::{Ends, Estimate, Estimator, Masked}};
/// # use xai_core::{Model, Table};
/// # struct Sum;
/// # impl Model for Sum {
/// #     type Batch = Table;
/// #     fn n_outputs(&self) -> usize { 1 }
/// #     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// # }
/// struct Alone;
/// impl Estimator for Alone {
///     fn name(&self) -> &'static str { "alone" }
///     fn coalitions(&self, n_players: usize) -> Result<u64> { Ok(n_players as u64) }
///     fn estimate(&self, game: &dyn Game, ends: &Ends, _seed: u64) -> Result<Estimate> {
///         let n = game.n_players();
///         let alone = Array2::from_shape_fn((n, n), |(c, p)| c == p);
///         Ok(Estimate::exact(game.worth(&alone)? - &ends.empty, n as u64))
///     }
/// }
/// let explainer = Masked { estimator: Alone, masker: Baseline::new(ndarray::array![1.0, 1.0]) };
/// let shares = explainer.explain(&Sum, &ndarray::array![[3.0, 5.0]], &Run::default())?;
/// assert_eq!(shares.values[[0, 1, 0]], 4.0);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub trait Estimator: Send + Sync {
    /// The method's name in kebab case.
    fn name(&self) -> &'static str;

    /// Adds the estimator's parameters to the account of a run.
    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance
    }

    /// The number of coalitions that [`Estimator::estimate`] evaluates at most, for a game of `n_players`.
    ///
    /// # Errors
    /// Parameters that cannot serve so many players.
    fn coalitions(&self, n_players: usize) -> Result<u64>;

    /// The same estimator with a budget of `n` coalitions, besides the empty and the full one; `None` if it takes no
    /// budget.
    ///
    /// With the same seed a larger budget evaluates what a smaller one does and more, so that a run through
    /// [`Known`] goes on where the last one stopped.
    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        let _ = n;
        None
    }

    /// The shares of one game. Random choices follow from `seed` alone.
    ///
    /// # Errors
    /// Those of [`Estimator::coalitions`] and of the game.
    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate>;
}

/// An estimator behind a pointer is one.
macro_rules! behind {
    ($pointer:ident) => {
        impl<E: Estimator + ?Sized> Estimator for $pointer<E> {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn parameters(&self, provenance: Provenance) -> Provenance {
                (**self).parameters(provenance)
            }
            fn coalitions(&self, n_players: usize) -> Result<u64> {
                (**self).coalitions(n_players)
            }
            fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
                (**self).with_coalitions(n)
            }
            fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
                (**self).estimate(game, ends, seed)
            }
        }
    };
}
behind!(Box);
behind!(Arc);

/// What nobody and what everybody is worth: known before any estimator starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// The worth of the empty coalition, the base: (output).
    pub empty: Array1<f64>,
    /// The worth of all players together, the score: (output).
    pub full: Array1<f64>,
}

impl Ends {
    /// Asks the game.
    ///
    /// # Errors
    /// Those of [`Game::worth`].
    pub fn of(game: &dyn Game) -> Result<Self> {
        let worth = game.worth(&Array2::from_shape_fn((2, game.n_players()), |(c, _)| c == 1))?;
        Ok(Ends { empty: worth.row(0).to_owned(), full: worth.row(1).to_owned() })
    }

    /// What there is to share: (output).
    pub fn gain(&self) -> Array1<f64> {
        &self.full - &self.empty
    }

    /// The answer to games of no or one player, which need no coalition.
    fn trivial(&self, n_players: usize) -> Option<Estimate> {
        (n_players < 2).then(|| {
            Estimate::exact(Array2::from_shape_fn((n_players, self.full.len()), |(_, output)| self.gain()[output]), 0)
        })
    }
}

/// The shares of one game.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The share of every player: (player, output).
    pub values: Array2<f64>,
    /// The standard error of every share, where there is one: (player, output).
    pub standard_error: Option<Array2<f64>>,
    /// The number of coalitions that were evaluated.
    pub coalitions: u64,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Estimate {
    /// Shares without error.
    pub fn exact(values: Array2<f64>, coalitions: u64) -> Self {
        Estimate { values, standard_error: None, coalitions, notes: Vec::new() }
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn checked(self, n_players: usize, n_outputs: usize) -> Result<Self> {
        same_shape("shares (player, output)", &[n_players, n_outputs], self.values.shape())?;
        if let Some(error) = &self.standard_error {
            same_shape("standard errors (player, output)", &[n_players, n_outputs], error.shape())?;
        }
        Ok(self)
    }
}
