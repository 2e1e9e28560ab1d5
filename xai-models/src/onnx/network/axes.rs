//! Changes of axes, parts and joins.

use xai_core::Result;

use super::arithmetic::place_of;
use super::reader::Reader;
use super::value::{Length, Value};
use super::{malformed, named, place, refuse};
use crate::network::Op;
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;

impl<'a> Reader<'a> {
    pub(super) fn flatten(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let axis = attributes.int("axis").unwrap_or(1);
        match self.axis(node, layer, axis)? {
            1 => self.push(named(node), Op::Flatten, vec![layer]).map(Value::Layer),
            _ => Err(refuse(node, format!("axis {axis}: only 1 keeps the samples apart"))),
        }
    }

    pub(super) fn reshape(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let given = match self.value(node, 1) {
            Ok(value) => value.lengths(),
            // Version 1 had the shape as an attribute.
            Err(_) if attributes.has("shape") => {
                Some(attributes.ints("shape").iter().map(|&n| Length::Known(n)).collect())
            }
            Err(error) => return Err(error),
        };
        let given = given.ok_or_else(|| refuse(node, "its shape is worked out from the data"))?;
        let refused = || {
            refuse(node, format!("the shape {given:?} from {:?} does not keep the samples apart", self.shape(layer)))
        };
        if self.keeps_zeros(attributes) {
            return Err(refuse(node, "axes of length zero"));
        }
        let [samples, sample @ ..] = given.as_slice() else { return Err(refused()) };
        let old = self.shape(layer);
        let cells: usize = old.iter().product();
        let mut shape = Vec::new();
        let mut open = None;
        for (at, length) in sample.iter().enumerate() {
            shape.push(match *length {
                Length::Known(0) => *old.get(at).ok_or_else(refused)?,
                Length::Known(-1) if open.replace(at).is_none() => 1,
                Length::Known(n) => usize::try_from(n).map_err(|_| refused())?,
                Length::Samples => return Err(refused()),
            });
        }
        let rest = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n)).ok_or_else(refused)?;
        if let Some(open) = open {
            if rest == 0 || !cells.is_multiple_of(rest) {
                return Err(refused());
            }
            shape[open] = cells / rest;
        }
        let keeps = match *samples {
            Length::Samples | Length::Known(0) => true,
            // The open length is the samples' when all others make up one sample.
            Length::Known(-1) => open.is_none() && rest == cells,
            Length::Known(n) => self.samples == Some(n),
        };
        if !keeps {
            return Err(refused());
        }
        let op = if shape.len() == 1 { Op::Flatten } else { Op::Reshape(shape) };
        self.push(named(node), op, vec![layer]).map(Value::Layer)
    }

    pub(super) fn squeeze(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let axes = self.wholes(node, 1, attributes, "axes")?;
        let old = self.shape(layer).to_vec();
        let grows = node.op_type == "Unsqueeze";
        let axes = axes.filter(|axes| !axes.is_empty());
        let axes = axes.ok_or_else(|| refuse(node, "its axes are not told"))?;
        let n = if grows { old.len() + 1 + axes.len() } else { old.len() + 1 };
        let places: Option<Vec<usize>> = axes.iter().map(|&axis| place_of(axis, n)).collect();
        let places = places.ok_or_else(|| malformed(place(node), format!("the axes {axes:?} of {n}")))?;
        if places.contains(&0) {
            return Err(refuse(node, "it adds or takes away the axis of the samples"));
        }
        let mut shape = Vec::new();
        let mut rest = old.iter();
        for axis in 1..n {
            match (places.contains(&axis), grows) {
                (true, true) => shape.push(1),
                (true, false) if rest.next() != Some(&1) => {
                    return Err(malformed(place(node), format!("the axis {axis} of {old:?} is longer than 1")));
                }
                (true, false) => {}
                (false, _) => shape.extend(rest.next()),
            }
        }
        self.push(named(node), Op::Reshape(shape), vec![layer]).map(Value::Layer)
    }

    pub(super) fn transpose(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let order = attributes.ints("perm");
        let order: Option<Vec<usize>> = order.iter().map(|&axis| usize::try_from(axis).ok()).collect();
        match order.as_deref() {
            Some([0, order @ ..]) if !order.contains(&0) => {
                let order = order.iter().map(|axis| axis - 1).collect();
                self.push(named(node), Op::Permute(order), vec![layer]).map(Value::Layer)
            }
            _ => Err(refuse(node, "it moves the axis of the samples")),
        }
    }

    pub(super) fn concat(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let mut values = Vec::new();
        for at in 0..node.input.len() {
            values.push(self.value(node, at)?);
        }
        let axes = values.iter().find_map(|value| match value {
            Value::Layer(layer) | Value::Part(layer, _) => Some(self.shape(*layer).len()),
            _ => None,
        });
        let axes = axes.ok_or_else(|| refuse(node, "it joins constants only"))?;
        let axis = attributes.int("axis").unwrap_or(1);
        let axis = place_of(axis, axes + 1).and_then(|axis| axis.checked_sub(1));
        let axis = axis.ok_or_else(|| refuse(node, "it joins samples"))?;
        let mut inputs = Vec::new();
        for value in values {
            inputs.push(match value {
                Value::Constant(constant) => {
                    let constant = constant.of_sample(axes).filter(|constant| constant.ndim() == axes);
                    let constant =
                        constant.ok_or_else(|| refuse(node, "a constant that differs from sample to sample"))?;
                    self.push(&format!("{}.constant", named(node)), Op::Constant(constant), Vec::new())?
                }
                value => self.as_layer(node, value)?,
            });
        }
        self.push(named(node), Op::Concatenate { axis }, inputs).map(Value::Layer)
    }

    pub(super) fn slice(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let missing = || malformed(place(node), "it has no starts or ends".into());
        let starts = self.wholes(node, 1, attributes, "starts")?.ok_or_else(missing)?;
        let ends = self.wholes(node, 2, attributes, "ends")?.ok_or_else(missing)?;
        let axes = self.wholes(node, 3, attributes, "axes")?;
        let axes = axes.unwrap_or_else(|| (0..).take(starts.len()).collect());
        let steps = self.wholes(node, 4, attributes, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(malformed(place(node), "starts, ends, axes and steps of different numbers".into()));
        }
        let shape = self.shape(layer).to_vec();
        let mut parts: Vec<[usize; 3]> = shape.iter().map(|&length| [0, length, 1]).collect();
        for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
            let step = usize::try_from(step).ok().filter(|&step| step > 0);
            let step = step.ok_or_else(|| refuse(node, "it runs backwards"))?;
            match self.axis(node, layer, axis)?.checked_sub(1) {
                Some(axis) => parts[axis] = [clamped(start, shape[axis]), clamped(end, shape[axis]), step],
                None if start == 0 && end >= i64::from(i32::MAX) && step == 1 => {}
                None => return Err(refuse(node, "it drops samples")),
            }
        }
        self.push(named(node), Op::Slice(parts), vec![layer]).map(Value::Layer)
    }

    pub(super) fn split(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Vec<Value>> {
        let layer = self.layer(node, 0)?;
        let axis = self.axis(node, layer, attributes.int("axis").unwrap_or(0))?.checked_sub(1);
        let axis = axis.ok_or_else(|| refuse(node, "it splits the samples"))?;
        let shape = self.shape(layer).to_vec();
        let n = node.output.len().max(1);
        let lengths = match self.wholes(node, 1, attributes, "split")? {
            Some(lengths) => lengths.iter().map(|&length| usize::try_from(length).ok()).collect(),
            // The last one is shorter where the others do not divide the axis.
            None => {
                let each = shape[axis].div_ceil(n);
                Some((0..n).map(|i| each.min(shape[axis].saturating_sub(i * each))).collect())
            }
        };
        let lengths: Vec<usize> = lengths.ok_or_else(|| malformed(place(node), "a negative length".into()))?;
        let mut start = 0_usize;
        let mut values = Vec::new();
        for (at, length) in lengths.into_iter().take(n).enumerate() {
            let end = start.saturating_add(length);
            let mut parts: Vec<[usize; 3]> = shape.iter().map(|&length| [0, length, 1]).collect();
            parts[axis] = [start, end, 1];
            values.push(Value::Layer(self.push(&format!("{}.{at}", named(node)), Op::Slice(parts), vec![layer])?));
            start = end;
        }
        Ok(values)
    }

    /// One place of an axis, which goes away when the place is a number without an axis.
    pub(super) fn gather(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let axis = self.axis(node, layer, attributes.int("axis").unwrap_or(0))?.checked_sub(1);
        let axis = axis.ok_or_else(|| refuse(node, "it picks samples"))?;
        let shape = self.shape(layer).to_vec();
        let index = self.wholes(node, 1, attributes, "indices")?;
        let index = match index.as_deref() {
            Some(&[index]) => place_of(index, shape[axis]),
            _ => return Err(refuse(node, "only one place of an axis can be picked")),
        };
        let index = index.ok_or_else(|| malformed(place(node), format!("a place beyond {shape:?}")))?;
        let mut parts: Vec<[usize; 3]> = shape.iter().map(|&length| [0, length, 1]).collect();
        parts[axis] = [index, index + 1, 1];
        let part = self.push(&format!("{}.slice", named(node)), Op::Slice(parts), vec![layer])?;
        let mut rest = shape;
        match self.constant(node, 1)? {
            Some(index) if index.n_axes() == 0 => drop(rest.remove(axis)),
            _ => rest[axis] = 1,
        }
        self.push(named(node), Op::Reshape(rest), vec![part]).map(Value::Layer)
    }

    pub(super) fn pad(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let mode = attributes.text("mode")?.unwrap_or("constant");
        let value = match self.constant(node, 2)? {
            Some(value) => value.scalar(),
            None => Some(attributes.real("value").unwrap_or(0.0)),
        };
        if mode != "constant" || value != Some(0.0) {
            return Err(refuse(node, format!("mode {mode:?} with the value {value:?}: zeros are served")));
        }
        let pads = self.wholes(node, 1, attributes, "pads")?.unwrap_or_default();
        let n = self.shape(layer).len() + 1;
        let axes = match self.wholes(node, 3, attributes, "axes")? {
            None => (0..n).collect(),
            Some(axes) => axes.iter().map(|&axis| self.axis(node, layer, axis)).collect::<Result<Vec<_>>>()?,
        };
        if pads.len() != 2 * axes.len() {
            return Err(malformed(place(node), format!("{} pads for {} axes", pads.len(), axes.len())));
        }
        let mut sides = vec![[0; 2]; n];
        for (at, &axis) in axes.iter().enumerate() {
            let side = |pad: i64| usize::try_from(pad).map_err(|_| refuse(node, "it cuts instead of padding"));
            sides[axis] = [side(pads[at])?, side(pads[axes.len() + at])?];
        }
        if sides[0] != [0; 2] {
            return Err(refuse(node, "it adds samples"));
        }
        self.push(named(node), Op::Pad(sides.split_off(1)), vec![layer]).map(Value::Layer)
    }
}

/// The start or end of a slice of an axis, where negative places count from its end and distant ones stop there.
fn clamped(at: i64, length: usize) -> usize {
    let n = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { at.saturating_add(n) } else { at };
    usize::try_from(at.clamp(0, n)).unwrap_or(length)
}

impl Value {
    /// Lengths of axes, where it holds such.
    pub(super) fn lengths(&self) -> Option<Vec<Length>> {
        match self {
            Value::Shape(lengths) => Some(lengths.clone()),
            Value::Constant(constant) => Some(constant.wholes()?.into_iter().map(Length::Known).collect()),
            _ => None,
        }
    }
}
