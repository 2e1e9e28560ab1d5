//! Do the shares predict how far the score falls when features go?

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::subsets::{n_subsets, subsets, sums_over};
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::correlation;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The correlation, over subsets S of the features, of the sum of the shares of S with the fall of the score when S is
/// made absent: corr over S of Σ_{j ∈ S} φⱼ and f(x) − f(x without S).
///
/// Higher is better, at most 1; 1 for exact Shapley values of an additive model. NaN where the sums or the falls are
/// all equal, as in a sample that is its own baseline.
///
/// All subsets of the size are taken when they are at most `n_subsets`; otherwise that many random ones, which follow
/// from [`Run::seed_of`] the sample.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `subset_size` | half of the players, at least 1 | players in a subset: 1 to all but one |
/// | `n_subsets` | 100 | subsets for each sample, at least 2 |
///
/// *Pitfalls.* It depends on the subset's size and on the masker, and favours methods built on the same masker.
/// Masked samples may lie where the model was never trained. Interactions lower it for every method. Compare only
/// values with the same size, masker and model.
///
/// # Units
/// None: a correlation.
///
/// # Cost
/// n_samples · (1 + min(n_subsets, C(n_players, subset_size)) · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for subsets that cannot be; else those of [`Metric::measure`].
///
/// # Laws
/// `faithfulness_of_exact_shares_is_one`, `faithfulness_equals_its_formula`, `faithfulness_counts_its_evaluations`.
///
/// # Source
/// Bhatt, Weller, Moura 2020, "Evaluating and aggregating feature-based model explanations", definition 3.
/// *differs:* all subsets where they are few; absence by any masker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaithfulnessCorrelation {
    /// How many players are absent at once; `None` for half of them.
    pub subset_size: Option<usize>,
    /// How many subsets are tried.
    pub n_subsets: usize,
}

impl Default for FaithfulnessCorrelation {
    fn default() -> Self {
        FaithfulnessCorrelation { subset_size: None, n_subsets: 100 }
    }
}

const NAME: &str = "faithfulness-correlation";
/// More subsets than anybody wants, few enough to hold.
const MOST_SUBSETS: usize = 1_000_000;

impl<M: Model + ?Sized> Metric<M> for FaithfulnessCorrelation {
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
        let Games { n_samples, n_players, n_outputs, .. } = games;
        let size = self.subset_size.unwrap_or_else(|| (n_players / 2).max(1));
        if n_players < 2 {
            return Err(Error::parameter("players", n_players, "at least two: subsets leave one over"));
        }
        if size == 0 || size >= n_players {
            return Err(Error::parameter("subset_size", size, format!("1 to {}", n_players - 1)));
        }
        if !(2..=MOST_SUBSETS).contains(&self.n_subsets) {
            return Err(Error::parameter("n_subsets", self.n_subsets, format!("2 to {MOST_SUBSETS}")));
        }
        games.bounded(n_subsets(n_players, size, self.n_subsets))?;
        let meter = games.meter(run, n_subsets(n_players, size, self.n_subsets))?;

        let whole = games.whole(&meter)?;
        let (mut values, mut failures) = (Array2::zeros((n_samples, n_outputs)), Failures::default());
        let drawn = |sample| {
            let absent = subsets(n_players, size, self.n_subsets, run.seed_of(sample));
            (absent.mapv(|absent| !absent), absent)
        };
        games.each_worth(&meter, drawn, &mut |sample, absent, worth| {
            for k in 0..n_outputs {
                let sums = sums_over(&absent, games.shares(sample, k));
                let falls: Vec<f64> = worth.column(k).iter().map(|worth| whole[[sample, k]] - worth).collect();
                let value = correlation(&sums, &falls);
                values[[sample, k]] = failures.finite(sample, k, value, "the sums or the falls are all equal");
            }
        })?;
        Ok(Measurement::new(NAME, Direction::Higher, values, failures, meter.evaluations(), run))
    }
}
