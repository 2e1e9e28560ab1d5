//! What a metric finds.

use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Attribution, Result, Run};

use crate::{Direction, Interval};

/// One number for every sample and output, and what they say together.
///
/// The mean and the interval follow from `values`: [`Measurement::new`] fills them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The name of the metric in kebab case.
    pub metric: String,
    /// Which values are better.
    pub direction: Direction,
    /// The values: (sample, output); NaN where the metric is not defined.
    #[serde(with = "xai_core::nested")]
    pub values: Array2<f64>,
    /// Why values are NaN.
    pub failures: Vec<Failure>,
    /// The mean over all samples and outputs where the metric is defined; `None` where it never is.
    pub mean: Option<f64>,
    /// Where the mean may lie, had other samples been drawn; `None` for fewer than two samples with a value.
    pub interval: Option<Interval>,
    /// How many samples the model was asked to score.
    pub evaluations: u64,
}

/// Samples and outputs for which a metric has no value, for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Why.
    pub reason: String,
    /// The (sample, output) pairs.
    pub cells: Vec<(usize, usize)>,
}

/// Gathers failures by their reasons.
#[derive(Debug, Clone, Default)]
pub struct Failures(Vec<Failure>);

impl Failures {
    /// Says that there is no value for an output of a sample; returns NaN, the value that stands for it.
    pub fn add(&mut self, sample: usize, output: usize, reason: &str) -> f64 {
        match self.0.iter_mut().find(|failure| failure.reason == reason) {
            Some(failure) => failure.cells.push((sample, output)),
            None => self.0.push(Failure { reason: reason.to_owned(), cells: vec![(sample, output)] }),
        }
        f64::NAN
    }

    /// The value, or NaN with the reason for it when it is not finite.
    pub fn finite(&mut self, sample: usize, output: usize, value: f64, reason: &str) -> f64 {
        if value.is_finite() { value } else { self.add(sample, output, reason) }
    }
}

impl Measurement {
    /// The values of a metric with their mean and its interval; the seed of the interval is that of the run.
    pub fn new(
        metric: impl Into<String>,
        direction: Direction,
        values: Array2<f64>,
        failures: Failures,
        evaluations: u64,
        run: &Run,
    ) -> Self {
        let defined = values.iter().filter(|v| !v.is_nan()).count();
        let sum: f64 = values.iter().filter(|v| !v.is_nan()).sum();
        Measurement {
            metric: metric.into(),
            direction,
            mean: (defined > 0).then(|| sum / defined as f64),
            interval: Interval::of_mean(&values, Interval::LEVEL, run.seed),
            values,
            failures: failures.0,
            evaluations,
        }
    }

    /// For how many samples and outputs the metric is not defined.
    pub fn n_undefined(&self) -> usize {
        self.values.iter().filter(|v| v.is_nan()).count()
    }
}

/// The values (sample, feature, output) of an attribution whose parts fit together.
///
/// # Errors
/// [`Error::Shape`] or [`Error::NonFinite`], as [`Attribution::checked`].
pub(crate) fn values_of(attribution: &Attribution) -> Result<&Array3<f64>> {
    attribution.check()?;
    // Without samples that lets pass what JSON cannot tell apart, such as values without features.
    let shape = [attribution.n_samples(), attribution.features.len(), attribution.outputs.len()];
    same_shape("values (sample, feature, output)", &shape, attribution.values.shape())?;
    Ok(&attribution.values)
}
