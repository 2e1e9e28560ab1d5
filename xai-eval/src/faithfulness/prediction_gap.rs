//! How far does the score move when important, or unimportant, features are shaken?

use ndarray::Array2;
use xai_core::{Attribution, Cells, Error, Meter, Model, Result, Run};

use super::shift::{bounded, n_cells, scores_of_shifted};
use crate::draws::Draws;
use crate::measurement::Failures;
use crate::rank::top;
use crate::{Case, Direction, Measurement, Metric, Need};

/// PGI and PGU: the mean |f(x) − f(x′)| where x′ is x with normal noise on the `k` most important features (PGI) or on all
/// others (PGU).
///
/// PGI: higher is better. PGU: lower is better. Importance is the absolute value.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `unimportant` | false | noise on the others: PGU |
/// | `k` | a quarter of the features, rounded up | how many features are the most important |
/// | `area` | false | the area under the gap over 1, …, k features, divided by its width |
/// | `sd` | 0.1 | the standard deviation of the noise |
/// | `scales` | 1 for all | the unit of each feature, which `sd` is multiplied by: (feature) |
/// | `n_draws` | 100 | draws for each sample |
///
/// *Pitfalls.* Noise of 0.1 suits features between 0 and 1; give `scales` for others. It leaves whole numbers and
/// categories, where a model may never have been asked. Small noise sees only the slope.
///
/// # Units
/// Those of the scores.
///
/// # Cost
/// n_samples · (1 + n_outputs · n_draws · (k with `area`, else 1)), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for parameters out of range; else those of [`Metric::measure`].
///
/// # Laws
/// `prediction_gaps_of_linear_models_are_known`.
///
/// # Source
/// Agarwal et al. 2022, "OpenXAI: towards a transparent evaluation of model explanations", section 3 and its evaluator.
/// *differs:* discrete features are not flipped.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionGap {
    /// Noise on the unimportant features.
    pub unimportant: bool,
    /// How many features are the most important; `None` for a quarter.
    pub k: Option<usize>,
    /// The area over 1, …, k features.
    pub area: bool,
    /// The standard deviation of the noise.
    pub sd: f64,
    /// The unit of each feature; none for 1.
    pub scales: Vec<f64>,
    /// How many draws.
    pub n_draws: usize,
}

impl Default for PredictionGap {
    fn default() -> Self {
        PredictionGap { unimportant: false, k: None, area: false, sd: 0.1, scales: Vec::new(), n_draws: 100 }
    }
}

impl PredictionGap {
    /// PGI, the default.
    pub fn important() -> Self {
        Self::default()
    }

    /// PGU.
    pub fn unimportant() -> Self {
        PredictionGap { unimportant: true, ..Self::default() }
    }

    fn called(&self) -> &'static str {
        if self.unimportant { "prediction-gap-unimportant" } else { "prediction-gap-important" }
    }

    fn better(&self) -> Direction {
        if self.unimportant { Direction::Lower } else { Direction::Higher }
    }

    /// k, if all parameters make sense for so many features.
    fn check(&self, n_features: usize) -> Result<usize> {
        let k = self.k.unwrap_or_else(|| n_features.div_ceil(4));
        if k == 0 || k > n_features {
            return Err(Error::parameter("k", k, format!("1 to {n_features}")));
        }
        if !(self.sd > 0.0 && self.sd.is_finite()) {
            return Err(Error::parameter("sd", self.sd, "a positive number"));
        }
        if !self.scales.is_empty() {
            xai_core::error::same_shape("scales (feature)", &[n_features], &[self.scales.len()])?;
            if let Some(wrong) = self.scales.iter().find(|scale| !(**scale >= 0.0 && scale.is_finite())) {
                return Err(Error::parameter("scales", wrong, "numbers not below 0"));
            }
        }
        if self.n_draws == 0 {
            return Err(Error::parameter("n_draws", 0, "at least 1"));
        }
        Ok(k)
    }
}

impl<M> Metric<M> for PredictionGap
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        self.called()
    }

    fn direction(&self) -> Direction {
        self.better()
    }

    fn needs(&self) -> &[Need] {
        &[Need::Cells]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        let (n_samples, n_features, n_outputs) = values.dim();
        n_cells(case.batch, n_features)?;
        let k = self.check(n_features)?;
        let sizes: Vec<usize> = if self.area { (1..=k).collect() } else { vec![k] };
        let each = sizes.len().saturating_mul(self.n_draws);
        let of_sample = n_outputs.saturating_mul(each);
        let n_copies = n_samples.saturating_mul(of_sample);
        bounded(n_copies, n_outputs)?;
        let meter = Meter::planned(run, (n_copies as u64).saturating_add(n_samples as u64))?;
        let whole = if n_samples > 0 { meter.predict(case.model, case.batch)? } else { Array2::zeros((0, n_outputs)) };

        // The place of each feature in the order of importance: (sample · output, feature).
        let mut places = vec![vec![0; n_features]; n_samples * n_outputs];
        for (cell, places) in places.iter_mut().enumerate() {
            let shares = values.index_axis(ndarray::Axis(0), cell / n_outputs);
            let order = top(shares.column(cell % n_outputs), n_features);
            order.into_iter().enumerate().for_each(|(place, feature)| places[feature] = place);
        }
        let shake = |copy: usize, cells: &mut [f64]| {
            let (sample, output, rest) = (copy / of_sample, copy % of_sample / each, copy % each);
            let (size, places) = (sizes[rest / self.n_draws], &places[sample * n_outputs + output]);
            let mut draws = Draws::nth(run.seed_of(sample), rest % self.n_draws);
            for (j, cell) in cells.iter_mut().enumerate() {
                let noise = self.sd * self.scales.get(j).unwrap_or(&1.0) * draws.normal();
                if (places[j] < size) != self.unimportant {
                    *cell += noise;
                }
            }
        };
        let scores = scores_of_shifted(case.model, case.batch, n_copies, |copy| copy / of_sample, shake, &meter)?;
        let found = Array2::from_shape_fn((n_samples, n_outputs), |(i, output)| {
            let gap = |size: usize| {
                let from = i * of_sample + output * each + size * self.n_draws;
                let gaps = (from..from + self.n_draws).map(|copy| (whole[[i, output]] - scores[[copy, output]]).abs());
                gaps.sum::<f64>() / self.n_draws as f64
            };
            match sizes.len() {
                1 => gap(0),
                n => (1..n).map(|s| (gap(s) + gap(s - 1)) / 2.0).sum::<f64>() / (n - 1) as f64,
            }
        });
        let evaluations = meter.evaluations();
        Ok(Measurement::new(self.called(), self.better(), found, Failures::default(), evaluations, run))
    }
}
