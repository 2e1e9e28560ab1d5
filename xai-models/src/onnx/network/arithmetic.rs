//! Sums and products of layers and constants.

use ndarray::{Array1, ArrayD};
use xai_core::Result;

use super::constant::Constant;
use super::reader::Reader;
use super::value::{Part, Product, Value, near};
use super::{flag, malformed, named, place, refuse};
use crate::network::Op;
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;
use crate::weights::cells_of;

impl<'a> Reader<'a> {
    pub(super) fn add(&mut self, node: &'a NodeProto) -> Result<Value> {
        let mut sum = self.value(node, 0)?;
        for at in 1..node.input.len() {
            let other = self.value(node, at)?;
            sum = self.sum(node, sum, other)?;
        }
        Ok(sum)
    }

    pub(super) fn subtract(&mut self, node: &'a NodeProto) -> Result<Value> {
        match (self.value(node, 0)?, self.value(node, 1)?) {
            (a, Value::Constant(b)) => self.sum(node, a, Value::Constant(negative(node, &b)?)),
            (a, b) => {
                let b = self.as_layer(node, b)?;
                let negative = self.scaled(&format!("{}.minus", named(node)), b, -1.0)?;
                self.sum(node, a, Value::Layer(negative))
            }
        }
    }

    pub(super) fn negate(&mut self, node: &'a NodeProto) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        self.scaled(named(node), layer, -1.0).map(Value::Layer)
    }

    pub(super) fn multiply(&mut self, node: &'a NodeProto) -> Result<Value> {
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        self.product(node, a, b)
    }

    pub(super) fn divide(&mut self, node: &'a NodeProto) -> Result<Value> {
        let a = self.value(node, 0)?;
        let Some(b) = self.reals(node, 1)? else {
            return Err(malformed(place(node), "it divides by nothing".into()));
        };
        if b.iter().any(|&b| b == 0.0) {
            return Err(refuse(node, "it divides by zero"));
        }
        self.product(node, a, Value::Constant(Constant::Reals(b.mapv(|b| 1.0 / b))))
    }

