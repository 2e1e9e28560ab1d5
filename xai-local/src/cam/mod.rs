//! Class activation maps: where in the input a layer with channels finds what speaks for an output.
//!
//! | weighting | map, for activations A and slopes G (channel c, place p) | source |
//! |---|---|---|
//! | [`HiResCam`], our first choice | Σ_c G·A | Draelos & Carin 2020 |
//! | [`GradCam`] | Σ_c mean_p(G)·A | Selvaraju et al. 2017 |
//! | [`GradCamPlusPlus`] | Σ_c Σ_p(α·max(G, 0))·A | Chattopadhay et al. 2018 |
//! | [`XGradCam`] | Σ_c Σ_p(G·A)/Σ_p(A)·A | Fu et al. 2020 |
//! | [`LayerCam`] | Σ_c max(G, 0)·A | Jiang et al. 2021 |
//! | [`EigenCam`] | A projected on its first principal direction; the outputs play no part | Muhammad & Yeasin 2020 |
//! | [`FinerCam`] | any of these for the difference to similar outputs | Zhang et al. 2025 |
//!
//! Each is the `weighting` of a [`Cam`]. [`ScoreCam`] asks the model without gradients instead, and [`GuidedCam`] gives a map
//! the resolution of a method that works on cells. A weighting of your own implements [`Weighting`].

mod eigen;
mod explain;
mod finer;
mod grad;
mod grad_plus_plus;
mod guided;
mod hi_res;
mod layer;
mod score;
mod upsample;
mod x_grad;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use xai_core::{Provenance, Result};

pub use eigen::EigenCam;
pub use explain::Cam;
pub use finer::FinerCam;
pub use grad::GradCam;
pub use grad_plus_plus::GradCamPlusPlus;
pub use guided::GuidedCam;
pub use hi_res::HiResCam;
pub use layer::LayerCam;
pub use score::ScoreCam;
pub use upsample::upsample;
pub use x_grad::XGradCam;

/// How activations and slopes become a map.
///
/// # Example
/// ```
/// use ndarray::{Array1, ArrayRef2, Axis, array};
/// use xai_core::Result;
/// use xai_local::cam::Weighting;
/// /// The sum of the channels.
/// struct Sum;
/// impl Weighting for Sum {
///     fn name(&self) -> &'static str { "sum-cam" }
///     fn map(&self, activations: &ArrayRef2<f64>, _slopes: &ArrayRef2<f64>) -> Result<Array1<f64>> {
///         Ok(activations.sum_axis(Axis(0)))
///     }
/// }
/// assert_eq!(Sum.map(&array![[1.0, 2.0], [3.0, 4.0]], &array![[0.0, 0.0], [0.0, 0.0]])?, array![4.0, 6.0]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub trait Weighting: Send + Sync {
    /// The method's name in kebab case.
    fn name(&self) -> &'static str;

    /// Adds parameters to the account of a run.
    fn parameters(&self, provenance: Provenance) -> Provenance {
        provenance
    }

    /// The map of one sample and output: (place).
    ///
    /// # Shapes
    /// `activations` and `slopes`, the gradient of the output by them: (channel, place).
    ///
    /// # Errors
    /// Whatever makes the map impossible.
    fn map(&self, activations: &ArrayRef2<f64>, slopes: &ArrayRef2<f64>) -> Result<Array1<f64>>;

    /// For one sample, what is differentiated for each output: (output, weights of the scores). `None` for the score itself.
    fn contrasts(&self, scores: &ArrayRef1<f64>) -> Option<Array2<f64>> {
        let _ = scores;
        None
    }
}

/// Σ over channels of weight·activation: (place).
fn weighted(weights: impl Iterator<Item = f64>, activations: &ArrayRef2<f64>) -> Array1<f64> {
    let mut map = Array1::zeros(activations.ncols());
    weights.zip(activations.outer_iter()).for_each(|(weight, channel)| map.scaled_add(weight, &channel));
    map
}
