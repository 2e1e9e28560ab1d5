//! The arithmetic of rules: forward with changed inputs and weights, relevance over the result, and back.

use std::borrow::Cow;

use ndarray::{ArrayD, Axis, IxDyn, Zip};
use xai_core::error::same_shape;
use xai_core::{Error, Result};

use super::super::differences::single;
use super::super::structure::{Function, changed};
use super::super::trace::Signals;
use super::rule::{Bounds, Rule};

/// What keeps a denominator from zero.
pub(super) const STABILIZER: f32 = 1e-6;

/// The parts of a rule, each with a denominator of its own.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    function: Function<'a>,
    parts: Vec<Part>,
    /// What the layer's inputs must lie between.
    bounds: Option<Bounds>,
}

#[derive(Debug)]
struct Part {
    terms: Vec<Term>,
    /// How much of the relevance this part shares out.
    factor: f32,
    /// The units that it is for, by the sign of their outputs.
    units: Units,
    stabilizer: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Units {
    All,
    Positive,
    Negative,
}

/// ± a function of changed inputs by changed weights; `None` is the layer as it is.
#[derive(Debug)]
struct Term {
    input: Input,
    function: Option<Function<'static>>,
    sign: f32,
}

/// What a term puts in the place of the layer's inputs.
#[derive(Debug)]
enum Input {
    Same,
    Positive,
    Negative,
    Ones,
    Fixed(Vec<f32>),
}

impl<'a> Parts<'a> {
    /// The parts of `rule` for an affine function.
    pub fn of(rule: &Rule, function: Function<'a>) -> Result<Self> {
        let operator = function.operator();
        let (same, none) = (|x: f32| x, |_: f32| 0.0);
        let (up, down) = (|x: f32| x.max(0.0), |x: f32| x.min(0.0));
        let term = |input, weight: &dyn Fn(f32) -> f32, bias: &dyn Fn(f32) -> f32| {
            Ok::<_, Error>(Term { input, function: Some(changed(operator, weight, bias)?), sign: 1.0 })
        };
        // The terms of z⁺ and z⁻: inputs of either sign with weights of the same or of the other.
        let positive = || Ok::<_, Error>(vec![term(Input::Positive, &up, &up)?, term(Input::Negative, &down, &none)?]);
        let negative =
            || Ok::<_, Error>(vec![term(Input::Positive, &down, &down)?, term(Input::Negative, &up, &none)?]);
        let whole = |terms| Part { terms, factor: 1.0, units: Units::All, stabilizer: STABILIZER };
        let parts = match rule {
            Rule::Epsilon { epsilon } => {
                let term = Term { input: Input::Same, function: None, sign: 1.0 };
                vec![Part { stabilizer: *epsilon, ..whole(vec![term]) }]
            }
            Rule::Norm => vec![whole(vec![term(Input::Same, &same, &none)?])],
            Rule::Gamma { gamma } => {
                let (more, less) = (|x: f32| x + gamma * x.max(0.0), |x: f32| x + gamma * x.min(0.0));
                let on = vec![term(Input::Positive, &more, &more)?, term(Input::Negative, &less, &none)?];
                let off = vec![term(Input::Positive, &less, &less)?, term(Input::Negative, &more, &none)?];
                vec![Part { units: Units::Positive, ..whole(on) }, Part { units: Units::Negative, ..whole(off) }]
            }
            Rule::ZPlus => vec![whole(positive()?)],
            Rule::AlphaBeta { alpha, beta } => {
                let mut parts = vec![Part { factor: *alpha, ..whole(positive()?) }];
                if *beta > 0.0 {
                    parts.push(Part { factor: -beta, ..whole(negative()?) });
                }
                parts
            }
            Rule::ZBox(Bounds { low, high }) => vec![whole(vec![
                term(Input::Same, &same, &none)?,
                Term { sign: -1.0, ..term(Input::Fixed(low.clone()), &up, &none)? },
                Term { sign: -1.0, ..term(Input::Fixed(high.clone()), &down, &none)? },
            ])],
            Rule::WSquare => vec![whole(vec![term(Input::Ones, &|w| w * w, &none)?])],
            Rule::Flat => vec![whole(vec![term(Input::Ones, &|_| 1.0, &none)?])],
            Rule::Pass => Vec::new(),
        };
        let bounds = if let Rule::ZBox(bounds) = rule { Some(bounds.clone()) } else { None };
        Ok(Parts { function, parts, bounds })
    }

