//! What can be read off the list of layers: who reads whom, which layers are one affine function.

use std::fmt;

use ndarray::{ArrayD, Axis};
use xai_core::{Composed, Layer, LayerKind, Operator, Result};

/// A layer's function: the model's own or a changed one.
#[derive(Debug)]
pub(crate) enum Function<'a> {
    Own(&'a dyn Operator),
    Changed(Box<dyn Operator>),
}

impl Function<'_> {
    pub fn operator(&self) -> &dyn Operator {
        match self {
            Function::Own(operator) => *operator,
            Function::Changed(operator) => operator.as_ref(),
        }
    }
}

/// The layers that read each layer.
pub(crate) fn readers(layers: &[Layer]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); layers.len()];
    for (place, layer) in layers.iter().enumerate() {
        layer.inputs.iter().filter(|&&input| input < place).for_each(|&input| readers[input].push(place));
    }
    readers
}

/// Whether the layer weighs its inputs by parameters.
pub(crate) fn is_weighted(kind: LayerKind) -> bool {
    matches!(kind, LayerKind::Linear | LayerKind::Convolution | LayerKind::BatchNorm)
}

/// The linear layer or convolution that a batch norm is one affine function with: the one that it alone reads.
pub(crate) fn folded(layers: &[Layer], readers: &[Vec<usize>], norm: usize) -> Option<usize> {
    let [before] = layers[norm].inputs[..] else { return None };
    let alone = layers[norm].kind == LayerKind::BatchNorm && readers[before] == [norm];
    // A linear layer's outputs lie on the last axis, the channels of a batch norm on the first.
    let fits = match layers[before].kind {
        LayerKind::Convolution => true,
        LayerKind::Linear => layers[before].shape.len() == 1,
        _ => false,
    };
    (alone && fits).then_some(before)
}

/// The affine function of a weighted layer, a batch norm together with the layer that it is folded into: the function, and
/// the layer that it reads.
pub(crate) fn affine<'a, M: Composed + ?Sized>(
    model: &'a M,
    readers: &[Vec<usize>],
    layer: usize,
) -> Result<(Function<'a>, usize)> {
    let layers = model.layers();
    let Some(before) = folded(layers, readers, layer) else {
        return Ok((Function::Own(model.operator(layer)?), layers[layer].inputs[0]));
    };
    let mut scale = ArrayD::ones(vec![0]);
    let mut shift = scale.clone();
    for (name, values) in model.operator(layer)?.parameters() {
        match name {
            "scale" => scale = values,
            _ => shift = values,
        }
    }
    let merged = model.operator(before)?.with_parameters(&mut |name, mut values| {
        for ((mut part, &scale), &shift) in values.axis_iter_mut(Axis(0)).zip(&scale).zip(&shift) {
            let shift = if name == "bias" { shift } else { 0.0 };
            part.mapv_inplace(|value| value * scale + shift);
        }
        values
    })?;
    Ok((Function::Changed(merged), layers[before].inputs[0]))
}

/// The function with every weight and every bias changed.
pub(crate) fn changed(
    operator: &dyn Operator,
    weight: impl Fn(f32) -> f32,
    bias: impl Fn(f32) -> f32,
) -> Result<Function<'static>> {
    let change = |name: &str, values: ArrayD<f32>| match name {
        "bias" | "shift" => values.mapv_into(&bias),
        _ => values.mapv_into(&weight),
    };
    Ok(Function::Changed(operator.with_parameters(&mut { change })?))
}

/// How a message names a layer.
pub(crate) struct Named<'a>(pub &'a Layer);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {:?} ({})", self.0.name, self.0.kind)
    }
}
