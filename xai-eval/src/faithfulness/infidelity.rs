//! How far are sums of shares from the falls of the score?

use ndarray::Array2;
use xai_core::{Attribution, Cells, Error, Meter, Model, Result, Run};

use super::shift::{bounded, n_cells, scores_of_shifted};
use super::subsets::{n_subsets, subsets, sums_over};
use crate::draws::Draws;
use crate::games::Games;
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The mean squared error with which sums of shares predict the fall of the score: E over subsets S of
/// (Σ_{j ∈ S} φⱼ − (f(x) − f(x without S)))².
///
/// For shares of the score (Shapley values, integrated gradients, gradient times input). Lower is better; 0 for exact
/// Shapley values of an additive model. For gradients there is [`NoiseInfidelity`].
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `subset_size` | half of the players, at least 1 | players in a subset: 1 to all |
/// | `n_subsets` | 100 | subsets for each sample; all of them when they are at most so many |
/// | `scaled` | false | shares are first multiplied by the number that makes the error least |
///
/// *Pitfalls.* It is on the squared scale of the scores: compare on one model and samples only. Unless it is `scaled`, a
/// right map in another unit (a saliency map) looks wrong. It depends on the size of the subsets and on the masker.
///
/// # Units
/// The square of the scores'.
///
/// # Cost
/// n_samples · (1 + min(n_subsets, C(n_players, subset_size)) · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for subsets that cannot be; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `infidelity_equals_its_formula`, `captum_infidelity`.
///
/// # Source
/// Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations", definition 2.1 with the perturbation of a
/// random subset, shares already times the perturbation (Captum: `multiply_by_inputs`); the scale is theirs, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infidelity {
    /// How many players are absent at once; `None` for half of them.
    pub subset_size: Option<usize>,
    /// How many subsets are tried.
    pub n_subsets: usize,
    /// Shares are scaled to fit best.
    pub scaled: bool,
}

impl Default for Infidelity {
    fn default() -> Self {
        Infidelity { subset_size: None, n_subsets: 100, scaled: false }
    }
}

const NAME: &str = "infidelity";
const NOISE_NAME: &str = "infidelity-to-noise";
/// More draws than anybody wants, few enough to hold.
const MOST_DRAWS: usize = 1_000_000;

impl<M: Model + ?Sized> Metric<M> for Infidelity {
    fn name(&self) -> &str {
        NAME
    }

    fn direction(&self) -> Direction {
        Direction::Lower
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let games = Games::new(NAME, case, attribution)?;
        let Games { n_samples, n_players, n_outputs, .. } = games;
        let size = self.subset_size.unwrap_or_else(|| (n_players / 2).max(1));
        if size == 0 || size > n_players {
            return Err(Error::parameter("subset_size", size, format!("1 to {n_players}")));
        }
        if !(1..=MOST_DRAWS).contains(&self.n_subsets) {
            return Err(Error::parameter("n_subsets", self.n_subsets, format!("1 to {MOST_DRAWS}")));
        }
        games.bounded(n_subsets(n_players, size, self.n_subsets))?;
        let meter = games.meter(run, n_subsets(n_players, size, self.n_subsets))?;
        let whole = games.whole(&meter)?;
        let mut values = Array2::zeros((n_samples, n_outputs));
        let drawn = |sample| {
            let absent = subsets(n_players, size, self.n_subsets, run.seed_of(sample));
            (absent.mapv(|absent| !absent), absent)
        };
        games.each_worth(&meter, drawn, &mut |sample, absent, worth| {
            for k in 0..n_outputs {
                let sums = sums_over(&absent, games.shares(sample, k));
                let falls: Vec<f64> = worth.column(k).iter().map(|worth| whole[[sample, k]] - worth).collect();
                values[[sample, k]] = mean_squared_error(&sums, &falls, self.scaled);
            }
        })?;
        Ok(Measurement::new(NAME, Direction::Lower, values, Failures::default(), meter.evaluations(), run))
    }
}

