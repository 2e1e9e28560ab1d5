//! How scores change with one feature or two.

use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};

use crate::{Explanation, Feature, Output, Provenance};

/// Curves (one feature) and surfaces (two features) of the model's response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// How they were made; `provenance.method` says what they are (`partial-dependence`,
    /// `accumulated-local-effects`, …).
    pub provenance: Provenance,
    /// What the scores are: (output).
    pub outputs: Vec<Output>,
    /// One for each feature or pair.
    pub curves: Vec<Curve>,
}

/// The response to one feature or two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The feature, or the two: (axis).
    pub features: Vec<Feature>,
    /// The values at which the response is given: a list for each axis.
    #[serde(with = "crate::nested")]
    pub grid: Vec<Vec<f64>>,
    /// The response: (point, output). The points of a surface run through the second axis first.
    #[serde(with = "crate::nested")]
    pub values: Array2<f64>,
    /// The standard error of each response, where the method gives one: (point, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<Array2<f64>>,
    /// The response of single samples (individual conditional expectation): (sample, point, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<Array3<f64>>,
    /// Where the data lie: (axis).
    pub distribution: Vec<Distribution>,
}

/// The distribution of a feature in the data that a curve was made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The borders of the bins, one more than `counts`, for numbers; the values themselves for categories.
    #[serde(with = "crate::nested")]
    pub edges: Vec<f64>,
    /// How many samples lie in each bin; a bin holds its left border, the last one both.
    pub counts: Vec<u64>,
    /// How many samples miss the feature.
    pub missing: u64,
}

impl Explanation for Effects {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}
