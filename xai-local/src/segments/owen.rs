//! Owen values of the regions of each sample.

use ndarray::{Array2, Axis};
use xai_core::{Attribution, Cells, Explainer, Model, Provenance, Result, Run};

use super::shap::one_by_one;
use super::{Segmentation, Segmenter};
use crate::masker::{Fill, Regions};
use crate::shapley::{Adaptive, Masked, OwenShap, PartitionTree, Stop};

/// Owen values of regions, where regions that lie near each other belong together, shared out evenly among the cells of
/// each region.
///
/// The regions of every sample are halved by the places of their centres, again and again
/// ([`PartitionTree::by_place`]): coalitions are whole corners of the image and what is next to them, not a scatter of
/// patches that no photograph ever shows.
///
/// # Units
/// Those of the scores: `base` + Σ over cells of `values` = `scores`. The value of a region is the sum of its cells'.
///
/// # Cost
/// One evaluation a coalition: 20 for each region and 2048 when `n_coalitions` is `None`.
///
/// # Errors
/// Those of the segmenter, of the fill and of [`OwenShap`].
///
/// # Laws
/// `segments_that_are_near_belong_together`.
///
/// # Source
/// Owen 1977; Winter 1989. *differs:* parts are halves by place, as those of `shap`'s image masker are.
#[derive(Debug, Clone)]
pub struct SegmentOwen<S> {
    /// What a region is.
    pub segmenter: S,
    /// What an absent region looks like.
    pub fill: Fill,
    /// How many coalitions are evaluated for each sample.
    pub n_coalitions: Option<usize>,
    /// When fewer coalitions are enough.
    pub stop: Option<Stop>,
}

impl<M, S> Explainer<M> for SegmentOwen<S>
where
    M: Model<Batch: Cells> + ?Sized,
    S: Segmenter,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let provenance = Provenance::new("segment-owen-shap", run)
            .with("segmenter", self.segmenter.describe())
            .with("fill", self.fill.describe())
            .note("a region's value is shared out evenly among its cells");
        one_by_one(model, batch, run, &self.segmenter, provenance, |one, segmentation, run| {
            let tree = PartitionTree::by_place(&centres(&segmentation))?;
            let estimator = OwenShap { tree, n_coalitions: self.n_coalitions };
            let masker = Regions::new(segmentation, self.fill.clone());
            match self.stop {
                None => Masked { estimator, masker }.explain(model, one, run),
                Some(stop) => Masked { estimator: Adaptive { estimator, stop }, masker }.explain(model, one, run),
            }
        })
    }
}

/// The mean place of each region: (region, axis).
fn centres(segmentation: &Segmentation) -> Array2<f64> {
    let labels = segmentation.labels();
    let mut centres = Array2::zeros((segmentation.n_regions(), labels.ndim()));
    for (place, &region) in labels.indexed_iter() {
        for axis in 0..labels.ndim() {
            centres[[region, axis]] += place[axis] as f64;
        }
    }
    for (mut centre, size) in centres.axis_iter_mut(Axis(0)).zip(segmentation.sizes()) {
        centre.mapv_inplace(|sum: f64| sum / size as f64);
    }
    centres
}
