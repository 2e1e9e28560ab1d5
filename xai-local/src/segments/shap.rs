//! Shapley values of the regions of each sample.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, Axis};
use xai_core::{Attribution, Batch, Cells, Error, Explainer, Model, Provenance, Result, Run};

use super::{Segmentation, Segmenter};
use crate::masker::{Fill, Regions};
use crate::shapley::{Estimator, Masked};

/// Shapley values of regions, shared out evenly among the cells of each region: any estimator of the
/// [Shapley family](crate::shapley) over superpixels of images, pieces of series, patches.
///
/// Every sample is cut by itself, so two samples may have different regions; the result is a value for each cell.
///
/// # Units
/// Those of the scores: `base` + Σ over cells of `values` = `scores`. The value of a region is the sum of its cells'.
///
/// # Cost
/// That of the estimator, one evaluation a coalition.
///
/// # Errors
/// Those of the segmenter, of the fill and of the estimator.
///
/// # Laws
/// `segments_share_out_what_their_region_is_worth`, `segments_are_cut_sample_by_sample`.
///
/// # Source
/// Lundberg & Lee 2017, section 5 (superpixels as features).
///
/// # Example
/// ```
/// use ndarray::{Array, Array2, ArrayRef4, Axis};
/// use xai_core::{Explainer, Model, Result, Run};
/// use xai_local::{masker::Fill, segments::{Patches, SegmentShap}, shapley::ExactShap};
/// struct Sum;
/// impl Model for Sum {
///     type Batch = ArrayRef4<f32>;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
///         Ok(batch.outer_iter().map(|image| f64::from(image.sum())).collect::<ndarray::Array1<f64>>().insert_axis(Axis(1)))
///     }
/// }
/// let image = Array::from_shape_vec((1, 1, 2, 2), vec![1.0f32, 2.0, 3.0, 4.0]).unwrap();
/// let explainer = SegmentShap { estimator: ExactShap, segmenter: Patches(vec![1, 2]), fill: Fill::default() };
/// let shares = explainer.explain(&Sum, &*image, &Run::default())?;
/// assert_eq!(shares.values[[0, 0, 0]], 1.5); // half of the upper row's 3
/// assert_eq!(shares.shape, Some(vec![1, 2, 2]));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SegmentShap<E, S> {
    /// How shares are found.
    pub estimator: E,
    /// What a region is.
    pub segmenter: S,
    /// What an absent region looks like.
    pub fill: Fill,
}

impl<M, E, S> Explainer<M> for SegmentShap<E, S>
where
    M: Model<Batch: Cells> + ?Sized,
    E: Estimator + Clone,
    S: Segmenter,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let provenance = Provenance::new(format!("segment-{}", self.estimator.name()), run)
            .with("segmenter", self.segmenter.describe())
            .with("fill", self.fill.describe())
            .note("a region's value is shared out evenly among its cells");
        one_by_one(model, batch, run, &self.segmenter, provenance, |one, segmentation, run| {
            let masker = Regions::new(segmentation, self.fill.clone());
            Masked { estimator: self.estimator.clone(), masker }.explain(model, one, run)
        })
    }
}

/// Explains every sample over its own regions, and shares their values out among their cells.
pub(super) fn one_by_one<M: Model<Batch: Cells> + ?Sized>(
    model: &M,
    batch: &M::Batch,
    run: &Run,
    segmenter: &dyn Segmenter,
    mut provenance: Provenance,
    explain: impl Fn(&M::Batch, Segmentation, &Run) -> Result<Attribution>,
) -> Result<Attribution> {
    let (samples, shape) = (batch.n_samples(), batch.sample_shape());
    let cells = shape.iter().product();
    let mut values = Array3::zeros((samples, cells, model.n_outputs()));
    let mut base = Array2::zeros((samples, model.n_outputs()));
    let (mut scores, mut fidelity) = (base.clone(), base.clone());
    let mut errors = Array3::zeros(values.dim());
    let (mut with_error, mut with_fidelity) = (samples > 0, samples > 0);
    let mut spent = 0;
    for sample in 0..samples {
        let one = batch.samples(sample..sample + 1);
        let one: &M::Batch = one.borrow();
        let wide = one.cells().index_axis(Axis(0), 0).mapv(|v| -> f64 { v.into() });
        let segmentation = segmenter.segment(wide.view()).map_err(|error| of_sample(error, sample))?;
        let regions = segmentation.of_cells(&shape)?;
        let mut sizes = vec![0usize; segmentation.n_regions()];
        regions.iter().for_each(|&region| sizes[region] += 1);
        let first_sample = run.first_sample.wrapping_add(sample as u64);
        let left = run.max_evaluations.map(|budget| budget - spent);
        let own = Run { first_sample, max_evaluations: left, ..*run };
        let found = explain(one, segmentation, &own).map_err(|error| of_sample(error, sample))?;
        spent += found.provenance.evaluations;
        for (cell, &region) in regions.iter().enumerate() {
            let share = |part: f64| part / sizes[region] as f64;
            for output in 0..model.n_outputs() {
                values[[sample, cell, output]] = share(found.values[[0, region, output]]);
                if let Some(error) = &found.standard_error {
                    errors[[sample, cell, output]] = share(error[[0, region, output]]);
                }
            }
        }
        with_error &= found.standard_error.is_some();
        with_fidelity &= found.fidelity.is_some();
        base.row_mut(sample).assign(&found.base.row(0));
        scores.row_mut(sample).assign(&found.scores.row(0));
        if let Some(own) = &found.fidelity {
            fidelity.row_mut(sample).assign(&own.row(0));
        }
        for (name, value) in found.provenance.parameters {
            provenance.parameters.entry(name).or_insert(value);
        }
        for note in found.provenance.notes {
            if !provenance.notes.contains(&note) {
                provenance.notes.push(note);
            }
        }
    }
    let attribution = Attribution::of_cells(model, &shape, values, base, scores, provenance.evaluations(spent))?;
    let standard_error = with_error.then_some(errors);
    Attribution { standard_error, fidelity: with_fidelity.then_some(fidelity), ..attribution }.checked()
}

/// The error of a sample that was explained alone.
fn of_sample(error: Error, sample: usize) -> Error {
    match error {
        Error::NonFinite { what, column, value, .. } => Error::NonFinite { what, sample, column, value },
        other => other,
    }
}
