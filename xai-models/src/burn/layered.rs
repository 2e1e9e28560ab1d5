//! What goes on inside a burn module, at its taps.

use ::burn::module::Module;
use xai_core::error::same_shape;
use xai_core::{Error, Layer, Layered, Probe, Probed, Result};

use super::model::Wish;
use super::{BurnModel, Tensors};

impl<B: Tensors + ?Sized, M: Module + Sync> Layered for BurnModel<B, M> {
    /// The input, what the forward function taps, and the scores. What a layer reads is not known here: each is said to
    /// read the one that is tapped before it.
    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// A layer from which no path leads to the scores is an error, not a gradient of zeros, unless a layer is replaced: a
    /// tensor that was detached looks the same.
    fn probe(&self, batch: &B, probe: &Probe) -> Result<Probed> {
        let n = batch.n_samples();
        let replaced = probe.replace.map(|(layer, _)| layer);
        for &layer in probe.read.iter().chain(&replaced) {
            if layer >= self.layers.len() {
                let expected = format!("less than {}, the layers that are tapped", self.layers.len());
                return Err(Error::parameter("layer", layer, expected));
            }
        }
        if let Some((layer, cells)) = probe.replace {
            let layer = &self.layers[layer];
            let expected = [&[n], &layer.shape[..]].concat();
            same_shape(format!("replacement of the layer {:?}", layer.name), &expected, cells.shape())?;
        }
        let mut seen = Probed { scores: Default::default(), activations: vec![], gradients: vec![] };
        let mut wish = Wish { read: probe.read, activations: true, replace: probe.replace };
        for weights in probe.weights {
            let part = self.run_all(batch, &wish, Some(weights))?;
            seen.gradients.push(part.gradients);
            if wish.activations {
                (seen.scores, seen.activations) = (part.scores, part.activations);
                wish.activations = false;
            }
        }
        if probe.weights.is_empty() {
            let part = self.run_all(batch, &wish, None)?;
            (seen.scores, seen.activations) = (part.scores, part.activations);
        }
        Ok(seen)
    }
}
