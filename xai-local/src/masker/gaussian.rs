//! Absent columns drawn from a normal distribution given the present ones.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use xai_core::error::{all_finite, same_shape};
use xai_core::{Error, Feature, FeatureKind, Groups, Masker, Result, Table};

use super::columns::{Columns, equal, finite};
use super::draws::{generator, normal};
use super::moments::{Conditional, Shrinkage, condition, factor, moments};

/// Absent columns are drawn given the present ones, as if rows were normal: v(S) = E[f(x) | x_S].
///
/// x_A | x_S ~ N(μ_A + Σ_AS Σ_SS⁻¹ (x_S − μ_S), Σ_AA − Σ_AS Σ_SS⁻¹ Σ_SA), by one Cholesky factor of the columns in the
/// order S, A. A present column that the other present ones determine (to 1e-10 of its variance) tells nothing new.
///
/// Draws come in antithetic pairs, stratified column by column, and follow from the seed and the coalition alone: the
/// mean of a linear function has no error at all. Different coalitions draw independently, so that the standard errors
/// of the estimators count the draws' noise too.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `shrinkage` | automatic | see [`Shrinkage`] |
/// | [`draws`](Gaussian::draws) | 100 | even, ≥ 2 |
/// | [`seeded`](Gaussian::seeded) | 0 | any |
///
/// # Cost
/// `draws` evaluations a coalition, and O(features³ + draws · features²) arithmetic.
///
/// # Errors
/// [`Error::NonFinite`] for a missing cell in the data or in a present column of the sample;
/// [`Error::Unsupported`] naming a binary or categorical feature of the model, between whose values draws would fall.
///
/// # Laws
/// `gaussian_is_the_conditional_normal`, `linear_models_of_normal_rows_are_exact`,
/// `gaussian_draws_agree_with_integration`, and the laws of [`Masked`](crate::shapley::Masked) that hold for any masker.
///
/// # Source
/// Aas, Jullum & Løland, *Explaining individual predictions when features are dependent*, 2021, section 3.1. *Differs:*
/// shrinkage, and draws that are not independent.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_local::masker::Gaussian;
/// let masker = Gaussian::known(array![0.0, 0.0], array![[1.0, 0.5], [0.5, 1.0]])?;
/// let (mean, covariance) = masker.conditional(&array![2.0, 0.0], &[true, false])?;
/// assert!((mean[0] - 1.0).abs() < 1e-12 && (covariance[[0, 0]] - 0.75).abs() < 1e-12);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    mean: Array1<f64>,
    covariance: Array2<f64>,
    columns: Columns,
    weights: Vec<f64>,
    seed: u64,
    /// How the distribution came about.
    origin: String,
}

/// What a covariance may be off by, as a share of the two deviations: more than rounding, less than a mistake.
const ROUNDING: f64 = 1e-4;

/// The number of draws by default, as of [`Background`](super::Background) rows by name.
pub(super) const DEFAULT_DRAWS: usize = 100;

impl Gaussian {
    /// The mean and the shrunk covariance of `data`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than two rows or a share outside 0 to 1; [`Error::NonFinite`] for a missing or
    /// infinite cell.
    pub fn fit(data: &Table, shrinkage: Shrinkage) -> Result<Self> {
        all_finite("data for the gaussian masker", data)?;
        let (mean, covariance, share) = moments(data, shrinkage)?;
        Ok(Gaussian {
            origin: format!("of {} rows, shrunk by {share:.4}", data.nrows()),
            ..Self::known(mean, covariance)?
        })
    }

