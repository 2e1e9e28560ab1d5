//! Maps from activations and slopes.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayView2, Axis, Slice};
use xai_core::{Attribution, Batch, Cells, Error, Explainer, Layer, Layered, Meter, Provenance, Result, Run};

use super::{HiResCam, Weighting, upsample};
use crate::gradient::layer::{At, look};
use crate::gradient::passes::{bounded, parts, rows_at_once};
use crate::gradient::saliency::planned;

/// A class activation map: where a layer with channels finds what speaks for each output.
///
/// | parameter | default | |
/// |---|---|---|
/// | `weighting` | [`HiResCam`] | how activations and slopes become a map |
/// | `layer` | the last one with more than one place | its axes are channel, then the places of the input on a coarser grid |
/// | `relu` | true | whether what speaks against the output is set to 0 |
/// | `upsample` | true | whether the map is brought to the size of the input, bilinearly; otherwise it has the layer's size |
///
/// # Shapes
/// The attribution's shape is (1, places …): one map for all channels of the input.
///
/// # Units
/// Those of the weighting: for most, the score by place of the layer, up to a factor. Values do not sum to the score, and
/// `base` is 0. Maps of two samples can be compared only as far as their scores can.
///
/// # Cost
/// One forward pass, and one backward pass to the layer for each output.
///
/// # Errors
/// Those of the model; [`Error::Unknown`] for a layer that is not there; [`Error::Unsupported`] for one without places, and
/// for a model that has none with; [`Error::TooLarge`] for more than 2²⁸ values.
///
/// # Laws
/// `cam_of_a_linear_head_is_its_sum`, `cams_are_those_written_out`, `grad_cam_is_that_of_captum`, `batches_change_no_map`.
///
/// # Source
/// That of the weighting.
#[derive(Debug, Clone, PartialEq)]
pub struct Cam<W = HiResCam> {
    /// How activations and slopes become a map.
    pub weighting: W,
    /// The layer; the last one with more than one place if `None`.
    pub layer: Option<At>,
    /// Whether negative values are set to 0.
    pub relu: bool,
    /// Whether the map has the size of the input.
    pub upsample: bool,
}

impl<W> Cam<W> {
    /// With the default layer, without negative values, as large as the input.
    pub fn new(weighting: W) -> Self {
        Cam { weighting, layer: None, relu: true, upsample: true }
    }

    /// The same at another layer.
    #[must_use]
    pub fn at(self, layer: impl Into<At>) -> Self {
        Cam { layer: Some(layer.into()), ..self }
    }
}

impl Default for Cam {
    fn default() -> Self {
        Cam::new(HiResCam)
    }
}

impl<M, W> Explainer<M> for Cam<W>
where
    M: Layered + ?Sized,
    M::Batch: Cells,
    W: Weighting,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = placed(model.layers(), self.layer.as_ref())?;
        let inner = model.layers()[layer].shape.clone();
        let target = target_shape(&batch.sample_shape(), &inner, self.upsample)?;
        let (n, n_outputs, cells) = (batch.n_samples(), model.n_outputs(), target.iter().product());
        bounded(n, cells, n_outputs)?;
        let meter = Meter::planned(run, planned(batch, n_outputs))?;
        let mut values = Array3::zeros((n, cells, n_outputs));
        let mut scores = Array2::zeros((n, n_outputs));
        let width: usize = inner.iter().product();
        let widest = width.max(batch.sample_shape().iter().product());
        for samples in parts(n, rows_at_once(widest, n_outputs)) {
            let here = batch.samples(samples.clone());
            let inside = look(&meter, model, here.borrow(), layer, None)?;
            scores.slice_axis_mut(Axis(0), Slice::from(samples.clone())).assign(&inside.scores);
            for (place, sample) in samples.enumerate() {
                let activations =
                    channels(inside.activations.row(place).into_shape_with_order((inner[0], width / inner[0].max(1))))?;
                let own = inside.gradients.index_axis(Axis(0), place);
                let slopes = match self.weighting.contrasts(&inside.scores.row(place)) {
                    None => own.to_owned(),
                    Some(contrasts) => own.dot(&contrasts.t()),
                };
                for output in 0..n_outputs {
                    let slopes = slopes.column(output).to_owned();
                    let slopes = channels(slopes.view().into_shape_with_order(activations.dim()))?.to_owned();
                    let map = self.weighting.map(&activations, &slopes)?;
                    let map = finished(map.view(), &inner[1..], &target[1..], self.relu)?;
                    values.index_axis_mut(Axis(0), sample).column_mut(output).assign(&map);
                }
            }
        }
        let name = model.layers()[layer].name.clone();
        let provenance = Provenance::new(self.weighting.name(), run)
            .with("layer", name)
            .with("relu", self.relu)
            .with("upsample", self.upsample)
            .note(NO_SHARES)
            .evaluations(meter.evaluations());
        let provenance = self.weighting.parameters(provenance);
        Attribution::of_cells(model, &target, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}

/// What all maps say.
pub(super) const NO_SHARES: &str = "a map of places, not shares of the score: base is 0 and values do not sum to it";

fn channels(view: std::result::Result<ArrayView2<f64>, ndarray::ShapeError>) -> Result<ArrayView2<f64>> {
    view.map_err(Error::model)
}

/// The layer asked for, or the last one with more than one place; it must have places.
pub(super) fn placed(layers: &[Layer], layer: Option<&At>) -> Result<usize> {
    let has_places = |layer: &Layer| layer.shape.len() >= 2 && layer.shape[1..].iter().product::<usize>() > 1;
    let Some(layer) = layer else {
        return layers.iter().rposition(has_places).filter(|&layer| layer > 0).ok_or_else(|| {
            Error::unsupported("a class activation map", "no layer of the model has channels and more than one place")
        });
    };
    let layer = layer.place(layers)?;
    let Layer { name, shape, .. } = &layers[layer];
    if shape.len() < 2 || shape.contains(&0) {
        let reason = format!("its output has the axes {shape:?}, where channels and places are needed");
        return Err(Error::unsupported(format!("a class activation map at layer {name:?}"), reason));
    }
    Ok(layer)
}

/// The shape of the map: (1, places of the input …) or (1, places of the layer …).
pub(super) fn target_shape(input: &[usize], inner: &[usize], upsample: bool) -> Result<Vec<usize>> {
    let places = if upsample { input.get(1..).unwrap_or(&[]) } else { &inner[1..] };
    if places.len() + 1 != inner.len() {
        let what = "axes of the layer, by the input; without upsampling any will do".into();
        return Err(Error::Shape { what, expected: input.to_vec(), found: inner.to_vec() });
    }
    Ok(std::iter::once(1).chain(places.iter().copied()).collect())
}

/// A map on the grid of the result: (cell).
pub(super) fn finished(
    map: ndarray::ArrayView1<f64>,
    from: &[usize],
    to: &[usize],
    relu: bool,
) -> Result<ndarray::Array1<f64>> {
    let map = if relu { map.mapv(|x| x.max(0.0)) } else { map.to_owned() };
    let map = map.into_dyn().into_shape_with_order(from).map_err(Error::model)?;
    let map = upsample(&map, to)?;
    let cells = map.len();
    map.into_shape_with_order(cells).map_err(Error::model)
}
