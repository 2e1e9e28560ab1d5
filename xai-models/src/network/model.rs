//! Scores and gradients by the input.

use ndarray::{Array2, ArrayD, ArrayRef2, IxDyn};
use xai_core::error::same_shape;
use xai_core::{Cell, Cells, Differentiable, Error, Feature, Model, Output, Owned, Result};

use super::graph::{Network, Plan};
use super::kernel;

impl<B: Cells + ?Sized> Model for Network<B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.plan.n_outputs()
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        let n = batch.n_samples();
        let cells = self.plan.forward(n, self.enter(batch)?, None);
        scores(n, cells.last().map(Vec::as_slice).unwrap_or_default(), self.n_outputs())
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<B: Cells + ?Sized> Differentiable for Network<B> {
    fn vjp(&self, batch: &B, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        let (_, mut gradients) = self.scores_and_vjps(batch, &[weights.to_owned()])?;
        gradients.pop().ok_or_else(|| Error::unsupported("a gradient", "there is none"))
    }

    fn scores_and_vjps(&self, batch: &B, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
        let n = batch.n_samples();
        let cells = self.plan.forward(n, self.enter(batch)?, None);
        let scores = scores(n, cells.last().map(Vec::as_slice).unwrap_or_default(), self.n_outputs())?;
        let gradient = |weights: &Array2<f64>| {
            same_shape("weights of the scores", &[n, self.n_outputs()], weights.shape())?;
            let mut sums = self.plan.backward(n, &cells, weights, &[0]);
            self.leave(n, sums.pop().unwrap_or_default())
        };
        let gradients = weights.iter().map(gradient).collect::<Result<_>>()?;
        Ok((scores, gradients))
    }
}

impl<B: Cells + ?Sized> Network<B> {
    /// The cells of a batch, checked.
    pub(super) fn enter(&self, batch: &B) -> Result<Vec<f32>> {
        let cells = batch.cells();
        let whole = [&[batch.n_samples()], self.input_shape()].concat();
        same_shape("the batch (sample, axes of a sample)", &whole, cells.shape())?;
        let narrow = |cell: &B::Cell| Into::<f64>::into(*cell) as f32;
        let flat: Vec<f32> = match cells.as_slice() {
            Some(cells) => cells.iter().map(narrow).collect(),
            None => cells.iter().map(narrow).collect(),
        };
        finite("cells of the batch", &flat, self.plan.sizes[0])?;
        Ok(flat)
    }

    /// Cells of the form of a batch.
    pub(super) fn leave(&self, n: usize, cells: Vec<f32>) -> Result<B::Owned> {
        finite("gradients by the input", &cells, self.plan.sizes[0])?;
        let whole = [&[n], self.input_shape()].concat();
        let (found, expected) = (vec![cells.len()], whole.clone());
        let cells = cells.into_iter().map(|cell| B::Cell::of(f64::from(cell))).collect();
        let cells = ArrayD::from_shape_vec(IxDyn(&whole), cells);
        B::of_cells(cells.map_err(|_| Error::Shape { what: "gradients".into(), expected, found })?)
    }
}

impl Plan {
    /// The cells of every layer, with one layer's replaced where wanted.
    pub fn forward(&self, n: usize, input: Vec<f32>, replace: Option<(usize, Vec<f32>)>) -> Vec<Vec<f32>> {
        let (replaced, mut by) = replace.map_or((usize::MAX, None), |(layer, by)| (layer, Some(by)));
        let mut cells: Vec<Vec<f32>> = Vec::with_capacity(self.layers.len());
        let mut input = Some(input);
        for (layer, function) in self.functions.iter().enumerate() {
            let own = match (function, by.take_if(|_| layer == replaced)) {
                (_, Some(by)) => by,
                (None, None) => input.take().unwrap_or_default(),
                (Some(function), None) => {
                    let inputs: Vec<&[f32]> = self.layers[layer].inputs.iter().map(|&i| &cells[i][..]).collect();
                    let mut output = vec![0.0; n * self.sizes[layer]];
                    kernel::forward(function, n, &inputs, &mut output);
                    output
                }
            };
            cells.push(own);
        }
        cells
    }

    /// The gradients of Σ weight·score by the cells of the layers that are wanted.
    pub fn backward(&self, n: usize, cells: &[Vec<f32>], weights: &ArrayRef2<f64>, wanted: &[usize]) -> Vec<Vec<f32>> {
        let zeros = |layer: usize| vec![0.0; n * self.sizes[layer]];
        let last = self.layers.len() - 1;
        let mut sums: Vec<Option<Vec<f32>>> = vec![None; self.layers.len()];
        sums[last] = Some(weights.iter().map(|&w| w as f32).collect());
        let first = wanted.iter().copied().min().unwrap_or(last);
        for layer in (first + 1..=last).rev() {
            let (Some(function), Some(gradient)) = (&self.functions[layer], sums[layer].take()) else { continue };
            let reads = &self.layers[layer].inputs;
            let inputs: Vec<&[f32]> = reads.iter().map(|&i| &cells[i][..]).collect();
            for (place, &read) in reads.iter().enumerate().filter(|(_, read)| **read >= first) {
                let sum = sums[read].get_or_insert_with(|| zeros(read));
                kernel::backward(function, n, &inputs, &cells[layer], &gradient, place, sum);
            }
            if wanted.contains(&layer) {
                sums[layer] = Some(gradient);
            }
        }
        wanted.iter().map(|&layer| sums[layer].clone().unwrap_or_else(|| zeros(layer))).collect()
    }
}

/// Scores as they are told.
pub(super) fn scores(n: usize, cells: &[f32], outputs: usize) -> Result<Array2<f64>> {
    finite("scores of the network", cells, outputs)?;
    let found = vec![cells.len()];
    Array2::from_shape_vec((n, outputs), cells.iter().map(|&x| f64::from(x)).collect()).map_err(|_| Error::Shape {
        what: "scores".into(),
        expected: vec![n, outputs],
        found,
    })
}

/// Whether all cells, `width` for each sample, are finite.
pub(super) fn finite(what: &str, cells: &[f32], width: usize) -> Result<()> {
    match cells.iter().position(|cell| !cell.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let (sample, column, value) = (at / width.max(1), at % width.max(1), f64::from(cells[at]));
            Err(Error::NonFinite { what: what.into(), sample, column, value })
        }
    }
}
