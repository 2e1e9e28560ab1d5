//! Absent columns drawn from a Gaussian copula with the columns' own distributions.

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use xai_core::error::all_finite;
use xai_core::{Error, Feature, FeatureKind, Groups, Masker, Result, Table};

use super::columns::{Columns, equal, finite};
use super::draws::{generator, normal, quantile};
use super::gaussian::{DEFAULT_DRAWS, drawn, even};
use super::moments::{Shrinkage, condition, moments};

/// Absent columns are drawn given the present ones, each column by its own distribution, and all tied together as the
/// normal scores of their ranks are.
///
/// A value with a smaller and b smaller or equal ones among n rows has the score Φ⁻¹((a + b) / 2n). Absent scores are
/// drawn as by [`Gaussian`](super::Gaussian), and each becomes the value that has as large a share of the column below
/// it: every drawn cell occurs in its column, so whole numbers stay whole. In a column that nothing present tells
/// anything about, values come as often as in the data.
///
/// Parameters, draws and cost are those of [`Gaussian`](super::Gaussian).
///
/// # Errors
/// [`Error::NonFinite`] for a missing cell in the data or in a present column of the sample; [`Error::Unsupported`]
/// naming a categorical feature of the model, whose values have no order.
///
/// # Laws
/// `independent_copula_equals_background`, `copula_follows_any_monotone_scale`.
///
/// # Source
/// Aas, Jullum & Løland, *Explaining individual predictions when features are dependent*, 2021, section 3.2. *Differs:*
/// shrinkage; quantiles are values of the data, not between them.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Masker;
/// use xai_local::masker::{GaussianCopula, Shrinkage};
/// let data = array![[1.0, 10.0], [2.0, 100.0], [3.0, 1000.0], [4.0, 10000.0]];
/// let masker = GaussianCopula::fit(&data, Shrinkage::None)?.draws(2)?;
/// let masked = masker.mask(&array![[3.0, 0.0]], 0, &array![[true, false]])?;
/// assert_eq!(masked, array![[3.0, 1000.0], [3.0, 1000.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianCopula {
    /// Each column's values, ascending: (column, rank).
    sorted: Array2<f64>,
    /// The score that separates each value's rank from the next.
    borders: Vec<f64>,
    mean: Array1<f64>,
    correlation: Array2<f64>,
    share: f64,
    columns: Columns,
    weights: Vec<f64>,
    seed: u64,
}

impl GaussianCopula {
    /// The distributions of the columns of `data`, and the shrunk correlation of their scores.
    ///
    /// # Errors
    /// As [`Gaussian::fit`](super::Gaussian::fit).
    pub fn fit(data: &Table, shrinkage: Shrinkage) -> Result<Self> {
        all_finite("data for the copula masker", data)?;
        let (rows, columns) = data.dim();
        let mut sorted = data.t().as_standard_layout().into_owned();
        for mut column in sorted.outer_iter_mut() {
            let mut values = column.to_vec();
            values.sort_by(f64::total_cmp);
            column.assign(&Array1::from(values));
        }
        let scores = Array2::from_shape_fn((rows, columns), |(row, c)| {
            score(sorted.row(c).as_slice().unwrap_or_default(), data[[row, c]])
        });
        let (_, mut correlation, share) = moments(&scores, shrinkage)?;
        let deviation = correlation.diag().mapv(f64::sqrt);
        for ((i, j), r) in correlation.indexed_iter_mut() {
            let scale = deviation[i] * deviation[j];
            *r = if i == j {
                1.0
            } else if scale > 0.0 {
                *r / scale
            } else {
                0.0
            };
        }
        let borders = (1..rows).map(|rank| quantile(rank as f64 / rows as f64)).collect();
        let mean = Array1::zeros(columns);
        let (columns, weights) = (Columns::each(columns), equal(DEFAULT_DRAWS)?);
        Ok(GaussianCopula { sorted, borders, mean, correlation, share, columns, weights, seed: 0 })
    }

    /// The number of draws for each coalition.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is zero or odd: draws come in pairs.
    pub fn draws(self, n: usize) -> Result<Self> {
        Ok(GaussianCopula { weights: even(n)?, ..self })
    }

    /// The seed that all draws follow from.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        GaussianCopula { seed, ..self }
    }

    /// The same with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(GaussianCopula { columns: self.columns.grouped(groups)?, ..self })
    }

    fn values(&self, column: usize) -> &[f64] {
        self.sorted.row(column).to_slice().unwrap_or_default()
    }
}

/// The normal score of `x` among `sorted` values; one beyond all of them counts as half a row beyond.
fn score(sorted: &[f64], x: f64) -> f64 {
    let (below, up_to) = (sorted.partition_point(|v| *v < x), sorted.partition_point(|v| *v <= x));
    let n = sorted.len() as f64;
    quantile((0.5 * (below + up_to) as f64).clamp(0.5, n - 0.5) / n)
}

impl Masker<Table> for GaussianCopula {
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
            finite("copula masker", batch, sample, &present)?;
            let given = |column: usize| score(self.values(column), batch[[sample, column]]);
            let conditional = condition(&self.mean, &self.correlation, (&present, &absent), given);
            let standard = normal(n, absent.len(), &mut generator(self.seed, coalition));
            for (scores, &column) in drawn(&conditional, &standard).columns().into_iter().zip(&absent) {
                let values = self.values(column);
                let value = |score: &f64| values[self.borders.partition_point(|border| border < score)];
                rows.column_mut(column).iter_mut().zip(scores).for_each(|(cell, score)| *cell = value(score));
            }
            present.iter().for_each(|&column| rows.column_mut(column).fill(batch[[sample, column]]));
        }
        Ok(masked)
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        if let Some(feature) = features.iter().find(|f| matches!(f.kind, FeatureKind::Categorical { .. })) {
            return Err(Error::unsupported(
                format!("the feature {:?} under a copula masker", feature.name),
                "its values have no order; take a tree or neighbours",
            ));
        }
        self.columns.players(features)
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        self.columns.data(batch)
    }

    fn describe(&self) -> String {
        let (rows, share) = (self.sorted.ncols(), self.share);
        format!(
            "gaussian copula of {rows} rows, shrunk by {share:.4}, {} draws, seed {}",
            self.weights.len(),
            self.seed
        )
    }
}
