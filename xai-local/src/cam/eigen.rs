//! What the channels have most in common.

use ndarray::{Array1, Array2, ArrayRef2};
use xai_core::{Error, Result};

use super::{Weighting, weighted};

/// Eigen-CAM: the activations projected on their first right singular vector. The slopes, and so the outputs, play no part:
/// it shows what the layer sees, whatever it means for the score.
///
/// The direction's sign, which the decomposition leaves open, is the one that makes the map's sum positive.
///
/// # Source
/// Muhammad & Yeasin, *Eigen-CAM: class activation map using principal components*, 2020, without centring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EigenCam;

/// The cube of this is the cost.
const MOST: usize = 1024;
/// A direction whose square of singular value is smaller by one part in a million loses by e^(-1000).
const SQUARINGS: usize = 30;

impl Weighting for EigenCam {
    fn name(&self) -> &'static str {
        "eigen-cam"
    }

    fn map(&self, activations: &ArrayRef2<f64>, _slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
        let (channels, places) = activations.dim();
        if channels.min(places) > MOST {
            let (what, found) = ("places and channels of the layer, the fewer".into(), channels.min(places) as u64);
            return Err(Error::TooLarge { what, limit: MOST as u64, found });
        }
        let map = if places <= channels {
            // The map is the first eigenvector of AᵀA, times its singular value.
            let direction = leading(activations.t().dot(activations));
            let size = activations.dot(&direction);
            direction * size.dot(&size).sqrt()
        } else {
            weighted(leading(activations.dot(&activations.t())).into_iter(), activations)
        };
        Ok(if map.sum() < 0.0 { -map } else { map })
    }
}

/// The eigenvector of the greatest eigenvalue of a symmetric matrix without negative ones: squared often enough, the matrix
/// holds nothing else.
fn leading(mut matrix: Array2<f64>) -> Array1<f64> {
    for _ in 0..SQUARINGS {
        let size = matrix.fold(0.0, |most: f64, x| most.max(x.abs()));
        if size == 0.0 {
            return Array1::zeros(matrix.nrows());
        }
        matrix /= size;
        matrix = matrix.dot(&matrix);
    }
    let norm = |column: &ndarray::ArrayView1<f64>| column.dot(column).sqrt();
    let longest = matrix.columns().into_iter().max_by(|a, b| norm(a).total_cmp(&norm(b)));
    match longest {
        Some(column) if norm(&column) > 0.0 => &column / norm(&column),
        _ => Array1::zeros(matrix.nrows()),
    }
}
