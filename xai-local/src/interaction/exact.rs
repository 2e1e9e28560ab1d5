//! Interaction indices by all coalitions.

use ndarray::{Array2, Axis, Slice};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, InteractionIndex, Provenance, Result};

use super::conversion::Conversion;
use super::sets::count_up_to;
use super::{InteractionEstimator, Terms, indices};
use crate::shapley::{Ends, ExactShap};

/// Any interaction index of any order, from the worth of all 2ⁿ coalitions: see [`indices`].
///
/// | parameter | default | range |
/// |---|---|---|
/// | `index` | k-SII | any [`InteractionIndex`] |
/// | `order` | 2 | ≥ 1 |
///
/// # Units
/// For k-SII, STII, FSII (and Möbius of all orders) the values sum to the worth of all less the worth of nobody, up to
/// rounding.
///
/// # Cost
/// 2ⁿ coalitions, n · 2ⁿ additions for each output and size of sets.
///
/// # Errors
/// [`Error::TooLarge`] past [`ExactShap::MOST_PLAYERS`]; [`Error::Parameter`] for order 0.
///
/// # Laws
/// `every_index_is_its_definition`, `recorded_indices_are_those_of_shapiq`, `interactions_are_complete`.
///
/// # Source
/// See [`InteractionIndex`]; the transform: Kennes & Smets, *Computational aspects of the Möbius transformation*, 1990.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExactInteractions {
    /// What the values mean.
    pub index: InteractionIndex,
    /// The most players of a set that has a value.
    pub order: usize,
}

impl Default for ExactInteractions {
    fn default() -> Self {
        ExactInteractions { index: InteractionIndex::KSii, order: 2 }
    }
}

/// How many coalitions are spelled out at once.
const COALITIONS_AT_ONCE: usize = 1 << 14;

impl InteractionEstimator for ExactInteractions {
    fn name(&self) -> &'static str {
        "exact-interactions"
    }

    fn index(&self) -> (InteractionIndex, usize) {
        (self.index, self.order)
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance.with("index", self.index.name()).with("order", self.order)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        Conversion::new(self.index, self.order, n_players)?;
        if n_players > ExactShap::MOST_PLAYERS {
            return Err(Error::TooLarge {
                what: "players for exact interactions".into(),
                limit: ExactShap::MOST_PLAYERS as u64,
                found: n_players as u64,
            });
        }
        Ok((1u64 << n_players).saturating_sub(2))
    }

    fn most_sets(&self, n_players: usize) -> u64 {
        count_up_to(n_players, self.order)
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, _seed: u64) -> Result<Terms> {
        let n = game.n_players();
        let coalitions = self.coalitions(n)?;
        let last = (1usize << n) - 1;
        let mut worth = Array2::zeros((last + 1, game.n_outputs()));
        worth.row_mut(0).assign(&ends.empty);
        worth.row_mut(last).assign(&ends.full);
        for start in (1..last).step_by(COALITIONS_AT_ONCE) {
            let end = (start + COALITIONS_AT_ONCE).min(last);
            let spelled = Array2::from_shape_fn((end - start, n), |(row, player)| (start + row) >> player & 1 == 1);
            worth.slice_axis_mut(Axis(0), Slice::from(start..end)).assign(&game.worth(&spelled)?);
        }
        let terms = indices(&worth, self.index, self.order)?;
        Ok(Terms { coalitions, ..terms }.note("exact: all 2^n coalitions"))
    }
}
