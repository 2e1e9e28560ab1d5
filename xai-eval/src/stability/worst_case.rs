//! How far can an explanation be moved while the prediction stays?

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayView2, Axis};
use xai_core::model::Owned;
use xai_core::{Attribution, Cell, Cells, Error, Model, Result, Run};

use super::neighbourhood::{batch_of, flat, highest};
use crate::agreement::spearman;
use crate::draws::Draws;
use crate::explaining::{Explaining, seed_for};
use crate::rank::top;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The largest distance between the explanation of a sample and that of a sample within `radius` of every cell for which the
/// model says the same, as far as a bounded search finds it.
///
/// Lower is better; 0 for a constant explanation.
///
/// Each round tries `n_candidates` samples around the worst one found so far, first with steps of the whole radius, in the
/// end of a tenth; all candidates of all samples are explained together. The search follows the output that scores highest;
/// what it meets on its way counts for every output.
///
/// *Pitfalls.* It is a lower bound: a search that finds nothing proves nothing. An explanation that moves because the
/// model's reasons move is found, too. A radius on columns of different units needs `scales`.
///
/// # Cost
/// Explains samples × rounds × candidates samples.
///
/// # Errors
/// [`Error::Parameter`] for a search without rounds, candidates or radius, and for a model with one output without
/// `score_tolerance`, since it has no predicted output that could stay.
///
/// # Laws
/// `the_worst_case_is_within_bounds`, `the_worst_case_of_a_line_is_found`, `a_constant_explainer_is_stable`,
/// `a_batch_may_be_cut`.
///
/// # Source
/// Ghorbani, Abid, Zou 2019, "Interpretation of neural networks is fragile"; the search is a (1 + λ) evolution strategy,
/// which needs no gradients (Rechenberg 1973).
#[derive(Debug, Clone, PartialEq)]
pub struct WorstCase {
    /// How far every cell may move. Default 0.1.
    pub radius: f64,
    /// What the radius of each cell is multiplied by: (cell); `None`: 1.
    pub scales: Option<Vec<f64>>,
    /// How far every score may move; `None`: as far as the highest output stays the same.
    pub score_tolerance: Option<f64>,
    /// What is made as large as it can be.
    pub distance: Distance,
    /// How many rounds the search has. Default 10.
    pub n_rounds: usize,
    /// How many samples it tries a round. Default 8.
    pub n_candidates: usize,
}

/// How far two explanations are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// ‖e − e'‖₂ / ‖e‖₂.
    Relative,
    /// 1 − Spearman's rank correlation of the absolute shares: from 0 to 2.
    Ranks,
    /// The part of the strongest features, so many, that is no longer among them.
    Top(usize),
}

impl Default for WorstCase {
    fn default() -> Self {
        WorstCase {
            radius: 0.1,
            scales: None,
            score_tolerance: None,
            distance: Distance::Ranks,
            n_rounds: 10,
            n_candidates: 8,
        }
    }
}

/// The worst samples that a search found.
#[derive(Debug, Clone)]
pub struct Worst<B> {
    /// The distance for every sample and output.
    pub measurement: Measurement,
    /// The sample within reach whose explanation for the highest output is furthest: (sample, …); the sample itself where
    /// none is further than it.
    pub batch: B,
    /// The explanations of these: (sample, feature, output).
    pub values: Array3<f64>,
    /// The scores of these: (sample, output).
    pub scores: Array2<f64>,
}

const NAME: &str = "worst-case";

impl<M> Metric<M> for WorstCase
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
        Ok(self.search(case, attribution, run)?.measurement)
    }
}

