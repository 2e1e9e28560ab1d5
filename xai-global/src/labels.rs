//! What is known to be true of the samples.

use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Error, Result};

/// The known answers for a batch: one a sample.
///
/// # Example
/// ```
/// use xai_global::Labels;
/// let labels = Labels::Classes { n: 2, indices: vec![0, 1, 1] };
/// assert!(labels.check(3).is_ok());
/// assert!(labels.check(4).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// A number for each sample: regression.
    Numbers(Vec<f64>),
    /// One of `n` classes for each sample. A model with `n` outputs gives each class a score, in the order of the
    /// indices; a model with one output scores class 1 against class 0.
    Classes {
        /// The number of classes, at least 2.
        n: usize,
        /// The class of each sample, below `n`.
        indices: Vec<usize>,
    },
}

impl Labels {
    /// The number of labels.
    pub fn len(&self) -> usize {
        match self {
            Labels::Numbers(values) => values.len(),
            Labels::Classes { indices, .. } => indices.len(),
        }
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that there is one sound label for each of `n_samples` samples, and at least one sample.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of labels, [`Error::NonFinite`] for a number that is NaN or infinite,
    /// [`Error::Parameter`] for no sample at all, fewer than two classes, or a class index out of range.
    pub fn check(&self, n_samples: usize) -> Result<()> {
        same_shape("labels (sample)", &[n_samples], &[self.len()])?;
        if n_samples == 0 {
            return Err(Error::parameter("labels", "none", "at least one sample"));
        }
        match self {
            Labels::Numbers(values) => match values.iter().position(|v| !v.is_finite()) {
                None => Ok(()),
                Some(sample) => {
                    Err(Error::NonFinite { what: "labels".into(), sample, column: 0, value: values[sample] })
                }
            },
            Labels::Classes { n, .. } if *n < 2 => {
                Err(Error::parameter("labels", format!("{n} classes"), "at least 2 classes"))
            }
            Labels::Classes { n, indices } => match indices.iter().position(|i| i >= n) {
                None => Ok(()),
                Some(sample) => Err(Error::parameter(
                    "labels",
                    format!("class {} of sample {sample}", indices[sample]),
                    format!("a class below {n}"),
                )),
            },
        }
    }
}

/// Checks that there is a weight for each of `n_samples` samples, none negative, and not all zero.
///
/// # Errors
/// [`Error::Shape`], [`Error::NonFinite`] or [`Error::Parameter`].
pub(crate) fn check_weights(weights: Option<&[f64]>, n_samples: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    same_shape("weights (sample)", &[n_samples], &[weights.len()])?;
    if let Some(sample) = weights.iter().position(|w| !w.is_finite()) {
        return Err(Error::NonFinite { what: "weights".into(), sample, column: 0, value: weights[sample] });
    }
    if let Some(sample) = weights.iter().position(|w| *w < 0.0) {
        return Err(Error::parameter("weights", format!("{} for sample {sample}", weights[sample]), "at least 0"));
    }
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        return Ok(());
    }
    Err(Error::parameter("weights", format!("weights that sum to {sum}"), "a finite sum above 0"))
}

/// Σ weightᵢ·valueᵢ / Σ weightᵢ; the plain mean without weights.
pub(crate) fn weighted_mean(weights: Option<&[f64]>, values: impl ExactSizeIterator<Item = f64>) -> f64 {
    match weights {
        None => {
            let n = values.len() as f64;
            values.sum::<f64>() / n
        }
        Some(weights) => {
            let (mut sum, mut total) = (0.0, 0.0);
            for (value, weight) in values.zip(weights) {
                sum += weight * value;
                total += weight;
            }
            sum / total
        }
    }
}
