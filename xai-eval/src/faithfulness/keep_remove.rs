//! The score while features with positive, negative or large shares are kept or removed.

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::Paths;
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// Keep and remove of SHAP's benchmark: the area under the score while more and more players of a sign are kept (all others
/// absent) or removed (all others present), turned so that higher is better.
///
/// The masker is the benchmark's *mask* (a `Baseline` of column means), *resample* (a `Background`) or *impute* (a
/// `Gaussian` of conditional means).
///
/// | | counts players, the first | the value is the area under |
/// |---|---|---|
/// | keep positive | with shares ≥ 0, largest first | the score |
/// | keep negative | with shares ≤ 0, smallest first | −score |
/// | remove positive | as keep | −score |
/// | remove negative | as keep | the score |
/// | keep absolute | by absolute share | R² against the labels |
/// | remove absolute | by absolute share | 1 − R² against the labels |
///
/// The area is over the number of players, divided by it. R² is that of all samples together: the mean of the values is
/// the area under R², and a sample's value is its part in it. A label is the observed value of a model with one output,
/// or the index of the output that should be 1 where all others should be 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `keep` | true | kept, or removed |
/// | `sign` | positive | which players count |
/// | `n_counts` | 11 | how many counts from 0 to all, denser where few; at least 2 |
///
/// *Pitfalls.* As of [`RemovalCurve`](crate::RemovalCurve). Where few players have a sign, the curve is flat from there on,
/// which rewards explanations with few such players. R² may fall far below 0.
///
/// # Units
/// Those of the scores; none for absolute.
///
/// # Cost
/// At most n_samples · (1 + n_outputs · n_counts · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Parameter`] for fewer than two counts or labels that are none; [`Error::Unsupported`] for absolute without
/// labels; else those of [`Metric::measure`].
///
/// # Laws
/// `exact_shares_of_additive_models_are_the_best`, `shap_benchmark_keep_and_remove`.
///
/// # Source
/// Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees", section
/// "Metrics", and `shap.benchmark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepRemove {
    /// Kept, or removed.
    pub keep: bool,
    /// Which players count.
    pub sign: Sign,
    /// How many counts.
    pub n_counts: usize,
}

/// Which players [`KeepRemove`] counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sign {
    /// Those that speak for the output.
    #[default]
    Positive,
    /// Those that speak against it.
    Negative,
    /// All, by their absolute shares.
    Absolute,
}

/// More counts than anybody wants, few enough to hold.
const MOST_COUNTS: usize = 1_000_000;

impl Default for KeepRemove {
    fn default() -> Self {
        KeepRemove { keep: true, sign: Sign::Positive, n_counts: 11 }
    }
}

impl KeepRemove {
    fn called(&self) -> &'static str {
        match (self.keep, self.sign) {
            (true, Sign::Positive) => "keep-positive",
            (true, Sign::Negative) => "keep-negative",
            (true, Sign::Absolute) => "keep-absolute",
            (false, Sign::Positive) => "remove-positive",
            (false, Sign::Negative) => "remove-negative",
            (false, Sign::Absolute) => "remove-absolute",
        }
    }

    /// What a player counts for.
    fn signed(&self, share: f64) -> f64 {
        match self.sign {
            Sign::Positive => share,
            Sign::Negative => -share,
            Sign::Absolute => share.abs(),
        }
    }

    /// The players that count, the first first.
    fn order(&self, shares: ndarray::ArrayView1<f64>) -> Vec<usize> {
        let mut order = descending(shares.iter().map(|&share| self.signed(share)));
        order.retain(|&player| self.signed(shares[player]) >= 0.0);
        order
    }

    /// 0 to n players, as `round(n · (10^(i/(n_counts − 1)) − 1) / 9)`.
    fn counts(&self, n_players: usize) -> Vec<usize> {
        let count = |i: usize| {
            let power = 10f64.powf(i as f64 / (self.n_counts - 1) as f64);
            (n_players as f64 * (power - 1.0) / 9.0).round_ties_even() as usize
        };
        let mut counts: Vec<usize> = (0..self.n_counts).map(count).collect();
        counts.dedup();
        counts
    }
}

