//! Maps from what the model says of the masked input.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, Array3, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cell, Cells, Explainer, Layered, Meter, Provenance, Result, Run};

use super::explain::{NO_SHARES, finished, placed, target_shape};
use super::weighted;
use crate::gradient::layer::{At, activations};
use crate::gradient::passes::{batch_of, bounded, parts, rows_of, rows_per_call};

/// Score-CAM: each channel, scaled to \[0, 1\] and as large as the input, masks the input; a channel counts by the softmax over
/// the channels of the score that is left. No gradients.
///
/// | parameter | default | |
/// |---|---|---|
/// | `layer` | the last one with more than one place | |
/// | `relu` | true | whether negative values are set to 0 |
/// | `upsample` | true | whether the map has the size of the input |
///
/// A mask of zeros is a black image, and the softmax depends on the scale of the scores: logits and probabilities give other
/// maps.
///
/// # Units
/// Those of the layer's activations, of which the map is a mean. Values do not sum to the score; `base` is 0.
///
/// # Cost
/// One evaluation for each sample and channel, and one.
///
/// # Errors
/// As [`Cam`](super::Cam).
///
/// # Laws
/// `score_cam_is_that_written_out`, `batches_change_no_map`.
///
/// # Source
/// Wang, Wang, Du, Yang, Zhang, Ding, Mardziel & Hu, *Score-CAM*, 2020, algorithm 1. A channel that is the same everywhere
/// masks nothing out: its mask is all zeros, as in the authors' program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreCam {
    /// The layer; the last one with more than one place if `None`.
    pub layer: Option<At>,
    /// Whether negative values are set to 0.
    pub relu: bool,
    /// Whether the map has the size of the input.
    pub upsample: bool,
}

impl Default for ScoreCam {
    fn default() -> Self {
        ScoreCam { layer: None, relu: true, upsample: true }
    }
}

impl<M> Explainer<M> for ScoreCam
where
    M: Layered + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let layer = placed(model.layers(), self.layer.as_ref())?;
        let (shape, inner) = (batch.sample_shape(), model.layers()[layer].shape.clone());
        let target = target_shape(&shape, &inner, self.upsample)?;
        let input = target_shape(&shape, &inner, true)?;
        let rows = rows_of(batch)?;
        let (n, n_outputs, cells) = (rows.nrows(), model.n_outputs(), target.iter().product());
        bounded(n, cells, n_outputs)?;
        let n_channels = inner[0];
        let meter = Meter::planned(run, (n as u64).saturating_mul(n_channels as u64 + 1))?;
        let mut values = Array3::zeros((n, cells, n_outputs));
        let mut scores = Array2::zeros((n, n_outputs));
        for (sample, row) in rows.outer_iter().enumerate() {
            let alone = batch_of::<M::Batch>(row.to_owned().insert_axis(Axis(0)), &shape)?;
            let (own, found) = activations(&meter, model, alone.borrow(), layer, None)?;
            scores.row_mut(sample).assign(&own.row(0));
            let width = found.len() / n_channels.max(1);
            let found = found.into_shape_with_order((n_channels, width)).map_err(xai_core::Error::model)?;
            let mut masked_scores = Array2::zeros((n_channels, n_outputs));
            for chosen in parts(n_channels, rows_per_call(row.len())) {
                let masks: Vec<Array1<f64>> = chosen
                    .clone()
                    .map(|channel| {
                        let map = finished(found.row(channel), &inner[1..], &input[1..], false)?;
                        Ok(scaled(map))
                    })
                    .collect::<Result<_>>()?;
                let masked = Array2::from_shape_fn((chosen.len(), row.len()), |(channel, cell)| {
                    let x: f64 = row[cell].into();
                    Cell::of(x * masks[channel][cell % masks[channel].len()])
                });
                let portion = meter.predict(model, batch_of::<M::Batch>(masked, &shape)?.borrow())?;
                chosen
                    .zip(portion.outer_iter())
                    .for_each(|(channel, scores)| masked_scores.row_mut(channel).assign(&scores));
            }
            for (output, scores) in masked_scores.axis_iter(Axis(1)).enumerate() {
                let top = scores.fold(f64::NEG_INFINITY, |top, &score| top.max(score));
                let powers = scores.mapv(|score| (score - top).exp());
                let sum = powers.sum();
                let map = weighted(powers.iter().map(|power| power / sum), &found);
                let map = finished(map.view(), &inner[1..], &target[1..], self.relu)?;
                values.index_axis_mut(Axis(0), sample).column_mut(output).assign(&map);
            }
        }
        let provenance = Provenance::new("score-cam", run)
            .with("layer", model.layers()[layer].name.clone())
            .with("relu", self.relu)
            .with("upsample", self.upsample)
            .note(NO_SHARES)
            .evaluations(meter.evaluations());
        Attribution::of_cells(model, &target, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}

/// From the least to the greatest as 0 to 1; zeros where all are alike.
fn scaled(map: Array1<f64>) -> Array1<f64> {
    let (low, high) = map.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    if high > low { map.mapv(|x| (x - low) / (high - low)) } else { Array1::zeros(map.len()) }
}
