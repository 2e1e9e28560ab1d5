//! Which output a classifier decides for.

use ndarray::{Array2, ArrayView1};
use xai_core::{Error, Model, Result};

use crate::Case;

/// The output with the largest score, of equal ones the first.
pub(crate) fn winner(scores: ArrayView1<f64>) -> usize {
    let mut best = 0;
    for (k, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = k;
        }
    }
    best
}

/// Refuses models that decide nothing.
///
/// # Errors
/// [`Error::Unsupported`] for fewer than two outputs.
pub(crate) fn decides<M: Model + ?Sized>(metric: &str, model: &M) -> Result<()> {
    match model.n_outputs() {
        0 | 1 => Err(Error::unsupported(
            format!("{metric} of a model with {} outputs", model.n_outputs()),
            "it asks which output has the largest score: explain all outputs of a classifier",
        )),
        _ => Ok(()),
    }
}

/// The output that each sample belongs to: by its label, or else by the model's own decision.
///
/// # Errors
/// [`Error::Shape`] for labels of other samples; [`Error::Parameter`] for one that is no output's index.
pub(crate) fn targets<M: Model + ?Sized>(case: &Case<M>, whole: &Array2<f64>) -> Result<Vec<usize>> {
    if case.labels.is_none() {
        return Ok(whole.outer_iter().map(winner).collect());
    }
    let n = whole.ncols();
    let index = |&label: &f64| match label >= 0.0 && label.fract() == 0.0 && label < n as f64 {
        true => Ok(label as usize),
        false => Err(Error::parameter("labels", label, format!("the index of an output, 0 to {}", n - 1))),
    };
    case.need_labels("targets")?.iter().map(index).collect()
}
