//! DeepLIFT's multipliers: how much of a layer's difference to the baseline each difference before it makes.

use ndarray::{ArrayD, Zip};
use xai_core::{Composed, Error, Layer, LayerKind, Operator, Result};

use super::deep_lift::NonLinearRule;
use super::guided::transposed;
use super::norm::Norm;
use super::reveal::{Units, reveal};
use super::structure::Named;
use super::trace::{Backward, Signals, Trace};

/// Up to this share of its own size a difference is too small to divide by where the curve is smooth: the quotient's
/// rounding is 1e-7 of the value over the difference, the error of the slope half way goes with the difference squared:
/// both stay below 1e-4.
const TINY: f32 = 4e-3;

/// A sample's forward pass and its baseline's, and the multipliers that follow from both.
pub(super) struct Differences<'a, M: ?Sized> {
    pub model: &'a M,
    pub at: &'a Trace,
    pub from: &'a Trace,
    pub rule: NonLinearRule,
    /// The layers that read each layer.
    pub readers: &'a [Vec<usize>],
}

impl<M: Composed + ?Sized> Backward for Differences<'_, M> {
    fn through(&self, layer: usize, signals: &Signals) -> Result<Vec<(usize, Signals)>> {
        use LayerKind::*;
        let description = &self.model.layers()[layer];
        let (inputs, output) = (self.at.inputs(description), &self.at.activations[layer]);
        match description.kind {
            kind if kind.is_elementwise() => self.curve(layer, signals),
            kind if kind.is_affine() => transposed(self.model, layer, &inputs, output, signals),
            Rearrange | Constant => transposed(self.model, layer, &inputs, output, signals),
            MaxPool => self.greatest(layer, signals),
            // a·b − a₀·b₀ = (a − a₀)·(b + b₀)/2 + (b − b₀)·(a + a₀)/2: the gradient half way, Shapley's shares of two.
            Multiply if inputs.len() == 2 => {
                let before = self.from.inputs(description);
                let middle: Vec<ArrayD<f32>> = inputs.iter().zip(before).map(|(&a, b)| halfway(a, b)).collect();
                let middle: Vec<&ArrayD<f32>> = middle.iter().collect();
                let output = self.model.operator(layer)?.forward(&middle)?;
                transposed(self.model, layer, &middle, &output, signals)
            }
            LayerNorm => {
                let before = description.inputs[0];
                let norm = Norm::of(self.model.operator(layer)?)?;
                Ok(vec![(before, norm.mean_slopes(&self.from.activations[before], inputs[0], signals)?)])
            }
            Softmax | LogSoftmax => Err(refused(description, "explain the scores before it (margins)")),
            Multiply => Err(refused(description, "only products of two factors have a rule here")),
            _ => Err(refused(description, "DeepLIFT has no rule for it; use integrated gradients")),
        }
    }
}

fn refused(layer: &Layer, advice: &str) -> Error {
    Error::unsupported(format!("DeepLIFT through {}", Named(layer)), advice)
}

fn halfway(a: &ArrayD<f32>, b: &ArrayD<f32>) -> ArrayD<f32> {
    Zip::from(a).and(b).map_collect(|&a, &b| a + (b - a) / 2.0)
}

