//! Pools, and how kernels and windows are laid over places.

use xai_core::Result;

use super::reader::Reader;
use super::value::Value;
use super::{flag, malformed, named, place, refuse};
use crate::network::{Op, Window};
use crate::onnx::attributes::Attributes;
use crate::onnx::proto::NodeProto;

/// How a kernel or a window moves.
pub(super) struct Places {
    pub stride: Vec<usize>,
    pub padding: Vec<[usize; 2]>,
    pub dilation: Vec<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn pool(&mut self, node: &'a NodeProto, attributes: &Attributes) -> Result<Value> {
        let layer = self.layer(node, 0)?;
        let places = self.shape(layer).get(1..).unwrap_or_default().to_vec();
        let op = match node.op_type.as_str() {
            "GlobalAveragePool" => Op::GlobalAveragePool,
            "GlobalMaxPool" => Op::MaxPool(Window::new(places)),
            "ReduceMean" => return self.mean_over_places(node, attributes, layer),
            kind => {
                let size = positive(node, attributes, "kernel_shape", places.len())?;
                let size = size.ok_or_else(|| malformed(place(node), "it has no kernel_shape".into()))?;
                let Places { stride, padding, dilation } = self.places(node, attributes, layer, &size)?;
                let window = Window { size, stride, padding, dilation, ceil_mode: flag(attributes, "ceil_mode") };
                match kind {
                    "MaxPool" => Op::MaxPool(window),
                    _ => Op::AveragePool { window, count_include_pad: flag(attributes, "count_include_pad") },
                }
            }
        };
        self.push(named(node), op, vec![layer]).map(Value::Layer)
    }

    /// The mean over all axes of places, which is a pool; over others there is no layer.
    fn mean_over_places(&mut self, node: &'a NodeProto, attributes: &Attributes, layer: usize) -> Result<Value> {
        let axes = self.shape(layer).len() + 1;
        let mut over = Vec::new();
        for axis in self.wholes(node, 1, attributes, "axes")?.unwrap_or_default() {
            over.push(self.axis(node, layer, axis)?);
        }
        over.sort_unstable();
        if axes < 3 || !over.iter().copied().eq(2..axes) {
            return Err(refuse(
                node,
                "only the mean over all places of a channel is served; a LayerNorm that is written out becomes one \
                 operator from opset 17 on",
            ));
        }
        let pooled = self.push(named(node), Op::GlobalAveragePool, vec![layer])?;
        match attributes.int("keepdims").unwrap_or(1) {
            0 => self.push(&format!("{}.flat", named(node)), Op::Flatten, vec![pooled]).map(Value::Layer),
            _ => Ok(Value::Layer(pooled)),
        }
    }

    /// Stride, padding and dilation of a kernel over the places of a layer.
    pub(super) fn places(
        &self,
        node: &NodeProto,
        attributes: &Attributes,
        layer: usize,
        kernel: &[usize],
    ) -> Result<Places> {
        let axes = kernel.len();
        let lengths = self.shape(layer).get(1..).unwrap_or_default();
        if lengths.len() != axes || !(1..=2).contains(&axes) {
            let reason = format!("its kernel has {axes} axes, its input {}; one or two are served", lengths.len());
            return Err(refuse(node, reason));
        }
        if let Some(declared) = positive(node, attributes, "kernel_shape", axes)?
            && declared != kernel
        {
            return Err(malformed(place(node), format!("kernel_shape {declared:?} for a kernel of {kernel:?}")));
        }
        let stride = positive(node, attributes, "strides", axes)?.unwrap_or_else(|| vec![1; axes]);
        let dilation = positive(node, attributes, "dilations", axes)?.unwrap_or_else(|| vec![1; axes]);
        let same = |later: bool| -> Vec<[usize; 2]> {
            let sides = (0..axes).map(|axis| {
                let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1);
                let steps = lengths[axis].div_ceil(stride[axis]).saturating_sub(1);
                let whole = steps.saturating_mul(stride[axis]).saturating_add(reach).saturating_sub(lengths[axis]);
                let (less, more) = (whole / 2, whole - whole / 2);
                if later { [less, more] } else { [more, less] }
            });
            sides.collect()
        };
        let padding = match attributes.text("auto_pad")?.unwrap_or("NOTSET") {
            "SAME_UPPER" => same(true),
            "SAME_LOWER" => same(false),
            "VALID" => vec![[0; 2]; axes],
            "NOTSET" | "" => {
                let pads = lengths_of(node, attributes, "pads", 2 * axes, 0)?.unwrap_or_else(|| vec![0; 2 * axes]);
                (0..axes).map(|axis| [pads[axis], pads[axes + axis]]).collect()
            }
            other => return Err(refuse(node, format!("auto_pad {other:?} is not known"))),
        };
        Ok(Places { stride, padding, dilation })
    }
}

fn positive(node: &NodeProto, attributes: &Attributes, name: &str, n: usize) -> Result<Option<Vec<usize>>> {
    lengths_of(node, attributes, name, n, 1)
}

/// `n` whole numbers of at least `least`.
fn lengths_of(
    node: &NodeProto,
    attributes: &Attributes,
    name: &str,
    n: usize,
    least: i64,
) -> Result<Option<Vec<usize>>> {
    let list = match attributes.ints(name) {
        [] => return Ok(None),
        list => list,
    };
    let lengths = list.iter().map(|&length| usize::try_from(length).ok().filter(|_| length >= least));
    let lengths: Option<Vec<usize>> = lengths.collect();
    match lengths {
        Some(lengths) if lengths.len() == n => Ok(Some(lengths)),
        _ => Err(malformed(place(node), format!("{name} {list:?}, where {n} numbers from {least} are needed"))),
    }
}
