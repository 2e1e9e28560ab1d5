//! Shares of a score.

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{all_finite, same_shape, values_finite};
use crate::model::{feature_names, output_names};
use crate::{Explanation, Feature, Model, Output, Provenance, Result, Table};

/// What every feature contributes to every score of every sample.
///
/// # Units
/// For the Shapley family, `base` + Σ over features of `values` = `scores`, on the scale that `outputs` name. For
/// other methods see [`Attribution::completeness_residual`] and the provenance's notes.
///
/// # Laws
/// `json_reads_back_bit_for_bit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// How it was made.
    pub provenance: Provenance,
    /// What the values belong to: (feature).
    pub features: Vec<Feature>,
    /// What the scores are: (output).
    pub outputs: Vec<Output>,
    /// The score when every feature is absent: (sample, output).
    #[serde(with = "crate::nested")]
    pub base: Array2<f64>,
    /// The contributions: (sample, feature, output).
    #[serde(with = "crate::nested")]
    pub values: Array3<f64>,
    /// What is explained: (sample, output).
    #[serde(with = "crate::nested")]
    pub scores: Array2<f64>,
    /// The standard error of each value, where the method estimates one: (sample, feature, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<Array3<f64>>,
    /// The features' values for display: (sample, feature), NaN where a feature has none.
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Array2<f64>>,
    /// How well a local surrogate fits the model around the sample, as a weighted R²: (sample, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Array2<f64>>,
    /// The axes of one sample where the features are the cells of an array, in row-major order: (channel, row, column)
    /// of an image, (channel, step) of a series, those of a layer's output; `None` for the columns of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
}

impl Explanation for Attribution {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl Attribution {
    /// An attribution to the columns of a table, named as the model names them.
    ///
    /// # Shapes
    /// `values` (sample, feature, output); `base` and `scores` (sample, output).
    ///
    /// # Errors
    /// As [`Attribution::checked`].
    pub fn of_table<M: Model<Batch = Table> + ?Sized>(
        model: &M,
        batch: &Table,
        values: Array3<f64>,
        base: Array2<f64>,
        scores: Array2<f64>,
        provenance: Provenance,
    ) -> Result<Self> {
        let features = feature_names(model, batch)?;
        let outputs = output_names(model);
        let data = Some(batch.to_owned());
        let all = Attribution {
            provenance,
            features,
            outputs,
            base,
            values,
            scores,
            standard_error: None,
            data,
            fidelity: None,
            shape: None,
        };
        all.checked()
    }

    /// An attribution to the cells of arrays of `shape`, named by their places.
    ///
    /// # Shapes
    /// `values` (sample, cell, output), the cells of `shape` in row-major order; `base` and `scores` (sample, output).
    ///
    /// # Errors
    /// As [`Attribution::checked`].
    pub fn of_cells<M: Model + ?Sized>(
        model: &M,
        shape: &[usize],
        values: Array3<f64>,
        base: Array2<f64>,
        scores: Array2<f64>,
        provenance: Provenance,
    ) -> Result<Self> {
        let all = Attribution {
            provenance,
            features: Feature::cells(shape),
            outputs: output_names(model),
            base,
            values,
            scores,
            standard_error: None,
            data: None,
            fidelity: None,
            shape: Some(shape.to_vec()),
        };
        all.checked()
    }

    /// Itself, if all parts fit together and every value is finite: the last step of an explainer, the first of a
    /// reader.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) or [`Error::NonFinite`](crate::Error::NonFinite).
    pub fn checked(self) -> Result<Self> {
        self.check()?;
        Ok(self)
    }

    /// The same for who only borrows it.
    ///
    /// # Errors
    /// As [`Attribution::checked`].
    pub fn check(&self) -> Result<()> {
        let (samples, features, outputs) = (self.scores.nrows(), self.features.len(), self.outputs.len());
        // JSON's nested lists cannot tell (0, 3, 1) from (0, 0, 0): without samples there is nothing to compare.
        if samples > 0 {
            same_shape("scores (sample, output)", &[samples, outputs], self.scores.shape())?;
            same_shape("base (sample, output)", &[samples, outputs], self.base.shape())?;
            if features > 0 {
                same_shape("values (sample, feature, output)", &[samples, features, outputs], self.values.shape())?;
            }
            if let Some(error) = &self.standard_error {
                same_shape("standard errors", self.values.shape(), error.shape())?;
            }
            if let Some(data) = &self.data {
                same_shape("data (sample, feature)", &[samples, features], data.shape())?;
            }
            if let Some(fidelity) = &self.fidelity {
                same_shape("fidelity (sample, output)", &[samples, outputs], fidelity.shape())?;
            }
        }
        if let Some(shape) = &self.shape {
            let cells = shape.iter().try_fold(1usize, |n, &axis| n.checked_mul(axis)).unwrap_or(usize::MAX);
            same_shape("cells of the shape, one for each feature", &[features], &[cells])?;
        }
        all_finite("scores", &self.scores)?;
        all_finite("base", &self.base)?;
        values_finite(&self.values)
    }

    /// The number of samples.
    pub fn n_samples(&self) -> usize {
        self.scores.nrows()
    }

    /// `scores` − `base` − Σ over features of `values`: (sample, output). Zero up to rounding for methods that
    /// promise completeness.
    pub fn completeness_residual(&self) -> Array2<f64> {
        if self.values.is_empty() {
            return &self.scores - &self.base;
        }
        &self.scores - &self.base - self.values.sum_axis(Axis(1))
    }
}
