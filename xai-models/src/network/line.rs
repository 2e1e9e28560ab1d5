//! Sums of gradients along straight lines.

use std::ops::Range;

use ndarray::Array2;
use xai_core::{Cells, Result};

use super::graph::{Network, Plan};
use super::model::{finite, seed};
use super::run::Pool;

impl<B: Cells + ?Sized> Network<B> {
    /// For each of `weights`, Σ c·gradient over the points of some samples' lines.
    ///
    /// What is an affine function of the input is run at the ends only: at every point between it lies on the line
    /// between the two. The gradients are summed up where those layers end and carried through them once.
    pub(super) fn line(
        &self,
        from: &B,
        to: &B,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
        range: Range<usize>,
        pool: &mut Pool,
    ) -> Result<Vec<Vec<f32>>> {
        let (plan, n) = (&*self.plan, range.len());
        let affine = plan.affine();
        let border = plan.border(&affine);
        let mut ends = Vec::with_capacity(2);
        for batch in [from, to] {
            let mut cells = plan.nothing();
            cells[0] = Some(self.enter(batch, range.clone(), pool)?);
            plan.forward_some(n, &mut cells, &|layer| affine[layer], &|layer| border.contains(&layer), pool);
            ends.push(cells);
        }
        let mut sums: Vec<_> = weights.iter().map(|_| plan.nothing()).collect();
        let seeds: Vec<_> = weights.iter().map(|weights| seed(weights, range.clone())).collect();
        let last = plan.layers.len() - 1;
        for &(t, c) in points {
            let mut cells = plan.nothing();
            for &layer in &border {
                let (Some(start), Some(end)) = (&ends[0][layer], &ends[1][layer]) else { continue };
                let mut here = pool.take(start.len());
                between(start, end, t as f32, &mut here);
                cells[layer] = Some(here);
            }
            plan.forward_some(n, &mut cells, &|layer| !affine[layer], &|layer| plan.needed[layer], pool);
            finite("scores of the network", cells[last].as_deref().unwrap_or_default(), plan.n_outputs())?;
            for (sums, seed) in sums.iter_mut().zip(&seeds) {
                let mut here = plan.nothing();
                here[last] = Some(pool.copy(seed));
                plan.backward(n, &cells, &mut here, &|layer| border.contains(&layer), &|layer| !affine[layer], pool);
                for &layer in &border {
                    let Some(gradient) = here[layer].take() else { continue };
                    let sum = sums[layer].get_or_insert_with(|| pool.zeros(gradient.len()));
                    sum.iter_mut().zip(&gradient).for_each(|(sum, g)| *sum += c as f32 * g);
                    pool.give(gradient);
                }
            }
            cells.into_iter().flatten().for_each(|buffer| pool.give(buffer));
        }
        let mut gradients = Vec::with_capacity(weights.len());
        for mut sums in sums {
            plan.backward(n, &plan.nothing(), &mut sums, &|layer| layer == 0, &|layer| affine[layer], pool);
            let gradient = sums.swap_remove(0).unwrap_or_else(|| vec![0.0; n * plan.sizes[0]]);
            finite("gradients by the input", &gradient, plan.sizes[0])?;
            gradients.push(gradient);
        }
        Ok(gradients)
    }
}

/// start + t·(end − start); the ends as they are.
fn between(start: &[f32], end: &[f32], t: f32, here: &mut [f32]) {
    for ((here, &a), &b) in here.iter_mut().zip(start).zip(end) {
        *here = a * (1.0 - t) + b * t;
    }
}

impl Plan {
    /// Which layers are affine functions of the input.
    fn affine(&self) -> Vec<bool> {
        let mut affine: Vec<bool> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let steady = layer.kind.is_affine() || layer.inputs.is_empty();
            affine.push(steady && layer.inputs.iter().all(|&input| affine[input]));
        }
        affine
    }

    /// The affine layers that others read, and the last if it is one.
    fn border(&self, affine: &[bool]) -> Vec<usize> {
        let read = |layer: usize| {
            let mut others = self.layers.iter().zip(affine).filter(|(_, affine)| !**affine);
            others.any(|(other, _)| other.inputs.contains(&layer))
        };
        let last = self.layers.len() - 1;
        (0..=last).filter(|&layer| affine[layer] && (layer == last || read(layer))).collect()
    }
}
