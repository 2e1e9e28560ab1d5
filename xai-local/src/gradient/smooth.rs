//! Any method, averaged over noise.

use std::borrow::Borrow;
use std::ops::ControlFlow;

use ndarray::{Array2, Array3};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Attribution, Cell, Cells, Error, Explainer, Meter, Model, Observer, Provenance, Result, Run};

use super::passes::{batch_of, rows_of};
use crate::lime::normal;

/// SmoothGrad and its kin: another method's values for noisy copies of the sample, as their mean, the mean of their squares
/// or their variance.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `explainer` | | any method that gives an [`Attribution`] |
/// | `n_draws` | 50 | ≥ 1 |
/// | `noise` | [`Noise::Range`]\(0.15\) | the standard deviation of the noise |
/// | `statistic` | [`Statistic::Mean`] | |
///
/// # Units
/// Those of the method (mean), or their squares. Scores are those of the sample without noise. A mean has the mean base, and
/// values sum to what the method promises on average over the noisy samples, not for the sample itself; squares and
/// variances sum to nothing, and their base is 0.
///
/// # Cost
/// `n_draws` times that of the method, and the scores.
///
/// # Errors
/// Those of the method; [`Error::Parameter`] for no draw, or noise that is negative or not finite; [`Error::Shape`] for noise
/// by cell for another number of cells, and for a method that explains other outputs than the model's.
///
/// # Laws
/// `smoothing_leaves_a_linear_model_alone`, `variance_of_slopes_is_that_of_the_noise`, `batches_change_no_bit`.
///
/// # Source
/// Smilkov, Thorat, Kim, Viégas & Wattenberg, *SmoothGrad: removing noise by adding noise*, 2017; squared: Hooker, Erhan,
/// Kindermans & Kim, *A benchmark for interpretability methods*, 2019; variance: Adebayo et al., *Local explanation methods
/// for deep neural networks lack sensitivity to parameter values*, 2018.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SmoothGrad<E> {
    /// The method.
    pub explainer: E,
    /// Noisy copies of each sample.
    pub n_draws: usize,
    /// How much noise.
    pub noise: Noise,
    /// What is told of the values.
    pub statistic: Statistic,
}

/// The standard deviation of normal noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// This share of the difference between the sample's greatest and least cell. For images and series, whose cells are all
    /// of one unit.
    Range(f64),
    /// This number for every cell.
    Absolute(f64),
    /// A number for each cell, such as a share of each column's standard deviation.
    Each(Vec<f64>),
}

/// What is told of values for noisy samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Their mean: SmoothGrad.
    #[default]
    Mean,
    /// The mean of their squares: SmoothGrad squared.
    Square,
    /// Their variance: VarGrad.
    Variance,
}

impl<E> SmoothGrad<E> {
    /// The mean over 50 copies with noise of 15 % of the sample's range.
    pub fn new(explainer: E) -> Self {
        SmoothGrad { explainer, n_draws: 50, noise: Noise::Range(0.15), statistic: Statistic::Mean }
    }
}

impl Noise {
    /// The standard deviation for each cell of a sample.
    fn of(&self, sample: &[f64]) -> Result<Vec<f64>> {
        let given: Vec<f64> = match self {
            Noise::Range(share) => {
                let low = sample.iter().copied().fold(f64::INFINITY, f64::min);
                let high = sample.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                vec![share * (high - low).max(0.0); sample.len()]
            }
            Noise::Absolute(deviation) => vec![*deviation; sample.len()],
            Noise::Each(deviations) => {
                same_shape("noise (cell)", &[sample.len()], &[deviations.len()])?;
                deviations.clone()
            }
        };
        match given.iter().find(|deviation| !(deviation.is_finite() && **deviation >= 0.0)) {
            Some(wrong) => Err(Error::parameter("noise", wrong, "finite numbers from 0")),
            None => Ok(given),
        }
    }

    fn describe(&self) -> String {
        match self {
            Noise::Range(share) => format!("{share} of the range"),
            Noise::Absolute(deviation) => deviation.to_string(),
            Noise::Each(_) => "by cell".into(),
        }
    }
}

impl Statistic {
    fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "smooth-grad",
            Statistic::Square => "smooth-grad-squared",
            Statistic::Variance => "var-grad",
        }
    }
}

