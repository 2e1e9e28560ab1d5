//! Where a mean may lie.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::draws::Draws;
use crate::normal::{cumulative, quantile};

/// A confidence interval: had other samples been drawn from where these come from, the mean would lie in such an
/// interval as often as `level` says.
///
/// It is the bias-corrected and accelerated bootstrap over samples. The outputs of one sample are drawn together, since
/// they are not independent.
///
/// *Pitfalls.* It says how far the samples determine the mean, and nothing about whether the metric measures what it
/// should. With fewer than some twenty samples it is too narrow. Samples that depend on one another (frames of one
/// film) make it too narrow, too.
///
/// # Laws
/// `intervals_agree_with_scipy`, `intervals_cover_the_mean_as_often_as_they_say`.
///
/// # Source
/// Efron 1987, "Better bootstrap confidence intervals"; Efron, Tibshirani 1993, chapter 14.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often such an interval holds the mean.
    pub level: f64,
}

/// Resamples: the ends of the interval are then good to some 3 % of its width.
const RESAMPLES: usize = 2000;
/// With more samples than this the mean is normal for all practical purposes, and resampling them only takes long.
const NORMAL_FROM: usize = 20_000;

impl Interval {
    /// The usual level.
    pub const LEVEL: f64 = 0.95;

    /// The interval of the mean of the entries of `values` (sample, output) that are not NaN; `None` when fewer than
    /// two samples have such an entry, or the level is not between 0 and 1.
    ///
    /// # Cost
    /// 2,000 resamples; none for more than 20,000 samples, where the normal interval is taken.
    pub fn of_mean(values: &Array2<f64>, level: f64, seed: u64) -> Option<Self> {
        let defined = |row: ndarray::ArrayView1<f64>| {
            let (n, sum) = row.iter().filter(|v| !v.is_nan()).fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
            (n > 0.0).then_some(Part { n, sum })
        };
        let parts: Vec<Part> = values.outer_iter().filter_map(defined).collect();
        if parts.len() < 2 || !(level > 0.0 && level < 1.0) {
            return None;
        }
        let ends = if parts.len() > NORMAL_FROM { normal(&parts, level) } else { accelerated(&parts, level, seed) };
        Some(Interval { low: ends.0, high: ends.1, level })
    }

    /// Whether two intervals have a point in common.
    pub fn overlaps(&self, other: &Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// What one sample adds to the mean: how many values, and their sum.
#[derive(Clone, Copy)]
struct Part {
    n: f64,
    sum: f64,
}

fn total(parts: &[Part]) -> Part {
    parts.iter().fold(Part { n: 0.0, sum: 0.0 }, |all, part| Part { n: all.n + part.n, sum: all.sum + part.sum })
}

/// The means without one sample each, less the mean of these: (their list).
fn jackknife(parts: &[Part]) -> Vec<f64> {
    let all = total(parts);
    let means: Vec<f64> = parts.iter().map(|part| (all.sum - part.sum) / (all.n - part.n)).collect();
    let centre = means.iter().sum::<f64>() / means.len() as f64;
    means.iter().map(|mean| centre - mean).collect()
}

fn normal(parts: &[Part], level: f64) -> (f64, f64) {
    let all = total(parts);
    let (mean, n) = (all.sum / all.n, parts.len() as f64);
    let variance = jackknife(parts).iter().map(|d| d * d).sum::<f64>() * (n - 1.0) / n;
    let half = variance.sqrt() * quantile((1.0 + level) / 2.0);
    (mean - half, mean + half)
}

fn accelerated(parts: &[Part], level: f64, seed: u64) -> (f64, f64) {
    let all = total(parts);
    let mean = all.sum / all.n;
    let mut draws = Draws::new(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..parts.len()).fold(Part { n: 0.0, sum: 0.0 }, |drawn, _| {
                let part = parts[draws.below(parts.len())];
                Part { n: drawn.n + part.n, sum: drawn.sum + part.sum }
            });
            drawn.sum / drawn.n
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let deviations = jackknife(parts);
    let power = |p: i32| deviations.iter().map(|d| d.powi(p)).sum::<f64>();
    let spread = power(2);
    // All samples alike, up to rounding: nothing to correct.
    let noise = f64::EPSILON * mean.abs().max(means[RESAMPLES - 1].abs());
    if spread.sqrt() <= 16.0 * noise {
        return (means[0].min(mean), means[RESAMPLES - 1].max(mean));
    }
    let acceleration = power(3) / (6.0 * spread.powf(1.5));
    // Resamples that equal the mean count by half, as in a distribution with steps they must.
    let below = means.iter().filter(|m| **m < mean).count() as f64;
    let at = means.iter().filter(|m| **m == mean).count() as f64;
    let share = ((below + at / 2.0) / RESAMPLES as f64).clamp(0.5 / RESAMPLES as f64, 1.0 - 0.5 / RESAMPLES as f64);
    let bias = quantile(share);
    let end = |tail: f64| {
        let z = bias + quantile(tail);
        at_share(&means, cumulative(bias + z / (1.0 - acceleration * z)))
    };
    (end((1.0 - level) / 2.0), end((1.0 + level) / 2.0))
}

/// The quantile of sorted numbers, between neighbours by a straight line.
fn at_share(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = (share * last as f64).clamp(0.0, last as f64);
    let (below, part) = (place.floor() as usize, place.fract());
    sorted[below] + part * (sorted[(below + 1).min(last)] - sorted[below])
}
