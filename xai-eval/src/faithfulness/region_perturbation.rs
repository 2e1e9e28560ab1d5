//! How far does the score fall on average while the most important regions go?

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::Paths;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The area over the perturbation curve: 1/(L+1) · Σ_{k=0}^{L} (f(x) − f(x without the first k regions)), regions one after
/// another, the one with the largest share first (or last).
///
/// Regions are the masker's players, usually patches of an image; [`pooled`](crate::pooled) sums the shares of their
/// cells. Most relevant first: higher is better. Least relevant first: lower is better.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `least_first` | false | the region with the smallest share goes first |
/// | `n_regions` | 100 | how many regions go: L, at most all |
///
/// *Pitfalls.* As of [`RemovalCurve`](crate::RemovalCurve): compare on one model, samples and masker only. The size of the
/// regions decides as much as the explanation does.
///
/// # Units
/// Those of the scores.
///
/// # Cost
/// n_samples · (1 + n_outputs · min(n_regions, n_players) · replicas of the masker), in evaluations, at most.
///
/// # Errors
/// [`Error::Parameter`] for no region; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `quantus_region_perturbation`.
///
/// # Source
/// Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned", equation 12. *differs:*
/// a region is replaced as the masker says, not by noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionPerturbation {
    /// The least relevant region goes first.
    pub least_first: bool,
    /// How many regions go.
    pub n_regions: usize,
}

impl Default for RegionPerturbation {
    fn default() -> Self {
        RegionPerturbation { least_first: false, n_regions: 100 }
    }
}

impl RegionPerturbation {
    /// The falls of the score after 0, 1, … regions: (sample, region, output), and the evaluations they took.
    ///
    /// # Errors
    /// As [`Metric::measure`].
    pub fn falls<M: Model + ?Sized>(
        &self,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<(Array3<f64>, u64)> {
        let games = Games::new(self.called(), case, attribution)?;
        if self.n_regions == 0 || games.n_players == 0 {
            let given = format!("{} of {}", self.n_regions, games.n_players);
            return Err(Error::parameter("n_regions", given, "at least 1 of at least 1"));
        }
        let counts: Vec<usize> = (0..=self.n_regions.min(games.n_players)).collect();
        let paths = Paths { games: &games, counts: &counts, insertion: false };
        let meter = paths.meter(run, games.n_outputs, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let sign = if self.least_first { -1.0 } else { 1.0 };
        let order = |sample, k| descending(games.shares(sample, k).iter().map(|share| sign * share));
        let orders = |sample| (0..games.n_outputs).map(|k| order(sample, k)).collect();
        let mut falls = Array3::zeros((games.n_samples, counts.len(), games.n_outputs));
        paths.visit(&meter, &whole, orders, |sample, k, point, at| {
            falls[[sample, point, k]] = whole[[sample, k]] - at[k];
        })?;
        Ok((falls, meter.evaluations()))
    }

    fn called(&self) -> &'static str {
        if self.least_first { "region-perturbation-least-first" } else { "region-perturbation" }
    }

    fn better(&self) -> Direction {
        if self.least_first { Direction::Lower } else { Direction::Higher }
    }
}

impl<M: Model + ?Sized> Metric<M> for RegionPerturbation {
    fn name(&self) -> &str {
        self.called()
    }

    fn direction(&self) -> Direction {
        self.better()
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let (falls, evaluations) = self.falls(case, attribution, run)?;
        let (n_samples, n_points, n_outputs) = falls.dim();
        let mean = |(i, k)| (0..n_points).map(|p| falls[[i, p, k]]).sum::<f64>() / n_points as f64;
        let values = Array2::from_shape_fn((n_samples, n_outputs), mean);
        Ok(Measurement::new(self.called(), self.better(), values, Failures::default(), evaluations, run))
    }
}