impl<M, E> Explainer<M> for SmoothGrad<E>
where
    M: Model + ?Sized,
    M::Batch: Cells,
    E: Explainer<M, Explanation = Attribution>,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        if self.n_draws == 0 {
            return Err(Error::parameter("n_draws", 0, "at least 1"));
        }
        let (shape, rows) = (batch.sample_shape(), rows_of(batch)?);
        let cells = rows.mapv(Into::into);
        let noise = cells.outer_iter().map(|row| self.noise.of(&row.to_vec())).collect::<Result<Vec<_>>>()?;
        let meter = Meter::new(run, rows.nrows() as u64);
        let scores = meter.predict(model, batch)?;
        let mut spent = meter.evaluations();

        let mut sums: Option<Sums> = None;
        for draw in 0..self.n_draws {
            let mut noisy = Array2::zeros(rows.raw_dim());
            for (sample, noise) in noise.iter().enumerate() {
                let mut rng = ChaCha8Rng::seed_from_u64(run.seed_of(sample));
                rng.set_stream(draw as u64 + 1);
                for (cell, deviation) in noise.iter().enumerate() {
                    noisy[[sample, cell]] = Cell::of(cells[[sample, cell]] + deviation * normal(&mut rng));
                }
            }
            let observer = Part { observer: run.observer, draw: draw as u64, n_draws: self.n_draws as u64 };
            let own = Run {
                seed: run.seed.wrapping_add((draw as u64 + 1).wrapping_mul(ODD)),
                max_evaluations: run.max_evaluations.map(|budget| budget.saturating_sub(spent)),
                observer: &observer,
                ..*run
            };
            let found = self.explainer.explain(model, batch_of::<M::Batch>(noisy, &shape)?.borrow(), &own)?;
            spent += found.provenance.evaluations;
            match &mut sums {
                Some(sums) => sums.add(&found)?,
                None => sums = Some(Sums::new(found)),
            }
        }
        // There was at least one draw.
        let Some(sums) = sums else { return Err(Error::parameter("n_draws", 0, "at least 1")) };
        let inner = sums.first.provenance.clone();
        let mut provenance = Provenance::new(self.statistic.name(), run)
            .with("explainer", inner.method)
            .with("n_draws", self.n_draws)
            .with("noise", self.noise.describe())
            .note("values are of noisy samples; they sum to nothing that the sample itself has")
            .evaluations(spent);
        inner.parameters.into_iter().for_each(|(name, value)| {
            provenance.parameters.entry(name).or_insert(value);
        });
        sums.finish(self.statistic, self.n_draws, scores, Some(cells), provenance)
    }
}

/// Tells the draws' seeds apart: 2⁶⁴ by the golden ratio.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Progress of one draw as progress of all.
struct Part<'a> {
    observer: &'a dyn Observer,
    draw: u64,
    n_draws: u64,
}

impl Observer for Part<'_> {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        let all = total.saturating_mul(self.n_draws);
        self.observer.progress(total.saturating_mul(self.draw).saturating_add(done).min(all), all)
    }
}

/// Running moments of values, by Welford's formulas.
struct Sums {
    first: Attribution,
    n: f64,
    base: Array2<f64>,
    mean: Array3<f64>,
    spread: Array3<f64>,
}

impl Sums {
    fn new(first: Attribution) -> Self {
        let (base, mean) = (first.base.clone(), first.values.clone());
        Sums { n: 1.0, base, spread: Array3::zeros(mean.raw_dim()), mean, first }
    }

    fn add(&mut self, found: &Attribution) -> Result<()> {
        same_shape("values of a draw", self.mean.shape(), found.values.shape())?;
        self.n += 1.0;
        let n = self.n;
        self.base.zip_mut_with(&found.base, |base, new| *base += (new - *base) / n);
        ndarray::Zip::from(&mut self.mean).and(&mut self.spread).and(&found.values).for_each(|mean, spread, new| {
            let step = new - *mean;
            *mean += step / n;
            *spread += step * (new - *mean);
        });
        Ok(())
    }

    fn finish(
        self,
        statistic: Statistic,
        n_draws: usize,
        scores: Array2<f64>,
        data: Option<Array2<f64>>,
        provenance: Provenance,
    ) -> Result<Attribution> {
        same_shape("scores of a draw", scores.shape(), self.first.scores.shape())?;
        let n = n_draws as f64;
        let variance = self.spread / n;
        let none = Array2::zeros(self.base.raw_dim());
        let (values, base, standard_error) = match statistic {
            Statistic::Mean => {
                let error = (n_draws > 1).then(|| variance.mapv(|variance| (variance / (n - 1.0)).sqrt()));
                (self.mean, self.base, error)
            }
            Statistic::Square => (variance + self.mean.mapv(|mean| mean * mean), none, None),
            Statistic::Variance => (variance, none, None),
        };
        // The data of a draw are noisy.
        let data = self.first.data.as_ref().and(data);
        Attribution { provenance, values, base, scores, standard_error, fidelity: None, data, ..self.first }.checked()
    }
}
