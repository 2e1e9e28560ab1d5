//! Numbers and tables on their way to linfa and back.

use ndarray::Array2;
use xai_core::{Error, Result, Table};

/// A number that linfa computes with: `f32` or `f64`.
pub trait Cell: linfa::Float {
    /// Whether it is an `f32`.
    const SINGLE: bool;

    /// The same number in `f64`.
    fn wide(self) -> f64;

    /// Shows a table to linfa: without copying it when it is `f64` in row order, otherwise as a copy.
    ///
    /// # Errors
    /// [`Error::Model`] when the table has more cells than linfa's ndarray can address.
    fn show<R>(batch: &Table, look: impl FnOnce(nd16::ArrayView2<'_, Self>) -> R) -> Result<R>;
}

impl Cell for f64 {
    const SINGLE: bool = false;

    fn wide(self) -> f64 {
        self
    }

    fn show<R>(batch: &Table, look: impl FnOnce(nd16::ArrayView2<'_, Self>) -> R) -> Result<R> {
        match batch.as_slice() {
            Some(cells) => Ok(look(view(batch, cells)?)),
            None => Ok(look(view(batch, &batch.iter().copied().collect::<Vec<_>>())?)),
        }
    }
}

impl Cell for f32 {
    const SINGLE: bool = true;

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn show<R>(batch: &Table, look: impl FnOnce(nd16::ArrayView2<'_, Self>) -> R) -> Result<R> {
        let cells: Vec<f32> = batch.iter().map(|&cell| cell as f32).collect();
        Ok(look(view(batch, &cells)?))
    }
}

fn view<'a, F>(batch: &Table, cells: &'a [F]) -> Result<nd16::ArrayView2<'a, F>> {
    nd16::ArrayView2::from_shape(batch.dim(), cells).map_err(Error::model)
}

/// A matrix of linfa's as one of ours.
pub(super) fn matrix<F: Cell>(array: &nd16::Array2<F>) -> Result<Array2<f64>> {
    let cells = array.iter().map(|cell| cell.wide()).collect();
    Array2::from_shape_vec(array.dim(), cells).map_err(Error::model)
}

/// A column of linfa's as a matrix of ours with one column.
pub(super) fn column<F: Cell>(array: &nd16::Array1<F>) -> Result<Array2<f64>> {
    let cells = array.iter().map(|cell| cell.wide()).collect();
    Array2::from_shape_vec((array.len(), 1), cells).map_err(Error::model)
}
