//! How much each feature matters to a model as a whole.

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use crate::{Explanation, Feature, Output, Provenance};

/// One number for every feature and every output (or every loss).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// How it was made.
    pub provenance: Provenance,
    /// What the values belong to: (feature).
    pub features: Vec<Feature>,
    /// What is measured: the model's outputs, or losses: (output).
    pub outputs: Vec<Output>,
    /// The importances: (feature, output).
    #[serde(with = "crate::nested")]
    pub values: Array2<f64>,
    /// The spread of each value over `repeats`, as a sample standard deviation: (feature, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Array2<f64>>,
    /// Every repeat: (feature, output, repeat); `values` are their means.
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Array3<f64>>,
    /// What the importances are measured against, such as the loss on intact data: (output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Array1<f64>>,
}

impl Explanation for Importance {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl Importance {
    /// The features from the most to the least important, by their values summed over the outputs.
    pub fn order(&self) -> Vec<usize> {
        let total = self.values.sum_axis(ndarray::Axis(1));
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.sort_by(|&a, &b| total[b].total_cmp(&total[a]).then(a.cmp(&b)));
        order
    }
}
