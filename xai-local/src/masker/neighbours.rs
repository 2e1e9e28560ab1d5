//! Absent columns taken from rows of the data that are near in the present ones.

use ndarray::{Array2, ArrayRef2};
use xai_core::{Error, Feature, Groups, Masker, Replicas, Result, Table};

use super::columns::equal;
use super::moments::{Shrinkage, factor, moments, whiten};
use super::training::{Question, Training};

/// Absent columns come from rows of the data, which weigh by their distance from the sample in the present columns.
///
/// Row r weighs exp(−D² / 2σ²) with D² = (x_S − r_S)ᵀ Σ_SS⁻¹ (x_S − r_S) / |S|, Σ being the data's covariance, shrunk as
/// [`Shrinkage::Automatic`] does. For the empty coalition all rows weigh alike. Beyond `draws` rows the heaviest stand
/// for themselves and some of the others, drawn without bias, for the rest.
///
/// A missing cell tells that it is missing, and a categorical column (by `features`) has a distance of its own for every
/// value, so both may occur. Every replica's absent cells come from one row together, as they occurred.
///
/// | parameter | default | range |
/// |---|---|---|
/// | [`bandwidth`](Neighbours::bandwidth) σ | 0.1 | > 0; towards infinity all rows weigh alike |
/// | [`draws`](Neighbours::draws) | 100 | ≥ 1 |
/// | [`seeded`](Neighbours::seeded) | 0 | any |
///
/// # Cost
/// At most `draws` evaluations a coalition, and O(rows · features²) arithmetic.
///
/// # Errors
/// [`Error::NonFinite`] for an infinite cell; [`Error::TooLarge`] for a column of too many categories.
///
/// # Laws
/// `neighbours_weigh_by_the_formula`, `thinned_neighbours_are_right_in_the_mean`.
///
/// # Source
/// Aas, Jullum & Løland, *Explaining individual predictions when features are dependent*, 2021, section 3.3. *Differs:*
/// no share η of the weight is cut off; shrinkage.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Masker;
/// use xai_local::masker::Neighbours;
/// let data = array![[0.0, 1.0], [0.0, 3.0], [9.0, 50.0], [9.0, 70.0]];
/// let masker = Neighbours::fit(&data, &[])?;
/// let replicas = masker.replicas(&array![[0.0, 7.0]], 0, &array![[true, false]])?.unwrap();
/// assert_eq!((replicas.samples[[0, 1]], replicas.samples[[1, 1]]), (1.0, 3.0));
/// assert!((replicas.weights[0] - 0.5).abs() < 1e-12 && (replicas.weights[1] - 0.5).abs() < 1e-12);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    training: Training,
    covariance: Array2<f64>,
    bandwidth: f64,
}

impl Neighbours {
    /// The rows of `data`, whose columns are what `features` say, or numbers if there are none.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than two rows, [`Error::Shape`] for another number of features than columns,
    /// [`Error::NonFinite`] for an infinite cell, [`Error::TooLarge`] for too many categories.
    pub fn fit(data: &Table, features: &[Feature]) -> Result<Self> {
        let training = Training::new(data, features)?;
        let (_, covariance, _) = moments(&training.coded, Shrinkage::Automatic)?;
        Ok(Neighbours { training, covariance, bandwidth: 0.1 })
    }

    /// The standard deviation of the kernel, in units of the scaled distance.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless it is positive and finite.
    pub fn bandwidth(self, sigma: f64) -> Result<Self> {
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(Error::parameter("bandwidth", sigma, "a positive number"));
        }
        Ok(Neighbours { bandwidth: sigma, ..self })
    }

    /// The number of rows for each coalition, at most.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is zero.
    pub fn draws(self, n: usize) -> Result<Self> {
        Ok(Neighbours { training: Training { weights: equal(n)?, ..self.training }, ..self })
    }

    /// The seed that the choice among light rows follows from.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Neighbours { training: Training { seed, ..self.training }, ..self }
    }

    /// The same with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(Neighbours { training: self.training.grouped(groups)?, ..self })
    }

    fn weigh(&self, question: &Question) -> Vec<(usize, f64)> {
        let present = &question.present;
        let lower = factor(&self.covariance, present);
        let known = (0..present.len()).filter(|&i| lower[[i, i]] > 0.0).count().max(1) as f64;
        let squares = self.training.coded.outer_iter().map(|row| {
            let white = whiten(&lower, present.iter().map(|&code| question.sample[code] - row[code]));
            white.iter().map(|y| y * y).sum::<f64>() / known
        });
        let squares: Vec<f64> = squares.collect();
        // Of the nearest, or a sample far from all would have no neighbours.
        let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
        let scale = 2.0 * self.bandwidth * self.bandwidth;
        squares.iter().map(|square| ((least - square) / scale).exp()).enumerate().collect()
    }
}

impl Masker<Table> for Neighbours {
    fn n_players(&self, _batch: &Table, _sample: usize) -> usize {
        self.training.columns.n_players()
    }

    fn weights(&self) -> &[f64] {
        &self.training.weights
    }

    fn empty_is_shared(&self) -> bool {
        true
    }

    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let replicas = self.training.replicas(batch, sample, coalitions, |question| self.weigh(question))?;
        Ok(self.training.equalised(&replicas, coalitions))
    }

    fn replicas(
        &self,
        batch: &Table,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
    ) -> Result<Option<Replicas<Array2<f64>>>> {
        self.training.replicas(batch, sample, coalitions, |question| self.weigh(question)).map(Some)
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        self.training.columns.players(features)
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        self.training.columns.data(batch)
    }

    fn describe(&self) -> String {
        let (rows, draws, seed) = (self.training.rows.nrows(), self.training.weights.len(), self.training.seed);
        format!("neighbours among {rows} rows, bandwidth {}, {draws} draws, seed {seed}", self.bandwidth)
    }
}
