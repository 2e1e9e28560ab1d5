//! How much of the score goes with the most important segments?

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::{Paths, steps};
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// Iterative removal of features: the area over the curve of f(x without the first segments) / f(x), segments one after
/// another, the one with the largest share first: 1 − ∫ over the share of segments gone.
///
/// Players are segments (superpixels of an image), which the masker takes away as a whole;
/// [`pooled`](crate::pooled) with [`Pool::Mean`](crate::Pool) ranks them by the mean share of their cells. Higher is
/// better. NaN where the score of the sample is 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `n_steps` | 300 | groups of (nearly) the same size; at most one for each segment |
///
/// *Pitfalls.* Meant for probabilities of the predicted class: with scores near or below 0 the quotient means nothing.
/// The segments decide as much as the explanation does. Else as [`RemovalCurve`](crate::RemovalCurve).
///
/// # Units
/// None: a share of the score.
///
/// # Cost
/// As deletion: n_samples · (1 + (n_outputs · (n_segments − 1) + 1) · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for no step or no segment; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `quantus_irof`.
///
/// # Source
/// Rieger, Hansen 2020, "IROF: a low resource evaluation metric for explanation methods", equation 2. *differs:* Quantus
/// 0.6 counts the area in segments and starts the curve after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Irof {
    /// How many groups the segments go in.
    pub n_steps: usize,
}

impl Default for Irof {
    fn default() -> Self {
        Irof { n_steps: 300 }
    }
}

const NAME: &str = "irof";

impl<M: Model + ?Sized> Metric<M> for Irof {
    fn name(&self) -> &str {
        NAME
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let games = Games::new(NAME, case, attribution)?;
        if self.n_steps == 0 || games.n_players == 0 {
            let given = format!("{} steps for {} segments", self.n_steps, games.n_players);
            return Err(Error::parameter("n_steps", given, "at least one step and one segment"));
        }
        let counts = steps(games.n_players, self.n_steps);
        let paths = Paths { games: &games, counts: &counts, insertion: false };
        let meter = paths.meter(run, games.n_outputs, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let order = |sample, k| descending(games.shares(sample, k).iter().copied());
        let orders = |sample| (0..games.n_outputs).map(|k| order(sample, k)).collect();
        let mut scores = Array3::zeros((games.n_samples, counts.len(), games.n_outputs));
        paths.visit(&meter, &whole, orders, |sample, k, point, at| scores[[sample, point, k]] = at[k])?;
        let mut failures = Failures::default();
        let values = Array2::from_shape_fn((games.n_samples, games.n_outputs), |(i, k)| {
            let area: f64 = (1..counts.len())
                .map(|p| (counts[p] - counts[p - 1]) as f64 * (scores[[i, p, k]] + scores[[i, p - 1, k]]) / 2.0)
                .sum();
            let value = 1.0 - area / games.n_players as f64 / whole[[i, k]];
            failures.finite(i, k, value, "the score of the sample is 0")
        });
        Ok(Measurement::new(NAME, Direction::Higher, values, failures, meter.evaluations(), run))
    }
}
