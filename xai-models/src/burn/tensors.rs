//! Batches as burn's tensors.

use ::burn::tensor::{Device, Tensor, TensorData};
use ndarray::{ArrayRef2, ArrayRef3, ArrayRef4};
use xai_core::{Cell, Cells, Error, Result, Table};

use super::Taps;

/// A batch that burn takes as one tensor: a table, series or images.
pub trait Tensors: Cells {
    /// burn's tensor: (sample, axes of one sample …).
    type Tensor: Clone + Send + Sync + 'static;

    /// The number of axes of that tensor.
    const AXES: usize;

    /// A tensor of `cells` in row-major order.
    ///
    /// # Panics
    /// As burn does, when the axes of `shape` do not hold `cells`.
    fn tensor(cells: Vec<f32>, shape: &[usize], device: &Device) -> Self::Tensor;

    /// The same cells as (sample, cell).
    fn flat(tensor: Self::Tensor) -> Tensor<2>;

    /// Passes the tensor through `taps` under `name`.
    fn tapped(taps: &mut Taps, name: &str, tensor: Self::Tensor) -> Self::Tensor;
}

macro_rules! tensors {
    ($($batch:ty, $axes:literal);*) => {$(
        impl Tensors for $batch {
            type Tensor = Tensor<$axes>;

            const AXES: usize = $axes;

            fn tensor(cells: Vec<f32>, shape: &[usize], device: &Device) -> Tensor<$axes> {
                Tensor::from_data(TensorData::new(cells, shape.to_vec()), device)
            }

            fn flat(tensor: Tensor<$axes>) -> Tensor<2> {
                let dims = tensor.dims();
                tensor.reshape([dims[0], dims[1..].iter().product::<usize>()])
            }

            fn tapped(taps: &mut Taps, name: &str, tensor: Tensor<$axes>) -> Tensor<$axes> {
                taps.tap(name, tensor)
            }
        }
    )*};
}
tensors!(Table, 2; ArrayRef2<f32>, 2; ArrayRef3<f32>, 3; ArrayRef4<f32>, 4);

/// The cells of the samples `from .. to`, row-major, as burn counts.
///
/// # Errors
/// [`Error::NonFinite`] for a finite number that is too great for `f32`: it would enter the model as infinity.
pub(crate) fn single<B: Cells + ?Sized>(batch: &B, from: usize, to: usize) -> Result<Vec<f32>> {
    let cells = batch.cells();
    let part = cells.slice_axis(ndarray::Axis(0), ndarray::Slice::from(from..to));
    let per_sample = (part.len() / (to - from).max(1)).max(1);
    let mut single = Vec::with_capacity(part.len());
    for (i, &cell) in part.iter().enumerate() {
        let value: f64 = cell.into();
        let short = <f32 as Cell>::of(value);
        if value.is_finite() && !short.is_finite() {
            let (sample, column) = (from + i / per_sample, i % per_sample);
            return Err(Error::NonFinite { what: "input in single precision".into(), sample, column, value });
        }
        single.push(short);
    }
    Ok(single)
}
