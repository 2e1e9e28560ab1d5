//! One way through the layers, forward and back, for a few samples.

use super::graph::Plan;
use super::kernel;

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct Pool(Vec<Vec<f32>>);

impl Pool {
    /// A buffer of `len` cells with whatever was in it.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = self.fitting(len).unwrap_or_default();
        buffer.resize(len, 0.0);
        buffer
    }

    /// A buffer without cells, with room for `len`.
    pub fn empty(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = self.fitting(len).unwrap_or_else(|| Vec::with_capacity(len));
        buffer.clear();
        buffer
    }

    fn fitting(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = self.0.iter().position(|buffer| buffer.capacity() >= len);
        fits.map(|i| self.0.swap_remove(i))
    }

    /// A buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }

    /// A buffer with these cells.
    pub fn copy(&mut self, cells: &[f32]) -> Vec<f32> {
        let mut buffer = self.empty(cells.len());
        buffer.extend_from_slice(cells);
        buffer
    }

    pub fn give(&mut self, buffer: Vec<f32>) {
        // More would only be kept for nothing: a network needs few at once.
        if buffer.capacity() > 0 && self.0.len() < 64 {
            self.0.push(buffer);
        }
    }
}

/// The cells of the layers that are there; empty for the others.
pub(super) type Cells = Vec<Option<Vec<f32>>>;

impl Plan {
    /// Runs every layer that is not there yet. Those stay that `keep` names and the last; the others are given back when
    /// their last reader is done.
    pub fn forward(&self, n: usize, cells: &mut Cells, keep: &dyn Fn(usize) -> bool, pool: &mut Pool) {
        self.forward_some(n, cells, &|_| true, keep, pool);
    }

    /// As [`Plan::forward`], for the layers that are `wanted`.
    pub fn forward_some(
        &self,
        n: usize,
        cells: &mut Cells,
        wanted: &dyn Fn(usize) -> bool,
        keep: &dyn Fn(usize) -> bool,
        pool: &mut Pool,
    ) {
        let last = self.layers.len() - 1;
        for layer in (1..=last).filter(|&layer| wanted(layer)) {
            let (Some(function), None) = (&self.functions[layer], &cells[layer]) else { continue };
            let reads = &self.layers[layer].inputs;
            let spare = |input: usize| self.last_reader[input] == layer && !keep(input);
            if let [input] = reads[..]
                && spare(input)
                && let Some(mut own) = cells[input].take()
            {
                if kernel::forward_in_place(function, &mut own) {
                    cells[layer] = Some(own);
                    continue;
                }
                cells[input] = Some(own);
            }
            let mut output = pool.take(n * self.sizes[layer]);
            let inputs: Vec<&[f32]> = reads.iter().map(|&i| cells[i].as_deref().unwrap_or_default()).collect();
            kernel::forward(function, n, &inputs, &mut output);
            cells[layer] = Some(output);
            for &input in reads.iter().filter(|input| spare(**input)) {
                cells[input].take().into_iter().for_each(|buffer| pool.give(buffer));
            }
            if self.last_reader[layer] == layer && layer != last && !keep(layer) {
                cells[layer].take().into_iter().for_each(|buffer| pool.give(buffer));
            }
        }
    }

    /// Carries the gradients in `sums` back to the layers that are `wanted`, through those for which `through` holds.
    /// Afterwards only the wanted layers have gradients, where anything reached them.
    pub fn backward(
        &self,
        n: usize,
        cells: &Cells,
        sums: &mut Cells,
        wanted: &dyn Fn(usize) -> bool,
        through: &dyn Fn(usize) -> bool,
        pool: &mut Pool,
    ) {
        let all = self.layers.len();
        // What leads to a wanted layer.
        let mut leads = vec![false; all];
        for layer in 0..all {
            let reads = &self.layers[layer].inputs;
            leads[layer] = wanted(layer) || (through(layer) && reads.iter().any(|&input| leads[input]));
        }
        for layer in (0..all).rev() {
            let Some(mut gradient) = sums[layer].take() else { continue };
            let kept = wanted(layer).then(|| pool.copy(&gradient));
            if let Some(function) = self.functions[layer].as_ref().filter(|_| through(layer)) {
                let reads = &self.layers[layer].inputs;
                let inputs: Vec<&[f32]> = reads.iter().map(|&i| cells[i].as_deref().unwrap_or_default()).collect();
                let output = cells[layer].as_deref().unwrap_or_default();
                if let [input] = reads[..]
                    && leads[input]
                    && sums[input].is_none()
                    && kernel::backward_in_place(function, &inputs, output, &mut gradient)
                {
                    sums[input] = Some(std::mem::take(&mut gradient));
                } else {
                    for (place, &input) in reads.iter().enumerate().filter(|(_, input)| leads[**input]) {
                        let sum = sums[input].get_or_insert_with(|| pool.zeros(n * self.sizes[input]));
                        kernel::backward(function, n, &inputs, output, &gradient, place, sum);
                    }
                }
            }
            pool.give(gradient);
            sums[layer] = kept;
        }
    }

    /// Nothing for every layer.
    pub fn nothing(&self) -> Cells {
        vec![None; self.layers.len()]
    }

    /// So many samples that their cells stay near the processor.
    pub fn samples_at_once(&self) -> usize {
        const CELLS: usize = 1 << 19;
        let whole: usize = self.sizes.iter().sum();
        (CELLS / whole.max(1)).clamp(8, 64) / 8 * 8
    }
}
