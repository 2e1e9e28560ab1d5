//! What the layers of a model hold and put out.

use serde::{Deserialize, Serialize};

use crate::{Explanation, Layer, Provenance};

/// Every layer of a model: its place, its parameters, and what it puts out on data.
///
/// # Laws
/// `inside_reads_back_as_it_was`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inside {
    /// How it was made.
    pub provenance: Provenance,
    /// How many samples went through; 0 when only the parameters were looked at.
    pub n_samples: usize,
    /// The layers, each after those that it reads: (layer).
    pub layers: Vec<LayerFacts>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// What it is and what it reads.
    pub layer: Layer,
    /// Its parameters by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<(String, Spread)>,
    /// What it puts out on data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<Spread>,
    /// Its units: channels where it has places, cells otherwise.
    pub n_units: usize,
    /// The units of a ReLU, or another curve that is flat on one side, that were never above zero on any sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_dead: Option<usize>,
    /// The share of what a curve with two bounds (sigmoid, tanh, softmax) puts out that lies within a hundredth of its
    /// range of a bound, where it has next to no slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturated: Option<f64>,
}

/// How numbers are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many fall into equal parts of the way from least to greatest; of very many numbers an even selection.
    pub histogram: Vec<u64>,
}

impl Explanation for Inside {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl LayerFacts {
    /// The number of its parameters.
    pub fn n_parameters(&self) -> u64 {
        self.parameters.iter().map(|(_, spread)| spread.n).sum()
    }
}
