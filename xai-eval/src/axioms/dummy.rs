//! Do features that change nothing get nothing?

use ndarray::Array2;
use xai_core::{Attribution, Meter, Model, Result, Run};

use super::toggles::{n_coalitions, toggles};
use crate::games::Games;
use crate::lanes::NOTHING;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The part of the shares that lies on features that change the worth of no coalition: Σ |share| over these / Σ |share|.
///
/// Lower is better, 0 for the Shapley family.
///
/// Whether a feature changes nothing is asked in the empty, the complete and `n_coalitions` random coalitions, so that
/// features that matter only beside others are found.
///
/// *Pitfalls.* A feature that matters in few coalitions may be missed and is then taken for unused. NaN where the explanation
/// is zero or every feature is used.
///
/// # Cost
/// Samples × (coalitions + 2) × (features + 1) × replicas of the masker evaluations.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) without a masker.
///
/// # Laws
/// `unused_features_must_get_nothing`.
///
/// # Source
/// Shapley 1953 (dummy); Lundberg, Lee 2017 (missingness); Sundararajan, Taly, Yan 2017 (sensitivity (b)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dummy {
    /// How many random coalitions are asked. Default 8.
    pub n_coalitions: usize,
}

impl Default for Dummy {
    fn default() -> Self {
        Dummy { n_coalitions: 8 }
    }
}

const NAME: &str = "dummy";

impl<M: Model + ?Sized> Metric<M> for Dummy {
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
        let each = n_coalitions(games.n_players, self.n_coalitions) as u64;
        let needed = each.saturating_mul(games.replicas()).saturating_mul(games.n_samples as u64);
        let meter = Meter::planned(run, needed)?;
        let mut parts = Array2::zeros(attribution.scores.dim());
        let mut failures = Failures::default();
        for sample in 0..games.n_samples {
            let seen = toggles(&games, sample, self.n_coalitions, run, &meter)?;
            for output in 0..games.n_outputs {
                let noise = seen.noise(output);
                let changes = |player: usize| {
                    (0..seen.worth.nrows())
                        .any(|c| (seen.toggled[[c, player, output]] - seen.worth[[c, output]]).abs() > noise)
                };
                let idle: Vec<usize> = (0..games.n_players).filter(|player| !changes(*player)).collect();
                let share = |player: usize| games.values[[sample, player, output]].abs();
                let all: f64 = (0..games.n_players).map(share).sum();
                let part = idle.iter().map(|player| share(*player)).sum::<f64>() / all;
                parts[[sample, output]] = match idle.as_slice() {
                    [] => failures.add(sample, output, "every feature changes something"),
                    _ => failures.finite(sample, output, part, NOTHING),
                };
            }
        }
        Ok(Measurement::new(NAME, Direction::Lower, parts, failures, meter.evaluations(), run))
    }
}