    /// x² is x·x; other powers have no layer.
    pub(super) fn power(&mut self, node: &'a NodeProto) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        match self.constant(node, 1)?.and_then(|exponent| exponent.scalar()) {
            Some(1.0) => Ok(Value::Layer(layer)),
            Some(2.0) => self.push(named(node), Op::Multiply, vec![layer; 2]).map(Value::Layer),
            Some(3.0) => self.push(named(node), Op::Multiply, vec![layer; 3]).map(Value::Layer),
            _ => Err(refuse(node, "only the constant powers 1, 2 and 3 are served")),
        }
    }

    /// erf(x/√2), the beginning of the Gaussian error linear unit.
    pub(super) fn erf(&mut self, node: &'a NodeProto) -> Result<Value> {
        match self.value(node, 0)? {
            Value::Part(layer, Part::Scaled(factor)) if near(factor, std::f32::consts::FRAC_1_SQRT_2) => {
                Ok(Value::Part(layer, Part::Erf))
            }
            _ => Err(refuse(node, "Erf is read only as a part of x·½·(1 + erf(x/√2))")),
        }
    }

    fn sum(&mut self, node: &'a NodeProto, a: Value, b: Value) -> Result<Value> {
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => {
                let sum = a.joined(&b, |a, b| a + b);
                sum.map(Value::Constant).ok_or_else(|| refuse(node, "constants of shapes that do not fit"))
            }
            (Value::Part(layer, Part::Erf), Value::Constant(one))
            | (Value::Constant(one), Value::Part(layer, Part::Erf))
                if one.scalar() == Some(1.0) =>
            {
                Ok(Value::Part(layer, Part::OnePlusErf(1.0)))
            }
            (value, Value::Constant(constant)) | (Value::Constant(constant), value) => {
                let layer = self.as_layer(node, value)?;
                self.shifted(node, layer, &constant).map(Value::Layer)
            }
            (a, b) => {
                let inputs = vec![self.as_layer(node, a)?, self.as_layer(node, b)?];
                self.push(named(node), Op::Add, inputs).map(Value::Layer)
            }
        }
    }

    fn product(&mut self, node: &'a NodeProto, a: Value, b: Value) -> Result<Value> {
        match (a, b) {
            (value, Value::Constant(constant)) | (Value::Constant(constant), value) => {
                let single = constant.scalar().filter(|_| {
                    constant.reals().is_some_and(|array| self.axes_of(&value).is_some_and(|axes| array.ndim() <= axes))
                });
                match (value, single) {
                    (Value::Layer(layer), Some(factor)) => Ok(Value::Part(layer, Part::Scaled(factor))),
                    (Value::Part(layer, part), Some(factor)) => match part.times(factor) {
                        Some(product) => self.part(node, layer, product),
                        None => Err(refuse(node, "Erf is read only as a part of x·½·(1 + erf(x/√2))")),
                    },
                    (value, _) => {
                        let layer = self.as_layer(node, value)?;
                        self.stretched(node, layer, &constant).map(Value::Layer)
                    }
                }
            }
            (Value::Part(x, Part::Scaled(factor)), Value::Part(y, part @ Part::OnePlusErf(_)))
            | (Value::Part(y, part @ Part::OnePlusErf(_)), Value::Part(x, Part::Scaled(factor)))
                if x == y && part.times_x(factor).is_some() =>
            {
                let product = part.times_x(factor);
                product.map_or_else(|| Err(refuse(node, "a part of GELU")), |product| self.part(node, x, product))
            }
            (Value::Layer(x), Value::Part(y, part)) | (Value::Part(y, part), Value::Layer(x))
                if x == y && part.times_x(1.0).is_some() =>
            {
                let product = part.times_x(1.0);
                product.map_or_else(|| Err(refuse(node, "a part of GELU")), |product| self.part(node, x, product))
            }
            (a, b) => {
                let inputs = vec![self.as_layer(node, a)?, self.as_layer(node, b)?];
                self.push(named(node), Op::Multiply, inputs).map(Value::Layer)
            }
        }
    }

    fn part(&mut self, node: &NodeProto, layer: usize, product: Product) -> Result<Value> {
        match product {
            Product::Part(part) => Ok(Value::Part(layer, part)),
            Product::Gelu => self.push(named(node), Op::Gelu { tanh: false }, vec![layer]).map(Value::Layer),
        }
    }

    /// The axes of a layer or of a part of one, the samples' included.
    fn axes_of(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Layer(layer) | Value::Part(layer, _) => Some(self.shape(*layer).len() + 1),
            _ => None,
        }
    }

    /// factor·x.
    pub(super) fn scaled(&mut self, name: &str, layer: usize, factor: f32) -> Result<usize> {
        if factor == 1.0 {
            return Ok(layer);
        }
        self.line(&format!("{name}.scale"), layer, factor, 0.0)
    }

    /// factor·x + term.
    pub(super) fn line(&mut self, name: &str, layer: usize, factor: f32, term: f32) -> Result<usize> {
        let channels = self.shape(layer).first().copied().unwrap_or(1);
        self.take(2 * channels)?;
        let op = Op::BatchNorm { scale: Array1::from_elem(channels, factor), shift: Array1::from_elem(channels, term) };
        self.push(name, op, vec![layer])
    }

    /// x + constant.
    fn shifted(&mut self, node: &'a NodeProto, layer: usize, constant: &Constant) -> Result<usize> {
        let shape = self.shape(layer).to_vec();
        let constant = self.fitted(node, constant, shape.len())?;
        self.take(shape.iter().copied().max().unwrap_or(1))?;
        if let Some(op) = self.without_bias(layer) {
            match op {
                Op::Linear { weight, bias: bias @ None } if is_row(&constant, weight.nrows()) => {
                    *bias = Some(spread(&constant, weight.nrows()));
                    return Ok(layer);
                }
                Op::Convolution(convolution) if convolution.bias.is_none() && by_channel(&constant, &shape) => {
                    convolution.bias = Some(spread(&constant, shape[0]));
                    return Ok(layer);
                }
                _ => {}
            }
        }
        if by_channel(&constant, &shape) {
            let op = Op::BatchNorm { scale: Array1::ones(shape[0]), shift: spread(&constant, shape[0]) };
            return self.push(named(node), op, vec![layer]);
        }
        let constant = self.push(&format!("{}.constant", named(node)), Op::Constant(constant), Vec::new())?;
        self.push(named(node), Op::Add, vec![layer, constant])
    }

    /// x·constant.
    fn stretched(&mut self, node: &'a NodeProto, layer: usize, constant: &Constant) -> Result<usize> {
        let shape = self.shape(layer).to_vec();
        let constant = self.fitted(node, constant, shape.len())?;
        if by_channel(&constant, &shape) {
            self.take(2 * shape[0])?;
            let op = Op::BatchNorm { scale: spread(&constant, shape[0]), shift: Array1::zeros(shape[0]) };
            return self.push(named(node), op, vec![layer]);
        }
        let constant = self.push(&format!("{}.constant", named(node)), Op::Constant(constant), Vec::new())?;
        self.push(named(node), Op::Multiply, vec![layer, constant])
    }

    fn fitted(&self, node: &NodeProto, constant: &Constant, axes: usize) -> Result<ArrayD<f32>> {
        let fitted = constant.of_sample(axes);
        fitted.ok_or_else(|| refuse(node, "its constant differs from sample to sample, or holds whole numbers"))
    }

    /// Arithmetic and changes of axes of constants alone; nothing when the node reads anything else.
    pub(super) fn apply_to_constants(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes,
    ) -> Result<Option<Constant>> {
        if node.op_type == "Constant" {
            return self.literal(node, attributes).map(Some);
        }
        if node.op_type == "ConstantOfShape" {
            return self.filled(node, attributes).map(Some);
        }
        let Some(Value::Constant(first)) = self.optional(node, 0)? else { return Ok(None) };
        let second = match node.op_type.as_str() {
            "Add" | "Sub" | "Mul" | "Div" if node.input.len() == 2 => match self.optional(node, 1)? {
                Some(Value::Constant(second)) => Some(second),
                _ => return Ok(None),
            },
            _ => None,
        };
        let joined = |f: fn(f32, f32) -> f32| second.as_ref().and_then(|second| first.joined(second, f));
        let constant = match node.op_type.as_str() {
            "Identity" | "Cast" => Some(first),
            "Add" => joined(|a, b| a + b),
            "Sub" => joined(|a, b| a - b),
            "Mul" => joined(|a, b| a * b),
            "Div" => joined(|a, b| a / b),
            "Neg" => Some(negative(node, &first)?),
            "Transpose" => {
                let axes = first.reals().map_or(0, ArrayD::ndim);
                let order = match attributes.ints("perm") {
                    [] => Some((0..axes).rev().collect()),
                    order => order.iter().map(|&axis| usize::try_from(axis).ok()).collect::<Option<Vec<_>>>(),
                };
                order.and_then(|order| first.transposed(&order))
            }
            "Reshape" => {
                let shape = self.wholes(node, 1, attributes, "shape")?.unwrap_or_default();
                first.reshaped(&shape)
            }
            "Slice" => self.reversed(node, attributes, &first)?,
            _ => return Ok(None),
        };
        constant.map(Some).ok_or_else(|| refuse(node, "it works on constants in a way that is not served"))
    }

    /// A whole constant, its places along one axis reversed: what exporters do to the widths of a Pad.
    fn reversed(&mut self, node: &'a NodeProto, attributes: &Attributes, first: &Constant) -> Result<Option<Constant>> {
        let mut one = |at, name| -> Result<Option<i64>> {
            let list = self.wholes(node, at, attributes, name)?;
            Ok(list.filter(|list| list.len() == 1).map(|list| list[0]))
        };
        let (start, end, axis, step) = (one(1, "starts")?, one(2, "ends")?, one(3, "axes")?, one(4, "steps")?);
        let axis = place_of(axis.unwrap_or(0), first.n_axes());
        let whole = start == Some(-1) && end.is_some_and(|end| end <= -i64::from(i32::MAX)) && step == Some(-1);
        Ok(axis.filter(|_| whole).and_then(|axis| first.reversed(axis)))
    }

    fn filled(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Constant> {
        let shape = self.wholes(node, 0, attributes, "shape")?.unwrap_or_default();
        let shape = shape.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<usize>>>();
        let shape = shape.filter(|shape| cells_of(shape).is_some());
        let shape = shape.ok_or_else(|| malformed(place(node), "a shape that is none".into()))?;
        self.take(cells_of(&shape).unwrap_or(usize::MAX))?;
        let value = match attributes.tensor("value") {
            None => return Ok(Constant::Reals(ArrayD::zeros(shape))),
            Some(value) => Constant::of(value, &self.outside)?,
        };
        match (&value, value.wholes().as_deref(), value.scalar()) {
            (Constant::Wholes(_), Some(&[whole]), _) => Ok(Constant::Wholes(ArrayD::from_elem(shape, whole))),
            (Constant::Reals(_), _, Some(real)) => Ok(Constant::Reals(ArrayD::from_elem(shape, real))),
            _ => Err(malformed(place(node), "its value is not one number".into())),
        }
    }

    fn literal(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Constant> {
        if let Some(tensor) = attributes.tensor("value") {
            return Constant::of(tensor, &self.outside);
        }
        let reals = |list: Vec<f32>, axes: &[usize]| ArrayD::from_shape_vec(axes, list).map(Constant::Reals);
        let constant = if let Some(real) = attributes.real("value_float") {
            reals(vec![real], &[])
        } else if attributes.has("value_floats") {
            let list: Vec<f32> = attributes.reals("value_floats")?.into_iter().map(|x| x as f32).collect();
            let length = list.len();
            reals(list, &[length])
        } else if let Some(whole) = attributes.int("value_int") {
            Ok(Constant::Wholes(ArrayD::from_elem(ndarray::IxDyn(&[]), whole)))
        } else if attributes.has("value_ints") {
            Ok(Constant::of_wholes(attributes.ints("value_ints").to_vec()))
        } else {
            return Err(refuse(node, "its value is no tensor of numbers"));
        };
        constant.map_err(|error| malformed(place(node), error.to_string()))
    }

    /// An axis of a value, the samples' counted, where negative ones count from the last.
    pub(super) fn axis(&self, node: &NodeProto, layer: usize, axis: i64) -> Result<usize> {
        place_of(axis, self.shape(layer).len() + 1).ok_or_else(|| {
            malformed(place(node), format!("the axis {axis} of a value with {} axes", self.shape(layer).len() + 1))
        })
    }

    /// Whether a flag that changes what a Reshape means is set.
    pub(super) fn keeps_zeros(&self, attributes: &Attributes) -> bool {
        flag(attributes, "allowzero")
    }
}

/// An axis among `n`, where negative ones count from the last.
pub(super) fn place_of(axis: i64, n: usize) -> Option<usize> {
    let length = i64::try_from(n).ok()?;
    let axis = if axis < 0 { axis.checked_add(length)? } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < n)
}

fn negative(node: &NodeProto, constant: &Constant) -> Result<Constant> {
    let reals = constant.reals().ok_or_else(|| refuse(node, "whole numbers among real ones"))?;
    Ok(Constant::Reals(reals.mapv(|x| -x)))
}

/// Whether a constant is one number for each of `n` places of the last axis, or one for all.
fn is_row(constant: &ArrayD<f32>, n: usize) -> bool {
    constant.len() == 1 || constant.len() == n && constant.shape().last() == Some(&n)
}

/// Whether a constant is one number for each channel of a sample of `shape`, or one for all.
fn by_channel(constant: &ArrayD<f32>, shape: &[usize]) -> bool {
    let whole = constant.ndim() == shape.len() && constant.shape().first() == shape.first();
    !shape.is_empty() && (constant.len() == 1 || whole && constant.shape()[1..].iter().all(|&n| n == 1))
}

fn spread(constant: &ArrayD<f32>, n: usize) -> Array1<f32> {
    match constant.len() {
        1 => Array1::from_elem(n, constant.iter().sum()),
        _ => constant.iter().copied().collect(),
    }
}
