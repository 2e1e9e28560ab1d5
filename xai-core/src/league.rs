//! What a contest of methods found.

use std::fmt;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Explanation, Provenance};

/// Methods that explained the same samples of the same model, and what each metric says of each of them.
///
/// # Laws
/// `a_league_reads_back_as_it_was`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct League {
    /// How it was made.
    pub provenance: Provenance,
    /// How many samples were explained.
    pub n_samples: usize,
    /// Who took part: (method).
    pub methods: Vec<Contestant>,
    /// What was measured: (metric).
    pub metrics: Vec<Contest>,
    /// What each metric found for each method: method after method, of each all metrics in order.
    pub results: Vec<Finding>,
    /// How alike the methods order the features: the mean rank correlation of absolute values over samples and outputs,
    /// (method, method), NaN where it is not defined.
    #[serde(with = "crate::nested")]
    pub agreement: Array2<f64>,
    /// Where two methods that were not there for comparison only agree least: the worst first.
    pub disagreements: Vec<Disagreement>,
}

/// A method that took part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contestant {
    /// Its name.
    pub name: String,
    /// Whether it is there for comparison only: random, or trivial.
    pub is_baseline: bool,
    /// How many samples the model scored for its explanations.
    pub evaluations: u64,
    /// How long it took to explain all samples.
    pub seconds: f64,
    /// The most memory that was in use while it explained, where that is known, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// The weighted mean over metrics of its mean ranks ([`Finding::rank`]), 1 at best; `None` where no metric ranks it.
    pub mean_rank: Option<f64>,
    /// How many metrics that mean is made of.
    pub n_ranked: usize,
    /// Why it has no explanations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// Its name.
    pub name: String,
    /// Whether large values are better; otherwise small ones are.
    pub higher_is_better: bool,
    /// What it counts in the mean rank.
    pub weight: f64,
    /// Whether the methods differ at all, over samples; `None` where fewer than two methods or samples can be compared.
    pub test: Option<Friedman>,
}

/// Friedman's test of whether the mean ranks of methods over samples differ by more than chance, and how far two of them
/// must lie apart to differ (Nemenyi).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Friedman {
    /// Samples for which all methods that are compared have a value.
    pub n_blocks: usize,
    /// Methods that are compared.
    pub n_methods: usize,
    /// χ² with `n_methods` − 1 degrees of freedom, corrected for ties.
    pub statistic: f64,
    /// The chance of so large a statistic if there was no difference.
    pub p_value: f64,
    /// Mean ranks that lie less than this apart cannot be told apart, at the level of 0.05 over all pairs.
    pub critical_difference: f64,
}

/// What one metric found for one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The mean over samples and outputs; `None` where there is none.
    pub mean: Option<f64>,
    /// Where that mean may lie, at the level of 0.95.
    pub interval: Option<(f64, f64)>,
    /// Samples and outputs for which the metric has no value.
    pub n_undefined: usize,
    /// How many samples the model scored for the metric.
    pub evaluations: u64,
    /// How long it took.
    pub seconds: f64,
    /// The mean over samples of the method's rank among those compared, 1 at best.
    pub rank: Option<f64>,
    /// 1 + the number of methods that are better beyond chance: all that share a place cannot be told apart from its best.
    pub place: Option<usize>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A sample of which two methods tell different stories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The sample.
    pub sample: usize,
    /// The output.
    pub output: usize,
    /// One method, by its place among the methods.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// The rank correlation of their absolute values.
    pub correlation: f64,
}

impl Explanation for League {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl League {
    /// What metric number `metric` found for method number `method`; `None` beyond the last of either.
    pub fn finding(&self, method: usize, metric: usize) -> Option<&Finding> {
        if metric >= self.metrics.len() {
            return None;
        }
        self.results.get(method * self.metrics.len() + metric)
    }

    /// The methods from the best mean rank to the worst; those without one last.
    pub fn standing(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.methods.len()).collect();
        let rank = |m: usize| self.methods[m].mean_rank.unwrap_or(f64::INFINITY);
        order.sort_by(|&a, &b| rank(a).total_cmp(&rank(b)).then(a.cmp(&b)));
        order
    }
}

impl fmt::Display for League {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} methods, {} metrics, {} samples", self.methods.len(), self.metrics.len(), self.n_samples)
    }
}
