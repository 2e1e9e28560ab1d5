//! Integrated gradients along a path that keeps away from steep slopes.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};
use xai_core::{Attribution, Cell, Cells, Differentiable, Error, Explainer, Meter, Provenance, Result, Run};

use super::baselines::{Baselines, base_of};
use super::passes::{batch_of, bounded, of_inputs, parts, rows_of, rows_per_call};
use super::scores_of_rows;

/// Guided integrated gradients: the path from the baseline to the sample moves those cells first whose slopes are smallest,
/// so that it gathers less of the noise that the straight line picks up where the model is steep.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | |
/// | `n_steps` | 200 | ≥ 1 |
/// | `fraction` | 0.25 | 0 to 1: the share of the cells that move together |
/// | `max_distance` | 0.02 | 0 to 1: how far a cell may run ahead of or fall behind the straight line; 0 is the straight line |
///
/// Each output has a path of its own. Every step covers the same distance, summed over the cells.
///
/// # Units
/// `base` = mean score of the baselines; `base` + Σ values = `scores` up to an error that falls with `n_steps`:
/// [`Attribution::completeness_residual`].
///
/// # Cost
/// `n_steps` gradients of every output for each sample and baseline, and the scores.
///
/// # Errors
/// As [`IntegratedGradients`](super::IntegratedGradients).
///
/// # Laws
/// `guided_paths_go_around_the_steep_cell`, `guided_paths_without_room_are_straight`, `batches_change_no_bit`.
///
/// # Source
/// Kapishnikov, Venugopalan, Avci, Wedin, Terry & Bolukbasi, *Guided integrated gradients: an adaptive path method for
/// removing noise*, 2021, algorithm 1 with the anchors of section 4.3 as a band around the straight line.
#[derive(Debug, Clone, PartialEq)]
pub struct GuidedIntegratedGradients {
    /// Where the paths begin.
    pub baselines: Baselines,
    /// Gradients for each path.
    pub n_steps: usize,
    /// The share of the cells that move together.
    pub fraction: f64,
    /// How far a cell may be from the straight line, as a share of its way.
    pub max_distance: f64,
}

impl Default for GuidedIntegratedGradients {
    fn default() -> Self {
        GuidedIntegratedGradients { baselines: Baselines::Zero, n_steps: 200, fraction: 0.25, max_distance: 0.02 }
    }
}

impl<M> Explainer<M> for GuidedIntegratedGradients
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        for (name, value) in [("fraction", self.fraction), ("max_distance", self.max_distance)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::parameter(name, value, "0 to 1"));
            }
        }
        super::Quadrature::Left.points(self.n_steps)?;
        let (shape, n_outputs) = (batch.sample_shape(), model.n_outputs());
        let (rows, starts) = (rows_of(batch)?, self.baselines.rows(&shape)?);
        let ((n, cells), n_starts) = (rows.dim(), starts.nrows());
        bounded(n, cells, n_outputs)?;
        let paths = n * n_outputs * n_starts;
        let planned = (paths as u64).saturating_mul(self.n_steps as u64);
        let meter = Meter::planned(run, planned.saturating_add((n + n_starts) as u64))?;
        let base = base_of(&scores_of_rows(&meter, model, &starts, &shape)?, n);
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;

        let mut values = Array3::zeros((n, cells, n_outputs));
        for here in parts(paths, rows_per_call(cells)) {
            let which = |path: usize| (path / (n_outputs * n_starts), path / n_starts % n_outputs, path % n_starts);
            let wide = |row: ArrayView1<_>| row.mapv(Into::<f64>::into);
            let mut walkers: Vec<Walker> = here
                .clone()
                .map(|path| Walker::new(wide(starts.row(which(path).2)), wide(rows.row(which(path).0))))
                .collect();
            let weights = Array2::from_shape_fn((here.len(), n_outputs), |(place, output)| {
                f64::from(u8::from(which(here.start + place).1 == output))
            });
            for step in 0..self.n_steps {
                let at = Array2::from_shape_fn((here.len(), cells), |(place, cell)| Cell::of(walkers[place].at[cell]));
                let at = batch_of::<M::Batch>(at, &shape)?;
                let (_, slopes) = meter.scores_and_vjps(model, at.borrow(), std::slice::from_ref(&weights))?;
                let slopes = match slopes.first() {
                    Some(slopes) => rows_of::<M::Batch>(slopes.borrow())?,
                    None => continue,
                };
                for (walker, slopes) in walkers.iter_mut().zip(slopes.outer_iter()) {
                    walker.step(&wide(slopes), step, self);
                }
            }
            for (path, walker) in here.zip(walkers) {
                let (sample, output, _) = which(path);
                let mut values = values.index_axis_mut(Axis(0), sample);
                values.column_mut(output).scaled_add(1.0 / n_starts as f64, &walker.gathered);
            }
        }
        let provenance = Provenance::new("guided-integrated-gradients", run)
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("fraction", self.fraction)
            .with("max_distance", self.max_distance)
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, base, scores, provenance)
    }
}

