//! What is left of explanations that are too many to keep.

mod cell;
mod joint;
mod saved;
mod sketch;
mod sum;
mod top;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Error, Feature, Importance, Output, Provenance, Result};

use crate::mean_absolute::account;
use cell::Cell;
pub use joint::Histogram;
pub use sketch::QUANTILE_ERROR;
pub use top::{TopAttribution, top};

/// Means, spreads, quantiles and histograms of contributions that pass by batch after batch.
///
/// A billion explained rows fill no disk when only this is kept of them. Two of them merge into the one that all rows
/// together would have given, **to the last bit**, whatever the order of the batches, their sizes, or the number of
/// machines: sums are exact until they are read, and bins do not depend on what is counted in them. The JSON form of
/// two such is the same text.
///
/// | reading | exactness |
/// |---|---|
/// | [`mean`](Running::mean), [`mean_absolute`](Running::mean_absolute) | the exact mean, rounded twice at most |
/// | [`deviation`](Running::deviation) | relative 10⁻¹⁵, however far the mean is from zero |
/// | [`smallest`](Running::smallest), [`largest`](Running::largest) | exact |
/// | [`quantile`](Running::quantile), [`absolute_quantile`](Running::absolute_quantile) | 1/128 of the number itself |
/// | [`histogram`](Running::histogram) | exact counts in 64 × 32 bins of equal width or fewer |
///
/// # Units
/// Those of the attribution.
///
/// # Cost
/// Memory: 17 kB for each feature and output with the histogram, and 8 bytes for each bin of the quantiles between the
/// least and the greatest contribution (64 bins a factor of two), whatever the number of rows. Time: some 0.1 µs a
/// number.
///
/// # Errors
/// See [`Running::add`] and [`Running::merge`].
///
/// # Laws
/// `merging_gives_the_same_bits_for_any_cut_and_order`, `readings_agree_with_the_collected_numbers`,
/// `quantiles_keep_their_bound`, `a_saved_aggregate_goes_on`.
///
/// # Source
/// Shewchuk 1997 for the sums; Masson, Rim, Lee 2019 (DDSketch) for the quantiles.
///
/// # Example
/// ```
/// use ndarray::{Array2, Array3, array};
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// use xai_global::running::Running;
/// let explained = |x: f64| Attribution {
///     provenance: Provenance::new("own", &Run::default()),
///     features: Feature::unnamed(1), outputs: Output::unnamed(1),
///     base: array![[0.0]], values: Array3::from_elem((1, 1, 1), x), scores: array![[x]],
///     standard_error: None, data: Some(array![[x]]), fidelity: None, shape: None,
/// };
/// let (mut here, mut there) = (Running::default(), Running::default());
/// here.add(&explained(1.0))?;
/// there.add(&explained(-3.0))?;
/// here.merge(&there)?;
/// assert_eq!(here.importance()?.values, array![[2.0]]);
/// assert_eq!(here.mean()?, array![[-1.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "saved::Saved", into = "saved::Saved")]
pub struct Running {
    n_samples: u64,
    known: Option<Known>,
}

/// What is known after the first sample.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    provenance: Provenance,
    features: Vec<Feature>,
    outputs: Vec<Output>,
    /// (feature, output), the features outside.
    cells: Vec<Cell>,
}

/// The greatest contribution whose square can be summed over all samples of the world.
const MOST_VALUE: f64 = 1e140;
/// The most features times outputs, and the most counts of eight bytes that they hold together.
const MOST_CELLS: u64 = 1 << 16;
const MOST_COUNTS: u64 = 1 << 28;

impl Running {
    /// Counts the samples of an attribution in.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::NonFinite`] for an attribution whose parts do not fit, [`Error::Unsupported`] for
    /// one of another method, seed, features or outputs than those before; [`Error::TooLarge`] for contributions beyond
    /// 10¹⁴⁰, more than 65,536 features times outputs, or counts beyond 2 GB. Then nothing is counted.
    pub fn add(&mut self, attribution: &Attribution) -> Result<()> {
        let n = attribution.n_samples();
        if n == 0 {
            return Ok(());
        }
        let (n_features, n_outputs) = (attribution.features.len(), attribution.outputs.len());
        check(attribution, n)?;
        let cells: Vec<Cell> = (0..n_features * n_outputs)
            .into_par_iter()
            .map(|cell| {
                let (j, k) = (cell / n_outputs, cell % n_outputs);
                let values = attribution.values.index_axis(Axis(2), k);
                Cell::of(values.column(j), attribution.data.as_ref().map(|data| data.column(j)))
            })
            .collect();
        let provenance = attribution.provenance.clone();
        let (features, outputs) = (attribution.features.clone(), attribution.outputs.clone());
        self.merge(&Running { n_samples: n as u64, known: Some(Known { provenance, features, outputs, cells }) })
    }

