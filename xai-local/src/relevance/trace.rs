//! What a model's layers did with some samples, and the way back through them.

use std::borrow::Borrow;
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, Array3, ArrayD, ArrayViewMut3, Axis, IxDyn};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Batch, Cells, Composed, Error, Layer, Layered, Meter, Probe, Result};

use crate::gradient::passes::{bounded, one_hot};

/// One array (sample, axes of a layer …) for each output.
pub(crate) type Signals = Vec<ArrayD<f32>>;

/// Numbers that a portion of samples may keep at once, unless one sample needs more.
const KEPT_AT_ONCE: usize = 1 << 22;
/// Samples in a portion, at most.
const MOST_SAMPLES: usize = 128;
/// How far the scores may be from weighted sums of the last layer, relative to the sum of the sizes: f32 rounding.
const SAME_SCORE: f64 = 1e-4;

/// The outputs of all layers for some samples, and the scores.
#[derive(Debug)]
pub(crate) struct Trace {
    pub activations: Vec<ArrayD<f32>>,
    pub scores: Array2<f64>,
}

impl Trace {
    /// Runs the model forward once.
    pub fn of<M: Layered + ?Sized>(meter: &Meter, model: &M, batch: &M::Batch) -> Result<Self> {
        let read: Vec<usize> = (0..model.layers().len()).collect();
        let probed = meter.probe(model, batch, &Probe { read: &read, ..Probe::default() })?;
        for (layer, activation) in model.layers().iter().zip(&probed.activations) {
            let expected = [&[batch.n_samples()], &layer.shape[..]].concat();
            same_shape(format!("output of layer {:?}", layer.name), &expected, activation.shape())?;
        }
        Ok(Trace { activations: probed.activations, scores: probed.scores })
    }

    /// What the layer read.
    pub fn inputs(&self, layer: &Layer) -> Vec<&ArrayD<f32>> {
        layer.inputs.iter().map(|&input| &self.activations[input]).collect()
    }

    /// The one sample of this trace, `n` times.
    pub fn repeated(&self, n: usize) -> Self {
        let repeat = |array: &ArrayD<f32>| array.select(Axis(0), &vec![0; n]);
        Trace {
            activations: self.activations.iter().map(repeat).collect(),
            scores: self.scores.select(Axis(0), &vec![0; n]),
        }
    }
}

/// What a method makes of each layer on the way back.
pub(crate) trait Backward {
    /// From what reaches the layer's output, what earlier layers get of it: (layer, signals).
    fn through(&self, layer: usize, signals: &Signals) -> Result<Vec<(usize, Signals)>>;
}

/// Goes from the last layer back to the input; zeros where nothing comes through.
pub(crate) fn walk(layers: &[Layer], start: Signals, method: &dyn Backward) -> Result<Signals> {
    let n = start.first().map_or(0, |signal| signal.len_of(Axis(0)));
    let n_outputs = start.len();
    let mut waiting: Vec<Option<Signals>> = vec![None; layers.len()];
    if let Some(last) = waiting.last_mut() {
        *last = Some(start);
    }
    for layer in (1..layers.len()).rev() {
        let Some(signals) = waiting[layer].take() else { continue };
        for (to, more) in method.through(layer, &signals)? {
            match &mut waiting[to] {
                Some(sums) => sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += &more),
                empty => *empty = Some(more),
            }
        }
    }
    let axes = |layer: &Layer| IxDyn(&[&[n], &layer.shape[..]].concat());
    let nothing = || layers.first().map_or_else(Vec::new, |input| vec![ArrayD::zeros(axes(input)); n_outputs]);
    Ok(waiting.into_iter().next().flatten().unwrap_or_else(nothing))
}

/// How the scores are made of the last layer's cells: they are those cells, or weighted sums of them, as those of a model
/// are that selects or contrasts outputs.
pub(crate) struct Ends<'a, M: Layered + ?Sized> {
    model: &'a M,
    meter: &'a Meter<'a>,
    batch: &'a M::Batch,
    /// One array (axes of the last layer) for each output, once somebody asked for them.
    weights: Mutex<Option<Signals>>,
}

