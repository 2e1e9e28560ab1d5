//! Scores and gradients by the input.

use std::ops::Range;

use ndarray::{Array2, ArrayD, ArrayRef2, Axis, IxDyn, Slice};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Cell, Cells, Differentiable, Error, Feature, Model, Output, Owned, Result};

use super::graph::Network;
use super::run::Pool;

impl<B: Cells + ?Sized> Model for Network<B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.plan.n_outputs()
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        let n = self.check(batch)?;
        let parts = self.by_parts(n, |range, pool| {
            let mut cells = self.plan.nothing();
            cells[0] = Some(self.enter(batch, range.clone(), pool)?);
            self.plan.forward(range.len(), &mut cells, &|_| false, pool);
            let scores = cells.pop().flatten().unwrap_or_default();
            finite("scores of the network", &scores, self.n_outputs())?;
            Ok(scores)
        })?;
        self.scores(n, parts)
    }

    fn predict_filled(&self, batch: &B, boxes: &[Vec<Range<usize>>], fill: f64) -> Result<Option<Array2<f64>>> {
        self.filled(batch, boxes, fill)
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
        let n = self.check(batch)?;
        self.check_weights(n, weights)?;
        let plan = &self.plan;
        let parts = self.by_parts(n, |range, pool| {
            let n = range.len();
            let mut cells = plan.nothing();
            cells[0] = Some(self.enter(batch, range.clone(), pool)?);
            plan.forward(n, &mut cells, &|layer| plan.needed[layer], pool);
            let scores = cells.last().cloned().flatten().unwrap_or_default();
            finite("scores of the network", &scores, self.n_outputs())?;
            let mut gradients = Vec::with_capacity(weights.len());
            for weights in weights {
                let mut sums = plan.nothing();
                let last = sums.len() - 1;
                sums[last] = Some(seed(weights, range.clone()));
                plan.backward(n, &cells, &mut sums, &|layer| layer == 0, &|_| true, pool);
                let gradient = sums.swap_remove(0).unwrap_or_else(|| vec![0.0; n * plan.sizes[0]]);
                finite("gradients by the input", &gradient, plan.sizes[0])?;
                gradients.push(gradient);
            }
            cells.into_iter().flatten().for_each(|buffer| pool.give(buffer));
            Ok((scores, gradients))
        })?;
        let (scores, mut gradients): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let mut all = Vec::with_capacity(weights.len());
        for _ in weights {
            // Last first, so that nothing moves up.
            all.push(self.leave(n, gradients.iter_mut().filter_map(Vec::pop))?);
        }
        all.reverse();
        Ok((self.scores(n, scores)?, all))
    }

    fn line_vjps(
        &self,
        from: &B,
        to: &B,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<Self>>>> {
        let n = self.check(to)?;
        same_shape("samples where the lines begin", &[n], &[self.check(from)?])?;
        self.check_weights(n, weights)?;
        if let Some((t, c)) = points.iter().find(|(t, c)| !(t.is_finite() && c.is_finite())) {
            return Err(Error::parameter("points", format!("({t}, {c})"), "finite numbers"));
        }
        let mut parts = self.by_parts(n, |range, pool| self.line(from, to, points, weights, range, pool))?;
        let mut all = Vec::with_capacity(weights.len());
        for _ in weights {
            all.push(self.leave(n, parts.iter_mut().filter_map(Vec::pop))?);
        }
        all.reverse();
        Ok(Some(all))
    }
}

/// The weights of some samples' scores.
pub(super) fn seed(weights: &Array2<f64>, range: Range<usize>) -> Vec<f32> {
    weights.slice_axis(Axis(0), Slice::from(range)).iter().map(|&w| w as f32).collect()
}

impl<B: Cells + ?Sized> Network<B> {
    /// The number of samples, when the batch fits.
    pub(super) fn check(&self, batch: &B) -> Result<usize> {
        let n = batch.n_samples();
        let whole = [&[n], self.input_shape()].concat();
        same_shape("the batch (sample, axes of a sample)", &whole, batch.cells().shape())?;
        Ok(n)
    }

