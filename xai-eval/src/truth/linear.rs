//! The right attribution of a linear model.

use ndarray::{Array2, Array3, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, LinearStructured, Provenance, Result, Run, Table};

/// What every feature adds between the mean of the background and the sample: slope · (x − mean). It is the Shapley value
/// whatever the features' correlations, where absence means values drawn from the background.
///
/// # Units
/// base + Σ over features = score.
///
/// # Errors
/// [`Error::Shape`] for tables of another width; [`Error::Parameter`] for an empty background.
///
/// # Laws
/// `linear_truths_sum_to_the_score`.
///
/// # Source
/// Lundberg, Lee 2017, corollary 1.
pub fn linear_shares<M>(model: &M, batch: &Table, background: &Table) -> Result<Attribution>
where
    M: LinearStructured + ?Sized,
{
    let slopes = model.coefficients();
    same_shape("columns of the background", &[slopes.nrows()], &[background.ncols()])?;
    same_shape("columns of the batch", &[slopes.nrows()], &[batch.ncols()])?;
    let Some(mean) = background.mean_axis(Axis(0)) else {
        return Err(Error::parameter("background", "no rows", "at least 1 row"));
    };
    let scores = model.predict(batch)?;
    let base = slopes.t().dot(&mean) + model.intercept();
    let base = Array2::from_shape_fn(scores.dim(), |(_, output)| base[output]);
    let values = Array3::from_shape_fn((batch.nrows(), slopes.nrows(), slopes.ncols()), |(sample, feature, output)| {
        slopes[[feature, output]] * (batch[[sample, feature]] - mean[feature])
    });
    Attribution::of_table(model, batch, values, base, scores, Provenance::new("truth", &Run::default()))
}

/// The slopes themselves, the same for every sample: what OpenXAI takes for the truth. They rank features rightly only
/// where all have the same spread.
///
/// # Units
/// Score for each unit of the feature: they sum to nothing.
///
/// # Errors
/// [`Error::Shape`] for a batch of another width.
///
/// # Source
/// Agarwal et al. 2022, "OpenXAI: towards a transparent evaluation of model explanations", section 2.3.
pub fn linear_slopes<M>(model: &M, batch: &Table) -> Result<Attribution>
where
    M: LinearStructured + ?Sized,
{
    let slopes = model.coefficients();
    same_shape("columns of the batch", &[slopes.nrows()], &[batch.ncols()])?;
    let scores = model.predict(batch)?;
    let base = Array2::from_shape_fn(scores.dim(), |(_, output)| model.intercept()[output]);
    let values = Array3::from_shape_fn((batch.nrows(), slopes.nrows(), slopes.ncols()), |(_, feature, output)| {
        slopes[[feature, output]]
    });
    let provenance = Provenance::new("slopes", &Run::default()).note("slopes, which do not sum to the score");
    Attribution::of_table(model, batch, values, base, scores, provenance)
}
