//! Shares of places instead of cells.

use ndarray::{Array3, Axis};
use xai_core::{Attribution, Cells, Error, Explainer, Feature, Model, Result, Run};

/// An explainer of arrays whose shares are summed over the channels: a feature is a place, and its share is what all its
/// channels got. Then methods that speak of cells can be compared with those that speak of places (maps), and a masker can
/// hide a pixel as a whole.
///
/// The axes become (1, row, column), or (1, step). Attributions to columns of tables, to single channels and to anything
/// but the input stay as they are. Standard errors are dropped: those of channels are not independent.
///
/// # Units
/// Those of the explainer.
///
/// # Cost
/// That of the explainer.
///
/// # Laws
/// `shares_of_places_are_sums_over_channels`.
///
/// # Source
/// None: an adaptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places<E>(pub E);

impl<M, E> Explainer<M> for Places<E>
where
    M: Model<Batch: Cells> + ?Sized,
    E: Explainer<M, Explanation = Attribution>,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        by_place(self.0.explain(model, batch, run)?, &batch.sample_shape())
    }
}

/// The shares of an attribution to the cells of arrays of `shape` (channel, axes …), summed over the channels.
///
/// # Errors
/// [`Error::Shape`] for an attribution whose parts do not fit together.
pub fn by_place(attribution: Attribution, shape: &[usize]) -> Result<Attribution> {
    let Some((&channels, places)) = shape.split_first().filter(|(_, places)| !places.is_empty()) else {
        return Ok(attribution);
    };
    let target = [&[1], places].concat();
    match attribution.shape.as_deref() {
        // Maps of places have no channels.
        Some(found) if found == places => {
            let (features, shape) = (Feature::cells(&target), Some(target));
            Attribution { features, shape, ..attribution }.checked()
        }
        Some(found) if found == shape && channels > 1 => {
            let (samples, cells, outputs) = attribution.values.dim();
            let split = (samples, channels, cells / channels, outputs);
            let values: Array3<f64> = attribution.values.to_shape(split).map_err(Error::model)?.sum_axis(Axis(1));
            let provenance = attribution.provenance.note("shares of places: summed over the channels");
            let (features, shape) = (Feature::cells(&target), Some(target));
            let whole =
                Attribution { provenance, features, values, shape, data: None, standard_error: None, ..attribution };
            whole.checked()
        }
        _ => Ok(attribution),
    }
}