impl<M: Model + ?Sized> Metric<M> for KeepRemove {
    fn name(&self) -> &str {
        self.called()
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn needs(&self) -> &[Need] {
        if self.sign == Sign::Absolute { &[Need::Masker, Need::Labels] } else { &[Need::Masker] }
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let games = Games::new(self.called(), case, attribution)?;
        if !(2..=MOST_COUNTS).contains(&self.n_counts) || games.n_players == 0 {
            let given = format!("{} for {} players", self.n_counts, games.n_players);
            return Err(Error::parameter("n_counts", given, format!("2 to {MOST_COUNTS}, for at least one player")));
        }
        let wanted = match self.sign {
            Sign::Absolute => Some(wanted(case.need_labels(self.called())?, games.n_outputs)?),
            _ => None,
        };
        let counts = self.counts(games.n_players);
        let paths = Paths { games: &games, counts: &counts, insertion: self.keep };
        let meter = paths.meter(run, games.n_outputs, |sample, k| self.order(games.shares(sample, k)).len())?;
        let whole = games.whole(&meter)?;
        let orders = |sample| (0..games.n_outputs).map(|k| self.order(games.shares(sample, k))).collect();
        let mut scores = Array3::zeros((games.n_samples, counts.len(), games.n_outputs));
        paths.visit(&meter, &whole, orders, |sample, k, point, at| scores[[sample, point, k]] = at[k])?;

        let mut failures = Failures::default();
        let values = Array2::from_shape_fn((games.n_samples, games.n_outputs), |(i, k)| {
            let at = |p: usize| {
                let score = scores[[i, p, k]];
                match (&wanted, self.sign, self.keep) {
                    (Some(wanted), _, true) => 1.0 - wanted.part(i, k, score),
                    (Some(wanted), _, false) => wanted.part(i, k, score),
                    (None, Sign::Positive, true) | (None, Sign::Negative, false) => score,
                    (None, _, _) => -score,
                }
            };
            let steps = (1..counts.len()).map(|p| (counts[p] - counts[p - 1]) as f64 * (at(p) + at(p - 1)) / 2.0);
            let area = steps.sum::<f64>() / games.n_players as f64;
            failures.finite(i, k, area, "all labels are equal: R² is not defined")
        });
        Ok(Measurement::new(self.called(), Direction::Higher, values, failures, meter.evaluations(), run))
    }
}

/// What the scores should be.
struct Wanted {
    /// (sample, output).
    values: Array2<f64>,
    /// Their sums of squared distances from their means: (output).
    spread: Vec<f64>,
}

impl Wanted {
    /// What a sample takes from R², times the number of samples.
    fn part(&self, sample: usize, output: usize, score: f64) -> f64 {
        let n = self.values.nrows() as f64;
        n * (self.values[[sample, output]] - score).powi(2) / self.spread[output]
    }
}

fn wanted(labels: &[f64], n_outputs: usize) -> Result<Wanted> {
    let right = |label: f64| {
        label.is_finite() && (n_outputs == 1 || (label >= 0.0 && label.fract() == 0.0 && label < n_outputs as f64))
    };
    if let Some(wrong) = labels.iter().find(|label| !right(**label)) {
        return Err(Error::parameter("labels", wrong, "a number for one output, else the index of an output"));
    }
    let value = |(i, k): (usize, usize)| match n_outputs {
        1 => labels[i],
        _ => f64::from(u8::from(labels[i] == k as f64)),
    };
    let values = Array2::from_shape_fn((labels.len(), n_outputs), value);
    let spread = |column: ndarray::ArrayView1<f64>| {
        let mean = column.sum() / column.len() as f64;
        column.iter().map(|v| (v - mean).powi(2)).sum()
    };
    let spread = values.columns().into_iter().map(spread).collect();
    Ok(Wanted { values, spread })
}
