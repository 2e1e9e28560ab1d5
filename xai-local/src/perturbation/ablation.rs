//! Every region removed, one after the other.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, Axis};
use xai_core::{Attribution, Batch, Cells, Explainer, Meter, Model, Provenance, Result, Run};

use super::{planned, scores_of_copies};
use crate::masker::Fill;
use crate::segments::Segmentation;

/// Removes every region of a sample, one after the other, and gives all its cells the fall of the score,
/// f(x) − f(x without the region).
///
/// *Pitfalls.* Evidence that is there twice gets nothing; what works only together is counted for each part in full. The
/// [Shapley family](crate::shapley) shares such things out.
///
/// # Units
/// Those of the scores, in full for every cell of a region; they sum to nothing in particular. `base` is 0.
///
/// # Cost
/// 1 + number of regions evaluations a sample.
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) when the regions are not those of a sample; those of the fill.
///
/// # Laws
/// `ablation_of_a_linear_model_is_its_terms`, `perturbation_counts_its_evaluations`.
///
/// # Source
/// Captum's `FeatureAblation` with a `feature_mask`; Zeiler & Fergus 2014.
///
/// # Example
/// ```
/// use ndarray::{Array2, Axis, array};
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_local::{masker::Fill, perturbation::FeatureAblation, segments::Segmentation};
/// struct Sum;
/// impl Model for Sum {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// }
/// let regions = Segmentation::new(array![0, 0, 1].into_dyn())?;
/// let ablation = FeatureAblation { regions, fill: Fill::default() };
/// let values = ablation.explain(&Sum, &array![[1.0, 2.0, 4.0]], &Run::default())?.values;
/// assert_eq!(values.into_raw_vec_and_offset().0, [3.0, 3.0, 4.0]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureAblation {
    /// What goes at once.
    pub regions: Segmentation,
    /// What takes its place.
    pub fill: Fill,
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for FeatureAblation {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (samples, shape, outputs) = (batch.n_samples(), batch.sample_shape(), model.n_outputs());
        let regions = self.regions.of_cells(&shape)?;
        let n = self.regions.n_regions();
        let meter = Meter::planned(run, planned(samples, n))?;
        let scores = meter.predict(model, batch)?;
        let filled = (0..samples)
            .map(|sample| {
                let one = batch.samples(sample..sample + 1);
                let one: &M::Batch = one.borrow();
                let cells = one.cells().index_axis_move(Axis(0), 0).to_owned();
                self.fill.of(&cells, &regions)
            })
            .collect::<Result<Vec<_>>>()?;
        let without = scores_of_copies(model, batch, n, &meter, |sample, copy, mut cells| {
            for ((cell, fill), &region) in cells.iter_mut().zip(&filled[sample]).zip(&regions) {
                if region == copy {
                    *cell = *fill;
                }
            }
        })?;
        let values = Array3::from_shape_fn((samples, regions.len(), outputs), |(sample, cell, output)| {
            scores[[sample, output]] - without[[sample * n + regions[cell], output]]
        });
        let provenance = Provenance::new("feature-ablation", run)
            .with("regions", n)
            .with("fill", self.fill.describe())
            .evaluations(meter.evaluations())
            .note("values are falls of the score when a region goes; they do not sum to it");
        let base = Array2::zeros(scores.dim());
        Attribution::of_cells(model, &shape, values, base, scores, provenance)
    }
}
