//! Numbers that stand in the file, and the arithmetic that exporters leave to be done with them.

use ndarray::{ArrayD, Axis, IxDyn};
use xai_core::{Error, Result};

use super::super::malformed;
use super::super::proto::{TensorProto, element};
use super::outside::Outside;
use crate::weights::{Element, cells_of};

/// A constant tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// Real numbers.
    Reals(ArrayD<f32>),
    /// Whole numbers: axes, shapes, places.
    Wholes(ArrayD<i64>),
}

impl Constant {
    /// # Errors
    /// [`Error::Malformed`] for a tensor whose numbers are not as many as its shape says; [`Error::Unsupported`] for
    /// another type of numbers.
    pub fn of(tensor: &TensorProto, outside: &Outside) -> Result<Constant> {
        let at = || format!("the tensor {:?}", tensor.name);
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(|&n| usize::try_from(n).ok()).collect();
        let shape = shape.ok_or_else(|| malformed(at(), "a negative length".into()))?;
        let cells = cells_of(&shape).ok_or_else(|| malformed(at(), format!("the shape {shape:?}")))?;
        let elsewhere;
        let raw = match tensor.data_location {
            0 => tensor.raw_data.as_slice(),
            _ => {
                elsewhere = outside.bytes(tensor)?;
                &elsewhere
            }
        };
        let decode = |element: Element| -> Result<Vec<f32>> {
            match cells.checked_mul(element.size()) == Some(raw.len()) {
                true => Ok(element.decode(raw)),
                false => Err(malformed(at(), format!("{} bytes for the shape {shape:?}", raw.len()))),
            }
        };
        let listed = raw.is_empty() && cells > 0;
        let values = match (tensor.data_type, listed) {
            (element::FLOAT, true) => tensor.float_data.clone(),
            (element::FLOAT, false) => decode(Element::F32)?,
            (element::DOUBLE, true) => tensor.double_data.iter().map(|&x| x as f32).collect(),
            (element::DOUBLE, false) => decode(Element::F64)?,
            (element::FLOAT16, false) => decode(Element::F16)?,
            (element::BFLOAT16, false) => decode(Element::Bf16)?,
            (element::INT64 | element::INT32, _) => {
                let array = ArrayD::from_shape_vec(IxDyn(&shape), wholes(tensor, raw));
                return array.map(Constant::Wholes).map_err(|error| malformed(at(), error.to_string()));
            }
            (other, _) => {
                let what = format!("ONNX: numbers of type {other} in the tensor {:?}", tensor.name);
                return Err(Error::unsupported(what, "float, double, short floats and whole numbers are read"));
            }
        };
        if values.len() != cells {
            return Err(malformed(at(), format!("{} numbers for the shape {shape:?}", values.len())));
        }
        let array = ArrayD::from_shape_vec(IxDyn(&shape), values);
        array.map(Constant::Reals).map_err(|error| malformed(at(), error.to_string()))
    }

    /// The only number, if there is one.
    pub fn scalar(&self) -> Option<f32> {
        match self {
            Constant::Reals(array) if array.len() == 1 => array.iter().next().copied(),
            Constant::Wholes(array) if array.len() == 1 => array.iter().next().map(|&only| only as f32),
            _ => None,
        }
    }

    /// Its real numbers.
    pub fn reals(&self) -> Option<&ArrayD<f32>> {
        match self {
            Constant::Reals(array) => Some(array),
            Constant::Wholes(_) => None,
        }
    }

    /// Its whole numbers, one after another.
    pub fn wholes(&self) -> Option<Vec<i64>> {
        match self {
            Constant::Reals(_) => None,
            Constant::Wholes(array) => Some(array.iter().copied().collect()),
        }
    }

    /// Whole numbers on one axis.
    pub fn of_wholes(list: Vec<i64>) -> Constant {
        Constant::Wholes(ndarray::Array1::from_vec(list).into_dyn())
    }