/// One path on its way.
struct Walker {
    from: Array1<f64>,
    to: Array1<f64>,
    at: Array1<f64>,
    gathered: Array1<f64>,
}

impl Walker {
    fn new(from: Array1<f64>, to: Array1<f64>) -> Self {
        Walker { at: from.clone(), gathered: Array1::zeros(to.len()), from, to }
    }

    /// Moves until the rest of the way, summed over the cells, is what it should be after this step.
    fn step(&mut self, slopes: &Array1<f64>, step: usize, rules: &GuidedIntegratedGradients) {
        let n = self.at.len();
        let share = (step + 1) as f64 / rules.n_steps as f64;
        let (low, high) = ((share - rules.max_distance).max(0.0), (share + rules.max_distance).min(1.0));
        let on_line = |cell: usize, t: f64| {
            if t == 1.0 { self.to[cell] } else { self.from[cell] + t * (self.to[cell] - self.from[cell]) }
        };
        let (least, most): (Vec<f64>, Vec<f64>) = (0..n).map(|cell| (on_line(cell, low), on_line(cell, high))).unzip();
        let before = self.at.clone();
        // Whoever has fallen behind catches up first.
        for (cell, &least) in least.iter().enumerate() {
            let way = self.to[cell] - self.from[cell];
            if way != 0.0 && (self.at[cell] - self.from[cell]) / way < low {
                self.at[cell] = least;
            }
        }
        let whole: f64 = self.from.iter().zip(&self.to).map(|(from, to)| (to - from).abs()).sum();
        let target = whole * (1.0 - share);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| slopes[a].abs().total_cmp(&slopes[b].abs()).then(a.cmp(&b)));
        // The cells that may still move, from the flattest on: those up to the quantile of the slopes move together.
        loop {
            let rest: f64 = self.at.iter().zip(&self.to).map(|(at, to)| (to - at).abs()).sum();
            if rest - target <= CLOSE * whole {
                break;
            }
            let open = order.iter().copied().filter(|&cell| self.at[cell] != most[cell]).collect::<Vec<_>>();
            let quantile = (rules.fraction * (n - 1) as f64) as usize;
            let Some(steepest) = open.get(quantile.min(open.len().saturating_sub(1))).map(|&cell| slopes[cell].abs())
            else {
                break;
            };
            let moving = open.into_iter().take_while(|&cell| slopes[cell].abs() <= steepest).collect::<Vec<_>>();
            let room: f64 = moving.iter().map(|&cell| (most[cell] - self.at[cell]).abs()).sum();
            let needed = (rest - target) / room;
            for cell in moving {
                let way = most[cell] - self.at[cell];
                self.at[cell] = if needed >= 1.0 { most[cell] } else { self.at[cell] + needed * way };
            }
            if needed < 1.0 {
                break;
            }
        }
        for cell in 0..n {
            self.gathered[cell] += (self.at[cell] - before[cell]) * slopes[cell];
        }
    }
}

/// A rest of the way that is rounding.
const CLOSE: f64 = 1e-12;
