//! What a model eats: many samples at once, in a shape that its type names.

use std::ops::Range;

use ndarray::{ArrayRef, ArrayRef2, Axis, Dimension, RemoveAxis, Slice, concatenate};

use crate::error::same_shape;
use crate::{Error, Result};

/// Several samples in one value, in the form that a model takes.
///
/// Implemented for every ndarray reference whose first axis is the sample (`ArrayRef2<f64>` for tables,
/// `ArrayRef4<f32>` for images in NCHW order) and for `[T]` (`[String]` for documents). Table cells are `f64`; a
/// missing cell is NaN; a category is its index in [`FeatureKind::Categorical`](crate::FeatureKind::Categorical).
///
/// # Example
/// ```
/// use xai_core::Batch;
/// let table = ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(table.n_samples(), 3);
/// assert_eq!(table.samples(1..2), ndarray::array![[3.0, 4.0]]);
/// ```
pub trait Batch: ToOwned + Sync {
    /// The number of samples.
    fn n_samples(&self) -> usize;

    /// A copy of the samples in `range`, which must lie within `0..n_samples()`.
    fn samples(&self, range: Range<usize>) -> Self::Owned;

    /// The samples of all `parts`, one part behind the other, for one call of the model instead of several. `None` where
    /// this kind of batch cannot be joined, or there is no part; then the parts are asked one by one.
    ///
    /// # Errors
    /// [`Error::Shape`] for parts whose samples have other axes than those of the first.
    ///
    /// # Example
    /// ```
    /// use ndarray::array;
    /// use xai_core::{Batch, Table};
    /// let parts = [array![[1.0, 2.0]], array![[3.0, 4.0], [5.0, 6.0]]];
    /// assert_eq!(Table::joined(&[&parts[0], &parts[1]])?, Some(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    fn joined(parts: &[&Self]) -> Result<Option<Self::Owned>> {
        let _ = parts;
        Ok(None)
    }
}

/// A table by reference: (sample, feature), `f64`, NaN where a cell is missing.
pub type Table = ArrayRef2<f64>;

impl<A, D> Batch for ArrayRef<A, D>
where
    A: Clone + Sync,
    D: Dimension + RemoveAxis,
    ArrayRef<A, D>: ToOwned<Owned = ndarray::Array<A, D>>,
{
    fn n_samples(&self) -> usize {
        self.len_of(Axis(0))
    }

    fn samples(&self, range: Range<usize>) -> Self::Owned {
        self.slice_axis(Axis(0), Slice::from(range)).to_owned()
    }

    fn joined(parts: &[&Self]) -> Result<Option<Self::Owned>> {
        let Some(first) = parts.first() else { return Ok(None) };
        let axes = |part: &Self| part.shape()[1..].to_vec();
        for part in parts {
            same_shape("samples of a part (axes of a sample)", &axes(first), &axes(part))?;
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).map(Some).map_err(Error::model)
    }
}

impl<T: Clone + Sync> Batch for [T] {
    fn n_samples(&self) -> usize {
        self.len()
    }

    fn samples(&self, range: Range<usize>) -> Vec<T> {
        self[range].to_vec()
    }

    fn joined(parts: &[&Self]) -> Result<Option<Vec<T>>> {
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }
}
