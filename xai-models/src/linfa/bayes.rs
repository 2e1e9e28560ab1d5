//! Naive Bayes, seen from outside.

use linfa::Label;
use linfa_bayes::{BernoulliNb, GaussianNb, MultinomialNb};
use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Feature, Link, Model, Output, Result, Scale, Table};

use super::{Cell, name_of};

/// A fitted naive Bayes classifier, `B` its kind.
///
/// # Units
/// Probabilities of the classes, in order of the labels. They are made from the joint log-likelihoods: linfa's own
/// `predict_proba` exponentiates these first, and gives NaN where all of them underflow, as they do with many features.
///
/// # Errors
/// [`Model::predict`]: [`Error::Shape`](xai_core::Error::Shape) for a table of another width than there are names.
///
/// # Laws
/// `naive_bayes_scores_like_linfa`, `small_likelihoods_do_not_underflow`, `bernoulli_rows_are_made_binary`.
#[derive(Debug, Clone)]
pub struct NaiveBayes<B, F, L> {
    model: B,
    /// Above it a value counts as 1, otherwise as 0.
    threshold: Option<F>,
    classes: Vec<L>,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

impl<F: Cell, L: Label + Send + Sync> NaiveBayes<GaussianNb<F, L>, F, L> {
    /// A model of `model`, whose columns are `features`: as many as it was fitted with, which linfa does not say.
    pub fn gaussian(model: GaussianNb<F, L>, features: Vec<Feature>) -> Self {
        NaiveBayes::new(model, None, features)
    }
}

impl<F: Cell, L: Label + Send + Sync> NaiveBayes<MultinomialNb<F, L>, F, L> {
    /// A model of `model`, whose columns are `features`: as many as it was fitted with, which linfa does not say.
    pub fn multinomial(model: MultinomialNb<F, L>, features: Vec<Feature>) -> Self {
        NaiveBayes::new(model, None, features)
    }
}

impl<F: Cell, L: Label + Send + Sync> NaiveBayes<BernoulliNb<F, L>, F, L> {
    /// A model of `model`, whose columns are `features`: as many as it was fitted with, which linfa does not say.
    ///
    /// `threshold` is the parameter `binarize` that it was fitted with, 0 unless changed: linfa's probabilities leave
    /// rows as they are, its predictions and these do not.
    pub fn bernoulli(model: BernoulliNb<F, L>, threshold: Option<F>, features: Vec<Feature>) -> Self {
        NaiveBayes::new(model, threshold, features)
    }
}

impl<B, F, L> NaiveBayes<B, F, L>
where
    B: for<'a> linfa_bayes::NaiveBayes<'a, F, L>,
    F: Cell,
    L: Label,
{
    fn new(model: B, threshold: Option<F>, features: Vec<Feature>) -> Self {
        // Without rows the likelihoods tell at least the classes.
        let none = nd16::Array2::zeros((0, features.len()));
        let mut classes: Vec<L> = model.joint_log_likelihood(none.view()).into_keys().cloned().collect();
        classes.sort();
        let outputs = classes.iter().map(|class| Output::new(name_of(class), Scale::Probability)).collect();
        NaiveBayes { model, threshold, classes, features, outputs }
    }

    fn probabilities(&self, rows: nd16::ArrayView2<'_, F>) -> Array2<f64> {
        let mut scores = Array2::zeros((rows.nrows(), self.classes.len()));
        let likelihoods = self.model.joint_log_likelihood(rows);
        for (class, mut column) in self.classes.iter().zip(scores.columns_mut()) {
            if let Some(likelihood) = likelihoods.get(class) {
                column.iter_mut().zip(likelihood).for_each(|(score, value)| *score = value.wide());
            }
        }
        for row in scores.as_slice_mut().unwrap_or_default().chunks_exact_mut(self.classes.len().max(1)) {
            Link::Softmax.apply(row);
        }
        scores
    }
}

impl<B, F, L> Model for NaiveBayes<B, F, L>
where
    B: for<'a> linfa_bayes::NaiveBayes<'a, F, L> + Send + Sync,
    F: Cell,
    L: Label + Send + Sync,
{
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.classes.len()
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.features.len()], &[batch.ncols()])?;
        F::show(batch, |rows| match self.threshold {
            None => self.probabilities(rows),
            Some(threshold) => {
                let binary = rows.map(|&cell| if cell > threshold { F::one() } else { F::zero() });
                self.probabilities(binary.view())
            }
        })
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}
