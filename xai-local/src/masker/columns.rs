//! Which columns of a table are which player, for every masker of tables.

use ndarray::{Array2, ArrayRef2, ArrayView1};
use xai_core::error::same_shape;
use xai_core::{Error, Feature, Groups, Result, Table};

/// The players of a table: its columns, or groups of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    groups: Option<Groups>,
    player_of: Vec<usize>,
}

impl Columns {
    /// Each of `n` columns is a player.
    pub fn each(n: usize) -> Self {
        Columns { groups: None, player_of: (0..n).collect() }
    }

    /// The same columns in groups.
    pub fn grouped(&self, groups: Groups) -> Result<Self> {
        Ok(Columns { player_of: groups.player_of(self.player_of.len())?, groups: Some(groups) })
    }

    /// The number of players.
    pub fn n_players(&self) -> usize {
        self.groups.as_ref().map_or(self.player_of.len(), Groups::len)
    }

    /// Checks what a masker is asked.
    pub fn check(&self, batch: &Table, coalitions: &ArrayRef2<bool>) -> Result<()> {
        same_shape("features of the batch, by the masker", &[self.player_of.len()], &[batch.ncols()])?;
        same_shape("players of the coalitions", &[self.n_players()], &[coalitions.ncols()])
    }

    /// The columns that are present, and those that are absent.
    pub fn split(&self, coalition: ArrayView1<bool>) -> (Vec<usize>, Vec<usize>) {
        (0..self.player_of.len()).partition(|&column| coalition[self.player_of[column]])
    }

    pub fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        if !features.is_empty() {
            same_shape("features of the model, by the masker", &[self.player_of.len()], &[features.len()])?;
        }
        Ok(match (&self.groups, features) {
            (Some(groups), _) => groups.players.clone(),
            (None, []) => Feature::unnamed(self.player_of.len()),
            (None, features) => features.to_vec(),
        })
    }

    pub fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        Some(match &self.groups {
            Some(groups) => groups.data(batch),
            None => batch.to_owned(),
        })
    }
}

/// Refuses a present cell that a masker can make nothing of.
pub(super) fn finite(masker: &str, batch: &Table, sample: usize, present: &[usize]) -> Result<()> {
    match present.iter().find(|&&column| !batch[[sample, column]].is_finite()) {
        None => Ok(()),
        Some(&column) => {
            let what = format!("cell for the {masker}");
            Err(Error::NonFinite { what, sample, column, value: batch[[sample, column]] })
        }
    }
}

/// Equal weights of `n` replicas.
///
/// # Errors
/// [`Error::Parameter`] when there are none.
pub(super) fn equal(n: usize) -> Result<Vec<f64>> {
    match n {
        0 => Err(Error::parameter("n_draws", n, "at least 1")),
        n => Ok(vec![1.0 / n as f64; n]),
    }
}
