//! Linear layers, convolutions and normalisations.

use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2};
use xai_core::Result;
use xai_core::error::same_shape;

use super::reader::Reader;
use super::value::Value;
use super::{flag, malformed, named, place, refuse};
use crate::network::{Convolution, Op};
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;

/// The ε of normalisations where nothing is said.
const EPSILON: f32 = 1e-5;

impl<'a> Reader<'a> {
    pub(super) fn gemm(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        if flag(attributes, "transA") || self.shape(layer).len() != 1 {
            return Err(refuse(node, "its first factor is no table of samples"));
        }
        let weight = self.matrix(node, 1)?;
        let alpha = attributes.real("alpha").unwrap_or(1.0);
        let weight =
            if flag(attributes, "transB") { weight } else { weight.reversed_axes().as_standard_layout().to_owned() };
        let weight = if alpha == 1.0 { weight } else { weight * alpha };
        let beta = attributes.real("beta").unwrap_or(1.0);
        let bias = match self.reals(node, 2)? {
            None => None,
            Some(bias) => Some(self.spread(node, bias, weight.nrows())? * beta),
        };
        self.push(named(node), Op::Linear { weight, bias }, vec![layer]).map(Value::Layer)
    }

    pub(super) fn mat_mul(&mut self, node: &'a NodeProto) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        if !matches!(self.value(node, 1)?, Value::Constant(_)) {
            return Err(refuse(node, "a product of two layers, as attention has it, is not served"));
        }
        let weight = self.matrix(node, 1)?.reversed_axes().as_standard_layout().to_owned();
        self.push(named(node), Op::Linear { weight, bias: None }, vec![layer]).map(Value::Layer)
    }

    pub(super) fn conv(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let weight = self.reals(node, 1)?.ok_or_else(|| malformed(place(node), "it has no kernel".into()))?;
        let channels = weight.shape().first().copied().unwrap_or(0);
        let bias = match self.reals(node, 2)? {
            None => None,
            Some(bias) => Some(vector(node, "bias", bias, channels)?),
        };
        let kernel = weight.shape().get(2..).unwrap_or_default().to_vec();
        let places = self.places(node, attributes, layer, &kernel)?;
        let groups = attributes.int("group").unwrap_or(1);
        let groups = usize::try_from(groups).map_err(|_| malformed(place(node), format!("{groups} groups")))?;
        let convolution = Convolution {
            weight,
            bias,
            stride: places.stride,
            padding: places.padding,
            dilation: places.dilation,
            groups,
        };
        self.push(named(node), Op::Convolution(convolution), vec![layer]).map(Value::Layer)
    }

    pub(super) fn batch_normalization(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        if flag(attributes, "training_mode") || attributes.int("spatial") == Some(0) {
            return Err(refuse(node, "only the mode after training, by channel, does not hang on the other samples"));
        }
        let layer = self.layer(node, 0)?;
        let channels = self.shape(layer).first().copied().unwrap_or(0);
        let mut parameters = Vec::new();
        for (at, what) in ["scale", "bias", "mean", "variance"].into_iter().enumerate() {
            let values = self.reals(node, at + 1)?;
            let values = values.ok_or_else(|| malformed(place(node), format!("it has no {what}")))?;
            parameters.push(vector(node, what, values, channels)?);
        }
        let epsilon = f64::from(attributes.real("epsilon").unwrap_or(EPSILON));
        let op = Op::batch_norm(&parameters[0], &parameters[1], &parameters[2], &parameters[3], epsilon);
        let op = op.map_err(|error| error.in_layer(named(node)))?;
        self.push(named(node), op, vec![layer]).map(Value::Layer)
    }

    pub(super) fn layer_normalization(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let shape = self.shape(layer).to_vec();
        let axis = attributes.int("axis").unwrap_or(-1);
        // Axis 0 is the sample.
        let from = self.axis(node, layer, axis)?.checked_sub(1);
        let from = from.ok_or_else(|| refuse(node, "it normalises over the samples"))?;
        let normalised = &shape[from..];
        let scale = self.reals(node, 1)?.ok_or_else(|| malformed(place(node), "it has no scale".into()))?;
        same_shape(format!("{}, scale", place(node)), normalised, scale.shape())?;
        let shift = match self.reals(node, 2)? {
            Some(shift) => shift,
            None => ArrayD::zeros(normalised),
        };
        same_shape(format!("{}, bias", place(node)), normalised, shift.shape())?;
        let epsilon = attributes.real("epsilon").unwrap_or(EPSILON);
        self.push(named(node), Op::LayerNorm { scale, shift, epsilon }, vec![layer]).map(Value::Layer)
    }

    /// scikit-learn's scalers: (x − offset)·scale for each column.
    pub(super) fn scaler(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let columns = self.shape(layer).first().copied().unwrap_or(0);
        if self.shape(layer).len() != 1 {
            return Err(refuse(node, "it scales the columns of tables only"));
        }
        self.take(2 * columns)?;
        let numbers = |name: &str, otherwise: f64| -> Result<Vec<f64>> {
            match attributes.reals(name)?.as_slice() {
                [] => Ok(vec![otherwise; columns]),
                &[one] => Ok(vec![one; columns]),
                list => same_shape(attributes.at(name), &[columns], &[list.len()]).map(|()| list.to_vec()),
            }
        };
        let (offset, scale) = (numbers("offset", 0.0)?, numbers("scale", 1.0)?);
        let shift = offset.iter().zip(&scale).map(|(offset, scale)| (-offset * scale) as f32).collect();
        let scale = scale.into_iter().map(|scale| scale as f32).collect();
        self.push(named(node), Op::BatchNorm { scale, shift }, vec![layer]).map(Value::Layer)
    }

    fn matrix(&mut self, node: &'a NodeProto, at: usize) -> Result<Array2<f32>> {
        let reals = self.reals(node, at)?;
        let reals = reals.ok_or_else(|| malformed(place(node), format!("it has no input {at}")))?;
        let axes = reals.ndim();
        reals.into_dimensionality::<Ix2>().map_err(|_| refuse(node, format!("its constant has {axes} axes, not two")))
    }

    /// One number, or one for each of `n` outputs.
    fn spread(&mut self, node: &NodeProto, values: ArrayD<f32>, n: usize) -> Result<Array1<f32>> {
        if values.len() == 1 && n != 1 {
            self.take(n)?;
            return Ok(Array1::from_elem(n, values.iter().sum()));
        }
        let leading = values.shape().iter().rev().skip(1).all(|&length| length == 1);
        match leading && values.len() == n {
            true => Ok(values.into_iter().collect()),
            false => vector(node, "bias", values, n),
        }
    }
}

fn vector(node: &NodeProto, what: &str, values: ArrayD<f32>, n: usize) -> Result<Array1<f32>> {
    same_shape(format!("{}, {what}", place(node)), &[n], values.shape())?;
    values.into_dimensionality::<Ix1>().map_err(|error| malformed(place(node), error.to_string()))
}