    /// What the layer's input gets of the relevance of its output.
    pub fn back(&self, name: &str, input: &ArrayD<f32>, output: &ArrayD<f32>, relevance: &Signals) -> Result<Signals> {
        if let Some(bounds) = &self.bounds {
            within(name, input, bounds)?;
        }
        let mut given: Signals = relevance.iter().map(|_| ArrayD::zeros(input.raw_dim())).collect();
        for part in &self.parts {
            let shares: Vec<ArrayD<f32>> = relevance.iter().map(|relevance| part.of_units(relevance, output)).collect();
            if shares.iter().all(|share| share.iter().all(|&value| value == 0.0)) {
                continue;
            }
            let inputs = part.inputs(input)?;
            let sum = part.sum(&self.function, &inputs, output)?;
            for (share, given) in shares.into_iter().zip(&mut given) {
                let ratio = Zip::from(&share)
                    .and(&*sum)
                    .map_collect(|&share, &z| part.factor * share / stable(z, part.stabilizer));
                for (term, input) in part.terms.iter().zip(&inputs) {
                    let Some(input) = input else { continue };
                    let operator = term.function.as_ref().unwrap_or(&self.function).operator();
                    let slopes = single(operator.vjp(&[input], output, &ratio)?)?;
                    Zip::from(&mut *given).and(&slopes).and(&**input).for_each(|g, &s, &x| *g += term.sign * x * s);
                }
            }
        }
        Ok(given)
    }
}

impl Part {
    /// The relevance of the units that this part is for.
    fn of_units(&self, relevance: &ArrayD<f32>, output: &ArrayD<f32>) -> ArrayD<f32> {
        let keep = |&r: &f32, &z: &f32| match self.units {
            Units::All => r,
            Units::Positive => {
                if z >= 0.0 {
                    r
                } else {
                    0.0
                }
            }
            Units::Negative => {
                if z < 0.0 {
                    r
                } else {
                    0.0
                }
            }
        };
        Zip::from(relevance).and(output).map_collect(keep)
    }

    /// What each term reads; nothing where it would read zeros and add none of its own.
    fn inputs<'x>(&self, input: &'x ArrayD<f32>) -> Result<Vec<Option<Cow<'x, ArrayD<f32>>>>> {
        let one = |term: &Term| {
            Ok(Some(match &term.input {
                Input::Same => Cow::Borrowed(input),
                Input::Positive if input.iter().all(|&x| x >= 0.0) => Cow::Borrowed(input),
                Input::Positive => Cow::Owned(input.mapv(|x| x.max(0.0))),
                // A term of negative inputs has no bias.
                Input::Negative if input.iter().all(|&x| x >= 0.0) => return Ok(None),
                Input::Negative => Cow::Owned(input.mapv(|x| x.min(0.0))),
                Input::Ones => Cow::Owned(ArrayD::ones(input.raw_dim())),
                Input::Fixed(values) => Cow::Owned(spread(values, input)?),
            }))
        };
        self.terms.iter().map(one).collect()
    }

    /// The denominator: the terms' sum.
    fn sum<'x>(
        &self,
        function: &Function,
        inputs: &[Option<Cow<ArrayD<f32>>>],
        output: &'x ArrayD<f32>,
    ) -> Result<Cow<'x, ArrayD<f32>>> {
        if let [Term { input: Input::Same, function: None, .. }] = self.terms[..] {
            return Ok(Cow::Borrowed(output));
        }
        let mut sum = ArrayD::zeros(output.raw_dim());
        for (term, input) in self.terms.iter().zip(inputs) {
            let Some(input) = input else { continue };
            let operator = term.function.as_ref().unwrap_or(function).operator();
            // Ones and bounds are alike for all samples: one is enough.
            let alike = matches!(term.input, Input::Ones | Input::Fixed(_));
            let one =
                if alike { operator.forward(&[&input.select(Axis(0), &[0])])? } else { operator.forward(&[input])? };
            let one = one.broadcast(output.raw_dim()).ok_or_else(|| Error::Shape {
                what: "output of a layer".into(),
                expected: output.shape().to_vec(),
                found: one.shape().to_vec(),
            })?;
            Zip::from(&mut sum).and(one).for_each(|sum, &z| *sum += term.sign * z);
        }
        Ok(Cow::Owned(sum))
    }
}

/// z kept from zero by an ε of its own sign.
pub(super) fn stable(z: f32, epsilon: f32) -> f32 {
    if z < 0.0 { z - epsilon } else { z + epsilon }
}

/// One value for all cells or one for each channel, as an input.
fn spread(values: &[f32], input: &ArrayD<f32>) -> Result<ArrayD<f32>> {
    if let [value] = values {
        return Ok(ArrayD::from_elem(input.raw_dim(), *value));
    }
    same_shape("bounds, one for each channel", &input.shape()[1..2], &[values.len()])?;
    let mut axes = vec![1; input.ndim()];
    axes[1] = values.len();
    let shaped = ArrayD::from_shape_vec(IxDyn(&axes), values.to_vec()).map_err(Error::model)?;
    shaped
        .broadcast(input.raw_dim())
        .map(|all| all.to_owned())
        .ok_or_else(|| Error::parameter("bounds", values.len(), "channels"))
}

/// Refuses inputs outside their bounds, for which the z-box rule has no meaning.
fn within(name: &str, input: &ArrayD<f32>, bounds: &Bounds) -> Result<()> {
    let (low, high) = (spread(&bounds.low, input)?, spread(&bounds.high, input)?);
    for ((&x, &low), &high) in input.iter().zip(&low).zip(&high) {
        if !(low..=high).contains(&x) {
            return Err(Error::parameter(
                format!("bounds of layer {name:?}"),
                format!("{low} to {high}"),
                format!("bounds that hold all inputs; one is {x}"),
            ));
        }
    }
    Ok(())
}
