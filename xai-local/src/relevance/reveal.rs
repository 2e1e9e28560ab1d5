//! DeepLIFT's RevealCancel rule: what raises a unit and what lowers it are told apart.

use ndarray::{ArrayD, Zip};
use xai_core::{Composed, LayerKind, Operator, Result};

use super::differences::single;
use super::structure::{Function, affine, changed, is_weighted};
use super::trace::{Signals, Trace};

/// The affine units in front of a curve: what they read, how it differs from the baseline, and what that does to them.
pub(super) struct Units<'a> {
    /// The layers that they read.
    inputs: Vec<usize>,
    /// How those differ from the baseline.
    differences: Vec<ArrayD<f32>>,
    /// The function with its positive weights alone and with its negative ones, where it has weights.
    halves: Option<[Function<'a>; 2]>,
    /// What the units are at the baseline.
    from: &'a ArrayD<f32>,
    /// What they are at the sample.
    at: &'a ArrayD<f32>,
    /// The sums of all that raises and of all that lowers them.
    rise: ArrayD<f32>,
    fall: ArrayD<f32>,
}

impl<'a> Units<'a> {
    /// The units of layer `before`; `None` where the rule has nothing to tell apart: a layer that somebody else reads too,
    /// or one that sums nothing; and convolutions, unless they are asked for.
    pub fn of<M: Composed + ?Sized>(
        model: &M,
        readers: &[Vec<usize>],
        at: &'a Trace,
        from: &'a Trace,
        before: usize,
        convolutions: bool,
    ) -> Result<Option<Self>> {
        let layers = model.layers();
        let kind = layers[before].kind;
        if readers[before].len() != 1 || !(is_weighted(kind) || kind == LayerKind::Add) {
            return Ok(None);
        }
        let (inputs, halves) = if kind == LayerKind::Add {
            let same = layers[before].inputs.iter().all(|&input| layers[input].shape == layers[before].shape);
            if !same || !convolutions {
                return Ok(None);
            }
            (layers[before].inputs.clone(), None)
        } else {
            let (function, input) = affine(model, readers, before)?;
            let dense = kind == LayerKind::Linear || layers[layers[before].inputs[0]].kind == LayerKind::Linear;
            if !convolutions && !dense {
                return Ok(None);
            }
            let positive = changed(function.operator(), |w| w.max(0.0), |_| 0.0)?;
            let negative = changed(function.operator(), |w| w.min(0.0), |_| 0.0)?;
            (vec![input], Some([positive, negative]))
        };
        let differences: Vec<ArrayD<f32>> =
            inputs.iter().map(|&input| &at.activations[input] - &from.activations[input]).collect();
        let (rise, fall) = match &halves {
            None => {
                let zero = || ArrayD::zeros(at.activations[before].raw_dim());
                let add = |side: fn(f32) -> f32| differences.iter().fold(zero(), |sum, part| sum + part.mapv(side));
                (add(|d| d.max(0.0)), add(|d| d.min(0.0)))
            }
            Some([positive, negative]) => {
                let (up, down) = (differences[0].mapv(|d| d.max(0.0)), differences[0].mapv(|d| d.min(0.0)));
                let run = |half: &Function, part: &ArrayD<f32>| half.operator().forward(&[part]);
                (run(positive, &up)? + run(negative, &down)?, run(positive, &down)? + run(negative, &up)?)
            }
        };
        let (from, at) = (&from.activations[before], &at.activations[before]);
        Ok(Some(Units { inputs, differences, halves, from, at, rise, fall }))
    }

    /// The multipliers of the rise and of the fall: the mean effect of each on the curve, with and without the other.
    fn slopes(&self, curve: &dyn Operator) -> Result<(ArrayD<f32>, ArrayD<f32>)> {
        let run = |x: &ArrayD<f32>| curve.forward(&[x]);
        let (none, both) = (run(self.from)?, run(self.at)?);
        let (risen, fallen) = (run(&(self.from + &self.rise))?, run(&(self.from + &self.fall))?);
        let slope = |alone: &ArrayD<f32>, other: &ArrayD<f32>, run: &ArrayD<f32>| {
            // Of nothing nothing comes: no input gets a multiplier from a part that is zero.
            let mean = |&none: &f32, &alone: &f32, &other: &f32, &both: &f32, &run: &f32| match run {
                0.0 => 0.0,
                run => ((alone - none) + (both - other)) / (2.0 * run),
            };
            Zip::from(&none).and(alone).and(other).and(&both).and(run).map_collect(mean)
        };
        Ok((slope(&risen, &fallen, &self.rise), slope(&fallen, &risen, &self.fall)))
    }
}

/// What the layers before the units get.
pub(super) fn reveal(curve: &dyn Operator, units: &Units, signals: &Signals) -> Result<Vec<(usize, Signals)>> {
    let (up, down) = units.slopes(curve)?;
    let mut given: Vec<(usize, Signals)> = units.inputs.iter().map(|&input| (input, Signals::new())).collect();
    for signal in signals {
        let (up, down) = (signal * &up, signal * &down);
        // An input whose share has the sign of the rise gets the rise's multiplier; one that did not change has no share.
        let choose = |difference: &ArrayD<f32>, raised: &ArrayD<f32>, lowered: &ArrayD<f32>| {
            let pick = |&d: &f32, &raised: &f32, &lowered: &f32| match d {
                d if d > 0.0 => raised,
                d if d < 0.0 => lowered,
                _ => (raised + lowered) / 2.0,
            };
            Zip::from(difference).and(raised).and(lowered).map_collect(pick)
        };
        match &units.halves {
            None => {
                for (difference, (_, signals)) in units.differences.iter().zip(&mut given) {
                    signals.push(choose(difference, &up, &down));
                }
            }
            Some([positive, negative]) => {
                let x = &units.differences[0];
                let back =
                    |half: &Function, signal: &ArrayD<f32>| single(half.operator().vjp(&[x], units.at, signal)?);
                let raised = back(positive, &up)? + back(negative, &down)?;
                let lowered = back(positive, &down)? + back(negative, &up)?;
                given[0].1.push(choose(x, &raised, &lowered));
            }
        }
    }
    Ok(given)
}
