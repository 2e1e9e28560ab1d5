//! DeepLIFT and DeepSHAP.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayD, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Batch, Cells, Composed, Error, Explainer, Meter, Provenance, Result, Run};

use super::differences::Differences;
use super::structure::readers;
use super::trace::{Ends, Signals, Trace, in_portions, walk};
use crate::gradient::Baselines;
use crate::gradient::passes::{batch_of, of_inputs};

/// What the difference of a non-linear layer is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NonLinearRule {
    /// All that goes into a unit gets the same share of what comes out.
    #[default]
    Rescale,
    /// What raises the unit and what lowers it get shares of their own: each its mean effect with and without the other.
    /// It applies behind layers that sum (linear, convolution, addition) and that nobody else reads; elsewhere there is
    /// nothing to tell apart, and it is [`NonLinearRule::Rescale`].
    RevealCancel,
    /// [`NonLinearRule::RevealCancel`] behind linear layers, [`NonLinearRule::Rescale`] elsewhere: what the paper's authors
    /// advise for convolutional networks.
    RevealCancelDense,
}

impl NonLinearRule {
    fn name(self) -> &'static str {
        match self {
            NonLinearRule::Rescale => "rescale",
            NonLinearRule::RevealCancel => "reveal-cancel",
            NonLinearRule::RevealCancelDense => "reveal-cancel-dense",
        }
    }
}

/// What the difference of each cell to a baseline adds to the difference of the scores.
///
/// Every layer divides the difference of its output to the baseline's among the differences of its inputs: an affine layer
/// by its weights, a curve by rise over run, a maximum to the winners, a product of two by Shapley's shares, a layer norm by
/// its mean slopes on the line between the two. One pass back does what integrated gradients need many for, and saturated units count.
///
/// Values of the rescale rule depend on how the function is written as layers: two networks that compute the same may get
/// different values.
///
/// # Units
/// `base` is the score of the baseline; `base` + Σ values = `scores`, up to rounding;
/// [`Attribution::completeness_residual`] tells what is left.
///
/// # Cost
/// One forward pass, one for the baseline, and one pass back for each output.
///
/// # Errors
/// [`Error::Unsupported`] names a layer that has no rule: softmax (explain the scores before it), products of more than
/// two, others; [`Error::Parameter`] for more than one baseline, [`Error::Shape`] for one of other axes.
///
/// # Laws
/// `deep_lift_matches_the_references`, `deep_lift_is_complete`, `reveal_cancel_shares_a_minimum`,
/// `deep_lift_of_a_linear_model`.
///
/// # Source
/// Shrikumar, Greenside & Kundaje, *Learning important features through propagating activation differences*, 2017,
/// sections 3.2 and 3.5. *differs:* the paper has no rule for maxima, where the
/// one of the authors' code is used, nor for products and layer norms.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeepLift {
    /// What stands for absence: one sample.
    pub baseline: Baselines,
    /// The rule of curves.
    pub rule: NonLinearRule,
}

/// The mean of [`DeepLift`] over many baselines: an estimate of Shapley values that one pass back for each baseline gives.
///
/// It is exact for a linear model, and for networks whose layers combine their inputs alike for all coalitions; in general
/// the composition of Shapley values layer by layer is not the Shapley value of the whole.
///
/// # Units
/// `base` is the mean score of the baselines; `base` + Σ values = `scores`, up to rounding.
///
/// # Cost
/// As [`DeepLift`], with one pass back for each baseline and output.
///
/// # Errors
/// As [`DeepLift`].
///
/// # Laws
/// `deep_lift_matches_the_references`, `deep_shap_is_the_mean_of_deep_lift`.
///
/// # Source
/// Lundberg & Lee, *A unified approach to interpreting model predictions*, 2017, section 4.2.
#[derive(Debug, Clone, PartialEq)]
pub struct DeepShap {
    /// What stands for absence: samples that are averaged over.
    pub baselines: Baselines,
    /// The rule of curves.
    pub rule: NonLinearRule,
}

impl<M> Explainer<M> for DeepLift
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        if self.baseline.n_baselines() != 1 {
            let given = format!("{} samples", self.baseline.n_baselines());
            return Err(Error::parameter("baseline", given, "one sample; DeepShap takes several"));
        }
        explain(model, batch, run, "deep-lift", &self.baseline, self.rule)
    }
}

impl<M> Explainer<M> for DeepShap
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        explain(model, batch, run, "deep-shap", &self.baselines, self.rule)
    }
}

fn explain<M>(
    model: &M,
    batch: &M::Batch,
    run: &Run,
    name: &str,
    baselines: &Baselines,
    rule: NonLinearRule,
) -> Result<Attribution>
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    let shape = batch.sample_shape();
    let (n, n_outputs) = (batch.n_samples(), model.n_outputs());
    let rows = baselines.rows(&shape)?;
    let n_baselines = rows.nrows();
    let passes = (n as u64).saturating_mul(n_baselines as u64).saturating_mul(n_outputs as u64);
    let meter = Meter::new(run, passes.saturating_add(n_baselines as u64));
    let layers = model.layers();
    let readers = readers(layers);
    let ends = Ends::new(model, &meter, batch);
    let starts = (0..n_baselines).map(|place| {
        let row = rows.select(Axis(0), &[place]);
        Trace::of(&meter, model, batch_of::<M::Batch>(row, &shape)?.borrow())
    });
    let starts = starts.collect::<Result<Vec<Trace>>>()?;
    let share = 1.0 / n_baselines as f32;
    let (scores, values) = in_portions(model, &meter, batch, n_baselines, &|trace| {
        let mut sums: Option<Signals> = None;
        let weights = ends.weights(trace)?;
        for start in &starts {
            let from = start.repeated(trace.scores.nrows());
            let differences = Differences { model, at: trace, from: &from, rule, readers: &readers };
            let mut shares = walk(layers, weights.clone(), &differences)?;
            let difference = (&trace.activations[0] - &from.activations[0]) * share;
            shares.iter_mut().for_each(|share| *share *= &difference);
            match &mut sums {
                Some(sums) => sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += &share),
                empty => *empty = Some(shares),
            }
        }
        Ok(sums.unwrap_or_default())
    })?;
    let base = mean_score(&starts, n, n_outputs);
    let provenance = Provenance::new(name, run)
        .with("baselines", baselines.describe())
        .with("rule", rule.name())
        .note(left_over(&scores, &base, &values))
        .evaluations(meter.evaluations());
    of_inputs(model, batch, values, base, scores, provenance)
}

fn mean_score(starts: &[Trace], n: usize, n_outputs: usize) -> Array2<f64> {
    let sum = starts.iter().fold(ArrayD::zeros(vec![1, n_outputs]), |sum, start| sum + &start.scores);
    let mean = sum / starts.len() as f64;
    Array2::from_shape_fn((n, n_outputs), |(_, output)| mean[[0, output]])
}

/// How much of the scores the values leave unexplained, in words.
pub(super) fn left_over(scores: &Array2<f64>, base: &Array2<f64>, values: &Array3<f64>) -> String {
    let largest = |array: &Array2<f64>| array.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let sums = if values.is_empty() { Array2::zeros(scores.raw_dim()) } else { values.sum_axis(Axis(1)) };
    let left = largest(&(scores - base - sums));
    format!("base and values miss the scores by {left:.1e} at most; the largest score is {:.1e}", largest(scores))
}
