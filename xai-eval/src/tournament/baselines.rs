//! Methods that know nothing of the model.

use ndarray::Array3;
use xai_core::{Attribution, Batch, Cells, Error, Explainer, Feature, Meter, Model, Provenance, Result, Run};

use crate::draws::Draws;

/// Shares from the standard normal distribution: what a metric gives to noise.
///
/// # Units
/// None. `base` is 0.
///
/// # Cost
/// One evaluation a sample, for the scores.
///
/// # Errors
/// Those of the model; [`Error::TooLarge`] for more than 2²⁸ shares, here as for the other methods that know nothing.
///
/// # Laws
/// `noise_is_noise`.
///
/// # Source
/// Clark, Wilming, Haufe 2023, "XAI-TRIS: non-linear image benchmarks to test false positive post-hoc attribution".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RandomShares;

/// The same share for every feature.
///
/// # Units
/// Those of the scores, to which they sum. `base` is 0.
///
/// # Cost
/// One evaluation a sample, for the scores.
///
/// # Source
/// None: ignorance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EqualShares;

/// The absolute value of every cell of the input: what a metric gives to a method that looks at the sample but never at
/// the model.
///
/// # Units
/// Those of the input. `base` is 0.
///
/// # Cost
/// One evaluation a sample, for the scores.
///
/// # Source
/// Adebayo et al. 2018, "Sanity checks for saliency maps": methods that act as edge detectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputSize;

/// The most shares: 2 GiB.
const MOST_SHARES: u64 = 1 << 28;

/// Shares for every sample, cell and output, given the score.
fn made<M: Model<Batch: Cells> + ?Sized>(
    name: &str,
    model: &M,
    batch: &M::Batch,
    run: &Run,
    share: impl Fn(usize, usize, usize, f64) -> f64,
) -> Result<Attribution> {
    let shape = batch.sample_shape();
    let cells: usize = shape.iter().product();
    let shares = [batch.n_samples(), cells, model.n_outputs()].iter().fold(1u64, |n, &m| n.saturating_mul(m as u64));
    if shares > MOST_SHARES {
        let what = "shares (sample, cell, output)".into();
        return Err(Error::TooLarge { what, limit: MOST_SHARES, found: shares });
    }
    let meter = Meter::planned(run, batch.n_samples() as u64)?;
    let scores = meter.predict(model, batch)?;
    let values = Array3::from_shape_fn((batch.n_samples(), cells, model.n_outputs()), |(i, j, k)| {
        share(i, j, k, scores[[i, k]])
    });
    let base = ndarray::Array2::zeros(scores.dim());
    let provenance = Provenance::new(name, run).evaluations(meter.evaluations()).note("knows nothing of the model");
    let found = Attribution::of_cells(model, &shape, values, base, scores, provenance)?;
    if shape.len() == 1 {
        // The columns of a table have names of their own.
        let features =
            if model.features().len() == cells { model.features().to_vec() } else { Feature::unnamed(cells) };
        return Attribution { features, shape: None, ..found }.checked();
    }
    Ok(found)
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for RandomShares {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let n = model.n_outputs();
        made("random", model, batch, run, |i, j, k, _| Draws::nth(run.seed_of(i), j * n + k).normal())
    }
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for EqualShares {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let cells: usize = batch.sample_shape().iter().product();
        made("equal", model, batch, run, |_, _, _, score| score / cells.max(1) as f64)
    }
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for InputSize {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let cells: usize = batch.sample_shape().iter().product();
        let size_of = |v: &<M::Batch as Cells>::Cell| -> f64 { (*v).into() };
        let sizes: Vec<f64> = batch.cells().iter().map(|v| size_of(v).abs()).collect();
        // A missing cell has no size.
        let size = |v: f64| if v.is_finite() { v } else { 0.0 };
        made("input-size", model, batch, run, |i, j, _, _| size(sizes[i * cells + j]))
    }
}