impl<M: Composed + ?Sized> Differences<'_, M> {
    fn curve(&self, layer: usize, signals: &Signals) -> Result<Vec<(usize, Signals)>> {
        let input = self.model.layers()[layer].inputs[0];
        if let Some(units) = self.units(input)? {
            return reveal(self.model.operator(layer)?, &units, signals);
        }
        let slopes = self.slopes(layer)?;
        Ok(vec![(input, signals.iter().map(|signal| signal * &slopes).collect())])
    }

    /// What RevealCancel needs to know of the layer before a curve, where it is to be used.
    fn units(&self, before: usize) -> Result<Option<Units<'_>>> {
        match self.rule {
            NonLinearRule::Rescale => Ok(None),
            rule => {
                Units::of(self.model, self.readers, self.at, self.from, before, rule == NonLinearRule::RevealCancel)
            }
        }
    }

    /// Rescale: the curve's rise over its run, and its slope half way where the run is tiny.
    pub(super) fn slopes(&self, layer: usize) -> Result<ArrayD<f32>> {
        let description = &self.model.layers()[layer];
        let before = description.inputs[0];
        let bends = match description.kind {
            LayerKind::Relu | LayerKind::LeakyRelu | LayerKind::Clip => Bends::Everywhere,
            LayerKind::Elu => Bends::AtZero,
            _ => Bends::Nowhere,
        };
        rescale(
            self.model.operator(layer)?,
            (&self.from.activations[before], &self.at.activations[before]),
            (&self.from.activations[layer], &self.at.activations[layer]),
            bends,
        )
    }

    /// Of the difference of two maxima, what the sample's winner rises above the baseline's goes to that winner; what
    /// the baseline's winner lies above the sample's goes to that one.
    fn greatest(&self, layer: usize, signals: &Signals) -> Result<Vec<(usize, Signals)>> {
        let description = &self.model.layers()[layer];
        let before = description.inputs[0];
        let operator = self.model.operator(layer)?;
        let (input, output) = (&self.at.activations[before], &self.at.activations[layer]);
        let (input_from, output_from) = (&self.from.activations[before], &self.from.activations[layer]);
        let mut multipliers = Signals::new();
        for signal in signals {
            let rise = Zip::from(signal).and(output).and(output_from).map_collect(|&m, &y, &y0| m * (y.max(y0) - y0));
            let fall = Zip::from(signal).and(output).and(output_from).map_collect(|&m, &y, &y0| m * (y - y.max(y0)));
            let mut shares = single(operator.vjp(&[input], output, &rise)?)?;
            shares += &single(operator.vjp(&[input_from], output_from, &fall)?)?;
            // A cell that did not change won neither rise nor fall: its share is 0, and its multiplier does not matter.
            let divide = |&share: &f32, &x: &f32, &x0: &f32| if x == x0 { 0.0 } else { share / (x - x0) };
            multipliers.push(Zip::from(&shares).and(input).and(input_from).map_collect(divide));
        }
        Ok(vec![(before, multipliers)])
    }
}

/// Where a curve is not smooth, so that its slope in the middle tells nothing of its rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bends {
    Nowhere,
    /// As ELUs may, with α other than 1.
    AtZero,
    /// Straight pieces: rise over run is exact however short the run.
    Everywhere,
}

/// (f(b) − f(a))/(b − a) in every cell, for inputs (a, b) and outputs (f(a), f(b)).
pub(super) fn rescale(
    curve: &dyn Operator,
    inputs: (&ArrayD<f32>, &ArrayD<f32>),
    outputs: (&ArrayD<f32>, &ArrayD<f32>),
    bends: Bends,
) -> Result<ArrayD<f32>> {
    let middle = halfway(inputs.0, inputs.1);
    let there = curve.forward(&[&middle])?;
    let mut slopes = single(curve.vjp(&[&middle], &there, &ArrayD::ones(there.raw_dim()))?)?;
    let rise = outputs.1 - outputs.0;
    Zip::from(&mut slopes).and(inputs.0).and(inputs.1).and(&rise).for_each(|slope, &a, &b, &rise| {
        let smooth = match bends {
            Bends::Nowhere => true,
            Bends::AtZero => (a < 0.0) == (b < 0.0),
            Bends::Everywhere => false,
        };
        let least = if smooth { TINY * a.abs().max(b.abs()).max(1.0) } else { 0.0 };
        if (b - a).abs() > least {
            *slope = rise / (b - a);
        }
    });
    Ok(slopes)
}

pub(super) fn single(mut products: Vec<ArrayD<f32>>) -> Result<ArrayD<f32>> {
    let found = products.len();
    products.pop().filter(|_| found == 1).ok_or_else(|| Error::Shape {
        what: "inputs of a layer that reads one".into(),
        expected: vec![1],
        found: vec![found],
    })
}
