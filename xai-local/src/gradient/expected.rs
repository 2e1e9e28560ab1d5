//! Gradients at random places between samples and a background.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, ArrayView2, Axis};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use xai_core::{Attribution, Cells, Differentiable, Error, Explainer, Meter, Provenance, Result, Run};

use super::baselines::{Baselines, base_of};
use super::passes::{batch_of, between, bounded, gradients, of_inputs, parts, rows_at_once, rows_of, rows_per_call};
use super::scores_of_rows;

/// Expected gradients, also called GradientSHAP: the mean over draws of (xᵢ − x′ᵢ) · ∂score/∂xᵢ (x′ + t·(x − x′)), where
/// x′ is a background sample and t is uniform in \[0, 1\].
///
/// | parameter | default | range |
/// |---|---|---|
/// | `background` | [`Baselines::Zero`] | samples of the data, as a rule |
/// | `n_draws` | 200 | ≥ 1 |
///
/// Each draw takes t from another of `n_draws` equal parts of \[0, 1\], and background samples come up equally often:
/// the mean is right on average, and varies less than that of independent draws.
///
/// # Units
/// `base` = mean score of the background; `base` + Σ values = `scores` on average. The standard error is that of
/// independent draws, so rather too great. Of one draw there is none.
///
/// # Cost
/// `n_draws` gradients of every output for each sample, the scores of sample and background.
///
/// # Errors
/// As [`IntegratedGradients`](super::IntegratedGradients).
///
/// # Laws
/// `expected_gradients_are_integrated_gradients_on_average`, `batches_change_no_bit`.
///
/// # Source
/// Erion, Janizek, Sturmfels, Lundberg & Lee, *Improving performance of deep learning models with axiomatic attribution
/// priors and expected gradients*, 2021, equation 3. *Differs:* stratified draws.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedGradients {
    /// The samples that stand for absence.
    pub background: Baselines,
    /// Draws for each sample.
    pub n_draws: usize,
}

impl Default for ExpectedGradients {
    fn default() -> Self {
        ExpectedGradients { background: Baselines::Zero, n_draws: 200 }
    }
}

impl ExpectedGradients {
    /// Background samples and places on the line for one sample.
    fn draws(&self, n_background: usize, seed: u64) -> Vec<(usize, f64)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut strata: Vec<usize> = (0..self.n_draws).collect();
        strata.shuffle(&mut rng);
        let mut deck: Vec<usize> = Vec::new();
        let draw = |stratum: usize| {
            if deck.is_empty() {
                deck = (0..n_background).collect();
                deck.shuffle(&mut rng);
            }
            let t = (stratum as f64 + rng.random::<f64>()) / self.n_draws as f64;
            (deck.pop().unwrap_or(0), t)
        };
        strata.into_iter().map(draw).collect()
    }
}

impl<M> Explainer<M> for ExpectedGradients
where
    M: Differentiable + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        if !(1..=MOST_DRAWS).contains(&self.n_draws) {
            return Err(Error::parameter("n_draws", self.n_draws, format!("1 to {MOST_DRAWS}")));
        }
        let (shape, n_outputs) = (batch.sample_shape(), model.n_outputs());
        let (rows, background) = (rows_of(batch)?, self.background.rows(&shape)?);
        let (n, cells) = rows.dim();
        bounded(n, cells, n_outputs)?;
        let asked = (n as u64).saturating_mul(self.n_draws as u64).saturating_mul(n_outputs as u64);
        let meter = Meter::planned(run, asked.saturating_add((n + background.nrows()) as u64))?;
        let background_scores = scores_of_rows(&meter, model, &background, &shape)?;
        let scores = scores_of_rows(&meter, model, &rows, &shape)?;

        let mut moments = Moments::new(n, cells, n_outputs);
        let mut places = Vec::new();
        for samples in parts(n, (MOST_DRAWS / self.n_draws).min(rows_per_call(cells))) {
            places.clear();
            places.extend(samples.flat_map(|sample| {
                let draws = self.draws(background.nrows(), run.seed_of(sample));
                draws.into_iter().map(move |(start, t)| (sample, start, t))
            }));
            for here in places.chunks(rows_at_once(cells, n_outputs)) {
                let at = Array2::from_shape_fn((here.len(), cells), |(row, cell)| {
                    let (sample, start, t) = here[row];
                    between(background[[start, cell]], rows[[sample, cell]], t)
                });
                let (_, slopes) = gradients(&meter, model, batch_of::<M::Batch>(at, &shape)?.borrow())?;
                for (&(sample, start, _), slopes) in here.iter().zip(slopes.outer_iter()) {
                    let length = |cell: usize| -> f64 {
                        let (from, to): (f64, f64) = (background[[start, cell]].into(), rows[[sample, cell]].into());
                        to - from
                    };
                    moments.add(sample, slopes, length);
                }
            }
        }
        let provenance = Provenance::new("expected-gradients", run)
            .with("background", self.background.describe())
            .with("n_draws", self.n_draws)
            .evaluations(meter.evaluations());
        let (values, standard_error) = moments.finish(self.n_draws);
        let base = base_of(&background_scores, n);
        let explanation = of_inputs(model, batch, values, base, scores, provenance)?;
        Attribution { standard_error, ..explanation }.checked()
    }
}

/// Draws that are held at a time, so also those of one sample at most.
const MOST_DRAWS: usize = 1_000_000;

/// Running means and sums of squared deviations: (sample, cell, output).
struct Moments {
    n: Vec<usize>,
    mean: Array3<f64>,
    squares: Array3<f64>,
}

impl Moments {
    fn new(n: usize, cells: usize, n_outputs: usize) -> Self {
        let zeros = Array3::zeros((n, cells, n_outputs));
        Moments { n: vec![0; n], mean: zeros.clone(), squares: zeros }
    }

    /// Another draw of a sample: slopes (cell, output) times the length of the line in each cell.
    fn add(&mut self, sample: usize, slopes: ArrayView2<f64>, length: impl Fn(usize) -> f64) {
        self.n[sample] += 1;
        let n = self.n[sample] as f64;
        let (mut mean, mut squares) =
            (self.mean.index_axis_mut(Axis(0), sample), self.squares.index_axis_mut(Axis(0), sample));
        let moments = mean.outer_iter_mut().zip(squares.outer_iter_mut());
        for (cell, (slopes, (mean, squares))) in slopes.outer_iter().zip(moments).enumerate() {
            let length = length(cell);
            for ((mean, squares), slope) in mean.into_iter().zip(squares).zip(slopes) {
                let value = slope * length;
                let step = value - *mean;
                *mean += step / n;
                *squares += step * (value - *mean);
            }
        }
    }

    /// The means, and their standard errors.
    fn finish(self, n_draws: usize) -> (Array3<f64>, Option<Array3<f64>>) {
        let n = n_draws as f64;
        let error = (n_draws > 1).then(|| self.squares.mapv(|sum| (sum / (n - 1.0) / n).sqrt()));
        (self.mean, error)
    }
}
