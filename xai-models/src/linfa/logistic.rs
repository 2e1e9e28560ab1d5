//! Logistic regression of two and of more classes, in `f64`: linfa's bound on its numbers cannot be named outside it.

use std::fmt::Debug;

use linfa_logistic::{FittedLogisticRegression, MultiFittedLogisticRegression};
use ndarray::{Array1, array};
use xai_core::{Output, Result, Scale};

use super::border::{column, matrix};
use super::name_of;
use crate::linear::Linear;

/// A logistic regression of two classes; its one output is the positive class, the larger of the two labels.
///
/// # Units
/// Log-odds; [`Linked`](crate::adaptor::Linked) makes probabilities of them.
///
/// # Errors
/// [`Error::NonFinite`](xai_core::Error::NonFinite) for a model whose parameters are not finite.
///
/// # Laws
/// `logistic_models_score_like_linfa`.
pub fn logistic_regression<C: PartialOrd + Clone + Debug>(model: &FittedLogisticRegression<f64, C>) -> Result<Linear> {
    let output = Output::new(name_of(&model.labels().pos.class), Scale::LogOdds);
    Linear::new(column(model.params())?, array![model.intercept()])?.named(Vec::new(), vec![output])
}

/// A logistic regression of several classes, one output each.
///
/// # Units
/// Margins, which softmax makes probabilities of.
///
/// # Errors
/// As [`logistic_regression`].
///
/// # Laws
/// `logistic_models_score_like_linfa`.
pub fn multinomial_logistic_regression<C: PartialOrd + Clone + Debug>(
    model: &MultiFittedLogisticRegression<f64, C>,
) -> Result<Linear> {
    let intercept: Array1<f64> = model.intercept().iter().copied().collect();
    let outputs = model.classes().iter().map(|class| Output::new(name_of(class), Scale::Margin)).collect();
    Linear::new(matrix(model.params())?, intercept)?.named(Vec::new(), outputs)
}
