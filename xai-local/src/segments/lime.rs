//! LIME for images: a linear surrogate over regions.

use ndarray::{Array2, Array3, Axis};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai_core::model::output_names;
use xai_core::{Attribution, Cells, Error, Explainer, Feature, Game, MaskedGame, Masker, Meter, Model, Provenance};
use xai_core::{Result, Run};

use super::shap::one_by_one;
use super::{Segmentation, Segmenter};
use crate::lime::{Selection, Surrogate};
use crate::masker::{Fill, Regions};

/// Explains by the coefficients of a linear surrogate over the presence of regions, fitted to the model's scores on
/// samples of which each region is absent by the toss of a coin.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `n_draws` | 1000 | samples that are scored, the whole one included |
/// | `kernel_width` | 0.25 | how fast weight falls with the cosine distance to the whole sample |
/// | `alpha` | 1 | the ridge penalty |
///
/// # Units
/// A region's coefficient, shared out evenly among its cells. `base` is the intercept; the sum is the *surrogate's* score,
/// not the model's: `fidelity`, the weighted R², says how far to trust it.
///
/// # Cost
/// `n_draws` evaluations a sample.
///
/// # Errors
/// Those of the segmenter and of the fill; [`Error::Parameter`].
///
/// # Laws
/// `segment_lime_recovers_additive_models`, `segments_are_cut_sample_by_sample`.
///
/// # Source
/// Ribeiro, Singh & Guestrin 2016; defaults of `lime_image` 0.2.0.1, with which [`Quickshift`](super::Quickshift) and
/// [`Fill::Mean`] go.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentLime<S> {
    /// What a region is.
    pub segmenter: S,
    /// What an absent region looks like.
    pub fill: Fill,
    /// Samples that are scored.
    pub n_draws: usize,
    /// How fast weight falls with distance.
    pub kernel_width: f64,
    /// The ridge penalty.
    pub alpha: f64,
}

impl<S> SegmentLime<S> {
    /// The parameters of `lime_image` 0.2.0.1, with regions by `segmenter`.
    pub fn new(segmenter: S) -> Self {
        SegmentLime { segmenter, fill: Fill::Mean, n_draws: 1000, kernel_width: 0.25, alpha: 1.0 }
    }
}

impl<M, S> Explainer<M> for SegmentLime<S>
where
    M: Model<Batch: Cells> + ?Sized,
    S: Segmenter,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        if self.n_draws < 2 {
            return Err(Error::parameter("n_draws", self.n_draws, "at least 2"));
        }
        if !(self.kernel_width > 0.0 && self.kernel_width.is_finite()) {
            return Err(Error::parameter("kernel_width", self.kernel_width, "a finite number above 0"));
        }
        let provenance = Provenance::new("segment-lime", run)
            .with("segmenter", self.segmenter.describe())
            .with("fill", self.fill.describe())
            .with("n_draws", self.n_draws)
            .with("kernel_width", self.kernel_width)
            .with("alpha", self.alpha)
            .note("base and values sum to the score of a local surrogate, not to the model's scores");
        one_by_one(model, batch, run, &self.segmenter, provenance, |one, segmentation, run| {
            self.surrogate(model, one, segmentation, run)
        })
    }
}

impl<S> SegmentLime<S> {
    fn surrogate<M: Model<Batch: Cells> + ?Sized>(
        &self,
        model: &M,
        one: &M::Batch,
        segmentation: Segmentation,
        run: &Run,
    ) -> Result<Attribution> {
        let n = segmentation.n_regions();
        let masker = Regions::new(segmentation, self.fill.clone());
        let meter = Meter::planned(run, self.n_draws as u64)?;
        let mut draws = ChaCha8Rng::seed_from_u64(run.seed_of(0));
        let mut present = Array2::from_elem((self.n_draws, n), true);
        for mut row in present.outer_iter_mut().skip(1) {
            row.mapv_inplace(|_| coin(&mut draws));
        }
        let worth = MaskedGame { model, masker: &masker, batch: one, sample: 0, meter: &meter }.worth(&present)?;
        let design = present.mapv(|here| f64::from(u8::from(here)));
        let weight = |row: ndarray::ArrayView1<f64>| {
            // The cosine of the angle to the whole sample is √(share present); nobody present is as far as can be.
            let distance = 1.0 - (row.sum() / n as f64).sqrt();
            (-(distance / self.kernel_width).powi(2)).exp().sqrt()
        };
        let weights: Vec<f64> = design.outer_iter().map(weight).collect();
        let fit = Surrogate::fit(&design, &worth, &weights, Selection::None, n, self.alpha)?;
        let mut values = Array3::zeros((1, n, worth.ncols()));
        values.index_axis_mut(Axis(0), 0).assign(&fit.coefficients);
        let features: Vec<Feature> = Masker::<M::Batch>::players(&masker, &[])?;
        Ok(Attribution {
            provenance: Provenance::new("segment-lime", run).evaluations(meter.evaluations()),
            features,
            outputs: output_names(model),
            base: fit.intercept.clone().insert_axis(Axis(0)),
            values,
            scores: worth.select(Axis(0), &[0]),
            standard_error: None,
            data: None,
            fidelity: Some(fit.fidelity.clone().insert_axis(Axis(0))),
            shape: None,
        })
    }
}

fn coin(draws: &mut impl Rng) -> bool {
    draws.random::<bool>()
}
