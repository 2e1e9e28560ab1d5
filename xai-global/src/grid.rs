//! The values of a feature at which a response is asked for.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Feature, FeatureKind, Result};

use crate::axes::sorted;

/// How the values are chosen at which a response is asked for.
///
/// A categorical feature is asked at each of its categories. Any other feature with fewer different values than
/// points is asked at each of them. The points of an [integer](FeatureKind::Integer) feature are rounded. Missing values
/// are not looked at.
///
/// # Source
/// `Even` is `sklearn.inspection.partial_dependence`, with its quantiles (`scipy.stats.mstats.mquantiles`: position
/// 0.4 + p·(n + 0.2) in the sorted values, linear between neighbours). *differs:* where the two quantiles coincide the
/// grid spans the whole range, with a note, instead of an error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grid {
    /// `n` points with equal steps between two quantiles.
    Even {
        /// The number of points.
        n: usize,
        /// The share of the data below the first point.
        low: f64,
        /// The share of the data below the last point.
        high: f64,
    },
    /// The quantiles at `n` shares with equal steps: dense where the data are.
    Quantiles {
        /// The number of points, before equal ones are made one.
        n: usize,
        /// The first share.
        low: f64,
        /// The last share.
        high: f64,
    },
}

impl Default for Grid {
    /// 20 points with equal steps between the 5 % and the 95 % quantile.
    fn default() -> Self {
        Grid::Even { n: 20, low: 0.05, high: 0.95 }
    }
}

/// More points than a picture can show.
pub(crate) const MOST_POINTS: usize = 10_000;

impl Grid {
    /// Checks the number of points (2 to 10,000) and the shares (0 ≤ low < high ≤ 1).
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        let (Grid::Even { n, low, high } | Grid::Quantiles { n, low, high }) = *self;
        if !(2..=MOST_POINTS).contains(&n) {
            return Err(Error::parameter("grid.n", n, format!("2 to {MOST_POINTS} points")));
        }
        if !(0.0 <= low && low < high && high <= 1.0) {
            return Err(Error::parameter("grid.low, grid.high", format!("{low}, {high}"), "0 ≤ low < high ≤ 1"));
        }
        Ok(())
    }

    /// The points for a feature with these values, ascending; and a note where they are not what the grid says.
    ///
    /// # Errors
    /// Those of [`Grid::check`]; [`Error::Unsupported`] for a range that no number can hold or a column without values.
    ///
    /// # Laws
    /// `grids_equal_scikit_learn`, `grid_ignores_missing_values`.
    pub fn points(&self, feature: &Feature, column: &ArrayView1<f64>) -> Result<(Vec<f64>, Option<String>)> {
        self.check()?;
        if let FeatureKind::Categorical { categories } = &feature.kind
            && !categories.is_empty()
        {
            return Ok(((0..categories.len()).map(|c| c as f64).collect(), None));
        }
        let values = sorted(column);
        let refuse = |reason: &str| Error::unsupported(format!("a grid over {:?}", feature.name), reason);
        let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else {
            return Err(refuse("every value is missing"));
        };
        let mut distinct = values.clone();
        distinct.dedup();
        let (Grid::Even { n, low, high } | Grid::Quantiles { n, low, high }) = *self;
        if distinct.len() < n {
            return Ok((distinct, None));
        }
        if !(greatest - least).is_finite() {
            return Err(refuse("its range is beyond the largest number"));
        }
        let whole = feature.kind == FeatureKind::Integer;
        let (first, last) = (quantile(&values, low), quantile(&values, high));
        if first == last {
            let note =
                format!("{}: the quantiles {low} and {high} coincide; the grid spans the whole range", feature.name);
            return Ok((rounded(even(least, greatest, n), whole), Some(note)));
        }
        let points = match self {
            Grid::Even { .. } => even(first, last, n),
            Grid::Quantiles { .. } => even(low, high, n).into_iter().map(|share| quantile(&values, share)).collect(),
        };
        Ok((rounded(points, whole), None))
    }
}

/// Ascending points, rounded when they must be `whole`, each once.
fn rounded(mut points: Vec<f64>, whole: bool) -> Vec<f64> {
    if whole {
        points.iter_mut().for_each(|p| *p = p.round());
    }
    points.dedup();
    points
}

/// `n` numbers with equal steps, as `numpy.linspace`.
fn even(first: f64, last: f64, n: usize) -> Vec<f64> {
    let step = (last - first) / (n - 1) as f64;
    let mut points: Vec<f64> = (0..n - 1).map(|i| first + i as f64 * step).collect();
    points.push(last);
    points
}

/// The quantile of sorted values as in `scipy.stats.mstats.mquantiles` (αp = βp = 0.4).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let n = sorted.len() as f64;
    let place = n * share + 0.4 + share * 0.2;
    let below = place.clamp(1.0, (n - 1.0).max(1.0)).floor();
    let between = (place - below).clamp(0.0, 1.0);
    let lower = sorted[below as usize - 1];
    let upper = sorted[(below as usize).min(sorted.len() - 1)];
    (1.0 - between) * lower + between * upper
}