    /// Counts in what another has counted: other rows of the same job. Nothing can tell the same rows twice.
    ///
    /// # Errors
    /// As [`Running::add`].
    pub fn merge(&mut self, other: &Running) -> Result<()> {
        let Some(theirs) = &other.known else { return Ok(()) };
        let Some(mine) = &mut self.known else {
            self.clone_from(other);
            return Ok(());
        };
        let n_samples = self.n_samples.checked_add(other.n_samples);
        let n_samples = n_samples.ok_or_else(|| too_large("samples", u64::MAX, u64::MAX))?;
        let provenance = joined(&mine.provenance, &theirs.provenance)?;
        same("features", names(&mine.features, |f| &f.name), names(&theirs.features, |f| &f.name))?;
        same("outputs", names(&mine.outputs, |o| &o.name), names(&theirs.outputs, |o| &o.name))?;
        let size = mine.cells.iter().chain(&theirs.cells).map(|cell| cell.size() as u64).sum();
        if size > 2 * MOST_COUNTS {
            return Err(too_large("counts of a running aggregate", 2 * MOST_COUNTS, size));
        }
        mine.cells.par_iter_mut().zip(&theirs.cells).for_each(|(mine, theirs)| mine.merge(theirs));
        mine.provenance = provenance;
        self.n_samples = n_samples;
        Ok(())
    }

    /// The number of samples counted so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// What the contributions belong to: (feature).
    pub fn features(&self) -> &[Feature] {
        self.known.as_ref().map_or(&[], |known| &known.features)
    }

    /// What the scores are: (output).
    pub fn outputs(&self) -> &[Output] {
        self.known.as_ref().map_or(&[], |known| &known.outputs)
    }

    /// The mean contribution: (feature, output).
    ///
    /// # Errors
    /// [`Error::Parameter`] before the first sample, here and below.
    pub fn mean(&self) -> Result<Array2<f64>> {
        let n = self.n_samples as f64;
        self.read(|cell| cell.sum.value() / n)
    }

    /// The mean absolute contribution: (feature, output).
    ///
    /// # Errors
    /// As [`Running::mean`].
    pub fn mean_absolute(&self) -> Result<Array2<f64>> {
        let n = self.n_samples as f64;
        self.read(|cell| cell.absolute.value() / n)
    }

    /// The sample standard deviation of the contributions, NaN for a single sample: (feature, output).
    ///
    /// # Errors
    /// As [`Running::mean`].
    pub fn deviation(&self) -> Result<Array2<f64>> {
        let n = self.n_samples;
        self.read(|cell| if n < 2 { f64::NAN } else { sum::variance(n, &cell.sum, &cell.squares).sqrt() })
    }

    /// The smallest contribution: (feature, output).
    ///
    /// # Errors
    /// As [`Running::mean`].
    pub fn smallest(&self) -> Result<Array2<f64>> {
        self.read(|cell| cell.smallest)
    }

    /// The largest contribution: (feature, output).
    ///
    /// # Errors
    /// As [`Running::mean`].
    pub fn largest(&self) -> Result<Array2<f64>> {
        self.read(|cell| cell.largest)
    }

    /// The contribution that a share `level` of the samples does not exceed, the ⌈level·n⌉th smallest, to 1/128 of
    /// itself: (feature, output).
    ///
    /// # Errors
    /// [`Error::Parameter`] for a level outside 0 to 1, or before the first sample.
    pub fn quantile(&self, level: f64) -> Result<Array2<f64>> {
        let rank = self.rank(level)?;
        self.read(|cell| cell.quantile(rank))
    }

    /// The absolute contribution that a share `level` of the samples does not exceed, to 1/128 of itself: (feature,
    /// output).
    ///
    /// # Errors
    /// As [`Running::quantile`].
    pub fn absolute_quantile(&self, level: f64) -> Result<Array2<f64>> {
        let rank = self.rank(level)?;
        self.read(|cell| cell.absolute_quantile(rank))
    }

