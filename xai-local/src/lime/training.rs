//! What LIME must know of the training data.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use xai_core::error::{all_finite, same_shape};
use xai_core::{Error, Feature, FeatureKind, Result, Table};

/// How numeric columns are cut into bins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bins {
    /// Between the quartiles of the training data.
    #[default]
    Quartiles,
    /// Between its deciles.
    Deciles,
    /// Not at all: the surrogate sees the number itself, less the mean, over the standard deviation.
    None,
}

impl Bins {
    /// The name by which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Bins::Quartiles => "quartiles",
            Bins::Deciles => "deciles",
            Bins::None => "none",
        }
    }

    /// The percentages at which the data is cut.
    fn cuts(self) -> &'static [f64] {
        match self {
            Bins::Quartiles => &[25.0, 50.0, 75.0],
            Bins::Deciles => &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0],
            Bins::None => &[],
        }
    }
}

/// Bins, means and frequencies of the training data, as `lime` 0.2.0.1 finds them.
///
/// # Laws
/// `training_statistics_are_those_of_lime`.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    columns: Vec<Column>,
    bins: Bins,
}

/// One column of the training data.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers in bins. Bin b holds `edges[b - 1]` < x ≤ `edges[b]`.
    Binned {
        /// The different cuts, ascending.
        edges: Vec<f64>,
        /// The share of the rows in each bin.
        frequencies: Vec<f64>,
        /// The mean in each bin; 0 in an empty one.
        means: Vec<f64>,
        /// The standard deviation in each bin, plus 1e-11.
        deviations: Vec<f64>,
        /// The lower end of each bin.
        lows: Vec<f64>,
        /// The upper end of each bin.
        highs: Vec<f64>,
    },
    /// Numbers as they are.
    Numeric {
        /// The mean.
        mean: f64,
        /// The standard deviation, 1 for a constant column.
        scale: f64,
    },
    /// Categories.
    Categorical {
        /// The different values, ascending.
        values: Vec<f64>,
        /// The share of the rows of each.
        frequencies: Vec<f64>,
    },
}

/// What `lime` adds to the standard deviation of a bin.
const LEAST_DEVIATION: f64 = 1e-11;

impl Training {
    /// Looks at training data (sample, feature). Columns whose [`FeatureKind`] is binary or categorical are
    /// categories, all others numbers; with no `features` all are numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no row; [`Error::Shape`] for another number of features than columns;
    /// [`Error::NonFinite`] for a missing or infinite cell.
    pub fn new(data: &Table, features: &[Feature], bins: Bins) -> Result<Self> {
        if data.nrows() == 0 {
            return Err(Error::parameter("training data", "no row", "at least one row"));
        }
        if !features.is_empty() {
            same_shape("features of the training data", &[data.ncols()], &[features.len()])?;
        }
        all_finite("training data", data)?;
        let is_category = |column: usize| {
            let kind = features.get(column).map(|feature| &feature.kind);
            matches!(kind, Some(FeatureKind::Binary | FeatureKind::Categorical { .. }))
        };
        let columns = data.columns().into_iter().enumerate().map(|(c, column)| match bins {
            _ if is_category(c) => categorical(&column),
            Bins::None => numeric(&column),
            _ => binned(&column, bins.cuts()),
        });
        Ok(Training { columns: columns.collect(), bins })
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How numeric columns are cut.
    pub fn bins(&self) -> Bins {
        self.bins
    }
}

impl Column {
    /// The bin of a number: how many edges lie below it.
    pub(super) fn bin_of(edges: &[f64], value: f64) -> usize {
        edges.partition_point(|&edge| edge < value)
    }
}

fn categorical(column: &ArrayRef1<f64>) -> Column {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut values: Vec<f64> = Vec::new();
    let mut frequencies: Vec<f64> = Vec::new();
    for value in sorted {
        match (values.last(), frequencies.last_mut()) {
            // By ==, so that −0 and 0 are one category.
            (Some(&last), Some(count)) if last == value => *count += 1.0,
            _ => {
                values.push(value);
                frequencies.push(1.0);
            }
        }
    }
    frequencies.iter_mut().for_each(|f| *f /= column.len() as f64);
    Column::Categorical { values, frequencies }
}

/// scikit-learn's `StandardScaler`.
fn numeric(column: &ArrayRef1<f64>) -> Column {
    let n = column.len() as f64;
    let (mean, variance) = moments(&column.to_vec());
    let noise = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    Column::Numeric { mean, scale: if variance <= noise { 1.0 } else { variance.sqrt() } }
}

fn binned(column: &ArrayRef1<f64>, cuts: &[f64]) -> Column {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = cuts.iter().map(|&cut| percentile(&sorted, cut)).collect();
    edges.dedup();
    let n_bins = edges.len() + 1;
    let mut members = vec![Vec::new(); n_bins];
    sorted.iter().for_each(|&value| members[Column::bin_of(&edges, value)].push(value));
    let statistics: Vec<(f64, f64)> =
        members.iter().map(|m| if m.is_empty() { (0.0, 0.0) } else { moments(m) }).collect();
    let (lowest, highest) = (sorted[0], sorted[sorted.len() - 1]);
    Column::Binned {
        frequencies: members.iter().map(|m| m.len() as f64 / sorted.len() as f64).collect(),
        means: statistics.iter().map(|s| s.0).collect(),
        deviations: statistics.iter().map(|s| s.1.sqrt() + LEAST_DEVIATION).collect(),
        lows: std::iter::once(lowest).chain(edges.iter().copied()).collect(),
        highs: edges.iter().copied().chain(std::iter::once(highest)).collect(),
        edges,
    }
}

/// numpy's linear interpolation, which starts from the nearer of the two neighbours.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[(place.floor() as usize + 1).min(sorted.len() - 1)];
    let (share, gap) = (place.fract(), above - below);
    if share >= 0.5 { above - gap * (1.0 - share) } else { below + gap * share }
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n)
}
