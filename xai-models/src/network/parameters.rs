//! The parameters of layers, by name.

use ndarray::{Array1, ArrayD, ArrayViewMutD};
use xai_core::{Cells, Error, Parametric, Result};

use super::graph::{Network, Node, Plan};
use super::op::Op;

impl Op {
    /// Its parameters by the names that [`LayerKind`](xai_core::LayerKind) gives; a bias that is not there is shown as zeros.
    pub fn parameters(&self) -> Vec<(&'static str, ArrayD<f32>)> {
        let bias_or_zeros = |bias: &Option<Array1<f32>>, outputs: usize| match bias {
            Some(bias) => bias.clone().into_dyn(),
            None => Array1::zeros(outputs).into_dyn(),
        };
        match self {
            Op::Linear { weight, bias } => {
                vec![("weight", weight.clone().into_dyn()), ("bias", bias_or_zeros(bias, weight.nrows()))]
            }
            Op::Convolution(convolution) => vec![
                ("weight", convolution.weight.clone()),
                ("bias", bias_or_zeros(&convolution.bias, convolution.weight.shape()[0])),
            ],
            Op::BatchNorm { scale, shift } => {
                vec![("scale", scale.clone().into_dyn()), ("shift", shift.clone().into_dyn())]
            }
            Op::LayerNorm { scale, shift, .. } => vec![("scale", scale.clone()), ("shift", shift.clone())],
            Op::Constant(value) => vec![("value", value.clone())],
            _ => Vec::new(),
        }
    }

    /// The numbers that were learned, counted.
    pub fn n_parameters(&self) -> usize {
        match self {
            Op::Linear { weight, bias } => weight.len() + bias.as_ref().map_or(0, Array1::len),
            Op::Convolution(own) => own.weight.len() + own.bias.as_ref().map_or(0, Array1::len),
            Op::BatchNorm { scale, .. } => 2 * scale.len(),
            Op::LayerNorm { scale, .. } => 2 * scale.len(),
            Op::Constant(value) => value.len(),
            _ => 0,
        }
    }

    /// Puts `value`, of the same shape, in the place of a parameter. A bias of zeros that was not there stays away.
    pub(super) fn set_parameter(&mut self, name: &str, value: ArrayD<f32>) {
        match (self, name) {
            (Op::Linear { weight, .. }, "weight") => put(weight.iter_mut(), &value),
            (Op::Convolution(own), "weight") => own.weight = value,
            (Op::Linear { bias, .. } | Op::Convolution(super::op::Convolution { bias, .. }), "bias")
                if bias.is_some() || value.iter().any(|&x| x != 0.0) =>
            {
                *bias = Some(value.iter().copied().collect());
            }
            (Op::BatchNorm { scale, .. }, "scale") => put(scale.iter_mut(), &value),
            (Op::BatchNorm { shift, .. }, "shift") => put(shift.iter_mut(), &value),
            (Op::LayerNorm { scale, .. }, "scale") => *scale = value,
            (Op::LayerNorm { shift, .. }, "shift") => *shift = value,
            (Op::Constant(old), "value") => *old = value,
            _ => {}
        }
    }
}

fn put<'a>(place: impl Iterator<Item = &'a mut f32>, value: &ArrayD<f32>) {
    place.zip(value).for_each(|(place, &value)| *place = value);
}

impl<B: Cells + ?Sized> Parametric for Network<B> {
    fn parameter_layers(&self) -> Vec<String> {
        let layers = self.plan.layers.iter().zip(&self.plan.functions);
        let learned = layers.filter(|(_, f)| f.as_ref().is_some_and(|f| f.op.n_parameters() > 0));
        learned.map(|(layer, _)| layer.name.clone()).collect()
    }

    fn with_parameters(&self, change: &mut dyn FnMut(usize, &str, ArrayViewMutD<f64>)) -> Result<Self> {
        let mut plan = Plan::new(self.input_shape())?;
        let mut place = 0;
        for mut node in self.nodes() {
            let parameters = node.op.parameters();
            let learned = node.op.n_parameters() > 0;
            for (name, old) in parameters.into_iter().filter(|_| learned) {
                let mut wide = old.mapv(f64::from);
                change(place, name, wide.view_mut());
                let found = wide.iter().enumerate().find(|(_, x)| !(**x as f32).is_finite());
                if let Some((column, &value)) = found {
                    let what = format!("parameter {name} of layer {}", node.name);
                    return Err(Error::NonFinite { what, sample: 0, column, value });
                }
                node.op.set_parameter(name, wide.mapv(|x| x as f32));
            }
            place += usize::from(learned);
            let Node { name, .. } = &node;
            let name = name.clone();
            plan.push(node).map_err(|error| error.in_layer(name))?;
        }
        Ok(Network::of(plan, self.features.clone(), self.outputs.clone()))
    }
}
