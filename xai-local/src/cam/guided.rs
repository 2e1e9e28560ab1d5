//! A map with the resolution of another method.

use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Explainer, Model, Provenance, Result, Run};

/// The product of a method that works on cells and a map of places: guided Grad-CAM, with guided backpropagation and
/// [`GradCam`](super::GradCam).
///
/// The product is as sharp as the first method, and just as unfaithful where that is: guided backpropagation is known to show
/// the input's edges nearly whatever the model has learned.
///
/// # Units
/// None: a product of a slope and a map. Values do not sum to the score; `base` is 0.
///
/// # Cost
/// That of both.
///
/// # Errors
/// Those of both; [`Error::Shape`] when they disagree about samples, places or outputs.
///
/// # Laws
/// `guided_cam_is_the_product`.
///
/// # Source
/// Selvaraju et al., *Grad-CAM*, 2017, section 3.2; Adebayo et al., *Sanity checks for saliency maps*, 2018.
#[derive(Debug, Clone, PartialEq)]
pub struct GuidedCam<F, C> {
    /// The method that works on cells: (channel, places …).
    pub fine: F,
    /// The map of places, as large as the input: (1, places …).
    pub coarse: C,
}

impl<M, F, C> Explainer<M> for GuidedCam<F, C>
where
    M: Model + ?Sized,
    F: Explainer<M, Explanation = Attribution>,
    C: Explainer<M, Explanation = Attribution>,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let fine = self.fine.explain(model, batch, run)?;
        let spent = fine.provenance.evaluations;
        let rest = Run { max_evaluations: run.max_evaluations.map(|budget| budget.saturating_sub(spent)), ..*run };
        let coarse = self.coarse.explain(model, batch, &rest)?;
        let (n, cells, n_outputs) = fine.values.dim();
        let places = coarse.values.dim().1;
        same_shape("samples and outputs of the map", &[n, n_outputs], coarse.scores.shape())?;
        let fits = match (&fine.shape, &coarse.shape) {
            (Some(fine), Some(coarse)) => fine.len() == coarse.len() && coarse[0] == 1 && fine[1..] == coarse[1..],
            _ => false,
        };
        if !fits || places == 0 {
            let what = "places of the map, by the cells of the fine method".into();
            let (expected, found) = (fine.shape.unwrap_or(vec![cells]), coarse.shape.unwrap_or(vec![places]));
            return Err(Error::Shape { what, expected, found });
        }
        let mut values = fine.values;
        for (mut values, map) in values.outer_iter_mut().zip(coarse.values.outer_iter()) {
            for (cell, mut values) in values.outer_iter_mut().enumerate() {
                values *= &map.row(cell % places);
            }
        }
        let name = |provenance: &Provenance| provenance.method.clone();
        let mut provenance = Provenance::new(format!("guided-{}", coarse.provenance.method), run)
            .with("fine", name(&fine.provenance))
            .with("coarse", name(&coarse.provenance))
            .note("a product of two methods, not shares of the score: base is 0 and values do not sum to it")
            .evaluations(spent + coarse.provenance.evaluations);
        for (name, value) in fine.provenance.parameters.iter().chain(&coarse.provenance.parameters) {
            provenance.parameters.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let base = Array2::zeros((n, n_outputs));
        Attribution { provenance, values, base, standard_error: None, fidelity: None, ..fine }.checked()
    }
}
