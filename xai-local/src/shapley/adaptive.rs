//! Budgets that grow until the answer is good enough.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::{Ends, Estimate, Estimator, Known};

/// When to stop. What is set must hold for every output, all of it.
///
/// | parameter | default | range | purpose |
/// |---|---|---|---|
/// | `relative_error` | 0.01 | > 0 | the largest standard error over the range of the values, at most |
/// | `top_k` | none | ≥ 1 | the players with the k largest absolute values and their order are settled |
/// | `level` | 0.05 | 0 to 1, exclusive | the chance that a settled order is wrong, at most |
/// | `most_coalitions` | 16384 | | the budget, which ends it in any case |
///
/// A player of the first k is settled when it stands above each player below it by √(2 ln(1 / 2α)) standard errors of
/// their difference, a normal tail of at most α; α = `level` / (k j (j + 1)) at the j-th look, so that all looks and
/// players together keep the level. Players of equal value are never settled, unless without error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// max σ / (max φ − min φ), at most.
    pub relative_error: Option<f64>,
    /// How many leading players must be settled.
    pub top_k: Option<usize>,
    /// The chance that the leading players are wrong, at most.
    pub level: f64,
    /// The number of coalitions, at most.
    pub most_coalitions: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { relative_error: Some(0.01), top_k: None, level: 0.05, most_coalitions: 1 << 14 }
    }
}

/// An estimator whose budget doubles until its standard errors are small enough.
///
/// Each look goes on where the last one stopped, through [`Known`]: no coalition is asked twice, and the result is that
/// of the estimator with the budget of the last look. The provenance says why it stopped. Every sample stops by itself.
///
/// # Units
/// Those of the estimator, and its standard errors. These are a little too small on average, since a run stops when they
/// look small.
///
/// # Cost
/// At most `stop.most_coalitions` coalitions; the estimator's own work less than twice.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) for an estimator that takes no budget; [`Error::Parameter`] for
/// a rule out of range; those of the estimator.
///
/// # Laws
/// `a_run_stops_when_it_may`, `settled_ranks_are_right`, `a_run_never_asks_more_than_the_most`.
///
/// # Source
/// Relative error: Covert & Lee, *Improving KernelSHAP*, 2021, section 3.3. Ranks: after Goldwasser & Hooker, *Provably
/// stable rankings of Shapley values*, 2024; *differs:* each of the first k is tested against all below it.
///
/// # Example
/// ```
/// use xai_core::{Explainer, Run};
/// use xai_local::{masker::Baseline, shapley::{Adaptive, LeverageShap, Masked, Stop}};
/// # use ndarray::{Array1, Array2, Axis};
/// # struct Product;
/// # impl xai_core::Model for Product {
/// #     type Batch = xai_core::Table;
/// #     fn n_outputs(&self) -> usize { 1 }
/// #     fn predict(&self, batch: &xai_core::Table) -> xai_core::Result<Array2<f64>> {
/// #         let score = |x: ndarray::ArrayView1<f64>| 12.0 * x[0] * x[1] * x[2] + 8.0 * x[3] - 6.0 * x[4];
/// #         Ok(batch.map_axis(Axis(1), score).insert_axis(Axis(1)))
/// #     }
/// # }
/// // 12 x₀ x₁ x₂ + 8 x₃ − 6 x₄, and 35 columns that do nothing.
/// let stop = Stop { relative_error: None, top_k: Some(2), most_coalitions: 20_000, ..Stop::default() };
/// let estimator = Adaptive { estimator: LeverageShap::default(), stop };
/// let explainer = Masked { estimator, masker: Baseline::new(Array1::zeros(40)) };
/// let explanation = explainer.explain(&Product, &Array2::ones((1, 40)), &Run::default())?;
/// assert!((explanation.values.sum() - 14.0).abs() < 1e-9);
/// assert!(explanation.provenance.evaluations <= 20_002);
/// assert!(explanation.provenance.notes.iter().any(|note| note.starts_with("stopped at ")));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Adaptive<E> {
    /// What is asked for estimates, by [`Estimator::with_coalitions`].
    pub estimator: E,
    /// When to stop.
    pub stop: Stop,
}

impl<E: Estimator> Adaptive<E> {
    fn at(&self, budget: usize) -> Result<Box<dyn Estimator>> {
        self.estimator.with_coalitions(budget).ok_or_else(|| {
            Error::unsupported(format!("a growing budget of {}", self.estimator.name()), "it takes no budget")
        })
    }
}

/// The first look: fewer leave no standard error.
fn first_look(n_players: usize) -> usize {
    4 * n_players + 64
}

