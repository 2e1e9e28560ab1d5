//! Integration along lines that are cut where values do not sum to the difference of scores.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};
use xai_core::{Cells, Differentiable, Meter, Result};

use super::passes::{CellOf, between, line_gradients, parts, rows_at_once, rows_per_call};
use super::scores_of_rows;

/// Relative error of the difference of two scores that a network computed in f32: without it, lines along which nothing
/// happens would be cut for ever.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// How finely to integrate.
pub(super) struct Settings {
    /// Places in \[0, 1\] and their weights.
    pub points: Vec<(f64, f64)>,
    /// What may be left over of a difference between scores.
    pub tolerance: Option<f64>,
    /// Gradients for each line, at most.
    pub max_steps: usize,
}

/// Straight lines between samples, and the scores at their ends: (line, cell), (line, output).
pub(super) struct Lines<A> {
    pub from: Array2<A>,
    pub to: Array2<A>,
    pub from_scores: Array2<f64>,
    pub to_scores: Array2<f64>,
}

/// The part of a line between two places.
struct Part {
    line: usize,
    from: f64,
    to: f64,
    from_scores: Array1<f64>,
    to_scores: Array1<f64>,
}

impl<A: xai_core::Cell> Lines<A> {
    /// Hands the shares (cell, output) of every part of every line to `add`; returns how many lines were left with more
    /// than the tolerance. What becomes of one line does not hang on the others.
    pub(super) fn integrate<M>(
        &self,
        meter: &Meter,
        model: &M,
        shape: &[usize],
        settings: &Settings,
        add: &mut dyn FnMut(usize, ArrayView2<f64>),
    ) -> Result<usize>
    where
        M: Differentiable + ?Sized,
        M::Batch: Cells<Cell = A>,
    {
        let rows = rows_at_once(self.to.ncols(), self.to_scores.ncols());
        // Lines that are cut are held in all their parts: no more parts at a time than whole lines.
        let at_a_time = (rows * settings.points.len() / settings.max_steps.max(1)).max(1);
        let mut unmet = 0;
        for portion in parts(self.to.nrows(), rows) {
            let whole: Vec<Part> = portion.map(|line| self.whole(line)).collect();
            let shares = self.shares::<M>(meter, model, shape, &whole, &settings.points)?;
            let mut failed = Vec::new();
            for (part, shares) in whole.into_iter().zip(shares.outer_iter()) {
                let enough = |t: f64| self.left_over(&part, shares) <= self.allowed(part.line, t);
                let enough = settings.tolerance.is_none_or(enough);
                if !enough && 3 * settings.points.len() <= settings.max_steps {
                    failed.push(part);
                } else {
                    unmet += usize::from(!enough);
                    add(part.line, shares);
                }
            }
            drop(shares);
            while !failed.is_empty() {
                let rest = failed.split_off(failed.len().min(at_a_time));
                unmet += self.cut::<M>(meter, model, shape, settings, failed, add)?;
                failed = rest;
            }
        }
        Ok(unmet)
    }

    /// Cuts lines until what is left over of all parts together is within the tolerance.
    ///
    /// In every round a line keeps its best parts, as long as they leave half the tolerance to the others, and cuts the
    /// others in half.
    fn cut<M>(
        &self,
        meter: &Meter,
        model: &M,
        shape: &[usize],
        settings: &Settings,
        whole: Vec<Part>,
        add: &mut dyn FnMut(usize, ArrayView2<f64>),
    ) -> Result<usize>
    where
        M: Differentiable + ?Sized,
        M::Batch: Cells<Cell = A>,
    {
        let (n_points, mut unmet) = (settings.points.len(), 0);
        let mut steps = vec![n_points; self.to.nrows()];
        let mut kept = vec![0.0; self.to.nrows()];
        let tolerance = settings.tolerance.unwrap_or(f64::INFINITY);
        whole.iter().for_each(|part| steps[part.line] += 2 * n_points);
        let mut pending = self.halves::<M>(meter, model, shape, whole)?;
        while !pending.is_empty() {
            let shares = self.shares::<M>(meter, model, shape, &pending, &settings.points)?;
            let left: Vec<f64> =
                pending.iter().zip(shares.outer_iter()).map(|(part, shares)| self.left_over(part, shares)).collect();
            let mut again = vec![false; pending.len()];
            for line in pending.chunk_by(|a, b| a.line == b.line).scan(0, |first, parts| {
                *first += parts.len();
                Some(*first - parts.len()..*first)
            }) {
                let number = pending[line.start].line;
                let allowed = self.allowed(number, tolerance);
                if kept[number] + left[line.clone()].iter().sum::<f64>() <= allowed {
                    continue;
                }
                let mut order: Vec<usize> = line.collect();
                order.sort_by(|&a, &b| left[a].total_cmp(&left[b]).then(a.cmp(&b)));
                let mut sum = kept[number];
                let good = order.iter().take_while(|&&part| {
                    sum += left[part];
                    sum <= allowed / 2.0
                });
                let most = settings.max_steps.saturating_sub(steps[number]) / (2 * n_points);
                let n_cut = (order.len() - good.count()).min(most);
                unmet += usize::from(n_cut == 0);
                steps[number] += 2 * n_points * n_cut;
                let (keep, worst) = order.split_at(order.len() - n_cut);
                keep.iter().for_each(|&part| kept[number] += left[part]);
                worst.iter().for_each(|&part| again[part] = true);
            }
            for ((part, shares), again) in pending.iter().zip(shares.outer_iter()).zip(&again) {
                if !again {
                    add(part.line, shares);
                }
            }
            let cut = pending.into_iter().zip(again).filter_map(|(part, again)| again.then_some(part)).collect();
            pending = self.halves::<M>(meter, model, shape, cut)?;
        }
        Ok(unmet)
    }

