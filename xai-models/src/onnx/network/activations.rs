//! Activations.

use xai_core::Result;

use super::reader::Reader;
use super::value::Value;
use super::{named, refuse};
use crate::network::Op;
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;

/// The constants of self-normalising networks, which are the only ones that the layer knows.
const SELU: [f32; 2] = [1.673_263_2, 1.050_701];

impl<'a> Reader<'a> {
    /// # Errors
    /// [`Error::Unsupported`](xai_core::Error::Unsupported) with the name of any operator that is not known.
    pub(super) fn activation(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let real = |name: &str, otherwise: f32| attributes.real(name).unwrap_or(otherwise);
        let op = match node.op_type.as_str() {
            "Relu" => Op::Relu,
            "LeakyRelu" => Op::LeakyRelu(real("alpha", 0.01)),
            "Elu" => Op::Elu(real("alpha", 1.0)),
            "Celu" => Op::Celu(real("alpha", 1.0)),
            "Selu" => {
                let given = [real("alpha", SELU[0]), real("gamma", SELU[1])];
                if given.iter().zip(SELU).any(|(given, known)| (given - known).abs() > 1e-5) {
                    return Err(refuse(node, format!("alpha and gamma {given:?} are others than the usual {SELU:?}")));
                }
                Op::Selu
            }
            "Gelu" => match attributes.text("approximate")?.unwrap_or("none") {
                "none" => Op::Gelu { tanh: false },
                "tanh" => Op::Gelu { tanh: true },
                other => return Err(refuse(node, format!("approximate {other:?} is not known"))),
            },
            "Sigmoid" => Op::Sigmoid,
            "Tanh" => Op::Tanh,
            "Softplus" => Op::Softplus,
            "Softmax" | "LogSoftmax" => return self.softmax(node, attributes),
            "Clip" => Op::Clip {
                low: self.bound(node, 1, real("min", f32::NEG_INFINITY))?,
                high: self.bound(node, 2, real("max", f32::INFINITY))?,
            },
            "HardSigmoid" => {
                let layer = self.layer(node, 0)?;
                return self.hard_sigmoid(node, layer, real("alpha", 0.2), real("beta", 0.5)).map(Value::Layer);
            }
            "HardSwish" => {
                let layer = self.layer(node, 0)?;
                let share = self.hard_sigmoid(node, layer, 1.0 / 6.0, 0.5)?;
                return self.push(named(node), Op::Multiply, vec![layer, share]).map(Value::Layer);
            }
            _ => return Err(refuse(node, "no layer computes it")),
        };
        self.push_one(node, op)
    }

    /// clip(alpha·x + beta, 0, 1).
    fn hard_sigmoid(&mut self, node: &NodeProto, layer: usize, alpha: f32, beta: f32) -> Result<usize> {
        let line = self.line(&format!("{}.line", named(node)), layer, alpha, beta)?;
        self.push(&format!("{}.clip", named(node)), Op::Clip { low: 0.0, high: 1.0 }, vec![line])
    }

    fn bound(&mut self, node: &'a NodeProto, at: usize, otherwise: f32) -> Result<f32> {
        match self.constant(node, at)? {
            None => Ok(otherwise),
            Some(bound) => bound.scalar().ok_or_else(|| refuse(node, "a bound that is no single number")),
        }
    }

    /// Before version 13 all axes from the given one on were taken together, which is the same where only one is longer
    /// than 1 place.
    fn softmax(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let older = self.opset < 13;
        let axis = attributes.int("axis").unwrap_or(if older { 1 } else { -1 });
        let axis = self.axis(node, layer, axis)?.checked_sub(1);
        let axis = axis.ok_or_else(|| refuse(node, "its axis is that of the samples"))?;
        if older && self.shape(layer)[axis + 1..].iter().any(|&length| length != 1) {
            return Err(refuse(node, "it runs over several axes at once, as before opset 13"));
        }
        let log = node.op_type == "LogSoftmax";
        let op = if log { Op::LogSoftmax { axis } } else { Op::Softmax { axis } };
        self.push(named(node), op, vec![layer]).map(Value::Layer)
    }
}