impl<E: Estimator> Estimator for Adaptive<E> {
    fn name(&self) -> &'static str {
        self.estimator.name()
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let Stop { relative_error, top_k, level, most_coalitions } = self.stop;
        let mut provenance = self.estimator.parameters(provenance);
        provenance.parameters.remove("n_coalitions");
        if let Some(error) = relative_error {
            provenance = provenance.with("relative_error", error);
        }
        if let Some(k) = top_k {
            provenance = provenance.with("top_k", k).with("level", level);
        }
        provenance.with("most_coalitions", most_coalitions)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        self.stop.checked()?;
        self.at(self.stop.most_coalitions)?.coalitions(n_players)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        let stop = Stop { most_coalitions: n, ..self.stop };
        // The inner estimator is asked for its budget anew at every look.
        self.estimator.with_coalitions(n).map(|estimator| Box::new(Adaptive { estimator, stop }) as Box<dyn Estimator>)
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let (n, most) = (game.n_players(), self.stop.most_coalitions);
        let needed = self.coalitions(n)?;
        let known = Known::new(game);
        let mut budget = first_look(n).min(most);
        let mut look = 1.0;
        loop {
            let estimator = self.at(budget)?;
            let planned = match estimator.coalitions(n) {
                // Too few for this estimator, where the most are enough.
                Err(Error::Parameter { .. }) if budget < most => {
                    budget = budget.saturating_mul(2).min(most);
                    continue;
                }
                planned => planned?,
            };
            let estimate = estimator.estimate(&known, ends, seed)?;
            let why = match self.stop.reached(&estimate, look) {
                Some(why) => why,
                None if planned >= needed && budget < most => "the estimator takes no more".to_owned(),
                None if budget >= most => "the most coalitions allowed, and no other rule holds".to_owned(),
                None => {
                    budget = budget.saturating_mul(2).min(most);
                    look += 1.0;
                    continue;
                }
            };
            return Ok(estimate.note(format!("stopped at {planned} coalitions: {why}")));
        }
    }
}

/// Errors below this share of the largest value are rounding: equal values need no order.
const ROUNDING: f64 = 1e-12;

impl Stop {
    fn checked(&self) -> Result<()> {
        if let Some(error) = self.relative_error.filter(|error| !(*error > 0.0 && error.is_finite())) {
            return Err(Error::parameter("relative_error", error, "a positive number"));
        }
        if self.top_k == Some(0) {
            return Err(Error::parameter("top_k", 0, "at least 1"));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::parameter("level", self.level, "between 0 and 1"));
        }
        Ok(())
    }

    /// Why the estimate is good enough, if it is; `look` counts from 1.
    fn reached(&self, estimate: &Estimate, look: f64) -> Option<String> {
        let errors = estimate.standard_error.as_ref()?;
        let mut why = Vec::new();
        if let Some(most) = self.relative_error {
            if relative_error(&estimate.values, errors) > most {
                return None;
            }
            why.push(format!("the relative error is at most {most}"));
        }
        if let Some(k) = self.top_k {
            let level = self.level / (k as f64 * look * (look + 1.0));
            if !settled(&estimate.values, errors, k, (2.0 * (0.5 / level).ln()).sqrt()) {
                return None;
            }
            why.push(format!("the first {k} are settled"));
        }
        (!why.is_empty()).then(|| why.join(", "))
    }
}

/// max σ / (max φ − min φ), of the output where it is largest.
fn relative_error(values: &Array2<f64>, errors: &Array2<f64>) -> f64 {
    let ratio = |output: usize| {
        let error = largest(errors, output);
        if error <= ROUNDING * largest(values, output) { 0.0 } else { error / range(values, output) }
    };
    (0..values.ncols()).map(ratio).fold(0.0, f64::max)
}

fn largest(values: &Array2<f64>, output: usize) -> f64 {
    values.column(output).iter().fold(0.0, |a, &b| a.max(b.abs()))
}

fn range(values: &Array2<f64>, output: usize) -> f64 {
    let column = values.column(output);
    column.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b)) - column.iter().fold(f64::INFINITY, |a, &b| a.min(b))
}

/// Whether each of the `k` largest absolute values stands `bound` standard errors above every smaller one.
fn settled(values: &Array2<f64>, errors: &Array2<f64>, k: usize, bound: f64) -> bool {
    let n = values.nrows();
    // Errors that sum to zero lean against each other: of two players that correlate by −1/(n − 1), this is the variance.
    let lean = n as f64 / (n.max(2) - 1) as f64;
    (0..values.ncols()).all(|output| {
        let (size, error) = (|player: usize| values[[player, output]].abs(), errors.column(output));
        let rounding = ROUNDING * largest(values, output);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        (0..k.min(n)).all(|rank| {
            let above = order[rank];
            order[rank + 1..].iter().all(|&below| {
                let spread = (lean * (error[above] * error[above] + error[below] * error[below])).sqrt();
                spread <= rounding || size(above) - size(below) >= bound * spread
            })
        })
    })
}
