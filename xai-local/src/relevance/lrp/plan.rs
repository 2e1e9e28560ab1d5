//! What each layer of a model does with its relevance, decided before the first sample.

use ndarray::{ArrayD, Zip};
use xai_core::{Composed, Error, Layer, LayerKind, Result};

use super::composite::Composite;
use super::rule::Rule;
use super::shares::{Parts, stable};
use crate::relevance::guided::transposed;
use crate::relevance::norm::Norm;
use crate::relevance::structure::{Function, Named, affine, folded, is_weighted, readers};
use crate::relevance::trace::{Backward, Signals, Trace};

/// The ways through all layers of a model.
pub(super) struct Plan<'a, M: ?Sized> {
    model: &'a M,
    ways: Vec<Way<'a>>,
}

/// What a layer does with its relevance.
enum Way<'a> {
    /// A rule for an affine function of the layer with this place.
    Weighted(Parts<'a>, usize),
    /// All stays in its place, in the layer with this place.
    Pass(usize),
    /// To each input by what it adds to the output.
    Shares(f32),
    /// To each input the same.
    Equal,
    /// By the gradient: to the winner, or to where a cell came from.
    Transposed,
    Normalised(Norm),
    /// The input, and constants: relevance stays there.
    End,
}

impl<'a, M: Composed + ?Sized> Plan<'a, M> {
    /// # Errors
    /// [`Error::Unsupported`] names a layer that has no rule, or not the one it was given; [`Error::Unknown`] a layer that
    /// the composite names and the model lacks.
    pub fn new(model: &'a M, composite: &Composite) -> Result<Self> {
        for (which, rule) in &composite.rules {
            rule.checked()?;
            if let super::Which::Name(name) = which {
                xai_core::layers::layer_named(model.layers(), name)?;
            }
        }
        let layers = model.layers();
        let readers = readers(layers);
        let mut weighed = vec![false; layers.len()];
        let mut ways = Vec::with_capacity(layers.len());
        for (place, layer) in layers.iter().enumerate() {
            let behind = layer.inputs.iter().any(|&input| weighed[input]);
            weighed[place] = behind || is_weighted(layer.kind);
            // A batch norm that is folded into the layer before it takes that layer's rule and place.
            let (owner, first) = match folded(layers, &readers, place) {
                Some(before) => (&layers[before], !layers[before].inputs.iter().any(|&input| weighed[input])),
                None => (layer, !behind),
            };
            let rule = composite.rule(&owner.name, owner.kind, first);
            // The layer that a batch norm is folded into is skipped on the way back.
            let skipped = readers[place].iter().any(|&reader| folded(layers, &readers, reader) == Some(place));
            ways.push(if skipped { Way::End } else { way(model, &readers, place, rule)? });
        }
        Ok(Plan { model, ways })
    }

    /// The way back for the samples of a trace.
    pub fn with<'t>(&'t self, trace: &'t Trace) -> Relevances<'t, 'a, M> {
        Relevances { plan: self, trace }
    }
}

