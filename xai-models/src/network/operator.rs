//! A layer as a function by itself.

use std::sync::OnceLock;

use ndarray::{ArrayD, IxDyn};
use xai_core::error::same_shape;
use xai_core::{Error, Operator, Result};

use super::kernel::{self, Prepared};
use super::op::Op;
use super::shape::cells;

/// An op on inputs of known shapes.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub op: Op,
    /// The axes of one sample of each input.
    pub inputs: Vec<Vec<usize>>,
    /// The axes of one sample of the output.
    pub shape: Vec<usize>,
    /// What forward and backward make of the parameters, once each is first asked for.
    prepared: [OnceLock<Prepared>; 2],
}

impl Function {
    pub fn new(op: Op, inputs: Vec<Vec<usize>>) -> Result<Self> {
        let shape = op.output_shape(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        for (name, values) in op.parameters() {
            if let Some((column, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                let value = f64::from(value);
                return Err(Error::NonFinite { what: format!("parameter {name}"), sample: 0, column, value });
            }
        }
        Ok(Function { op, inputs, shape, prepared: Default::default() })
    }

    /// The parameters as the way forward reads them.
    pub fn prepared_forward(&self) -> &Prepared {
        self.prepared[0].get_or_init(|| Prepared::forward(&self.op, &self.inputs, &self.shape))
    }

    /// The parameters as the way back reads them.
    pub fn prepared_backward(&self) -> &Prepared {
        self.prepared[1].get_or_init(|| Prepared::backward(&self.op, &self.inputs, &self.shape))
    }

    fn check(&self, inputs: &[&ArrayD<f32>]) -> Result<usize> {
        same_shape("inputs of a layer", &[self.inputs.len()], &[inputs.len()])?;
        let n = inputs.first().map_or(1, |input| input.shape().first().copied().unwrap_or(0));
        for (shape, input) in self.inputs.iter().zip(inputs) {
            same_shape("an input of a layer", &[&[n], &shape[..]].concat(), input.shape())?;
        }
        Ok(n)
    }
}

impl Operator for Function {
    fn forward(&self, inputs: &[&ArrayD<f32>]) -> Result<ArrayD<f32>> {
        let n = self.check(inputs)?;
        let flat: Vec<_> = inputs.iter().map(|input| input.as_standard_layout()).collect();
        let flat: Vec<&[f32]> = flat.iter().map(|input| input.as_slice().unwrap_or_default()).collect();
        let mut output = vec![0.0; n * cells("an output", &self.shape)?];
        kernel::forward(self, n, &flat, &mut output);
        shaped(n, &self.shape, output)
    }

    fn vjp(&self, inputs: &[&ArrayD<f32>], output: &ArrayD<f32>, gradient: &ArrayD<f32>) -> Result<Vec<ArrayD<f32>>> {
        let n = self.check(inputs)?;
        let whole = [&[n], &self.shape[..]].concat();
        same_shape("the output of a layer", &whole, output.shape())?;
        same_shape("the gradient by the output of a layer", &whole, gradient.shape())?;
        let flat: Vec<_> = inputs.iter().map(|input| input.as_standard_layout()).collect();
        let flat: Vec<&[f32]> = flat.iter().map(|input| input.as_slice().unwrap_or_default()).collect();
        let (output, gradient) = (output.as_standard_layout(), gradient.as_standard_layout());
        let (output, gradient) = (output.as_slice().unwrap_or_default(), gradient.as_slice().unwrap_or_default());
        let mut sums = Vec::new();
        for (place, shape) in self.inputs.iter().enumerate() {
            let mut sum = vec![0.0; n * cells("an input", shape)?];
            kernel::backward(self, n, &flat, output, gradient, place, &mut sum);
            sums.push(shaped(n, shape, sum)?);
        }
        Ok(sums)
    }

    fn parameters(&self) -> Vec<(&'static str, ArrayD<f32>)> {
        self.op.parameters()
    }

    fn with_parameters(&self, change: &mut dyn FnMut(&str, ArrayD<f32>) -> ArrayD<f32>) -> Result<Box<dyn Operator>> {
        let mut op = self.op.clone();
        for (name, old) in op.parameters() {
            let shape = old.shape().to_vec();
            let new = change(name, old);
            same_shape(format!("parameter {name}"), &shape, new.shape())?;
            op.set_parameter(name, new);
        }
        let (inputs, shape) = (self.inputs.clone(), self.shape.clone());
        Ok(Box::new(Function { op, inputs, shape, prepared: Default::default() }))
    }
}

/// Cells of `n` samples under their axes.
pub(super) fn shaped(n: usize, shape: &[usize], cells: Vec<f32>) -> Result<ArrayD<f32>> {
    let whole = [&[n], shape].concat();
    let found = cells.len();
    ArrayD::from_shape_vec(IxDyn(&whole), cells).map_err(|_| Error::Shape {
        what: "cells of a layer".into(),
        expected: whole,
        found: vec![found],
    })
}
