//! One look inside a model.

use ndarray::{Array2, Array3, ArrayD, Axis, Zip};
use xai_core::error::same_shape;
use xai_core::{Batch, Error, Layered, Meter, Probe, Result};

use crate::gradient::passes::{bounded, one_hot, portions};

/// What a layer holds for a batch, and how the scores hang on it.
pub(crate) struct Inside {
    /// (sample, output).
    pub scores: Array2<f64>,
    /// (sample, cell of the layer).
    pub activations: Array2<f64>,
    /// (sample, cell of the layer, output).
    pub gradients: Array3<f64>,
}

/// Scores, activations and the gradients of all outputs at a layer, of whose output `replace` may take the place.
pub(crate) fn look<M: Layered + ?Sized>(
    meter: &Meter,
    model: &M,
    batch: &M::Batch,
    layer: usize,
    replace: Option<&ArrayD<f32>>,
) -> Result<Inside> {
    let (n, n_outputs) = (batch.n_samples(), model.n_outputs());
    let cells = model.layers()[layer].shape.iter().product();
    bounded(n, cells, n_outputs)?;
    let mut gradients = Array3::zeros((n, cells, n_outputs));
    let mut seen = None;
    let (read, replace) = ([layer], replace.map(|by| (layer, by)));
    for chosen in portions(n, cells, n_outputs) {
        let weights = one_hot(n, n_outputs, chosen.clone());
        let mut probed = meter.probe(model, batch, &Probe { read: &read, replace, weights: &weights })?;
        for (output, found) in chosen.zip(&probed.gradients) {
            same_shape("layers with gradients", &[1], &[found.len()])?;
            let found = flat(&found[0], n, cells)?;
            Zip::from(gradients.index_axis_mut(Axis(2), output)).and(&found).for_each(|slot, &value| *slot = value);
        }
        if seen.is_none() {
            let activations = flat(&probed.activations.pop().unwrap_or_default(), n, cells)?;
            seen = Some((probed.scores, activations));
        }
    }
    let (scores, activations) = seen.unwrap_or_else(|| (Array2::zeros((n, n_outputs)), Array2::zeros((n, cells))));
    Ok(Inside { scores, activations, gradients })
}

/// Scores and activations at a layer: (sample, output), (sample, cell of the layer).
pub(crate) fn activations<M: Layered + ?Sized>(
    meter: &Meter,
    model: &M,
    batch: &M::Batch,
    layer: usize,
    replace: Option<&ArrayD<f32>>,
) -> Result<(Array2<f64>, Array2<f64>)> {
    let cells = model.layers()[layer].shape.iter().product();
    let probe = Probe { read: &[layer], replace: replace.map(|by| (layer, by)), weights: &[] };
    let mut probed = meter.probe(model, batch, &probe)?;
    let found = probed.activations.pop().unwrap_or_default();
    Ok((probed.scores, flat(&found, batch.n_samples(), cells)?))
}

/// Numbers of a layer as (sample, cell).
fn flat(found: &ArrayD<f32>, n: usize, cells: usize) -> Result<Array2<f64>> {
    same_shape("samples and cells of a layer", &[n, cells], &[found.shape().first().copied().unwrap_or(0), cells])?;
    let rows = found.mapv(f64::from);
    rows.into_shape_with_order((n, cells)).map_err(Error::model)
}
