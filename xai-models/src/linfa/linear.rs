//! Linear and elastic-net regression.

use linfa_elasticnet::{ElasticNet, MultiTaskElasticNet};
use linfa_linear::FittedLinearRegression;
use ndarray::{Array1, array};
use xai_core::Result;

use super::Cell;
use super::border::{column, matrix};
use crate::linear::Linear;

/// A linear regression.
///
/// linfa ignores the weights of samples when it fits one; what is explained here is what was fitted.
///
/// # Errors
/// [`Error::NonFinite`](xai_core::Error::NonFinite) for a model whose parameters are not finite.
///
/// # Laws
/// `linear_models_score_like_linfa`.
pub fn linear_regression<F: Cell>(model: &FittedLinearRegression<F>) -> Result<Linear> {
    Linear::new(column(model.params())?, array![model.intercept().wide()])
}

/// A linear regression with an elastic net.
///
/// # Errors
/// As [`linear_regression`].
///
/// # Laws
/// `linear_models_score_like_linfa`.
pub fn elastic_net<F: Cell>(model: &ElasticNet<F>) -> Result<Linear> {
    Linear::new(column(model.hyperplane())?, array![model.intercept().wide()])
}

/// A linear regression of several targets with an elastic net.
///
/// # Errors
/// As [`linear_regression`].
///
/// # Laws
/// `linear_models_score_like_linfa`.
pub fn multi_task_elastic_net<F: Cell>(model: &MultiTaskElasticNet<F>) -> Result<Linear> {
    let intercept: Array1<f64> = model.intercept().iter().map(|cell| cell.wide()).collect();
    Linear::new(matrix(model.hyperplane())?, intercept)
}
