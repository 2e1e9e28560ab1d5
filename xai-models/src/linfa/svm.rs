//! Support vector machines, seen from outside.

use linfa::dataset::Pr;
use linfa::traits::PredictInplace;
use ndarray::Array2;
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Feature, Model, Output, Result, Scale, Table};

use super::Cell;

/// What an SVM was fitted to predict: `bool` (the score is the decision value, positive for `true`), [`Pr`] (the
/// probability of `true`, in `f32` as linfa gives it) or a number.
pub trait Target<F: Cell>: Sized + Send + Sync {
    /// The unit of the score.
    const SCALE: Scale;

    /// The scores of all rows.
    fn scores(model: &linfa_svm::Svm<F, Self>, rows: nd16::ArrayView2<'_, F>) -> Vec<f64>;
}

/// A fitted SVM; it holds its support vectors to itself, so it is a black box.
///
/// # Errors
/// [`Model::predict`]: [`Error::Shape`](xai_core::Error::Shape) for a table of another width than there are names.
///
/// # Laws
/// `support_vector_machines_score_like_linfa`.
#[derive(Debug, Clone)]
pub struct Svm<F: Cell, T> {
    model: linfa_svm::Svm<F, T>,
    features: Vec<Feature>,
    outputs: [Output; 1],
}

impl<F: Cell, T: Target<F>> Svm<F, T> {
    /// A model of `model`, whose columns are `features`. linfa does not say how many it was fitted with: as many they
    /// must be. `output` names the score.
    pub fn new(model: linfa_svm::Svm<F, T>, features: Vec<Feature>, output: impl Into<String>) -> Self {
        Svm { model, features, outputs: [Output::new(output, T::SCALE)] }
    }
}

impl<F: Cell, T: Target<F>> Model for Svm<F, T> {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.features.len()], &[batch.ncols()])?;
        let scores = F::show(batch, |rows| T::scores(&self.model, rows))?;
        Array2::from_shape_vec((batch.nrows(), 1), scores).map_err(xai_core::Error::model)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<F: Cell> Target<F> for bool {
    const SCALE: Scale = Scale::Margin;

    fn scores(model: &linfa_svm::Svm<F, Self>, rows: nd16::ArrayView2<'_, F>) -> Vec<f64> {
        decisions(model, rows)
    }
}

impl<F: Cell> Target<F> for Pr {
    const SCALE: Scale = Scale::Probability;

    fn scores(model: &linfa_svm::Svm<F, Self>, rows: nd16::ArrayView2<'_, F>) -> Vec<f64> {
        let mut scores = nd16::Array1::default(rows.nrows());
        model.predict_inplace(&rows, &mut scores);
        scores.into_iter().map(|score: Pr| f64::from(*score)).collect()
    }
}

impl Target<f64> for f64 {
    const SCALE: Scale = Scale::Natural;

    fn scores(model: &linfa_svm::Svm<f64, Self>, rows: nd16::ArrayView2<'_, f64>) -> Vec<f64> {
        decisions(model, rows)
    }
}

impl Target<f32> for f32 {
    const SCALE: Scale = Scale::Natural;

    fn scores(model: &linfa_svm::Svm<f32, Self>, rows: nd16::ArrayView2<'_, f32>) -> Vec<f64> {
        decisions(model, rows)
    }
}

/// The weighted sums of kernels less the offset, which is what linfa's predictions begin with.
fn decisions<F: Cell, T: Send + Sync>(model: &linfa_svm::Svm<F, T>, rows: nd16::ArrayView2<'_, F>) -> Vec<f64> {
    (0..rows.nrows()).into_par_iter().map(|row| (model.weighted_sum(&rows.row(row)) - model.rho).wide()).collect()
}
