//! Does the explanation move with the picture?

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, ArrayViewD, Axis, Slice};
use xai_core::{Attribution, Batch, Cell, Cells, Error, Model, Result, Run};

use super::neighbourhood::flat;
use super::ratios::distance;
use crate::explaining::{Explaining, seed_for};
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The largest change of the explanation for each unit of change of the sample while it is shifted along its last axis (the
/// columns of a picture, the steps of a series): max ‖e(x) − e(x')‖₁ / ‖x − x'‖₂.
///
/// Lower is better; 0 for a constant explanation.
///
/// *Pitfalls.* The explanation of a shifted object ought to shift, which counts as change: only methods on one model and on
/// the same pictures compare. What is shifted in is the smallest value of the sample.
///
/// # Cost
/// Explains samples × (shifts) samples, one call a shift.
///
/// # Errors
/// [`Error::Unsupported`] for samples with a single axis, such as rows of a table.
///
/// # Laws
/// `continuity_equals_its_formula`, `a_constant_explainer_is_stable`; goldens beside Quantus.
///
/// # Source
/// Montavon, Samek, Müller 2018, "Methods for interpreting and understanding deep neural networks", section 7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuity {
    /// How many cells each shift is further than the one before. Default 2.
    pub step: usize,
    /// How far the sample is shifted to either side; `None`: until half of it is out of sight.
    pub furthest: Option<usize>,
}

impl Default for Continuity {
    fn default() -> Self {
        Continuity { step: 2, furthest: None }
    }
}

const NAME: &str = "continuity";

impl<M> Metric<M> for Continuity
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        let values = case.values(attribution)?;
        let shifts = self.shifts(&case.batch.sample_shape())?;
        let cells = flat::<M>(case.batch);
        let mut largest = Array2::from_elem(attribution.scores.dim(), f64::NAN);
        for (draw, shift) in shifts.iter().enumerate() {
            let moved = M::Batch::of_cells(shifted(case.batch.cells(), *shift))?;
            let seed = seed_for(run, 2 + draw);
            let explained = explaining.explain(case.model, moved.borrow(), seed, run.first_sample, attribution)?;
            let moved = flat::<M>(moved.borrow());
            for sample in 0..case.batch.n_samples() {
                let distance = distance(&cells.row(sample).to_vec(), &moved.row(sample).to_vec());
                if distance == 0.0 {
                    continue;
                }
                let (before, after) =
                    (values.index_axis(Axis(0), sample), explained.values.index_axis(Axis(0), sample));
                for output in 0..values.dim().2 {
                    let (before, after) = (before.column(output), after.column(output));
                    let change: f64 = before.iter().zip(after).map(|(a, b)| (a - b).abs()).sum();
                    let largest = &mut largest[[sample, output]];
                    *largest = largest.max(change / distance);
                }
            }
        }
        let mut failures = Failures::default();
        for ((sample, output), value) in largest.indexed_iter_mut() {
            *value = failures.finite(sample, output, *value, "no shift changes the sample");
        }
        Ok(Measurement::new(NAME, Direction::Lower, largest, failures, explaining.evaluations, run))
    }
}

impl Continuity {
    /// All shifts, to the left first.
    fn shifts(&self, shape: &[usize]) -> Result<Vec<isize>> {
        let Some(width) = shape.last().copied().filter(|_| shape.len() > 1) else {
            return Err(Error::unsupported(NAME, "columns of a table have no order: samples need two axes or more"));
        };
        let furthest = self.furthest.unwrap_or(width / 2);
        if !(1..=width).contains(&furthest) {
            return Err(Error::parameter("furthest", furthest, format!("from 1 to the width, {width}")));
        }
        if !(1..=furthest).contains(&self.step) {
            return Err(Error::parameter("step", self.step, format!("from 1 to the furthest shift, {furthest}")));
        }
        let right: Vec<isize> = (self.step..=furthest).step_by(self.step).map(|shift| shift as isize).collect();
        Ok(right.iter().rev().map(|shift| -shift).chain(right.iter().copied()).collect())
    }
}

/// The batch with every sample moved along its last axis, to the right for positive shifts, and filled with its smallest
/// value.
fn shifted<A: Cell>(cells: ArrayViewD<A>, shift: isize) -> ArrayD<A> {
    let mut moved = cells.to_owned();
    let last = Axis(cells.ndim() - 1);
    let width = cells.len_of(last) as isize;
    for (before, mut after) in cells.outer_iter().zip(moved.outer_iter_mut()) {
        let last = Axis(last.index() - 1);
        let least = before.iter().fold(A::infinity(), |least, cell| least.min(*cell));
        after.fill(least);
        let kept = |from: isize| Slice::from(from.max(0)..(width + from.min(0)).max(from.max(0)));
        after.slice_axis_mut(last, kept(shift)).assign(&before.slice_axis(last, kept(-shift)));
    }
    moved
}
