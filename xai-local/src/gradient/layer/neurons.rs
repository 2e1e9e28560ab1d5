//! Neurons as the outputs of a model.

use ndarray::{Array2, ArrayD, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::{
    Batch, Cell, Cells, Composed, Differentiable, Error, Feature, Model, Output, Owned, Probe, Result, Scale,
};

use super::At;

/// Some neurons of a layer as a model: its scores are their activations.
///
/// Any method explains a neuron then: [`Saliency`](crate::gradient::Saliency) gives the neuron's gradient,
/// [`IntegratedGradients`](crate::gradient::IntegratedGradients) its integrated gradients.
///
/// # Cost
/// A prediction runs the whole model. A gradient runs the layers up to the neurons' one by one and holds the activations of
/// all of them for the whole batch.
///
/// # Laws
/// `neuron_methods_are_those_of_captum`.
#[derive(Debug, Clone)]
pub struct Neurons<M> {
    model: M,
    layer: usize,
    /// The cells of the layer's output, in row-major order.
    cells: Vec<usize>,
    /// Whether the layer reads a layer, directly or not: (layer).
    needed: Vec<bool>,
    outputs: Vec<Output>,
}

impl<M: Composed> Neurons<M>
where
    M::Batch: Cells,
{
    /// The neurons at `places` of a layer's output, each by its index on every axis.
    ///
    /// # Errors
    /// [`Error::Unknown`] or [`Error::Parameter`] for a layer that is not there; [`Error::Parameter`] for a place that is
    /// not there, and for none.
    pub fn new(model: M, layer: impl Into<At>, places: &[Vec<usize>]) -> Result<Self> {
        let layers = model.layers();
        let layer = layer.into().place(layers)?;
        let shape = &layers[layer].shape;
        let mut cells = Vec::with_capacity(places.len());
        for place in places {
            if place.len() != shape.len() || place.iter().zip(shape).any(|(at, length)| at >= length) {
                let expected = format!("an index on each axis of {shape:?}");
                return Err(Error::parameter("neuron", format!("{place:?}"), expected));
            }
            cells.push(place.iter().zip(shape).fold(0, |cell, (at, length)| cell * length + at));
        }
        if cells.is_empty() {
            return Err(Error::parameter("neurons", "none", "at least one"));
        }
        let mut needed = vec![false; layers.len()];
        needed[layer] = true;
        for reader in (0..=layer).rev() {
            if needed[reader] {
                layers[reader].inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let name = |place: &Vec<usize>| {
            let place: Vec<String> = place.iter().map(usize::to_string).collect();
            Output::new(format!("{}[{}]", layers[layer].name, place.join(",")), Scale::Natural)
        };
        let outputs = places.iter().map(name).collect();
        Ok(Neurons { layer, cells, needed, outputs, model })
    }

    /// The activations of every layer that the neurons hang on.
    fn forward(&self, batch: &M::Batch) -> Result<Vec<Option<ArrayD<f32>>>> {
        let layers = self.model.layers();
        let mut seen: Vec<Option<ArrayD<f32>>> = vec![None; self.layer + 1];
        for layer in (0..=self.layer).filter(|&layer| self.needed[layer]) {
            seen[layer] = Some(if layer == 0 {
                batch.cells().mapv(|cell| Into::<f64>::into(cell) as f32)
            } else {
                let output = self.model.operator(layer)?.forward(&read(&seen, &layers[layer].inputs)?)?;
                repeated(output, batch.n_samples())
            });
        }
        Ok(seen)
    }
}

/// The activations that a layer reads.
fn read<'a>(seen: &'a [Option<ArrayD<f32>>], inputs: &[usize]) -> Result<Vec<&'a ArrayD<f32>>> {
    let lost = || Error::unsupported("a layer that reads a later one", "layers come after those that they read");
    inputs.iter().map(|&input| seen.get(input).and_then(Option::as_ref).ok_or_else(lost)).collect()
}

/// What reads no layer is the same for all samples.
fn repeated(output: ArrayD<f32>, n: usize) -> ArrayD<f32> {
    if output.shape().first() == Some(&1) && n != 1 {
        return output.select(Axis(0), &vec![0; n]);
    }
    output
}

impl<M: Composed> Model for Neurons<M>
where
    M::Batch: Cells,
{
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.cells.len()
    }

    fn predict(&self, batch: &M::Batch) -> Result<Array2<f64>> {
        let probe = Probe { read: &[self.layer], ..Default::default() };
        let found = self.model.probe(batch, &probe)?.activations.pop().unwrap_or_default();
        let n = batch.n_samples();
        let all = found.len() / n.max(1);
        let found = found.into_shape_with_order((n, all)).map_err(Error::model)?;
        Ok(found.select(Axis(1), &self.cells).mapv(f64::from))
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<M: Composed> Differentiable for Neurons<M>
where
    M::Batch: Cells,
{
    fn vjp(&self, batch: &M::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        let n = batch.n_samples();
        same_shape("weights (sample, output)", &[n, self.cells.len()], weights.shape())?;
        let layers = self.model.layers();
        let seen = self.forward(batch)?;
        let mut sums: Vec<Option<ArrayD<f32>>> = vec![None; self.layer + 1];
        let zeros = |layer: usize| {
            ArrayD::<f32>::zeros(std::iter::once(n).chain(layers[layer].shape.iter().copied()).collect::<Vec<_>>())
        };
        let mut start = zeros(self.layer);
        let width = start.len() / n.max(1);
        if let Some(start) = start.as_slice_mut() {
            for ((sample, output), &weight) in weights.indexed_iter() {
                start[sample * width + self.cells[output]] += weight as f32;
            }
        }
        sums[self.layer] = Some(start);
        for layer in (1..=self.layer).rev() {
            let (Some(gradient), Some(output)) = (sums[layer].take(), &seen[layer]) else { continue };
            let inputs = &layers[layer].inputs;
            if inputs.is_empty() {
                continue;
            }
            let parts = self.model.operator(layer)?.vjp(&read(&seen, inputs)?, output, &gradient)?;
            for (&input, part) in inputs.iter().zip(parts) {
                match &mut sums[input] {
                    Some(sum) => *sum += &part,
                    empty => *empty = Some(part),
                }
            }
        }
        let gradient = sums[0].take().unwrap_or_else(|| zeros(0));
        M::Batch::of_cells(gradient.mapv(|x| <M::Batch as Cells>::Cell::of(f64::from(x))))
    }
}
