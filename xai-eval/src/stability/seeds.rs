//! How much does an explanation hang on the seed?

use ndarray::Array3;
use xai_core::{Attribution, Error, Model, Result, Run};

use crate::explaining::{Explaining, seed_for};
use crate::lanes::{NOTHING, finite, fold};
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The standard deviation of a share over seeds, as a part of the shares' size: Σ over features of the standard deviation /
/// Σ over features of the absolute mean.
///
/// Lower is better; 0 for methods that draw nothing.
///
/// *Pitfalls.* A method may always say the same and be wrong. It tells nothing of the choice of a background or of other
/// parameters that are chosen once. NaN where all mean shares are zero.
///
/// # Units
/// A part of the shares: 0.1 means that a typical share changes by a tenth.
///
/// # Cost
/// Explains the batch `n_seeds` times.
///
/// # Laws
/// `seeds_that_change_nothing_have_no_spread`, `a_batch_may_be_cut`.
///
/// # Source
/// After Visani et al. 2022, "Statistical stability indices for LIME"; Slack et al. 2021, "Reliable post hoc explanations".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedSpread {
    /// How many seeds are tried, at least 2. Default 5.
    pub n_seeds: usize,
}

impl Default for SeedSpread {
    fn default() -> Self {
        SeedSpread { n_seeds: 5 }
    }
}

const NAME: &str = "seed-spread";

impl<M: Model + ?Sized> Metric<M> for SeedSpread {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        if self.n_seeds < 2 {
            return Err(Error::parameter("n_seeds", self.n_seeds, "at least 2"));
        }
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        let shape = case.values(attribution)?.dim();
        // Welford's means and sums of squares: no cancellation, one pass.
        let (mut mean, mut squares) = (Array3::<f64>::zeros(shape), Array3::<f64>::zeros(shape));
        for round in 0..self.n_seeds {
            let seed = seed_for(run, 1000 + round);
            let explained = explaining.explain(case.model, case.batch, seed, run.first_sample, attribution)?;
            let n = round as f64 + 1.0;
            for ((value, mean), squares) in explained.values.iter().zip(mean.iter_mut()).zip(squares.iter_mut()) {
                let before = value - *mean;
                *mean += before / n;
                *squares += before * (value - *mean);
            }
        }
        let freedom = self.n_seeds as f64 - 1.0;
        let mut failures = Failures::default();
        let size = fold(&mean, &mut failures, |_, _, lane| Ok(lane.iter().map(|mean| mean.abs()).sum()));
        let spread = fold(&squares, &mut failures, |sample, output, lane| {
            let spread: f64 = lane.iter().map(|squares| (squares / freedom).sqrt()).sum();
            finite(spread / size[[sample, output]], NOTHING)
        });
        Ok(Measurement::new(NAME, Direction::Lower, spread, failures, explaining.evaluations, run))
    }
}
