//! What a score loses when a part of a sample goes: methods that ask the model and share no game.
//!
//! | method | what goes | model calls for each sample |
//! |---|---|---|
//! | [`Occlusion`] | a window that slides over the array | windows + 1 |
//! | [`FeatureAblation`] | every region, one after the other | regions + 1 |
//! | [`Rise`] | many random parts at once | masks + 1 |

mod ablation;
mod occlusion;
mod rise;

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, ArrayViewMutD, Axis};
use xai_core::{Batch, Cells, Error, Meter, Model, Result};

pub use ablation::FeatureAblation;
pub use occlusion::Occlusion;
pub use rise::Rise;

/// Cells of perturbed samples that are held at once: 64 MiB of f32.
const MOST_CELLS: usize = 1 << 24;
/// Samples that one call of the model scores at most.
const SAMPLES_PER_CALL: usize = 4096;

/// The scores (sample · copy, output) of `copies` perturbed copies of each sample, which `perturb` makes in place, given
/// the sample and the number of the copy.
fn scores_of_copies<M: Model<Batch: Cells> + ?Sized>(
    model: &M,
    batch: &M::Batch,
    copies: usize,
    meter: &Meter,
    perturb: impl Fn(usize, usize, ArrayViewMutD<<M::Batch as Cells>::Cell>),
) -> Result<Array2<f64>> {
    let (samples, shape) = (batch.n_samples(), batch.sample_shape());
    let cells: usize = shape.iter().product();
    let rows = samples.checked_mul(copies).filter(|rows| rows.checked_mul(model.n_outputs().max(1)).is_some());
    let Some(rows) = rows else {
        let found = (samples as u64).saturating_mul(copies as u64);
        return Err(Error::TooLarge { what: "perturbed copies".into(), limit: u64::from(u32::MAX), found });
    };
    let step = (MOST_CELLS / cells.max(1)).clamp(1, SAMPLES_PER_CALL);
    let mut scores = Array2::zeros((rows, model.n_outputs()));
    let originals = batch.cells();
    for start in (0..rows).step_by(step) {
        let end = (start + step).min(rows);
        let mut axes = vec![end - start];
        axes.extend(&shape);
        let mut perturbed = ArrayD::from_elem(axes, <M::Batch as Cells>::Cell::default());
        for (row, mut copy) in (start..end).zip(perturbed.outer_iter_mut()) {
            copy.assign(&originals.index_axis(Axis(0), row / copies));
            perturb(row / copies, row % copies, copy);
        }
        let perturbed = M::Batch::of_cells(perturbed)?;
        let found = meter.predict(model, perturbed.borrow()).map_err(|error| match error {
            Error::NonFinite { what, sample, column, value } => {
                let what = format!("{what}, on perturbed copies");
                Error::NonFinite { what, sample: (start + sample) / copies, column, value }
            }
            other => other,
        })?;
        scores.slice_axis_mut(Axis(0), (start..end).into()).assign(&found);
    }
    Ok(scores)
}

/// The evaluations of `copies` copies of each sample and of the samples themselves.
fn planned(samples: usize, copies: usize) -> u64 {
    (samples as u64).saturating_mul((copies as u64).saturating_add(1))
}
