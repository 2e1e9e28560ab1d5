//! What a model eats: many samples at once, in a shape that its type names.

use std::ops::Range;

use ndarray::{ArrayRef, ArrayRef2, Axis, Dimension, RemoveAxis, Slice};

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
}

impl<T: Clone + Sync> Batch for [T] {
    fn n_samples(&self) -> usize {
        self.len()
    }

    fn samples(&self, range: Range<usize>) -> Vec<T> {
        self[range].to_vec()
    }
}
