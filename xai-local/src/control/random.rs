//! Noise.

use ndarray::{Array2, Array3, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cells, Explainer, Meter, Model, Provenance, Result, Run};

use crate::gradient::passes::{bounded, of_inputs};
use crate::lime::normal;

/// Independent standard normal numbers, whatever the model and the input.
///
/// # Units
/// None. Values do not sum to the score; `base` is 0.
///
/// # Cost
/// One evaluation a sample, for its score.
///
/// # Errors
/// Those of the model; [`Error::TooLarge`](xai_core::Error::TooLarge) for more than 2²⁸ values.
///
/// # Laws
/// `noise_is_noise`, `batches_change_no_bit`.
///
/// # Source
/// Clark, Wilming & Haufe, *XAI-TRIS: non-linear image benchmarks to test false positive post-hoc attribution*, 2023.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomAttribution;

impl<M> Explainer<M> for RandomAttribution
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let cells = batch.sample_shape().iter().product();
        bounded(xai_core::Batch::n_samples(batch), cells, model.n_outputs())?;
        let meter = Meter::new(run, xai_core::Batch::n_samples(batch) as u64);
        let scores = meter.predict(model, batch)?;
        let mut values = Array3::zeros((scores.nrows(), cells, scores.ncols()));
        for (sample, mut values) in values.axis_iter_mut(Axis(0)).enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(run.seed_of(sample));
            values.mapv_inplace(|_| normal(&mut rng));
        }
        let provenance = Provenance::new("random", run)
            .note("a control: random numbers that know nothing of the model")
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}
