//! What can be seen and done inside a network.

use ndarray::{Axis, Slice};
use xai_core::error::same_shape;
use xai_core::{Cells, Composed, Error, Layer, Layered, Operator, Probe, Probed, Result};

use super::graph::Network;
use super::model::{finite, seed};
use super::operator::shaped;

impl<B: Cells + ?Sized> Layered for Network<B> {
    fn layers(&self) -> &[Layer] {
        &self.plan.layers
    }

    fn probe(&self, batch: &B, probe: &Probe) -> Result<Probed> {
        let n = self.check(batch)?;
        let plan = &self.plan;
        for &layer in probe.read.iter().chain(probe.replace.iter().map(|(layer, _)| layer)) {
            self.known(layer)?;
        }
        self.check_weights(n, probe.weights)?;
        if let Some((layer, by)) = probe.replace {
            same_shape("what replaces a layer", &[&[n], &plan.layers[layer].shape[..]].concat(), by.shape())?;
        }
        let parts = self.by_parts(n, |range, pool| {
            let n = range.len();
            let mut cells = plan.nothing();
            cells[0] = Some(self.enter(batch, range.clone(), pool)?);
            if let Some((layer, by)) = probe.replace {
                let own = by.slice_axis(Axis(0), Slice::from(range.clone()));
                let own: Vec<f32> = own.iter().copied().collect();
                finite(&format!("what replaces layer {}", plan.layers[layer].name), &own, plan.sizes[layer])?;
                cells[layer] = Some(own);
            }
            let keep = |layer: usize| (plan.needed[layer] && !probe.weights.is_empty()) || probe.read.contains(&layer);
            plan.forward(n, &mut cells, &keep, pool);
            let scores = cells.last().cloned().flatten().unwrap_or_default();
            finite("scores of the network", &scores, plan.n_outputs())?;
            let mut gradients = Vec::with_capacity(probe.weights.len());
            for weights in probe.weights {
                let mut sums = plan.nothing();
                let last = sums.len() - 1;
                sums[last] = Some(seed(weights, range.clone()));
                // Nothing that a replaced layer reads has a part in the scores through it.
                let through = |layer: usize| probe.replace.is_none_or(|(replaced, _)| replaced != layer);
                plan.backward(n, &cells, &mut sums, &|layer| probe.read.contains(&layer), &through, pool);
                let each = probe.read.iter().map(|&layer| match &sums[layer] {
                    Some(sum) => sum.clone(),
                    None => vec![0.0; n * plan.sizes[layer]],
                });
                gradients.push(each.collect::<Vec<_>>());
            }
            let activations = probe.read.iter().map(|&layer| cells[layer].clone().unwrap_or_default());
            Ok((scores, activations.collect::<Vec<_>>(), gradients))
        })?;
        let whole = |layer: usize, parts: Vec<&[f32]>| shaped(n, &plan.layers[layer].shape, parts.concat());
        let layers = || probe.read.iter().copied().enumerate();
        let activations = layers().map(|(i, layer)| whole(layer, parts.iter().map(|part| &part.1[i][..]).collect()));
        let activations = activations.collect::<Result<_>>()?;
        let of_weights = |w: usize| {
            let each = layers().map(|(i, layer)| whole(layer, parts.iter().map(|part| &part.2[w][i][..]).collect()));
            each.collect::<Result<Vec<_>>>()
        };
        let gradients = (0..probe.weights.len()).map(of_weights).collect::<Result<_>>()?;
        let scores = self.scores(n, parts.into_iter().map(|part| part.0).collect())?;
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
