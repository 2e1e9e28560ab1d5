//! What training makes small.

use ::burn::tensor::Tensor;
use ::burn::tensor::activation::{log_softmax, softplus};
use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

/// A mean over samples that training makes small. The scores that it takes are those of the network's last layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// −Σₖ targetₖ·ln softmax(score)ₖ: one output of several is right. The network ends without softmax.
    #[default]
    CrossEntropy,
    /// Σₖ ln(1 + exp scoreₖ) − targetₖ·scoreₖ, divided by the number of outputs: each is right or not by itself. The
    /// network ends without sigmoid.
    BinaryCrossEntropy,
    /// The mean over outputs of (score − target)².
    MeanSquare,
}

impl Loss {
    /// The loss of scores (sample, output) for targets of the same shape.
    pub(super) fn of(self, scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let n = scores.dims()[0] as f64;
        match self {
            Loss::CrossEntropy => (log_softmax(scores, 1) * targets).sum() / -n,
            Loss::BinaryCrossEntropy => (softplus(scores.clone(), 1.0) - scores * targets).mean(),
            Loss::MeanSquare => (scores - targets).square().mean(),
        }
    }

    /// How many samples (cross-entropy) or outputs are right; `None` where there is no right and wrong.
    pub(super) fn right(self, scores: &[f32], targets: &[f32], n_outputs: usize) -> Option<f64> {
        let rows = scores.chunks(n_outputs).zip(targets.chunks(n_outputs));
        match self {
            Loss::CrossEntropy => Some(rows.filter(|(s, t)| greatest(s) == greatest(t)).count() as f64),
            Loss::BinaryCrossEntropy => {
                let right = scores.iter().zip(targets).filter(|(s, t)| (**s > 0.0) == (**t > 0.5)).count();
                Some(right as f64 / n_outputs as f64)
            }
            Loss::MeanSquare => None,
        }
    }
}

fn greatest(row: &[f32]) -> usize {
    let better = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
    (0..row.len()).fold(0, better)
}

/// Targets (sample, output) that are 1 at each sample's output and 0 elsewhere.
///
/// # Errors
/// [`Error::Parameter`] for an output that is not there.
///
/// # Example
/// ```
/// let targets = xai_models::train::one_hot(&[2, 0], 3)?;
/// assert_eq!(targets, ndarray::array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn one_hot(outputs: &[usize], n_outputs: usize) -> Result<Array2<f64>> {
    let mut targets = Array2::zeros((outputs.len(), n_outputs));
    for (sample, &output) in outputs.iter().enumerate() {
        match targets.get_mut((sample, output)) {
            Some(cell) => *cell = 1.0,
            None => return Err(Error::parameter("output", output, format!("less than {n_outputs}"))),
        }
    }
    Ok(targets)
}

/// Whether targets are finite and such as the loss takes.
pub(super) fn check(loss: Loss, targets: &ArrayRef2<f64>) -> Result<()> {
    xai_core::error::all_finite("targets", targets)?;
    if loss == Loss::MeanSquare {
        return Ok(());
    }
    match targets.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        Some(target) => Err(Error::parameter("targets", target, "0 to 1 for a cross-entropy")),
        None => Ok(()),
    }
}
