//! The input's edges.

use ndarray::{Array1, Array2, Array3, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Cells, Error, Explainer, Meter, Model, Provenance, Result, Run};

use crate::gradient::passes::{bounded, of_inputs, rows_of};

/// The strength of the input's edges by Sobel's operator, channel by channel, the same for every output, whatever the model.
///
/// Along one axis the difference of the neighbours, (−1, 0, 1)/2; smoothed by (1, 2, 1)/4 along the others; the length of
/// these differences for all axes of places. Beyond the edge the outermost cells go on.
///
/// # Units
/// Those of the input, per cell. Values do not sum to the score; `base` is 0.
///
/// # Cost
/// One evaluation a sample, for its score.
///
/// # Errors
/// Those of the model; [`Error::Unsupported`] for tables, whose columns have no order;
/// [`Error::TooLarge`] for more than 2²⁸ values.
///
/// # Laws
/// `edges_are_sobels`.
///
/// # Source
/// Sobel & Feldman, *A 3×3 isotropic gradient operator for image processing*, 1968; as a control: Adebayo et al., *Sanity
/// checks for saliency maps*, 2018, and Clark et al., *XAI-TRIS*, 2023.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeDetector;

impl<M> Explainer<M> for EdgeDetector
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let shape = batch.sample_shape();
        if shape.len() < 2 {
            return Err(Error::unsupported("edges of a table", "its columns have no order; take a series or images"));
        }
        let rows = rows_of(batch)?.mapv(Into::into);
        bounded(rows.nrows(), rows.ncols(), model.n_outputs())?;
        let meter = Meter::new(run, rows.nrows() as u64);
        let scores = meter.predict(model, batch)?;
        let mut values = Array3::zeros((rows.nrows(), rows.ncols(), scores.ncols()));
        for (row, mut values) in rows.outer_iter().zip(values.axis_iter_mut(Axis(0))) {
            let edges = edges(&row.to_vec(), &shape);
            values.axis_iter_mut(Axis(1)).for_each(|mut slot| slot.assign(&edges));
        }
        let provenance = Provenance::new("edge-detector", run)
            .note("a control: edges of the input that know nothing of the model")
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
    }
}

/// Edges of one sample of `shape`, whose first axis is the channel: (cell).
fn edges(cells: &[f64], shape: &[usize]) -> Array1<f64> {
    let mut squares = Array1::zeros(cells.len());
    for across in 1..shape.len() {
        let mut here = cells.to_vec();
        for axis in 1..shape.len() {
            let taps = if axis == across { [-0.5, 0.0, 0.5] } else { [0.25, 0.5, 0.25] };
            here = filtered(&here, shape, axis, taps);
        }
        squares.iter_mut().zip(here).for_each(|(slot, x)| *slot += x * x);
    }
    squares.mapv_into(f64::sqrt)
}

/// Each cell and its two neighbours along an axis, times the taps.
fn filtered(cells: &[f64], shape: &[usize], axis: usize, taps: [f64; 3]) -> Vec<f64> {
    let (length, stride) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let at = |cell: usize| {
        let place = cell / stride % length;
        let before = if place == 0 { cell } else { cell - stride };
        let after = if place + 1 == length { cell } else { cell + stride };
        taps[0] * cells[before] + taps[1] * cells[cell] + taps[2] * cells[after]
    };
    (0..cells.len()).map(at).collect()
}
