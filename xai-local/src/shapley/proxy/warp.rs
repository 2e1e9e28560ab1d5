//! A monotone change of scale under which worths look normal.

use crate::masker::draws::quantile;

/// The worths that were seen and their normal scores; straight lines between them.
pub(crate) struct Warp {
    /// Ascending, each once.
    worth: Vec<f64>,
    /// Ascending.
    score: Vec<f64>,
}

/// Points that stand for a normal variable, equally probable each: a worth may jump anywhere, and none of them misses
/// more of it than its own share.
const POINTS: usize = 32;

impl Warp {
    /// Of worths that were seen; nothing if they are all the same.
    pub fn of(worths: impl Iterator<Item = f64>) -> Option<Warp> {
        let mut sorted: Vec<f64> = worths.collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let (mut worth, mut score) = (Vec::new(), Vec::new());
        let mut below = 0;
        for same in sorted.chunk_by(|a, b| a == b) {
            worth.push(same[0]);
            score.push(quantile((below as f64 + same.len() as f64 / 2.0) / count));
            below += same.len();
        }
        (worth.len() > 1).then_some(Warp { worth, score })
    }

    /// The score of a worth.
    pub fn score(&self, worth: f64) -> f64 {
        between(&self.worth, &self.score, worth)
    }

    /// The mean of the worths of normal scores.
    pub fn expected(&self, mean: f64, deviation: f64, points: &[f64]) -> f64 {
        let sum: f64 = points.iter().map(|z| between(&self.score, &self.worth, mean + deviation * z)).sum();
        sum / points.len() as f64
    }
}

/// Scores that stand for a normal variable: of mean 0 and variance 1.
pub(crate) fn points() -> Vec<f64> {
    let mut points: Vec<f64> = (0..POINTS).map(|k| quantile((k as f64 + 0.5) / POINTS as f64)).collect();
    let deviation = (points.iter().map(|z| z * z).sum::<f64>() / POINTS as f64).sqrt();
    points.iter_mut().for_each(|z| *z /= deviation);
    points
}

/// The function with the values `to` at `from`, straight between them and constant beyond.
fn between(from: &[f64], to: &[f64], at: f64) -> f64 {
    let after = from.partition_point(|x| *x <= at);
    match after {
        0 => to[0],
        after if after == from.len() => to[after - 1],
        after => {
            let part = (at - from[after - 1]) / (from[after] - from[after - 1]);
            to[after - 1] + part * (to[after] - to[after - 1])
        }
    }
}
