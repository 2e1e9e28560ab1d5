//! The arithmetic on shapes that exporters leave in a graph.

use xai_core::Result;

use super::arithmetic::place_of;
use super::constant::Constant;
use super::reader::Reader;
use super::refuse;
use super::value::{Length, Value};
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;

impl<'a> Reader<'a> {
    /// What a node makes of shapes and whole numbers; nothing when it reads anything else.
    pub(super) fn apply_to_shapes(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes,
    ) -> Result<Option<Vec<Value>>> {
        if node.op_type == "Shape" {
            return self.shape_of(node, attributes).map(|value| Some(vec![value]));
        }
        const KNOWN: [&str; 12] = [
            "Gather",
            "Unsqueeze",
            "Squeeze",
            "Identity",
            "Cast",
            "Reshape",
            "Concat",
            "Slice",
            "Add",
            "Sub",
            "Mul",
            "Div",
        ];
        if !KNOWN.contains(&node.op_type.as_str()) {
            return Ok(None);
        }
        // A list that is sliced or gathered from must be one of lengths; places and axes always are whole numbers.
        let Some(value) = self.optional(node, 0)? else { return Ok(None) };
        let Some(first) = value.lengths() else { return Ok(None) };
        // Tables of whole numbers, such as the widths of a Pad, keep their axes.
        if self.is_table(node, &value, attributes)? {
            return Ok(None);
        }
        let refused = || refuse(node, "it works on shapes in a way that is not served");
        let list = match node.op_type.as_str() {
            "Unsqueeze" | "Squeeze" | "Identity" | "Cast" | "Reshape" => first,
            "Gather" => {
                let places = self.wholes(node, 1, attributes, "indices")?.ok_or_else(refused)?;
                let pick = |&at: &i64| place_of(at, first.len()).map(|at| first[at]);
                places.iter().map(pick).collect::<Option<Vec<_>>>().ok_or_else(refused)?
            }
            "Concat" => {
                let mut all = first;
                for at in 1..node.input.len() {
                    all.extend(self.value(node, at)?.lengths().ok_or_else(refused)?);
                }
                all
            }
            "Slice" => {
                let bound = |reader: &mut Self, at, name| -> Result<i64> {
                    match reader.wholes(node, at, attributes, name)?.as_deref() {
                        Some(&[bound]) => Ok(bound),
                        _ => Err(refused()),
                    }
                };
                let (start, end) = (bound(self, 1, "starts")?, bound(self, 2, "ends")?);
                if self.wholes(node, 4, attributes, "steps")?.is_some_and(|steps| steps != [1]) {
                    return Err(refused());
                }
                let n = first.len() as i64;
                let clamp = |at: i64| if at < 0 { at.saturating_add(n) } else { at }.clamp(0, n) as usize;
                first.get(clamp(start)..clamp(end)).unwrap_or_default().to_vec()
            }
            operator => {
                let Some(second) = self.value(node, 1)?.lengths() else { return Ok(None) };
                let n = first.len().max(second.len());
                let get =
                    |list: &[Length], at: usize| if list.len() == 1 { list.first() } else { list.get(at) }.copied();
                let cells = (0..n).map(|at| join(operator, get(&first, at)?, get(&second, at)?));
                cells.collect::<Option<Vec<_>>>().ok_or_else(refused)?
            }
        };
        let known: Option<Vec<i64>> = list.iter().map(|length| length.known()).collect();
        let value = known.map_or(Value::Shape(list), |list| Value::Constant(Constant::of_wholes(list)));
        Ok(Some(vec![value]))
    }

    /// Whether a constant has several axes, gets such, or is reversed.
    fn is_table(&mut self, node: &'a NodeProto, value: &Value, attributes: &Attributes) -> Result<bool> {
        let Value::Constant(constant) = value else { return Ok(false) };
        Ok(match node.op_type.as_str() {
            "Reshape" => constant.n_axes() > 1 || self.value(node, 1)?.lengths().is_some_and(|shape| shape.len() > 1),
            "Slice" => self.wholes(node, 4, attributes, "steps")?.is_some_and(|steps| steps.contains(&-1)),
            _ => constant.n_axes() > 1,
        })
    }

    fn shape_of(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let known = self.shape(layer).iter().map(|&n| Length::Known(n as i64));
        let all: Vec<Length> = std::iter::once(Length::Samples).chain(known).collect();
        let n = all.len() as i64;
        let clamp = |at: i64| if at < 0 { at.saturating_add(n) } else { at }.clamp(0, n) as usize;
        let (start, end) = (attributes.int("start").unwrap_or(0), attributes.int("end").unwrap_or(n));
        Ok(Value::Shape(all.get(clamp(start)..clamp(end)).unwrap_or_default().to_vec()))
    }
}

impl Length {
    fn known(self) -> Option<i64> {
        match self {
            Length::Known(n) => Some(n),
            Length::Samples => None,
        }
    }
}

fn join(operator: &str, a: Length, b: Length) -> Option<Length> {
    match (operator, a, b) {
        ("Mul", Length::Samples, Length::Known(1)) | ("Mul", Length::Known(1), Length::Samples) => {
            Some(Length::Samples)
        }
        ("Div", Length::Samples, Length::Known(1)) => Some(Length::Samples),
        (_, Length::Known(a), Length::Known(b)) => {
            let n = match operator {
                "Add" => a.checked_add(b),
                "Sub" => a.checked_sub(b),
                "Mul" => a.checked_mul(b),
                _ => a.checked_div(b),
            };
            n.map(Length::Known)
        }
        _ => None,
    }
}
