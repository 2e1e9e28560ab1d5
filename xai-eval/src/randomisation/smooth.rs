//! The randomisation test without the noise of single explanations.

use std::borrow::Borrow;

use ndarray::Array3;
use xai_core::{Attribution, Cell, Cells, Error, Parametric, Result, Run};

use super::mprt::{LayerSimilarities, stack};
use super::{LayerOrder, Reset, Similarity, Summary};
use crate::draws::Draws;
use crate::explaining::{Explaining, seed_for};
use crate::stability::{batch_of, flat};
use crate::{Case, Direction, Measurement, Metric, Need};

/// As [`Mprt`](super::Mprt), of explanations that are means over noisy copies of each sample.
///
/// Lower is better; 1 for a method that does not look at the parameters.
///
/// *Pitfalls.* Those of [the family](super). What is judged is the method with smoothing, not the explanation given.
///
/// # Cost
/// Explains samples × draws × (layers with parameters + 1), in calls of some thousand.
///
/// # Errors
/// [`Error::Unsupported`] without an explainer, and for a model without parameters; [`Error::Parameter`] for no draws.
///
/// # Laws
/// `explainers_that_ignore_the_model_do_not_pass`, `smoothing_a_line_changes_nothing`.
///
/// # Source
/// Hedström et al. 2023, "Sanity checks revisited: an exploration to repair the model parameter randomisation test",
/// section 3.1. *differs:* all draws are noisy; in Quantus one is the sample itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothMprt {
    /// In which order layers become random. Default: from the input up, as the paper advises.
    pub order: LayerOrder,
    /// What takes the place of parameters.
    pub reset: Reset,
    /// How alike explanations are.
    pub similarity: Similarity,
    /// Whether absolute shares are compared.
    pub absolute: bool,
    /// What the layers say together.
    pub summary: Summary,
    /// How many noisy copies of each sample are explained. Default 50.
    pub n_draws: usize,
    /// The noise's standard deviation as a part of the range of the sample's cells. Default 0.1.
    pub magnitude: f64,
}

impl Default for SmoothMprt {
    fn default() -> Self {
        SmoothMprt {
            order: LayerOrder::BottomUp,
            reset: Reset::default(),
            similarity: Similarity::default(),
            absolute: true,
            summary: Summary::default(),
            n_draws: 50,
            magnitude: 0.1,
        }
    }
}

const NAME: &str = "smooth-mprt";

impl<M> Metric<M> for SmoothMprt
where
    M: Parametric,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells, Need::Parameters]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        Ok(self.summary.measurement(NAME, self.similarities(case, attribution, run)?, run))
    }
}

impl SmoothMprt {
    /// How alike the smoothed explanations are after each layer.
    ///
    /// # Errors
    /// Those of the parameters, of the case, of the model and of the explainer.
    pub fn similarities<M>(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<LayerSimilarities>
    where
        M: Parametric,
        M::Batch: Cells,
    {
        if self.n_draws == 0 {
            return Err(Error::parameter("n_draws", 0, "at least 1"));
        }
        if !(self.magnitude.is_finite() && self.magnitude >= 0.0) {
            return Err(Error::parameter("magnitude", self.magnitude, "a number not below 0"));
        }
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        case.values(attribution)?;
        let steps = self.order.steps(case.model, self.reset, seed_for(run, 4))?;
        let original = self.smoothed(&mut explaining, case.model, case, attribution, run)?;
        let mut similarities = Vec::with_capacity(steps.layers.len());
        for step in 0..steps.layers.len() {
            let model = steps.model(case.model, step)?;
            let smoothed = self.smoothed(&mut explaining, &model, case, attribution, run)?;
            similarities.push(self.similarity.of_all(
                self.absolute,
                attribution.shape.as_deref(),
                &original,
                &smoothed,
            ));
        }
        Ok(LayerSimilarities {
            values: stack(&similarities, attribution.scores.dim()),
            layers: steps.layers,
            evaluations: explaining.evaluations,
        })
    }

    /// The mean explanation over noisy copies: (sample, feature, output). Every model sees the same copies.
    fn smoothed<M>(
        &self,
        explaining: &mut Explaining<M>,
        model: &M,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<Array3<f64>>
    where
        M: Parametric,
        M::Batch: Cells,
    {
        let cells = flat::<M>(case.batch);
        let shape = case.batch.sample_shape();
        let spread: Vec<f64> = cells.outer_iter().map(|row| self.magnitude * range(row.iter().copied())).collect();
        let mut means = Array3::zeros(attribution.values.dim());
        let each = (cells.ncols() + means.dim().1 * means.dim().2).max(1);
        let at_once = (NUMBERS / each).clamp(1, ROWS);
        let n_rows = cells.nrows() * self.n_draws;
        for start in (0..n_rows).step_by(at_once) {
            let end = n_rows.min(start + at_once);
            let mut rows = Vec::with_capacity((end - start) * cells.ncols());
            for row in start..end {
                let (sample, draw) = (row / self.n_draws, row % self.n_draws);
                let mut draws = Draws::nth(run.seed_of(sample), draw);
                let noisy = cells.row(sample).map(|x| x + spread[sample] * draws.normal());
                rows.extend(noisy.iter().map(|x| <M::Batch as Cells>::Cell::of(*x)));
            }
            let batch = batch_of::<M>(end - start, &shape, rows)?;
            let first = run.first_sample.wrapping_mul(self.n_draws as u64).wrapping_add(start as u64);
            let explained = explaining.explain(model, batch.borrow(), seed_for(run, 5), first, attribution)?;
            for (row, values) in (start..end).zip(explained.values.outer_iter()) {
                let mut mean = means.index_axis_mut(ndarray::Axis(0), row / self.n_draws);
                mean.scaled_add(1.0 / self.n_draws as f64, &values);
            }
        }
        Ok(means)
    }
}

/// So many rows are explained in one call at most.
const ROWS: usize = 4096;
/// So many numbers lie in memory for one call at most.
const NUMBERS: usize = 1 << 23;

fn range(cells: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = cells.clone().fold(f64::NEG_INFINITY, f64::max);
    let least = cells.fold(f64::INFINITY, f64::min);
    if most > least { most - least } else { 0.0 }
}
