//! Gradients gathered along straight lines.

use ndarray::{Array3, Axis};
use xai_core::{Attribution, Cells, Differentiable, Error, Explainer, Meter, Provenance, Result, Run};

use super::adaptive::{Lines, Settings};
use super::baselines::{Baselines, base_of};
use super::passes::{bounded, lines_at_once, of_inputs, parts, rows_of};
use super::{Quadrature, scores_of_rows};

/// Integrated gradients: (xᵢ − x′ᵢ) · ∫₀¹ ∂score/∂xᵢ (x′ + t·(x − x′)) dt, the mean over the baselines x′.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `baselines` | [`Baselines::Zero`] | one, a constant, or samples that are averaged over |
/// | `n_steps` | 32 | ≥ 1 |
/// | `quadrature` | [`Quadrature::GaussLegendre`] | |
/// | `tolerance` | 0.01 | > 0; `None` for exactly `n_steps` |
/// | `max_steps` | 512 | ≥ `n_steps` |
///
/// With a tolerance, each line is checked: values must sum to the difference of the scores at its ends, up to `tolerance`
/// times that difference (of the output where it is greatest) or the rounding of scores in f32. Where they do not, the line is cut in half, and each half
/// gets `n_steps` of its own, up to `max_steps` for a line. What is left over is
/// [`Attribution::completeness_residual`], and a note counts the lines that did not get there.
///
/// # Units
/// `base` = mean score of the baselines; `base` + Σ values = `scores` up to the error of the quadrature.
///
/// # Cost
/// `n_steps` gradients of every output for each sample and baseline, more where the line is cut, and the scores of the
/// baselines. Memory is that of the result and of one call of 256 samples or about a million cells; a model that knows
/// [`line_vjps`](Differentiable::line_vjps) looks after its own.
///
/// # Errors
/// Those of the model; [`Error::Parameter`] for parameters out of range; [`Error::Shape`] for baselines of another shape;
/// [`Error::TooLarge`] for more than 2²⁸ values; [`Error::Budget`].
///
/// # Laws
/// `quadratic_models_are_integrated_exactly`, `bisection_finds_the_kink`, `short_ways_change_nothing`,
/// `batches_change_no_bit`.
///
/// # Source
/// Sundararajan, Taly & Yan, *Axiomatic attribution for deep networks*, 2017, equation 1. *Differs:* the paper adds up
/// right ends of equal parts; that is [`Quadrature::Right`] without tolerance.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegratedGradients {
    /// Where the lines begin.
    pub baselines: Baselines,
    /// Gradients for each line, or for each part of one that was cut.
    pub n_steps: usize,
    /// Where they are taken.
    pub quadrature: Quadrature,
    /// How much of the difference between two scores may be left over.
    pub tolerance: Option<f64>,
    /// Gradients for each line at most, cuts included.
    pub max_steps: usize,
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        IntegratedGradients {
            baselines: Baselines::Zero,
            n_steps: 32,
            quadrature: Quadrature::GaussLegendre,
            tolerance: Some(0.01),
            max_steps: 512,
        }
    }
}

impl IntegratedGradients {
    /// Exactly `n_steps` gradients a line.
    pub fn fixed(n_steps: usize, quadrature: Quadrature) -> Self {
        IntegratedGradients { n_steps, quadrature, tolerance: None, ..Default::default() }
    }

    /// The same, from other baselines.
    #[must_use]
    pub fn from_baselines(self, baselines: Baselines) -> Self {
        IntegratedGradients { baselines, ..self }
    }

    fn settings(&self) -> Result<Settings> {
        if let Some(tolerance) = self.tolerance.filter(|t| !(*t > 0.0 && t.is_finite())) {
            return Err(Error::parameter("tolerance", tolerance, "a number above 0"));
        }
        if self.tolerance.is_some() && self.max_steps < self.n_steps {
            return Err(Error::parameter("max_steps", self.max_steps, format!("at least n_steps = {}", self.n_steps)));
        }
        let points = self.quadrature.points(self.n_steps)?;
        Ok(Settings { points, tolerance: self.tolerance, max_steps: self.max_steps })
    }
}

impl<M> Explainer<M> for IntegratedGradients
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (settings, shape, n_outputs) = (self.settings()?, batch.sample_shape(), model.n_outputs());
        let (rows, starts) = (rows_of(batch)?, self.baselines.rows(&shape)?);
        let (n, cells, n_starts) = (rows.nrows(), rows.ncols(), starts.nrows());
        bounded(n, cells, n_outputs)?;
        let gradients = (n as u64).saturating_mul((n_starts * self.n_steps) as u64).saturating_mul(n_outputs as u64);
        let meter = Meter::planned(run, gradients.saturating_add((n + n_starts) as u64))?;
        let start_scores = scores_of_rows(&meter, model, &starts, &shape)?;
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;

        let mut values = Array3::zeros((n, cells, n_outputs));
        let mut unmet = 0;
        // A sample's lines stay together, so that their sum has the same bits wherever the batch is cut.
        for samples in parts(n, (lines_at_once(cells, n_outputs) / n_starts).max(1)) {
            for starts_here in parts(n_starts, lines_at_once(cells, n_outputs)) {
                let pairs: Vec<(usize, usize)> =
                    samples.clone().flat_map(|sample| starts_here.clone().map(move |start| (sample, start))).collect();
                let (ends, begins): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
                let lines = Lines {
                    from: starts.select(Axis(0), &begins),
                    to: rows.select(Axis(0), &ends),
                    from_scores: start_scores.select(Axis(0), &begins),
                    to_scores: scores.select(Axis(0), &ends),
                };
                let mut add = |line: usize, shares: ndarray::ArrayView2<f64>| {
                    values.index_axis_mut(Axis(0), pairs[line].0).scaled_add(1.0 / n_starts as f64, &shares);
                };
                unmet += lines.integrate(&meter, model, &shape, &settings, &mut add)?;
            }
        }
        let mut provenance = Provenance::new("integrated-gradients", run)
            .with("baselines", self.baselines.describe())
            .with("n_steps", self.n_steps)
            .with("quadrature", self.quadrature.name())
            .evaluations(meter.evaluations());
        if let Some(tolerance) = self.tolerance {
            provenance = provenance.with("tolerance", tolerance).with("max_steps", self.max_steps);
        }
        if unmet > 0 {
            let told = format!("{unmet} of {} lines did not reach the tolerance in max_steps", n * n_starts);
            provenance = provenance.note(told);
        }
        of_inputs(model, batch, values, base_of(&start_scores, n), scores, provenance)
    }
}