    /// Two constants under `f`, cell by cell; one of them may be a single number.
    pub fn joined(&self, other: &Constant, f: impl Fn(f32, f32) -> f32) -> Option<Constant> {
        let (a, b) = (self.reals()?, other.reals()?);
        match (self.scalar(), other.scalar()) {
            _ if a.shape() == b.shape() => {
                Some(Constant::Reals(ndarray::Zip::from(a).and(b).map_collect(|&a, &b| f(a, b))))
            }
            (_, Some(b)) if other.reals()?.ndim() <= a.ndim() => Some(Constant::Reals(a.mapv(|a| f(a, b)))),
            (Some(a), _) if self.reals()?.ndim() <= b.ndim() => Some(Constant::Reals(b.mapv(|b| f(a, b)))),
            _ => None,
        }
    }

    /// The same numbers under other axes, of which one may be −1: as long as it must be.
    pub fn reshaped(&self, shape: &[i64]) -> Option<Constant> {
        match self {
            Constant::Reals(array) => reshaped(array, shape).map(Constant::Reals),
            Constant::Wholes(array) => reshaped(array, shape).map(Constant::Wholes),
        }
    }

    /// With another order of axes.
    pub fn transposed(&self, order: &[usize]) -> Option<Constant> {
        match self {
            Constant::Reals(array) => transposed(array, order).map(Constant::Reals),
            Constant::Wholes(array) => transposed(array, order).map(Constant::Wholes),
        }
    }

    /// Its places in reverse order along an axis.
    pub fn reversed(&self, axis: usize) -> Option<Constant> {
        let Constant::Wholes(array) = self else { return None };
        let mut array = array.clone();
        (axis < array.ndim()).then(|| array.invert_axis(Axis(axis)))?;
        Some(Constant::Wholes(array.as_standard_layout().to_owned()))
    }

    /// How many axes it has.
    pub fn n_axes(&self) -> usize {
        match self {
            Constant::Reals(array) => array.ndim(),
            Constant::Wholes(array) => array.ndim(),
        }
    }

    /// Without the leading axes of one place that stand for the samples, so that `axes` are left.
    pub fn of_sample(&self, axes: usize) -> Option<ArrayD<f32>> {
        let mut array = self.reals()?.clone();
        while array.ndim() > axes {
            if array.shape()[0] != 1 {
                return None;
            }
            array = array.index_axis_move(Axis(0), 0);
        }
        Some(array)
    }
}

fn wholes(tensor: &TensorProto, raw: &[u8]) -> Vec<i64> {
    match (tensor.data_type, raw) {
        (element::INT64, []) => tensor.int64_data.clone(),
        (element::INT64, raw) => raw.as_chunks::<8>().0.iter().map(|word| i64::from_le_bytes(*word)).collect(),
        (_, []) => tensor.int32_data.iter().map(|&x| i64::from(x)).collect(),
        (_, raw) => raw.as_chunks::<4>().0.iter().map(|word| i64::from(i32::from_le_bytes(*word))).collect(),
    }
}

fn reshaped<T: Clone>(array: &ArrayD<T>, shape: &[i64]) -> Option<ArrayD<T>> {
    let known = shape.iter().filter(|&&n| n != -1).map(|&n| usize::try_from(n).ok());
    let known = known.collect::<Option<Vec<usize>>>()?;
    let product = cells_of(&known)?;
    let open = shape.len() - known.len();
    let rest = array.len().checked_div(product).unwrap_or(0);
    (open <= 1 && product * if open == 1 { rest } else { 1 } == array.len()).then_some(())?;
    let shape: Vec<usize> = shape.iter().map(|&n| usize::try_from(n).unwrap_or(rest)).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), array.iter().cloned().collect()).ok()
}

fn transposed<T: Clone>(array: &ArrayD<T>, order: &[usize]) -> Option<ArrayD<T>> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    let sound = sorted.iter().copied().eq(0..array.ndim());
    sound.then(|| array.view().permuted_axes(IxDyn(order)).as_standard_layout().to_owned())
}
