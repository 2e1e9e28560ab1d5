//! What can be seen and done inside a network.

use ndarray::ArrayD;
use xai_core::error::same_shape;
use xai_core::{Cells, Composed, Error, Layer, Layered, Operator, Probe, Probed, Result};

use super::graph::Network;
use super::model::scores;
use super::operator::shaped;

impl<B: Cells + ?Sized> Layered for Network<B> {
    fn layers(&self) -> &[Layer] {
        &self.plan.layers
    }

    fn probe(&self, batch: &B, probe: &Probe) -> Result<Probed> {
        let n = batch.n_samples();
        let plan = &self.plan;
        for &layer in probe.read.iter().chain(probe.replace.iter().map(|(layer, _)| layer)) {
            self.known(layer)?;
        }
        let replace = match probe.replace {
            None => None,
            Some((layer, by)) => {
                let whole = [&[n], &plan.layers[layer].shape[..]].concat();
                same_shape("what replaces a layer", &whole, by.shape())?;
                Some((layer, by.iter().copied().collect()))
            }
        };
        let cells = plan.forward(n, self.enter(batch)?, replace);
        let scores = scores(n, cells.last().map(Vec::as_slice).unwrap_or_default(), plan.n_outputs())?;
        let shape = |layer: usize, cells: Vec<f32>| shaped(n, &plan.layers[layer].shape, cells);
        let gradients = |weights: &ndarray::Array2<f64>| {
            same_shape("weights of the scores", &[n, plan.n_outputs()], weights.shape())?;
            let sums = plan.backward(n, &cells, weights, probe.read);
            probe.read.iter().zip(sums).map(|(&layer, sum)| shape(layer, sum)).collect::<Result<Vec<ArrayD<f32>>>>()
        };
        let gradients = probe.weights.iter().map(gradients).collect::<Result<_>>()?;
        let activations = probe.read.iter().map(|&layer| shape(layer, cells[layer].clone())).collect::<Result<_>>()?;
        Ok(Probed { scores, activations, gradients })
    }
}

impl<B: Cells + ?Sized> Composed for Network<B> {
    fn operator(&self, layer: usize) -> Result<&dyn Operator> {
        self.known(layer)?;
        match &self.plan.functions[layer] {
            Some(function) => Ok(function),
            None => Err(Error::parameter("layer", layer, "a layer behind the input")),
        }
    }
}

impl<B: Cells + ?Sized> Network<B> {
    fn known(&self, layer: usize) -> Result<()> {
        let n = self.plan.layers.len();
        if layer < n {
            return Ok(());
        }
        Err(Error::parameter("layer", layer, format!("less than {n}, the layers of the network and its input")))
    }
}
