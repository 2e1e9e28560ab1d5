//! Methods that ask how fast the scores change: gradients of the input, of layers, and along paths.
//!
//! | method | what a value is | values sum to | gradients for each sample and output |
//! |---|---|---|---|
//! | [`Saliency`] | the slope | nothing | 1 |
//! | [`InputTimesGradient`] | cell × slope | nothing | 1 |
//! | [`IntegratedGradients`] | (cell − baseline) × mean slope on the way | score − base | 32 and more |
//! | [`ExpectedGradients`] | the same, over random ways from a background | score − base, on average | 200 |
//! | [`GuidedIntegratedGradients`] | the same, on a way around steep slopes | score − base | 200 |
//! | [`BlurIntegratedGradients`] | change × slope while a blurred image becomes sharp | score − base | 101 |
//! | [`SmoothGrad`] | that of any method, over noisy copies | | 50 × that of the method |
//!
//! [`layer`] has the same for the inside of a model. All work on tables, series and images alike, and explain every output in one pass.

mod adaptive;
pub(crate) mod baselines;
mod blur;
mod expected;
mod guided;
mod input_times_gradient;
mod integrated;
pub mod layer;
pub(crate) mod passes;
mod path;
pub(crate) mod saliency;
mod smooth;

use std::borrow::Borrow;

use ndarray::{Array2, Axis, Slice};
use xai_core::{Cells, Meter, Model, Result};

pub use baselines::Baselines;
pub use blur::BlurIntegratedGradients;
pub use expected::ExpectedGradients;
pub use guided::GuidedIntegratedGradients;
pub use input_times_gradient::InputTimesGradient;
pub use integrated::IntegratedGradients;
pub use path::Quadrature;
pub use saliency::Saliency;
pub use smooth::{Noise, SmoothGrad, Statistic};

use passes::{CellOf, batch_of, parts, rows_per_call};

/// The scores of samples as rows, a portion at a time: (row, output).
pub(crate) fn scores_of_rows<M>(
    meter: &Meter,
    model: &M,
    rows: &Array2<CellOf<M>>,
    shape: &[usize],
) -> Result<Array2<f64>>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let mut scores = Array2::zeros((rows.nrows(), model.n_outputs()));
    for portion in parts(rows.nrows(), rows_per_call(rows.ncols())) {
        let here = rows.slice_axis(Axis(0), Slice::from(portion.clone())).to_owned();
        let found = meter.predict(model, batch_of::<M::Batch>(here, shape)?.borrow())?;
        scores.slice_axis_mut(Axis(0), Slice::from(portion)).assign(&found);
    }
    Ok(scores)
}
