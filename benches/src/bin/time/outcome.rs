//! What a task gives, and the numbers in it as every side writes them.

use ndarray::{Array2, Array3};
use xai::core::{Attribution, Curve, Interactions};

/// What a task gives.
pub enum Outcome {
    Scores(Array2<f64>),
    Values(Attribution),
    Pairs(Interactions),
    Curves(Vec<Curve>),
}

impl Outcome {
    /// The numbers, row by row; pairs as a square of all features, half of a pair's value in either place.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Outcome::Scores(scores) => scores.iter().copied().collect(),
            Outcome::Values(attribution) => attribution.values.iter().copied().collect(),
            Outcome::Curves(curves) => curves[0].values.iter().copied().collect(),
            Outcome::Pairs(found) => squares(found).into_raw_vec_and_offset().0,
        }
    }
}

fn squares(found: &Interactions) -> Array3<f64> {
    let (n, players) = (found.values.dim().0, found.features.len());
    let mut squares = Array3::zeros((n, players, players));
    for (term, members) in found.terms.iter().enumerate() {
        for sample in 0..n {
            let value = found.values[[sample, term, 0]];
            match members[..] {
                [i] => squares[[sample, i, i]] += value,
                [i, j] => {
                    squares[[sample, i, j]] += value / 2.0;
                    squares[[sample, j, i]] += value / 2.0;
                }
                _ => {}
            }
        }
    }
    squares
}
