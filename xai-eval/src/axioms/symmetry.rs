//! Do features that play the same part get the same?

use ndarray::Array2;
use xai_core::{Attribution, Meter, Model, Result, Run};

use super::toggles::{Toggles, n_coalitions, toggles};
use crate::games::Games;
use crate::lanes::NOTHING;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The largest gap between the shares of two features that are worth the same beside every coalition, as a part of the
/// largest share.
///
/// Lower is better, 0 for the Shapley family.
///
/// Two features count as alike when each could take the other's place in the empty, the complete and `n_coalitions` random
/// coalitions, and both change something.
///
/// *Pitfalls.* Features that differ only in coalitions that were not asked count as alike. Most models on most data have no
/// such pair: then there is no value. Pairs are made by one sample's values against the masker's, not by names.
///
/// # Cost
/// Samples × (coalitions + 2) × (features + 1) × replicas of the masker evaluations; features² / 2 comparisons.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) without a masker.
///
/// # Laws
/// `alike_features_must_get_the_same`.
///
/// # Source
/// Shapley 1953 (symmetry); Sundararajan, Taly, Yan 2017 (symmetry-preserving).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetry {
    /// How many random coalitions are asked. Default 16.
    pub n_coalitions: usize,
}

impl Default for Symmetry {
    fn default() -> Self {
        Symmetry { n_coalitions: 16 }
    }
}

const NAME: &str = "symmetry";

impl<M: Model + ?Sized> Metric<M> for Symmetry {
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
        let mut gaps = Array2::zeros(attribution.scores.dim());
        let mut failures = Failures::default();
        for sample in 0..games.n_samples {
            let seen = toggles(&games, sample, self.n_coalitions, run, &meter)?;
            for output in 0..games.n_outputs {
                let share = |player: usize| games.values[[sample, player, output]];
                let largest = (0..games.n_players).fold(0.0f64, |most, player| most.max(share(player).abs()));
                let gap = widest(&seen, output, &share);
                gaps[[sample, output]] = match gap {
                    None => failures.add(sample, output, "no two features are alike"),
                    Some(gap) => failures.finite(sample, output, gap / largest, NOTHING),
                };
            }
        }
        Ok(Measurement::new(NAME, Direction::Lower, gaps, failures, meter.evaluations(), run))
    }
}

/// The largest gap between the shares of two players that are alike; `None` where there are no two.
fn widest(seen: &Toggles, output: usize, share: &dyn Fn(usize) -> f64) -> Option<f64> {
    let noise = seen.noise(output);
    let toggled = |coalition: usize, player: usize| seen.toggled[[coalition, player, output]];
    let of_coalitions = || 0..seen.worth.nrows();
    let changes = |player: usize| of_coalitions().any(|c| (toggled(c, player) - seen.worth[[c, output]]).abs() > noise);
    // Coalitions with one of both inside compare nothing: their other halves were not asked.
    let alike = |i: usize, j: usize| {
        of_coalitions()
            .filter(|&c| seen.coalitions[[c, i]] == seen.coalitions[[c, j]])
            .all(|c| (toggled(c, i) - toggled(c, j)).abs() <= noise)
    };
    let used: Vec<usize> = (0..seen.coalitions.ncols()).filter(|player| changes(*player)).collect();
    let pairs = used.iter().enumerate().flat_map(|(at, i)| used[..at].iter().map(move |j| (*i, *j)));
    pairs.filter(|(i, j)| alike(*i, *j)).map(|(i, j)| (share(i) - share(j)).abs()).reduce(f64::max)
}