    /// How a feature's contributions to an output go with its values; `None` where no value was known.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a feature or an output that is not there.
    pub fn histogram(&self, feature: usize, output: usize) -> Result<Option<Histogram>> {
        let (n_features, n_outputs) = (self.features().len(), self.outputs().len());
        if feature >= n_features || output >= n_outputs {
            let expected = format!("one of {n_features} features and {n_outputs} outputs");
            return Err(Error::parameter("feature, output", format!("{feature}, {output}"), expected));
        }
        let cell = self.known.as_ref().and_then(|known| known.cells.get(feature * n_outputs + output));
        Ok(cell.and_then(|cell| cell.joint.histogram()))
    }

    /// The mean absolute contributions with their standard errors, as [`mean_absolute`](crate::mean_absolute()) of all
    /// samples together gives them up to rounding.
    ///
    /// # Errors
    /// As [`Running::mean`].
    pub fn importance(&self) -> Result<Importance> {
        let (n, values) = (self.n_samples, self.mean_absolute()?);
        let error = |cell: &Cell| (sum::variance(n, &cell.absolute, &cell.squares) / n as f64).sqrt();
        let spread = if n > 1 { Some(self.read(error)?) } else { None };
        let known = self.known.as_ref().ok_or_else(nothing)?;
        Ok(Importance {
            provenance: account(known.provenance.clone(), n),
            features: known.features.clone(),
            outputs: known.outputs.clone(),
            values,
            spread,
            repeats: None,
            base: None,
        })
    }

    fn read(&self, reading: impl Fn(&Cell) -> f64) -> Result<Array2<f64>> {
        let known = self.known.as_ref().ok_or_else(nothing)?;
        let n_outputs = known.outputs.len();
        let at = |(j, k): (usize, usize)| reading(&known.cells[j * n_outputs + k]);
        Ok(Array2::from_shape_fn((known.features.len(), n_outputs), at))
    }

    fn rank(&self, level: f64) -> Result<u64> {
        if !(0.0..=1.0).contains(&level) {
            return Err(Error::parameter("level", level, "0 to 1"));
        }
        Ok(((level * self.n_samples as f64).ceil() as u64).clamp(1, self.n_samples.max(1)))
    }
}

fn nothing() -> Error {
    Error::parameter("running aggregate", "0 samples", "at least 1 sample")
}

fn too_large(what: &str, limit: u64, found: u64) -> Error {
    Error::TooLarge { what: what.into(), limit, found }
}

fn check(attribution: &Attribution, n: usize) -> Result<()> {
    let (n_features, n_outputs) = (attribution.features.len(), attribution.outputs.len());
    let shape = [n, n_features, n_outputs];
    xai_core::error::same_shape("values (sample, feature, output)", &shape, attribution.values.shape())?;
    if let Some(data) = &attribution.data {
        xai_core::error::same_shape("data (sample, feature)", &shape[..2], data.shape())?;
    }
    let cells = (n_features as u64).saturating_mul(n_outputs as u64);
    if cells > MOST_CELLS {
        return Err(too_large("features times outputs of a running aggregate", MOST_CELLS, cells));
    }
    match attribution.values.indexed_iter().find(|(_, value)| value.is_nan() || value.abs() > MOST_VALUE) {
        None => Ok(()),
        Some((_, value)) if value.is_finite() => {
            Err(too_large("a contribution whose square is summed", MOST_VALUE as u64, value.abs() as u64))
        }
        Some(((sample, column, _), &value)) => Err(Error::NonFinite { what: "values".into(), sample, column, value }),
    }
}

/// The account of two parts of one job: parameters that differ from batch to batch are left out.
fn joined(mine: &Provenance, theirs: &Provenance) -> Result<Provenance> {
    same("methods", &mine.method, &theirs.method)?;
    same("seeds", mine.seed, theirs.seed)?;
    same("versions of the toolkit", &mine.version, &theirs.version)?;
    let mut joined = mine.clone();
    joined.parameters.retain(|name, value| theirs.parameters.get(name) == Some(value));
    joined.evaluations = mine.evaluations.saturating_add(theirs.evaluations);
    joined.notes.extend(theirs.notes.iter().cloned());
    joined.notes.sort();
    joined.notes.dedup();
    Ok(joined)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, mine: T, theirs: T) -> Result<()> {
    if mine == theirs {
        return Ok(());
    }
    Err(Error::unsupported(format!("merging explanations of different {what}"), format!("{mine:?} and {theirs:?}")))
}

fn names<T>(items: &[T], name: impl Fn(&T) -> &String) -> Vec<&str> {
    items.iter().map(|item| name(item).as_str()).collect()
}