    fn whole(&self, line: usize) -> Part {
        let scores = |all: &Array2<f64>| all.row(line).to_owned();
        Part { line, from: 0.0, to: 1.0, from_scores: scores(&self.from_scores), to_scores: scores(&self.to_scores) }
    }

    /// The greatest difference between the values' sum and the scores' difference, of all outputs.
    fn left_over(&self, part: &Part, shares: ArrayView2<f64>) -> f64 {
        let residual = &part.to_scores - &part.from_scores - shares.sum_axis(Axis(0));
        residual.fold(0.0, |most, r| most.max(r.abs()))
    }

    /// What may be left over of a line: its greatest difference of scores times the tolerance, or the rounding of the
    /// scores.
    fn allowed(&self, line: usize, tolerance: f64) -> f64 {
        let greatest = |scores: ArrayView1<f64>| scores.fold(0.0, |most: f64, score| most.max(score.abs()));
        let (from, to) = (self.from_scores.row(line), self.to_scores.row(line));
        let share = tolerance * greatest((&to - &from).view());
        share.max(ROUNDING * greatest(from).max(greatest(to)))
    }

    /// Integrated gradients over parts: (part, cell, output).
    fn shares<M>(
        &self,
        meter: &Meter,
        model: &M,
        shape: &[usize],
        here: &[Part],
        points: &[(f64, f64)],
    ) -> Result<Array3<f64>>
    where
        M: Differentiable + ?Sized,
        M::Batch: Cells<Cell = A>,
    {
        let from: Array2<CellOf<M>> = self.places(here.iter().map(|part| (part.line, part.from)));
        let to = self.places(here.iter().map(|part| (part.line, part.to)));
        let mut shares = line_gradients(meter, model, from, to, shape, points)?;
        for (part, mut shares) in here.iter().zip(shares.outer_iter_mut()) {
            let length = part.to - part.from;
            let ends = self.from.row(part.line).into_iter().zip(self.to.row(part.line));
            for (mut shares, (&from, &to)) in shares.outer_iter_mut().zip(ends) {
                let (from, to): (f64, f64) = (from.into(), to.into());
                shares *= length * (to - from);
            }
        }
        Ok(shares)
    }

    /// The samples at places of lines: (place, cell).
    fn places(&self, places: impl ExactSizeIterator<Item = (usize, f64)>) -> Array2<A> {
        let mut rows = Array2::zeros((places.len(), self.to.ncols()));
        for ((line, t), mut row) in places.zip(rows.outer_iter_mut()) {
            let ends: (ArrayView1<A>, ArrayView1<A>) = (self.from.row(line), self.to.row(line));
            row.iter_mut().zip(ends.0).zip(ends.1).for_each(|((slot, &from), &to)| *slot = between(from, to, t));
        }
        rows
    }

    /// Both halves of each part, with the scores in the middle.
    fn halves<M>(&self, meter: &Meter, model: &M, shape: &[usize], cut: Vec<Part>) -> Result<Vec<Part>>
    where
        M: Differentiable + ?Sized,
        M::Batch: Cells<Cell = A>,
    {
        let middle = |part: &Part| (part.from + part.to) / 2.0;
        let mut halves = Vec::with_capacity(2 * cut.len());
        for portion in parts(cut.len(), rows_per_call(self.to.ncols())) {
            let cut = &cut[portion];
            let rows = self.places(cut.iter().map(|part| (part.line, middle(part))));
            let scores = scores_of_rows(meter, model, &rows, shape)?;
            for (part, scores) in cut.iter().zip(scores.outer_iter()) {
                let (at, scores) = (middle(part), scores.to_owned());
                let (from_scores, to_scores) = (part.from_scores.clone(), part.to_scores.clone());
                halves.push(Part { line: part.line, from: part.from, to: at, from_scores, to_scores: scores.clone() });
                halves.push(Part { line: part.line, from: at, to: part.to, from_scores: scores, to_scores });
            }
        }
        Ok(halves)
    }
}
