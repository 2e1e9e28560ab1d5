//! Regions of images and series, as players.
//!
//! | what | file |
//! |---|---|
//! | [`Segmentation`]: which region each place belongs to | `mod.rs` |
//! | [`Slic`]: clusters of place and colour | `slic.rs` |
//! | [`Quickshift`]: hills of the density of place and colour | `quickshift.rs` |
//! | [`Patches`]: boxes of equal size, for arrays of any rank | `patches.rs` |
//! | [`SegmentShap`]: any Shapley estimator over regions | `shap.rs` |
//! | [`SegmentOwen`]: Owen values, near regions together | `owen.rs` |
//! | [`SegmentLime`]: LIME over regions | `lime.rs` |
//!
//! What an absent region looks like is a [`Fill`](crate::masker::Fill); the masker is
//! [`Regions`](crate::masker::Regions).

mod colour;
mod lime;
mod owen;
mod patches;
mod quickshift;
mod shap;
mod slic;

use std::collections::BTreeMap;

use ndarray::{Array3, ArrayD, ArrayViewD, Ix2};
use xai_core::{Error, Result};

pub(crate) use colour::blurred;
pub use lime::SegmentLime;
pub use owen::SegmentOwen;
pub use patches::Patches;
pub use quickshift::Quickshift;
pub use shap::SegmentShap;
pub use slic::Slic;

/// Which region each place of a sample belongs to.
///
/// # Shapes
/// The axes of the labels are the last axes of a sample: (row, column) for the pixels of an image with all their
/// channels, (channel, row, column) for its single cells.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_local::segments::Segmentation;
/// let halves = Segmentation::new(array![[7, 7, 3]].into_dyn())?;
/// assert_eq!(halves.n_regions(), 2);
/// assert_eq!(halves.labels(), &array![[0, 0, 1]].into_dyn()); // numbered in the order in which they appear
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segmentation {
    labels: ArrayD<usize>,
    n_regions: usize,
}

impl Segmentation {
    /// Regions by any labels; they are numbered in the order in which they appear.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no place.
    pub fn new(labels: ArrayD<usize>) -> Result<Self> {
        if labels.is_empty() {
            return Err(Error::parameter("labels", format!("shape {:?}", labels.shape()), "at least one place"));
        }
        let mut numbers = BTreeMap::new();
        let labels = labels.mapv(|label| {
            let next = numbers.len();
            *numbers.entry(label).or_insert(next)
        });
        Ok(Segmentation { labels, n_regions: numbers.len() })
    }

    /// The number of each place's region.
    pub fn labels(&self) -> &ArrayD<usize> {
        &self.labels
    }

    /// The number of regions.
    pub fn n_regions(&self) -> usize {
        self.n_regions
    }

    /// The number of places in each region: (region).
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n_regions];
        self.labels.iter().for_each(|&label| sizes[label] += 1);
        sizes
    }

    /// The region of every cell of a sample of `shape`, in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] when the labels are not those of the last axes of `shape`.
    pub fn of_cells(&self, shape: &[usize]) -> Result<Vec<usize>> {
        let places = self.labels.shape();
        let fits = places.len() <= shape.len() && shape[shape.len() - places.len()..] == *places;
        if !fits {
            return Err(Error::Shape {
                what: "labels of the segmentation, the last axes of a sample".into(),
                expected: shape.to_vec(),
                found: places.to_vec(),
            });
        }
        let times = shape[..shape.len() - places.len()].iter().product();
        Ok((0..times).flat_map(|_| self.labels.iter().copied()).collect())
    }
}

/// A way to cut a sample into regions.
pub trait Segmenter: Send + Sync {
    /// The regions of one sample: (channel, axes …).
    ///
    /// # Errors
    /// [`Error::Shape`] for a sample that it cannot cut; [`Error::Parameter`].
    fn segment(&self, sample: ArrayViewD<f64>) -> Result<Segmentation>;

    /// Its name and parameters, for the account of a run.
    fn describe(&self) -> String;
}

/// The same regions for every sample.
impl Segmenter for Segmentation {
    fn segment(&self, sample: ArrayViewD<f64>) -> Result<Segmentation> {
        self.of_cells(sample.shape())?;
        Ok(self.clone())
    }

    fn describe(&self) -> String {
        format!("{} given regions", self.n_regions)
    }
}

/// The image (channel, row, column) that a sample is.
///
/// # Errors
/// [`Error::Shape`] for a sample of other axes or without cells; [`Error::NonFinite`].
fn image(sample: ArrayViewD<f64>) -> Result<Array3<f64>> {
    let shape = sample.shape().to_vec();
    let with_channel = if sample.ndim() == 2 { sample.insert_axis(ndarray::Axis(0)) } else { sample };
    let image = with_channel.into_dimensionality().map_err(|_| Error::Shape {
        what: "axes of an image (channel, row, column)".into(),
        expected: vec![3],
        found: vec![shape.len()],
    })?;
    if image.is_empty() {
        return Err(Error::Shape {
            what: "image (channel, row, column)".into(),
            expected: vec![1, 1, 1],
            found: shape,
        });
    }
    if let Some(((_, sample, column), &value)) = image.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::NonFinite { what: "image, by row and column".into(), sample, column, value });
    }
    Ok(image.to_owned())
}

/// A segmentation of pixels from labels in row-major order.
fn of_pixels(rows: usize, columns: usize, labels: Vec<usize>) -> Result<Segmentation> {
    let labels = ndarray::Array::<usize, Ix2>::from_shape_vec((rows, columns), labels).map_err(Error::model)?;
    Segmentation::new(labels.into_dyn())
}