    /// A distribution that is known: `mean` (feature) and `covariance` (feature, feature).
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not fit together, [`Error::NonFinite`], and [`Error::Parameter`] for what is no
    /// covariance: not symmetric, or not positive semidefinite.
    pub fn known(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self> {
        same_shape("covariance (feature, feature)", &[mean.len(), mean.len()], covariance.shape())?;
        all_finite("mean", &mean.view().insert_axis(Axis(0)))?;
        all_finite("covariance", &covariance)?;
        let order: Vec<usize> = (0..mean.len()).collect();
        let lower = factor(&covariance, &order);
        let square = lower.dot(&lower.t());
        for ((i, j), &found) in covariance.indexed_iter() {
            let scale = ROUNDING * (covariance[[i, i]] * covariance[[j, j]]).abs().sqrt();
            if !((found - square[[i, j]]).abs() <= scale && (found - covariance[[j, i]]).abs() <= scale) {
                let expected = "a symmetric and positive semidefinite matrix";
                return Err(Error::parameter(format!("covariance of features {i} and {j}"), found, expected));
            }
        }
        let columns = Columns::each(mean.len());
        Ok(Gaussian { mean, covariance, columns, weights: equal(DEFAULT_DRAWS)?, seed: 0, origin: "as given".into() })
    }

    /// The number of draws for each coalition.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is zero or odd: draws come in pairs.
    pub fn draws(self, n: usize) -> Result<Self> {
        Ok(Gaussian { weights: even(n)?, ..self })
    }

    /// The seed that all draws follow from.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Gaussian { seed, ..self }
    }

    /// The same with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(Gaussian { columns: self.columns.grouped(groups)?, ..self })
    }

    /// The mean and the covariance of the features that are not `present` in `sample`, given those that are.
    ///
    /// # Errors
    /// [`Error::Shape`] when `sample` or `present` is not as long as there are features; [`Error::NonFinite`] for a
    /// present cell that is missing.
    pub fn conditional(&self, sample: &ArrayRef1<f64>, present: &[bool]) -> Result<(Array1<f64>, Array2<f64>)> {
        same_shape("sample (feature)", self.mean.shape(), sample.shape())?;
        same_shape("presence (feature)", self.mean.shape(), &[present.len()])?;
        let (present, absent): (Vec<usize>, Vec<usize>) = (0..present.len()).partition(|&column| present[column]);
        let batch = sample.view().insert_axis(Axis(0));
        finite("gaussian masker", &batch, 0, &present)?;
        let Conditional { mean, factor } =
            condition(&self.mean, &self.covariance, (&present, &absent), |column| sample[column]);
        Ok((mean, factor.dot(&factor.t())))
    }
}

/// Equal weights of `n` draws in pairs.
pub(super) fn even(n: usize) -> Result<Vec<f64>> {
    if n % 2 == 1 {
        return Err(Error::parameter("n_draws", n, "an even number: draws come in antithetic pairs"));
    }
    equal(n)
}

/// Normal draws of the absent columns, given the present ones: (draw, absent column).
pub(super) fn drawn(conditional: &Conditional, standard: &ArrayRef2<f64>) -> Array2<f64> {
    standard.dot(&conditional.factor.t()) + &conditional.mean
}

impl Masker<Table> for Gaussian {
    fn n_players(&self, _batch: &Table, _sample: usize) -> usize {
        self.columns.n_players()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn empty_is_shared(&self) -> bool {
        true
    }

    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        self.columns.check(batch, coalitions)?;
        let n = self.weights.len();
        let mut masked = Array2::zeros((coalitions.nrows() * n, batch.ncols()));
        for (coalition, mut rows) in coalitions.outer_iter().zip(masked.axis_chunks_iter_mut(Axis(0), n)) {
            let (present, absent) = self.columns.split(coalition);
            finite("gaussian masker", batch, sample, &present)?;
            let given = |column: usize| batch[[sample, column]];
            let conditional = condition(&self.mean, &self.covariance, (&present, &absent), given);
            let standard = normal(n, absent.len(), &mut generator(self.seed, coalition));
            for (values, &column) in drawn(&conditional, &standard).columns().into_iter().zip(&absent) {
                rows.column_mut(column).assign(&values);
            }
            present.iter().for_each(|&column| rows.column_mut(column).fill(given(column)));
        }
        Ok(masked)
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        let stepped = |f: &&Feature| matches!(f.kind, FeatureKind::Binary | FeatureKind::Categorical { .. });
        if let Some(feature) = features.iter().find(stepped) {
            return Err(Error::unsupported(
                format!("the feature {:?} under a gaussian masker", feature.name),
                "draws would fall between its values; take a tree or neighbours",
            ));
        }
        self.columns.players(features)
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        self.columns.data(batch)
    }

    fn describe(&self) -> String {
        format!("gaussian {}, {} draws, seed {}", self.origin, self.weights.len(), self.seed)
    }
}