impl WorstCase {
    /// Searches, and returns the worst samples with the measurement.
    ///
    /// # Errors
    /// Those of the parameters, of the case and of the explainer.
    pub fn search<M>(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Worst<Owned<M>>>
    where
        M: Model + ?Sized,
        M::Batch: Cells,
    {
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        let values = case.values(attribution)?;
        let cells = flat::<M>(case.batch);
        let reach = self.reach(cells.ncols(), values.dim().1, values.dim().2)?;
        let shape = case.batch.sample_shape();
        let (n, seed) = (cells.nrows(), seed_for(run, 3));
        let mut worst = Found {
            cells: cells.clone(),
            values: values.clone(),
            scores: attribution.scores.clone(),
            leading: vec![0.0; n],
            largest: Array2::from_elem(attribution.scores.dim(), f64::NAN),
        };
        let each = (cells.ncols() + values.dim().1 * values.dim().2).max(1);
        let numbers = self.n_candidates.saturating_mul(each);
        if numbers as u64 > MOST_NUMBERS {
            let what = "cells and shares of the candidates for one sample".into();
            return Err(Error::TooLarge { what, limit: MOST_NUMBERS, found: numbers as u64 });
        }
        let at_once = (NUMBERS / numbers).clamp(1, n.max(1));
        for round in 0..self.n_rounds {
            let step = 0.1f64.powf(round as f64 / (self.n_rounds.max(2) - 1) as f64);
            // A round sees what the rounds before found, never what another sample of this one did.
            for start in (0..n).step_by(at_once) {
                let end = n.min(start + at_once);
                let mut rows = Vec::with_capacity((end - start) * self.n_candidates * cells.ncols());
                for sample in start..end {
                    for candidate in 0..self.n_candidates {
                        let mut draws = Draws::nth(run.seed_of(sample), round * self.n_candidates + candidate);
                        rows.extend(cells.row(sample).iter().zip(worst.cells.row(sample)).zip(&reach).map(
                            |((x, centre), reach)| {
                                let toward = if draws.uniform() < 0.5 { -step } else { step };
                                let (low, high) = (x - reach, x + reach);
                                // What is missing stays so.
                                let there = low <= high;
                                let moved = || (centre + toward * reach).clamp(low, high);
                                <M::Batch as Cells>::Cell::of(if there { moved() } else { *x })
                            },
                        ));
                    }
                }
                let batch = batch_of::<M>((end - start) * self.n_candidates, &shape, rows)?;
                let first = run.first_sample.wrapping_add(start as u64).wrapping_mul(self.n_candidates as u64);
                let round_seed = Draws::nth(seed, round).next();
                let explained = explaining.explain(case.model, batch.borrow(), round_seed, first, attribution)?;
                let moved = flat::<M>(batch.borrow());
                for row in 0..explained.n_samples() {
                    self.look(start + row / self.n_candidates, row, &moved, &explained, attribution, &mut worst);
                }
            }
        }
        let mut failures = Failures::default();
        for ((sample, output), value) in worst.largest.indexed_iter_mut() {
            *value = failures.finite(sample, output, *value, "no sample within reach counts");
        }
        let cells = worst.cells.iter().map(|x| <M::Batch as Cells>::Cell::of(*x)).collect();
        let measurement =
            Measurement::new(NAME, Direction::Lower, worst.largest, failures, explaining.evaluations, run);
        let batch = batch_of::<M>(n, &shape, cells)?;
        Ok(Worst { measurement, batch, values: worst.values, scores: worst.scores })
    }

    /// How far each cell may move.
    fn reach(&self, n_cells: usize, n_features: usize, n_outputs: usize) -> Result<Vec<f64>> {
        if !(self.radius.is_finite() && self.radius > 0.0) {
            return Err(Error::parameter("radius", self.radius, "a positive number"));
        }
        if self.n_rounds == 0 || self.n_candidates == 0 {
            let given = format!("{} and {}", self.n_rounds, self.n_candidates);
            return Err(Error::parameter("n_rounds and n_candidates", given, "at least 1 each"));
        }
        if n_outputs < 2 && self.score_tolerance.is_none() {
            let expected = "a number for a model with one output: it has no predicted output that could stay";
            return Err(Error::parameter("score_tolerance", "none", expected));
        }
        if let Distance::Top(k) = self.distance
            && !(1..=n_features).contains(&k)
        {
            return Err(Error::parameter("distance", k, format!("1 to the number of features, {n_features}")));
        }
        let Some(scales) = &self.scales else { return Ok(vec![self.radius; n_cells]) };
        xai_core::error::same_shape("scales of the radius (cell)", &[n_cells], &[scales.len()])?;
        if let Some(scale) = scales.iter().find(|scale| !(scale.is_finite() && **scale >= 0.0)) {
            return Err(Error::parameter("scales", scale, "finite numbers, none below 0"));
        }
        Ok(scales.iter().map(|scale| scale * self.radius).collect())
    }

    /// Looks at one candidate.
    fn look(
        &self,
        sample: usize,
        row: usize,
        moved: &Array2<f64>,
        explained: &Attribution,
        attribution: &Attribution,
        worst: &mut Found,
    ) {
        let (scores, moved_scores) = (attribution.scores.row(sample), explained.scores.row(row));
        let stays = match self.score_tolerance {
            Some(tolerance) => scores.iter().zip(moved_scores).all(|(a, b)| (a - b).abs() <= tolerance),
            None => highest(scores) == highest(moved_scores),
        };
        if !stays {
            return;
        }
        let (before, after) =
            (attribution.values.index_axis(Axis(0), sample), explained.values.index_axis(Axis(0), row));
        for output in 0..scores.len() {
            let distance = self.distance.between(before, after, output);
            let largest = &mut worst.largest[[sample, output]];
            *largest = largest.max(distance);
            if output == highest(scores) && distance > worst.leading[sample] {
                worst.leading[sample] = distance;
                worst.cells.row_mut(sample).assign(&moved.row(row));
                worst.values.index_axis_mut(Axis(0), sample).assign(&after);
                worst.scores.row_mut(sample).assign(&moved_scores);
            }
        }
    }
}

/// So many numbers lie in memory for one call at most.
const NUMBERS: usize = 1 << 23;
/// More than this is refused, even for one sample: 1 GiB.
const MOST_NUMBERS: u64 = 1 << 27;

/// The worst so far.
struct Found {
    /// (sample, cell).
    cells: Array2<f64>,
    /// (sample, feature, output).
    values: Array3<f64>,
    /// (sample, output).
    scores: Array2<f64>,
    /// The distance for the highest output: (sample).
    leading: Vec<f64>,
    /// The distance for every output: (sample, output).
    largest: Array2<f64>,
}

impl Distance {
    /// The distance of the shares of one output; NaN where it is not defined.
    fn between(self, before: ArrayView2<f64>, after: ArrayView2<f64>, output: usize) -> f64 {
        let (before, after) = (before.column(output), after.column(output));
        match self {
            Distance::Relative => {
                let change: f64 = before.iter().zip(after).map(|(a, b)| (a - b).powi(2)).sum();
                let size: f64 = before.iter().map(|a| a * a).sum();
                if size > 0.0 { (change / size).sqrt() } else { f64::NAN }
            }
            Distance::Ranks => {
                let sizes = |shares: ndarray::ArrayView1<f64>| shares.iter().map(|v| v.abs()).collect::<Vec<f64>>();
                1.0 - spearman(&sizes(before), &sizes(after))
            }
            Distance::Top(k) => {
                let after = top(after, k);
                let gone = top(before, k).into_iter().filter(|place| !after.contains(place)).count();
                gone as f64 / k as f64
            }
        }
    }
}
