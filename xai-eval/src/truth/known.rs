//! A model, samples of it, and what is right to say of them.

use std::borrow::Borrow;

use ndarray::{Array2, Axis};
use xai_core::model::Owned;
use xai_core::{Attribution, Model};

use crate::Case;

/// A model and data whose right attribution is known.
pub struct Known<M: Model> {
    /// What it is called, in kebab case.
    pub name: &'static str,
    /// The model.
    pub model: M,
    /// The samples to explain.
    pub batch: Owned<M>,
    /// The samples that stand for absence in `truth`.
    pub background: Owned<M>,
    /// The right attribution.
    pub truth: Attribution,
    /// Which features the right attribution gives a share other than zero, for any output: (sample, feature).
    pub evidence: Array2<bool>,
}

impl<M: Model> Known<M> {
    /// Joins the parts; the evidence follows from the truth.
    pub(super) fn new(name: &'static str, model: M, batch: Owned<M>, background: Owned<M>, truth: Attribution) -> Self {
        let (samples, features, _) = truth.values.dim();
        let evidence = Array2::from_shape_fn((samples, features), |(sample, feature)| {
            let shares = truth.values.index_axis(Axis(0), sample);
            shares.row(feature).iter().any(|share| share.abs() > ROUNDING)
        });
        Known { name, model, batch, background, truth, evidence }
    }

    /// What a metric is given: the model, the samples, the truth and the evidence. Masker and explainer are yours to add.
    pub fn case(&self) -> Case<'_, M> {
        Case::new(&self.model, self.batch.borrow()).with_truth(&self.truth).with_masks(&self.evidence)
    }
}

/// Shares below this are sums of rounding errors: the models here have scores around 1 to 10.
const ROUNDING: f64 = 1e-12;
