//! What an explanation speaks of.

use ndarray::{Array3, ArrayRef2};
use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Error, Explainer, Masker, Model, Result};

use crate::Need;
use crate::measurement::values_of;

/// A model, the samples that were explained, and what else is known of them: all that a [`Metric`](crate::Metric)
/// compares an attribution with.
///
/// # Example
/// ```
/// # use ndarray::{Array2, Axis, array};
/// # use xai_core::{Model, Result, Table};
/// # struct Sum;
/// # impl Model for Sum {
/// #     type Batch = Table;
/// #     fn n_outputs(&self) -> usize { 1 }
/// #     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// # }
/// use xai_eval::{Case, Need};
/// let (batch, evidence) = (array![[1.0, 2.0]], array![[true, false]]);
/// let case = Case::new(&Sum, &*batch).with_masks(&evidence);
/// assert!(case.has(Need::Masks) && !case.has(Need::Masker));
/// assert!(case.need_masker("deletion").err().unwrap().to_string().contains("deletion without a masker"));
/// ```
pub struct Case<'a, M: Model + ?Sized> {
    /// The model.
    pub model: &'a M,
    /// The samples.
    pub batch: &'a M::Batch,
    /// What absence means; its players are the attribution's features.
    pub masker: Option<&'a dyn Masker<M::Batch>>,
    /// The method, for metrics that explain other samples or another model.
    pub explainer: Option<&'a dyn Explainer<M, Explanation = Attribution>>,
    /// The right attribution.
    pub truth: Option<&'a Attribution>,
    /// Which features are evidence: (sample, feature).
    pub masks: Option<&'a ArrayRef2<bool>>,
    /// What was observed: the value, or the index of the right output: (sample).
    pub labels: Option<&'a [f64]>,
}

impl<M: Model + ?Sized> Clone for Case<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model + ?Sized> Copy for Case<'_, M> {}

impl<'a, M: Model + ?Sized> Case<'a, M> {
    /// A model and its samples, and nothing else.
    pub fn new(model: &'a M, batch: &'a M::Batch) -> Self {
        Case { model, batch, masker: None, explainer: None, truth: None, masks: None, labels: None }
    }

    /// Says what absence means.
    #[must_use]
    pub fn with_masker(self, masker: &'a dyn Masker<M::Batch>) -> Self {
        Case { masker: Some(masker), ..self }
    }

    /// Names the method.
    #[must_use]
    pub fn with_explainer(self, explainer: &'a dyn Explainer<M, Explanation = Attribution>) -> Self {
        Case { explainer: Some(explainer), ..self }
    }

    /// Gives the right attribution.
    #[must_use]
    pub fn with_truth(self, truth: &'a Attribution) -> Self {
        Case { truth: Some(truth), ..self }
    }

    /// Says which features are evidence: (sample, feature).
    #[must_use]
    pub fn with_masks(self, masks: &'a ArrayRef2<bool>) -> Self {
        Case { masks: Some(masks), ..self }
    }

    /// Gives what was observed: (sample).
    #[must_use]
    pub fn with_labels(self, labels: &'a [f64]) -> Self {
        Case { labels: Some(labels), ..self }
    }

    /// Whether something is there. What a bound on the model promises always is.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Masker => self.masker.is_some(),
            Need::Explainer => self.explainer.is_some(),
            Need::Truth => self.truth.is_some(),
            Need::Masks => self.masks.is_some(),
            Need::Labels => self.labels.is_some(),
            Need::Cells | Need::Gradients | Need::Layers | Need::Parameters => true,
        }
    }

    /// The masker.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when there is none, naming the metric that asks.
    pub fn need_masker(&self, metric: &str) -> Result<&'a dyn Masker<M::Batch>> {
        self.masker.ok_or_else(|| without(metric, Need::Masker))
    }

    /// The explainer.
    ///
    /// # Errors
    /// As [`Case::need_masker`].
    pub fn need_explainer(&self, metric: &str) -> Result<&'a dyn Explainer<M, Explanation = Attribution>> {
        self.explainer.ok_or_else(|| without(metric, Need::Explainer))
    }

    /// The right attribution, of the same samples, features and outputs as `attribution`.
    ///
    /// # Errors
    /// As [`Case::need_masker`]; [`Error::Shape`] for one of something else.
    pub fn need_truth(&self, metric: &str, attribution: &Attribution) -> Result<&'a Attribution> {
        let truth = self.truth.ok_or_else(|| without(metric, Need::Truth))?;
        let found = values_of(truth)?.shape();
        same_shape("true attribution (sample, feature, output)", attribution.values.shape(), found)?;
        Ok(truth)
    }

    /// Which features are evidence, for the samples and features of `attribution`.
    ///
    /// # Errors
    /// As [`Case::need_truth`].
    pub fn need_masks(&self, metric: &str, attribution: &Attribution) -> Result<&'a ArrayRef2<bool>> {
        let masks = self.masks.ok_or_else(|| without(metric, Need::Masks))?;
        let expected = [attribution.n_samples(), attribution.features.len()];
        same_shape("masks of the evidence (sample, feature)", &expected, masks.shape())?;
        Ok(masks)
    }

    /// What was observed, one a sample.
    ///
    /// # Errors
    /// As [`Case::need_masker`]; [`Error::Shape`] for labels of other samples.
    pub fn need_labels(&self, metric: &str) -> Result<&'a [f64]> {
        let labels = self.labels.ok_or_else(|| without(metric, Need::Labels))?;
        same_shape("labels (sample)", &[self.batch.n_samples()], &[labels.len()])?;
        Ok(labels)
    }

    /// The values (sample, feature, output) of an attribution, if it speaks of this model and these samples.
    ///
    /// # Errors
    /// [`Error::Shape`] for an attribution of other samples or outputs or whose parts do not fit;
    /// [`Error::NonFinite`] for one with a value that is no number.
    pub fn values<'v>(&self, attribution: &'v Attribution) -> Result<&'v Array3<f64>> {
        let values = values_of(attribution)?;
        let found = [attribution.n_samples(), attribution.outputs.len()];
        same_shape("attribution (sample, output)", &[self.batch.n_samples(), self.model.n_outputs()], &found)?;
        Ok(values)
    }
}

fn without(metric: &str, need: Need) -> Error {
    Error::unsupported(format!("{metric} without {need}"), format!("give the case {need}"))
}
