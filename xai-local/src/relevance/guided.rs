//! Gradients that a ReLU lets through only where they are positive.

use ndarray::{Array2, ArrayD};
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Batch, Cells, Composed, Error, Explainer, LayerKind, Meter, Provenance, Result, Run};

use super::trace::{Backward, Ends, Signals, Trace, in_portions, walk};
use crate::gradient::passes::of_inputs;

/// The gradient, but negative ones stop at every ReLU, and so do those at a ReLU that is off.
///
/// The picture shows edges that the network looks for and much resembles what an edge detector finds: it hardly changes
/// when the weights of the upper layers are replaced by random ones (Adebayo et al. 2018). Use it to see details, not to
/// find out what a prediction hangs on.
///
/// # Units
/// None: values are no shares and no slopes; `base` is 0.
///
/// # Cost
/// One forward pass and one pass back for each output; memory of one portion of samples through all layers.
///
/// # Errors
/// [`Error::Unsupported`] for a model without a ReLU, where the gradient would come out.
///
/// # Laws
/// `guided_passes_match_the_references`.
///
/// # Source
/// Springenberg et al., *Striving for simplicity*, 2015, section 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuidedBackpropagation;

/// The gradient, but negative ones stop at every ReLU, which otherwise lets all pass, whether it was on or off.
///
/// # Units
/// None: values are no shares and no slopes; `base` is 0.
///
/// # Cost
/// As [`GuidedBackpropagation`].
///
/// # Errors
/// As [`GuidedBackpropagation`].
///
/// # Laws
/// `guided_passes_match_the_references`.
///
/// # Source
/// Zeiler & Fergus, *Visualizing and understanding convolutional networks*, 2014, section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deconvolution;

impl<M> Explainer<M> for GuidedBackpropagation
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        explain(model, batch, run, "guided-backpropagation", true)
    }
}

impl<M> Explainer<M> for Deconvolution
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        explain(model, batch, run, "deconvolution", false)
    }
}

fn explain<M>(model: &M, batch: &M::Batch, run: &Run, name: &str, gated: bool) -> Result<Attribution>
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    let layers = model.layers();
    if !layers.iter().any(|layer| layer.kind == LayerKind::Relu) {
        return Err(Error::unsupported(
            format!("{name} of a model without a ReLU"),
            "it would be the plain gradient; ask for saliency instead",
        ));
    }
    let n = batch.n_samples();
    let meter = Meter::new(run, (n as u64).saturating_mul(model.n_outputs() as u64));
    let ends = Ends::new(model, &meter, batch);
    let (scores, values) = in_portions(model, &meter, batch, 1, &|trace| {
        walk(layers, ends.weights(trace)?, &Guided { model, trace, gated })
    })?;
    let provenance = Provenance::new(name, run)
        .note("values are not shares of the score: base is 0 and they do not sum to it")
        .note("known to show edges rather than reasons: compare with a model of random weights")
        .evaluations(meter.evaluations());
    of_inputs(model, batch, values, Array2::zeros(scores.raw_dim()), scores, provenance)
}

struct Guided<'a, M: ?Sized> {
    model: &'a M,
    trace: &'a Trace,
    gated: bool,
}

impl<M: Composed + ?Sized> Backward for Guided<'_, M> {
    fn through(&self, layer: usize, signals: &Signals) -> Result<Vec<(usize, Signals)>> {
        let description = &self.model.layers()[layer];
        let (inputs, output) = (self.trace.inputs(description), &self.trace.activations[layer]);
        if description.kind == LayerKind::Relu {
            let positive = |signal: &ArrayD<f32>| {
                let mut kept = signal.mapv(|value| value.max(0.0));
                if self.gated {
                    kept.zip_mut_with(output, |value, &out| *value = if out > 0.0 { *value } else { 0.0 });
                }
                kept
            };
            return Ok(vec![(description.inputs[0], signals.iter().map(positive).collect())]);
        }
        transposed(self.model, layer, &inputs, output, signals)
    }
}

/// The gradient rule: what the vector-Jacobian product of the layer gives to each input.
pub(super) fn transposed<M: Composed + ?Sized>(
    model: &M,
    layer: usize,
    inputs: &[&ArrayD<f32>],
    output: &ArrayD<f32>,
    signals: &Signals,
) -> Result<Vec<(usize, Signals)>> {
    let operator = model.operator(layer)?;
    let mut given: Vec<(usize, Signals)> =
        model.layers()[layer].inputs.iter().map(|&input| (input, Signals::new())).collect();
    for signal in signals {
        let products = operator.vjp(inputs, output, signal)?;
        given.iter_mut().zip(products).for_each(|((_, sums), product)| sums.push(product));
    }
    Ok(given)
}
