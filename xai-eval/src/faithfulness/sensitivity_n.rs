//! Do shares add up to the fall of the score, for sets of every size?

use ndarray::{Array2, Array3, Axis};
use xai_core::{Attribution, Error, Model, Result, Run};

use super::subsets::{n_subsets, subsets, sums_over};
use crate::asking::Asking;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::correlation;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The correlation of [`FaithfulnessCorrelation`](crate::FaithfulnessCorrelation) for subsets of several sizes, and its
/// mean over them: corr over S with |S| = n of Σ_{j ∈ S} φⱼ and f(x) − f(x without S).
///
/// Higher is better, at most 1; 1 for exact Shapley values of an additive model, at every size. Sizes for which the
/// correlation is not defined are left out of the mean; NaN where no size is left.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `sizes` | eight, by equal factors from 1 to 80 % of the players | sizes of the subsets: 1 to all but one |
/// | `n_subsets` | 100 | subsets of each size, at least 2 |
///
/// *Pitfalls.* As of faithfulness correlation. The mean over sizes hides that a method may be right for single features
/// and wrong for large sets: look at [`SensitivityN::curve`].
///
/// # Units
/// None: correlations.
///
/// # Cost
/// n_samples · (1 + Σ over sizes of min(n_subsets, C(n_players, size)) · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for subsets that cannot be; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `sensitivity_n_of_one_size_is_faithfulness_correlation`.
///
/// # Source
/// Ancona et al. 2018, "Towards better understanding of gradient-based attribution methods", section 4. *differs:*
/// Quantus 0.6 removes features in the order of their shares instead of at random, and correlates across samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensitivityN {
    /// The sizes; none for the default.
    pub sizes: Vec<usize>,
    /// How many subsets of each size are tried.
    pub n_subsets: usize,
}

impl Default for SensitivityN {
    fn default() -> Self {
        SensitivityN { sizes: Vec::new(), n_subsets: 100 }
    }
}

/// The correlations for each size.
#[derive(Debug, Clone, PartialEq)]
pub struct SensitivityCurve {
    /// The sizes of the subsets: (size).
    pub sizes: Vec<usize>,
    /// The correlations: (sample, size, output); NaN where the sums or the falls are all equal.
    pub correlations: Array3<f64>,
    /// Their mean over the sizes.
    pub mean: Measurement,
}

const NAME: &str = "sensitivity-n";
const MOST_SUBSETS: usize = 1_000_000;

impl SensitivityN {
    /// Measures with the correlation at each size.
    ///
    /// # Errors
    /// As [`Metric::measure`].
    pub fn curve<M: Model + ?Sized>(
        &self,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<SensitivityCurve> {
        let games = Games::new(NAME, case, attribution)?;
        let Games { n_samples, n_players, n_outputs, .. } = games;
        if n_players < 2 {
            return Err(Error::parameter("players", n_players, "at least two: subsets leave one over"));
        }
        let sizes = if self.sizes.is_empty() { usual_sizes(n_players) } else { self.sizes.clone() };
        if sizes.is_empty() || sizes.iter().any(|&size| size == 0 || size >= n_players) {
            return Err(Error::parameter("sizes", format!("{sizes:?}"), format!("each 1 to {}", n_players - 1)));
        }
        if !(2..=MOST_SUBSETS).contains(&self.n_subsets) {
            return Err(Error::parameter("n_subsets", self.n_subsets, format!("2 to {MOST_SUBSETS}")));
        }
        let n = |&size: &usize| n_subsets(n_players, size, self.n_subsets);
        games.bounded(self.n_subsets)?;
        let meter = games.meter(run, sizes.iter().map(n).sum())?;
        let whole = games.whole(&meter)?;
        let mut correlations = Array3::zeros((n_samples, sizes.len(), n_outputs));
        let worth = |_: usize, _: usize, score: f64| score;
        let mut asking = Asking::new(&games, &meter, &worth);
        let mut see = |sample: usize, (s, absent): (usize, Array2<bool>), worth: Array2<f64>| {
            for k in 0..n_outputs {
                let falls: Vec<f64> = worth.column(k).iter().map(|worth| whole[[sample, k]] - worth).collect();
                correlations[[sample, s, k]] = correlation(&sums_over(&absent, games.shares(sample, k)), &falls);
            }
        };
        for sample in 0..n_samples {
            for (s, &size) in sizes.iter().enumerate() {
                let seed = run.seed_of(sample).wrapping_add((size as u64) << 32);
                let absent = subsets(n_players, size, self.n_subsets, seed);
                asking.ask(sample, &absent.mapv(|absent| !absent), (s, absent), &mut see)?;
            }
        }
        asking.finish(&mut see)?;
        let mut failures = Failures::default();
        let values = Array2::from_shape_fn((n_samples, n_outputs), |(i, k)| {
            let all = correlations.index_axis(Axis(0), i).index_axis_move(Axis(1), k);
            let defined: Vec<f64> = all.iter().copied().filter(|v| !v.is_nan()).collect();
            let mean = defined.iter().sum::<f64>() / defined.len() as f64;
            failures.finite(i, k, mean, "the sums or the falls are all equal at every size")
        });
        let mean = Measurement::new(NAME, Direction::Higher, values, failures, meter.evaluations(), run);
        Ok(SensitivityCurve { sizes, correlations, mean })
    }
}

/// Eight sizes by equal factors from 1 to 80 % of the players.
fn usual_sizes(n_players: usize) -> Vec<usize> {
    let most = (0.8 * n_players as f64).floor().max(1.0);
    let mut sizes: Vec<usize> = (0..8).map(|i| most.powf(f64::from(i) / 7.0).round() as usize).collect();
    sizes.dedup();
    sizes
}

impl<M: Model + ?Sized> Metric<M> for SensitivityN {
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
        Ok(self.curve(case, attribution, run)?.mean)
    }
}