    pub(super) fn check_weights(&self, n: usize, weights: &[Array2<f64>]) -> Result<()> {
        weights.iter().try_for_each(|w| same_shape("weights of the scores", &[n, self.n_outputs()], w.shape()))
    }

    /// Works on a few samples at a time and on all threads; the parts are in the order of the samples.
    pub(super) fn by_parts<T: Send>(
        &self,
        n: usize,
        work: impl Fn(Range<usize>, &mut Pool) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let threads = rayon::current_num_threads();
        // No wider than lets all threads work.
        let width = self.plan.samples_at_once().min(n.div_ceil(threads).next_multiple_of(8)).max(1);
        let part = |pool: &mut Pool, i: usize| {
            let range = i * width..((i + 1) * width).min(n);
            let first = range.start as u64;
            work(range, pool).map_err(|error| error.moved(first))
        };
        let n_parts = n.div_ceil(width);
        // Waking a thread takes as long as a small network.
        if n_parts == 1 || threads == 1 {
            let mut pool = Pool::default();
            return (0..n_parts).map(|i| part(&mut pool, i)).collect();
        }
        let parts: Vec<Result<T>> = (0..n_parts).into_par_iter().map_init(Pool::default, part).collect();
        // The first error, whichever came first.
        parts.into_iter().collect()
    }

    /// The cells of some samples, checked.
    pub(super) fn enter(&self, batch: &B, range: Range<usize>, pool: &mut Pool) -> Result<Vec<f32>> {
        let mut cells = pool.empty(range.len() * self.plan.sizes[0]);
        let own = batch.cells();
        let own = own.slice_axis(Axis(0), Slice::from(range));
        let narrow = |wide: &B::Cell| Into::<f64>::into(*wide) as f32;
        match own.as_slice() {
            Some(own) => cells.extend(own.iter().map(narrow)),
            None => cells.extend(own.iter().map(narrow)),
        }
        finite("cells of the batch", &cells, self.plan.sizes[0])?;
        Ok(cells)
    }

    /// Cells of the form of a batch.
    pub(super) fn leave(&self, n: usize, parts: impl Iterator<Item = Vec<f32>>) -> Result<B::Owned> {
        let whole = [&[n], self.input_shape()].concat();
        let mut wide = Vec::with_capacity(n * self.plan.sizes[0]);
        parts.for_each(|part| wide.extend(part.iter().map(|&cell| B::Cell::of(f64::from(cell)))));
        let (found, expected) = (vec![wide.len()], whole.clone());
        let wide = ArrayD::from_shape_vec(IxDyn(&whole), wide);
        B::of_cells(wide.map_err(|_| Error::Shape { what: "gradients".into(), expected, found })?)
    }

    /// Scores as they are told.
    pub(super) fn scores(&self, n: usize, parts: Vec<Vec<f32>>) -> Result<Array2<f64>> {
        let scores: Vec<f64> = parts.into_iter().flatten().map(f64::from).collect();
        let (found, expected) = (vec![scores.len()], vec![n, self.n_outputs()]);
        Array2::from_shape_vec((n, self.n_outputs()), scores).map_err(|_| Error::Shape {
            what: "scores".into(),
            expected,
            found,
        })
    }
}

/// Whether all cells, `width` for each sample, are finite.
pub(super) fn finite(what: &str, cells: &[f32], width: usize) -> Result<()> {
    // Without a way out: quicker than stopping at the first.
    if cells.iter().fold(true, |fine, cell| fine & cell.is_finite()) {
        return Ok(());
    }
    match cells.iter().position(|cell| !cell.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let (sample, column, value) = (at / width.max(1), at % width.max(1), f64::from(cells[at]));
            Err(Error::NonFinite { what: what.into(), sample, column, value })
        }
    }
}
