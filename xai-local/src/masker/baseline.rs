//! One row that stands for absence.

use ndarray::{Array1, Array2, ArrayRef2};
use xai_core::{Feature, Groups, Masker, Result, Table};

use super::Background;

/// One fixed row: an absent player's columns take its values.
///
/// v(S) = f(x_S, z_{N∖S}) for the baseline z, such as zeros, column means, or the sample one compares with.
///
/// # Cost
/// One evaluation a coalition.
///
/// # Example
/// ```
/// use xai_core::Masker;
/// use xai_local::masker::Baseline;
/// let masked = Baseline::new(ndarray::array![0.0, 0.0]).mask(&ndarray::array![[7.0, 8.0]], 0, &ndarray::array![[true, false]])?;
/// assert_eq!(masked, ndarray::array![[7.0, 0.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline(Background);

impl Baseline {
    /// The row: (feature).
    pub fn new(row: Array1<f64>) -> Self {
        Baseline(Background::of_one(row, "baseline"))
    }

    /// The same row with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(Baseline(self.0.grouped(groups)?))
    }

    /// The row as a background.
    pub fn as_background(&self) -> &Background {
        &self.0
    }
}

impl Masker<Table> for Baseline {
    fn n_players(&self, batch: &Table, sample: usize) -> usize {
        self.0.n_players(batch, sample)
    }

    fn empty_is_shared(&self) -> bool {
        true
    }

    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        self.0.mask(batch, sample, coalitions)
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        self.0.players(features)
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        self.0.data(batch)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
