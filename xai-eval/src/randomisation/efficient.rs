//! Is the explanation of a model without anything learnt more disordered?

use xai_core::{Attribution, Error, Parametric, Result, Run};

use super::{LayerOrder, Reset};
use crate::explaining::{Explaining, seed_for};
use crate::lanes::{finite, pairs};
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// How much the entropy of the explanation rises when all parameters become random: (ξ(random) − ξ(model)) / ξ(model), where
/// ξ is the entropy of the histogram of the shares.
///
/// Higher is better; 0 for a method that does not look at the parameters.
///
/// *Pitfalls.* It needs no similarity, but takes for granted that a trained model's explanation is the more ordered one. NaN
/// where the shares of the model's explanation all fall into one bin.
///
/// # Cost
/// Explains the batch once, with the random model.
///
/// # Errors
/// [`Error::Unsupported`] without an explainer, and for a model without parameters; [`Error::Parameter`] for no bins.
///
/// # Laws
/// `explainers_that_ignore_the_model_do_not_pass`, `entropy_of_a_histogram_is_that_of_its_counts`; goldens beside Quantus.
///
/// # Source
/// Hedström et al. 2023, "Sanity checks revisited", section 3.2 (eMPRT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfficientMprt {
    /// How many bins the histogram has between the smallest and the largest share. Default 100.
    pub n_bins: usize,
    /// What takes the place of parameters.
    pub reset: Reset,
}

impl Default for EfficientMprt {
    fn default() -> Self {
        EfficientMprt { n_bins: 100, reset: Reset::default() }
    }
}

const NAME: &str = "efficient-mprt";
/// More bins than anybody wants, few enough to hold.
const MOST_BINS: usize = 1_000_000;

impl<M: Parametric> Metric<M> for EfficientMprt {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Higher
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Parameters]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        if !(1..=MOST_BINS).contains(&self.n_bins) {
            return Err(Error::parameter("n_bins", self.n_bins, format!("1 to {MOST_BINS}")));
        }
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        let values = case.values(attribution)?;
        let steps = LayerOrder::BottomUp.steps(case.model, self.reset, seed_for(run, 4))?;
        let model = steps.model(case.model, steps.layers.len() - 1)?;
        let explained = explaining.explain(&model, case.batch, run.seed, run.first_sample, attribution)?;
        let mut failures = Failures::default();
        let rises = pairs(values, &explained.values, &mut failures, |before, after| {
            let (before, after) = (histogram_entropy(before, self.n_bins), histogram_entropy(after, self.n_bins));
            finite((after - before) / before, "all shares fall into one bin")
        });
        Ok(Measurement::new(NAME, Direction::Higher, rises, failures, explaining.evaluations, run))
    }
}

/// The entropy, in nats, of the histogram of `values` with `n_bins` bins of one width between the smallest and the largest;
/// the largest belongs to the last bin. Values that are all the same lie in one bin.
///
/// # Example
/// ```
/// assert_eq!(xai_eval::randomisation::histogram_entropy(&[0.0, 0.1, 0.9, 1.0], 2), 2.0f64.ln());
/// ```
pub fn histogram_entropy(values: &[f64], n_bins: usize) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut counts = vec![0usize; n_bins];
    let width = most - least;
    if n_bins == 0 || width.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
        return 0.0;
    }
    let edge = |bin: usize| least + width * (bin as f64 / n_bins as f64);
    for value in values {
        let mut bin = (((value - least) / width) * n_bins as f64) as usize;
        bin = bin.min(n_bins - 1);
        // The edges decide, not the quotient's rounding.
        if *value < edge(bin) {
            bin -= 1;
        } else if bin + 1 < n_bins && *value >= edge(bin + 1) {
            bin += 1;
        }
        counts[bin] += 1;
    }
    let n = values.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / n).map(|p| -p * p.ln()).sum()
}
