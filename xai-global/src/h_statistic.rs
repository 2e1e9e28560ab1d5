//! What both ways to Friedman's H share.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Feature, Importance, Output, Provenance};

/// An effect whose spread is below this share of the largest score is rounding, not an effect.
const NEGLIGIBLE: f64 = 1e-12;

/// Between whom interactions are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HStatistic {
    /// Between two features: the share of their joint effect that is not the sum of the effects of each.
    #[default]
    Pairs,
    /// Between a feature and all others: the share of the score that is not the sum of its effect and theirs.
    Overall,
}

/// Weighted means and sums of squares about them, one value after another.
///
/// # Source
/// West, *Updating mean and variance estimates: an improved method*, CACM 22 (1979).
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    weight: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Spread {
    pub(crate) fn new(n: usize) -> Self {
        Spread { weight: 0.0, mean: vec![0.0; n], squares: vec![0.0; n] }
    }

    /// Takes one value of each quantity, all with the same weight.
    pub(crate) fn add(&mut self, weight: f64, values: impl Iterator<Item = f64>) {
        if weight == 0.0 {
            return;
        }
        self.weight += weight;
        let share = weight / self.weight;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let away = value - *mean;
            *mean += share * away;
            *squares += weight * away * (value - *mean);
        }
    }

    /// The standard deviation of a quantity.
    pub(crate) fn deviation(&self, at: usize) -> f64 {
        (self.squares[at] / self.weight).max(0.0).sqrt()
    }
}

/// Turns the spread of what is not additive, and of the whole effect, into statistics: both (item, output).
pub(crate) fn finish(
    names: Vec<String>,
    outputs: Vec<Output>,
    normalized: bool,
    largest: &[f64],
    (left, whole): (&Spread, &Spread),
    mut provenance: Provenance,
) -> Importance {
    let n_outputs = outputs.len();
    let mut undefined = Vec::new();
    let values = Array2::from_shape_fn((names.len(), n_outputs), |(item, output)| {
        let at = item * n_outputs + output;
        if !normalized {
            return left.deviation(at);
        }
        if whole.deviation(at) <= NEGLIGIBLE * largest[output] {
            undefined.push(match n_outputs {
                1 => names[item].clone(),
                _ => format!("{} on {}", names[item], outputs[output].name),
            });
            return 0.0;
        }
        left.deviation(at) / whole.deviation(at)
    });
    if !undefined.is_empty() {
        const MOST: usize = 12;
        let more = undefined.len().saturating_sub(MOST);
        undefined.truncate(MOST);
        let mut list = undefined.join(", ");
        if more > 0 {
            list.push_str(&format!(" and {more} more"));
        }
        provenance = provenance
            .note(format!("H is undefined where the effect is constant, a quotient of zeros; 0 stands for it: {list}"));
    }
    let features = names.into_iter().map(Feature::numeric).collect();
    Importance { provenance, features, outputs, values, spread: None, repeats: None, base: None }
}
