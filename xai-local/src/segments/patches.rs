//! Boxes of equal size.

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use xai_core::{Error, Result};

use super::{Segmentation, Segmenter};

/// Boxes of equal size, those at the ends smaller: `[8, 8]` cuts an image into patches of eight by eight pixels, `[10]` a
/// series into pieces of ten steps. The sizes belong to the last axes; what lies before them (channels) goes together.
///
/// # Example
/// ```
/// use ndarray::Array3;
/// use xai_local::segments::{Patches, Segmenter};
/// let regions = Patches(vec![2, 2]).segment(Array3::zeros((3, 4, 5)).view().into_dyn())?;
/// assert_eq!(regions.n_regions(), 6);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patches(pub Vec<usize>);

impl Segmenter for Patches {
    fn segment(&self, sample: ArrayViewD<f64>) -> Result<Segmentation> {
        let sizes = &self.0;
        if sizes.is_empty() || sizes.len() > sample.ndim() || sizes.contains(&0) {
            let expected = format!("1 to {} sizes of at least 1", sample.ndim());
            return Err(Error::parameter("patches", format!("{sizes:?}"), expected));
        }
        let shape = &sample.shape()[sample.ndim() - sizes.len()..];
        let labels = ArrayD::from_shape_fn(IxDyn(shape), |place| {
            (0..sizes.len())
                .fold(0, |label, axis| label * shape[axis].div_ceil(sizes[axis]) + place[axis] / sizes[axis])
        });
        Segmentation::new(labels)
    }

    fn describe(&self) -> String {
        format!("patches of {:?}", self.0)
    }
}