/// The mean squared error with which a gradient predicts the change of the score under noise:
/// E over ε ~ N(0, `sd`²) of (Σⱼ εⱼ·φⱼ − (f(x) − f(x − ε)))², over all cells j.
///
/// For sensitivities (gradients, SmoothGrad). Lower is better; 0 for the gradient of a linear model.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `sd` | 0.1 | the standard deviation of the noise, in the units of the cells |
/// | `n_draws` | 100 | draws for each sample |
/// | `scaled` | false | values are first multiplied by the number that makes the error least |
///
/// *Pitfalls.* The noise is the same for all cells: bring columns of different units to one scale first. Small noise
/// asks for the gradient, large noise for a smoothed one; neither is the truth about the prediction.
///
/// # Units
/// The square of the scores'.
///
/// # Cost
/// n_samples · (1 + n_draws), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for no draw or a noise that is no positive number; else those of [`Metric::measure`].
///
/// # Laws
/// `gradients_of_linear_models_have_no_infidelity`, `captum_infidelity`.
///
/// # Source
/// Yeh et al. 2019, definition 2.1 with the noisy perturbation of section 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseInfidelity {
    /// The standard deviation of the noise.
    pub sd: f64,
    /// How many draws.
    pub n_draws: usize,
    /// Values are scaled to fit best.
    pub scaled: bool,
}

impl Default for NoiseInfidelity {
    fn default() -> Self {
        NoiseInfidelity { sd: 0.1, n_draws: 100, scaled: false }
    }
}

impl<M> Metric<M> for NoiseInfidelity
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        NOISE_NAME
    }

    fn direction(&self) -> Direction {
        Direction::Lower
    }

    fn needs(&self) -> &[Need] {
        &[Need::Cells]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        let (n_samples, n_features, n_outputs) = values.dim();
        n_cells(case.batch, n_features)?;
        if !(self.sd > 0.0 && self.sd.is_finite()) {
            return Err(Error::parameter("sd", self.sd, "a positive number"));
        }
        if !(1..=MOST_DRAWS).contains(&self.n_draws) {
            return Err(Error::parameter("n_draws", self.n_draws, format!("1 to {MOST_DRAWS}")));
        }
        let n_copies = n_samples.saturating_mul(self.n_draws);
        bounded(n_copies, n_outputs)?;
        let meter = Meter::planned(run, (n_copies as u64).saturating_add(n_samples as u64))?;
        let whole = if n_samples > 0 { meter.predict(case.model, case.batch)? } else { Array2::zeros((0, n_outputs)) };
        let mut products = Array2::zeros((n_copies, n_outputs));
        let add = |copy: usize, cells: &mut [f64]| {
            let sample = copy / self.n_draws;
            let mut draws = Draws::nth(run.seed_of(sample), copy % self.n_draws);
            for (j, cell) in cells.iter_mut().enumerate() {
                let noise = self.sd * draws.normal();
                *cell -= noise;
                (0..n_outputs).for_each(|k| products[[copy, k]] += noise * values[[sample, j, k]]);
            }
        };
        let scores = scores_of_shifted(case.model, case.batch, n_copies, |copy| copy / self.n_draws, add, &meter)?;
        let found = Array2::from_shape_fn((n_samples, n_outputs), |(i, k)| {
            let of = i * self.n_draws..(i + 1) * self.n_draws;
            let sums: Vec<f64> = of.clone().map(|copy| products[[copy, k]]).collect();
            let falls: Vec<f64> = of.map(|copy| whole[[i, k]] - scores[[copy, k]]).collect();
            mean_squared_error(&sums, &falls, self.scaled)
        });
        Ok(Measurement::new(NOISE_NAME, Direction::Lower, found, Failures::default(), meter.evaluations(), run))
    }
}

/// The mean of (scale · a − b)², the scale being 1 or the one that makes it least.
fn mean_squared_error(a: &[f64], b: &[f64], scaled: bool) -> f64 {
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let own = product(a, a);
    let scale = if scaled && own > 0.0 { product(a, b) / own } else { 1.0 };
    a.iter().zip(b).map(|(a, b)| (scale * a - b).powi(2)).sum::<f64>() / a.len() as f64
}