impl<'a, M> Ends<'a, M>
where
    M: Layered + ?Sized,
    M::Batch: Cells,
{
    pub fn new(model: &'a M, meter: &'a Meter<'a>, batch: &'a M::Batch) -> Self {
        Ends { model, meter, batch, weights: Mutex::new(None) }
    }

    /// The derivative of each score by the last layer: (sample, axes of the last layer …) for each output.
    pub fn weights(&self, trace: &Trace) -> Result<Signals> {
        let (Some(last), n_outputs) = (trace.activations.last(), self.model.n_outputs()) else {
            return Err(no_sum("nothing"));
        };
        let plain =
            last.len() == trace.scores.len() && last.iter().zip(&trace.scores).all(|(&a, &b)| f64::from(a) == b);
        let weights = if plain { identity(&last.shape()[1..], n_outputs) } else { self.asked()? };
        let signals = weights
            .iter()
            .map(|one| one.broadcast(last.raw_dim()).map(|all| all.to_owned()).ok_or_else(|| no_sum("nothing")));
        let signals = signals.collect::<Result<Signals>>()?;
        if !plain {
            check_sums(trace, last, &weights)?;
        }
        Ok(signals)
    }

    /// What the model says that one sample's scores hang on: its gradients at the last layer.
    fn asked(&self) -> Result<Signals> {
        let mut known = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(weights) = known.as_ref() {
            return Ok(weights.clone());
        }
        let (n_outputs, last) = (self.model.n_outputs(), self.model.layers().len().saturating_sub(1));
        let (one, ask) = (self.batch.samples(0..1), one_hot(1, n_outputs, 0..n_outputs));
        let probe = Probe { read: &[last], replace: None, weights: &ask };
        let gradients = self.meter.probe(self.model, one.borrow(), &probe)?.gradients;
        let first = |all: Vec<ArrayD<f32>>| all.into_iter().next().map(|one| one.index_axis_move(Axis(0), 0));
        let weights: Signals = gradients.into_iter().filter_map(first).collect();
        same_shape("gradients at the last layer", &[n_outputs], &[weights.len()])?;
        Ok(known.insert(weights).clone())
    }
}

fn identity(axes: &[usize], n_outputs: usize) -> Signals {
    let one = |output: usize| {
        let mut one = ArrayD::zeros(axes);
        one.iter_mut().skip(output).take(1).for_each(|cell| *cell = 1.0);
        one
    };
    (0..n_outputs).map(one).collect()
}

/// Refuses scores that are something else than the weighted sums.
fn check_sums(trace: &Trace, last: &ArrayD<f32>, weights: &Signals) -> Result<()> {
    for (sample, cells) in last.axis_iter(Axis(0)).enumerate() {
        for (output, weights) in weights.iter().enumerate() {
            let parts = cells.iter().zip(weights).map(|(&a, &w)| f64::from(a) * f64::from(w));
            let (sum, size) = parts.fold((0.0, 0.0), |(sum, size), part| (sum + part, size + part.abs()));
            let score = trace.scores[[sample, output]];
            if (sum - score).abs() > SAME_SCORE * (size + score.abs()) {
                return Err(no_sum("another function"));
            }
        }
    }
    Ok(())
}

fn no_sum(found: &str) -> Error {
    Error::unsupported(
        "a score that is no weighted sum of the last layer",
        format!(
            "the walk back begins at the last layer, and the score is {found} of it; explain the model without what comes behind"
        ),
    )
}

/// Explains the batch in portions of samples that fit in memory, several at once: `explain` gets the forward pass of a
/// portion. The scores, and the values (sample, cell, output).
pub(crate) fn in_portions<M>(
    model: &M,
    meter: &Meter,
    batch: &M::Batch,
    passes: usize,
    explain: &(dyn Fn(&Trace) -> Result<Signals> + Sync),
) -> Result<(Array2<f64>, Array3<f64>)>
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    let (n, n_outputs) = (batch.n_samples(), model.n_outputs());
    let cells = batch.sample_shape().iter().product();
    bounded(n, cells, n_outputs)?;
    let (mut scores, mut values) = (Array2::zeros((n, n_outputs)), Array3::zeros((n, cells, n_outputs)));
    let each: usize = model.layers().iter().map(|layer| layer.shape.iter().product::<usize>()).sum();
    let widest = model.layers().iter().map(|layer| layer.shape.iter().product::<usize>()).max().unwrap_or(0);
    let step = (KEPT_AT_ONCE / (each + 3 * n_outputs * widest).max(1)).clamp(1, MOST_SAMPLES);
    let parts = values.axis_chunks_iter_mut(Axis(0), step).into_par_iter();
    parts.zip(scores.axis_chunks_iter_mut(Axis(0), step)).enumerate().try_for_each(
        |(part, (values, mut scores))| {
            let first = part * step;
            let samples = batch.samples(first..first + values.len_of(Axis(0)));
            let trace = Trace::of(meter, model, samples.borrow())?;
            scores.assign(&trace.scores);
            // The forward pass counted once for each sample; so does each pass back, the first of them free.
            meter
                .spend((values.len_of(Axis(0)) as u64).saturating_mul((passes * n_outputs).saturating_sub(1) as u64))?;
            fill(values, &explain(&trace)?)
        },
    )?;
    Ok((scores, values))
}

fn fill(mut values: ArrayViewMut3<f64>, signals: &Signals) -> Result<()> {
    for (output, signal) in signals.iter().enumerate() {
        let mut column = values.index_axis_mut(Axis(2), output);
        let cells = signal.to_shape(column.raw_dim()).map_err(Error::model)?;
        column.zip_mut_with(&cells, |slot, &value| *slot = f64::from(value));
    }
    Ok(())
}
