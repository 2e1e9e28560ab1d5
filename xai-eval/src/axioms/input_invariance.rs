//! Does a constant that the model takes away again change the explanation?

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::model::Owned;
use xai_core::{Attribution, Batch, Cell, Cells, Differentiable, Error, Feature, Meter, Model, Output, Result, Run};

use crate::explaining::Explaining;
use crate::lanes::{NOTHING, finite, pairs};
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// How much the explanation changes when a constant is added to every sample and the model takes it away again before
/// anything else: ‖e(x; f) − e(x + c; f(· − c))‖₂ / ‖e(x; f)‖₂.
///
/// Lower is better, 0 for gradients and for whatever moves its background along.
///
/// `twin` is the model that takes the constant away. Most easily the case's model and its twin are both [`Shifted`], the
/// first by 0.
///
/// *Pitfalls.* Methods with a reference point (integrated gradients from zero, a fixed background) fail unless it is moved,
/// too, since the constant then really is something that the model sees: whether that is a fault is disputed. Input times
/// gradient fails always.
///
/// # Cost
/// Explains the batch once more, and scores it twice to see whether the twin is one.
///
/// # Errors
/// [`Error::Unsupported`] without an explainer and for a twin whose scores differ from the model's by more than 1e-4 of them.
///
/// # Laws
/// `gradients_do_not_see_a_shift`.
///
/// # Source
/// Kindermans et al. 2019, "The (un)reliability of saliency methods", section 2. *differs:* how much, where Quantus says
/// whether at all.
pub struct InputInvariance<'a, M: ?Sized> {
    /// The model that takes the constant away.
    pub twin: &'a M,
    /// The constant, for every cell.
    pub shift: f64,
}

const NAME: &str = "input-invariance";

/// Scores of the model and its twin may differ by this part: the rounding of f32 networks.
const ROUNDING: f64 = 1e-4;

impl<M> Metric<M> for InputInvariance<'_, M>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let explainer = case.need_explainer(NAME)?;
        let values = case.values(attribution)?;
        let n = case.batch.n_samples();
        let none = Failures::default();
        if n == 0 {
            return Ok(Measurement::new(NAME, Direction::Lower, attribution.scores.clone(), none, 0, run));
        }
        let moved = shifted::<M>(case.batch, self.shift)?;
        let mut explaining = Explaining::new(explainer, run);
        let meter = Meter::planned(run, 2 * n as u64)?;
        self.is_twin(&meter.predict(case.model, case.batch)?, &meter.predict(self.twin, moved.borrow())?)?;
        explaining.evaluations = meter.evaluations();
        let explained = explaining.explain(self.twin, moved.borrow(), run.seed, run.first_sample, attribution)?;
        let mut failures = none;
        let changes = pairs(values, &explained.values, &mut failures, |before, after| {
            let change: f64 = before.iter().zip(after).map(|(a, b)| (a - b).powi(2)).sum();
            finite((change / before.iter().map(|a| a * a).sum::<f64>()).sqrt(), NOTHING)
        });
        Ok(Measurement::new(NAME, Direction::Lower, changes, failures, explaining.evaluations, run))
    }
}

impl<M: ?Sized> InputInvariance<'_, M> {
    fn is_twin(&self, scores: &Array2<f64>, of_twin: &Array2<f64>) -> Result<()> {
        same_shape("scores of the twin (sample, output)", scores.shape(), of_twin.shape())?;
        let size = scores.iter().fold(1e-12f64, |most, score| most.max(score.abs()));
        match scores.indexed_iter().find(|(at, score)| (*score - of_twin[*at]).abs() > ROUNDING * size) {
            None => Ok(()),
            Some(((sample, _), score)) => {
                let twin = of_twin.row(sample);
                let reason = format!("it scores {twin} for sample {sample}, moved by {}, not {score}", self.shift);
                Err(Error::unsupported("this twin of the model", reason))
            }
        }
    }
}

/// The batch with `shift` added to every cell.
fn shifted<M: Model + ?Sized>(batch: &M::Batch, shift: f64) -> Result<Owned<M>>
where
    M::Batch: Cells,
{
    let cells: ArrayD<<M::Batch as Cells>::Cell> = batch.cells().mapv(|cell| Cell::of(cell.into() + shift));
    M::Batch::of_cells(cells)
}

/// A model that takes `shift` away from every cell before it scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shifted<M> {
    /// The model.
    pub model: M,
    /// What is taken away.
    pub shift: f64,
}

impl<M: Model> Model for Shifted<M>
where
    M::Batch: Cells,
{
    type Batch = M::Batch;
    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }
    fn predict(&self, batch: &M::Batch) -> Result<Array2<f64>> {
        self.model.predict(shifted::<M>(batch, -self.shift)?.borrow())
    }
    fn features(&self) -> &[Feature] {
        self.model.features()
    }
    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

impl<M: Differentiable> Differentiable for Shifted<M>
where
    M::Batch: Cells,
{
    fn vjp(&self, batch: &M::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        same_shape("weights of the scores", &[batch.cells().len_of(Axis(0)), self.n_outputs()], weights.shape())?;
        self.model.vjp(shifted::<M>(batch, -self.shift)?.borrow(), weights)
    }
}