fn way<'a, M: Composed + ?Sized>(
    model: &'a M,
    readers: &[Vec<usize>],
    place: usize,
    rule: Option<&Rule>,
) -> Result<Way<'a>> {
    use LayerKind::*;
    let layer = &model.layers()[place];
    match (layer.kind, rule) {
        (Input | Constant, _) => Ok(Way::End),
        (Linear | Convolution | BatchNorm, rule) => {
            let (function, from) = affine(model, readers, place)?;
            match rule.unwrap_or(&Rule::EPSILON) {
                Rule::Pass if model.layers()[from].shape != layer.shape => Err(refused(layer, &Rule::Pass)),
                Rule::Pass => Ok(Way::Pass(from)),
                rule => Ok(Way::Weighted(Parts::of(rule, function)?, from)),
            }
        }
        (AveragePool, None | Some(Rule::Epsilon { .. } | Rule::Norm | Rule::Flat)) => {
            let function = Function::Own(model.operator(place)?);
            Ok(Way::Weighted(Parts::of(rule.unwrap_or(&Rule::EPSILON), function)?, layer.inputs[0]))
        }
        (Add, None) => Ok(Way::Shares(super::shares::STABILIZER)),
        (Add, Some(Rule::Norm)) => Ok(Way::Shares(super::shares::STABILIZER)),
        (Add, Some(Rule::Epsilon { epsilon })) => Ok(Way::Shares(*epsilon)),
        (Add | Multiply, Some(Rule::Flat)) => {
            let alike = layer.inputs.iter().all(|&input| model.layers()[input].shape == layer.shape);
            if alike { Ok(Way::Equal) } else { Err(refused(layer, &Rule::Flat)) }
        }
        (LayerNorm, None | Some(Rule::Epsilon { .. })) => Ok(Way::Normalised(Norm::of(model.operator(place)?)?)),
        (LayerNorm, Some(Rule::Pass)) => Ok(Way::Pass(layer.inputs[0])),
        (MaxPool | Concatenate | Reshape | Rearrange | Identity, None) => Ok(Way::Transposed),
        (kind, None | Some(Rule::Pass)) if kind.is_elementwise() => Ok(Way::Pass(layer.inputs[0])),
        (Softmax | LogSoftmax, _) => Err(Error::unsupported(
            format!("relevance propagation through {}", Named(layer)),
            "outputs of a softmax depend on all others; explain the scores before it (margins)",
        )),
        (Multiply, None) => Err(Error::unsupported(
            format!("relevance propagation through {}", Named(layer)),
            "a product has no natural shares; give it the rule flat for equal ones",
        )),
        (_, Some(rule)) => Err(refused(layer, rule)),
        (_, None) => Err(Error::unsupported(
            format!("relevance propagation through {}", Named(layer)),
            "there is no rule for it",
        )),
    }
}

fn refused(layer: &Layer, rule: &Rule) -> Error {
    Error::unsupported(
        format!("the rule {rule} for {}", Named(layer)),
        "it has no meaning there; see the table of rules",
    )
}

/// A plan at work on some samples.
pub(super) struct Relevances<'t, 'a, M: ?Sized> {
    plan: &'t Plan<'a, M>,
    trace: &'t Trace,
}

impl<M: Composed + ?Sized> Backward for Relevances<'_, '_, M> {
    fn through(&self, place: usize, relevance: &Signals) -> Result<Vec<(usize, Signals)>> {
        let layer = &self.plan.model.layers()[place];
        let (inputs, output) = (self.trace.inputs(layer), &self.trace.activations[place]);
        match &self.plan.ways[place] {
            Way::Weighted(parts, from) => {
                let given = parts.back(&layer.name, &self.trace.activations[*from], output, relevance)?;
                Ok(vec![(*from, given)])
            }
            Way::Pass(to) => Ok(vec![(*to, relevance.clone())]),
            Way::Shares(epsilon) => {
                let divide = |r: &ArrayD<f32>| Zip::from(r).and(output).map_collect(|&r, &z| r / stable(z, *epsilon));
                let ratios: Signals = relevance.iter().map(divide).collect();
                let mut given = transposed(self.plan.model, place, &inputs, output, &ratios)?;
                for ((_, shares), input) in given.iter_mut().zip(inputs) {
                    shares.iter_mut().for_each(|share| *share *= input);
                }
                Ok(given)
            }
            Way::Equal => {
                let each = 1.0 / inputs.len() as f32;
                let share: Signals = relevance.iter().map(|relevance| relevance * each).collect();
                Ok(layer.inputs.iter().map(|&input| (input, share.clone())).collect())
            }
            Way::Transposed => transposed(self.plan.model, place, &inputs, output, relevance),
            Way::Normalised(norm) => Ok(vec![(layer.inputs[0], norm.shares(inputs[0], output, relevance)?)]),
            Way::End => Ok(Vec::new()),
        }
    }
}
