//! Batches that are arrays of numbers, which can be moved, mixed and differentiated.

use std::fmt;

use ndarray::{Array, ArrayD, ArrayRef, ArrayViewD, Dimension, NdFloat, RemoveAxis};

use crate::{Batch, Error, Result};

/// A number in a cell: `f32` or `f64`.
pub trait Cell: NdFloat + Into<f64> + Default + fmt::Debug {
    /// The number of this kind that is nearest to `value`.
    fn of(value: f64) -> Self;
}

impl Cell for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

impl Cell for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
}

/// A batch of arrays of numbers: tables (sample, feature), series (sample, channel, step), images (sample, channel, row,
/// column).
///
/// # Example
/// ```
/// use xai_core::{Cells, Table};
/// let table = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
/// let half = table.cells().mapv(|x| x / 2.0);
/// assert_eq!(Table::of_cells(half)?, ndarray::array![[0.5, 1.0], [1.5, 2.0]]);
/// assert_eq!(table.sample_shape(), [2]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub trait Cells: Batch {
    /// The kind of number.
    type Cell: Cell;

    /// All cells: (sample, axes of one sample …).
    fn cells(&self) -> ArrayViewD<'_, Self::Cell>;

    /// A batch of these cells.
    ///
    /// # Errors
    /// [`Error::Shape`] when `cells` has another number of axes than this kind of batch.
    fn of_cells(cells: ArrayD<Self::Cell>) -> Result<Self::Owned>;

    /// The axes of one sample.
    fn sample_shape(&self) -> Vec<usize> {
        self.cells().shape()[1..].to_vec()
    }
}

impl<A, D> Cells for ArrayRef<A, D>
where
    A: Cell,
    D: Dimension + RemoveAxis,
    ArrayRef<A, D>: ToOwned<Owned = Array<A, D>>,
{
    type Cell = A;

    fn cells(&self) -> ArrayViewD<'_, A> {
        self.view().into_dyn()
    }

    fn of_cells(cells: ArrayD<A>) -> Result<Array<A, D>> {
        let found = cells.shape().to_vec();
        let expected = D::NDIM.map_or_else(Vec::new, |axes| vec![axes]);
        cells.into_dimensionality::<D>().map_err(|_| Error::Shape {
            what: format!("axes of the batch, found those of {found:?}"),
            expected,
            found: vec![found.len()],
        })
    }
}
