//! Explaining other samples, or another model, in the course of a metric.

use std::ops::ControlFlow;

use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Error, Explainer, Model, Observer, Result, Run};

use crate::draws::Draws;
use crate::measurement::values_of;

/// An explainer that is asked several times in one run: keeps the run's budget and counts.
pub(crate) struct Explaining<'a, M: Model + ?Sized> {
    explainer: &'a dyn Explainer<M, Explanation = Attribution>,
    run: &'a Run<'a>,
    /// The evaluations spent so far.
    pub evaluations: u64,
}

impl<'a, M: Model + ?Sized> Explaining<'a, M> {
    pub fn new(explainer: &'a dyn Explainer<M, Explanation = Attribution>, run: &'a Run<'a>) -> Self {
        Explaining { explainer, run, evaluations: 0 }
    }

    /// Explains `batch`, whose first sample is the `first`-th of all that are explained under this `seed`. What comes back
    /// has as many samples, and the features and outputs of `like`.
    ///
    /// # Errors
    /// Those of the explainer; [`Error::Budget`] with the numbers of the whole run; [`Error::Shape`] for an attribution of
    /// other features.
    pub fn explain(
        &mut self,
        model: &M,
        batch: &M::Batch,
        seed: u64,
        first: u64,
        like: &Attribution,
    ) -> Result<Attribution> {
        if batch.n_samples() == 0 && like.n_samples() == 0 {
            return Ok(like.clone());
        }
        let before = self.evaluations;
        let observer = Later { observer: self.run.observer, before };
        let left = self.run.max_evaluations.map(|budget| budget.saturating_sub(before));
        let run = Run { seed, max_evaluations: left, first_sample: first, observer: &observer };
        let explained = self.explainer.explain(model, batch, &run).map_err(|error| match error {
            Error::Budget { budget, needed } => {
                Error::Budget { budget: budget.saturating_add(before), needed: needed.saturating_add(before) }
            }
            other => other,
        })?;
        let expected = [batch.n_samples(), like.features.len(), like.outputs.len()];
        same_shape("values of the explainer (sample, feature, output)", &expected, values_of(&explained)?.shape())?;
        self.evaluations = before.saturating_add(explained.provenance.evaluations);
        Ok(explained)
    }

    /// A run for what the metric itself asks the model, with the budget that is left.
    pub fn rest(&self) -> Run<'a> {
        let left = self.run.max_evaluations.map(|budget| budget.saturating_sub(self.evaluations));
        Run { max_evaluations: left, ..*self.run }
    }
}

/// A seed for one of several things that are done under a run's seed.
pub(crate) fn seed_for(run: &Run, what: usize) -> u64 {
    Draws::nth(run.seed, what).next()
}

/// Tells an observer what happens after `before` evaluations.
struct Later<'a> {
    observer: &'a dyn Observer,
    before: u64,
}

impl Observer for Later<'_> {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.observer.progress(self.before.saturating_add(done), self.before.saturating_add(total))
    }
}
