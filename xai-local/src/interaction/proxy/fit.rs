//! What a proxy makes of one part of a game.

use ndarray::Array2;

use super::seen::{Parity, Seen};

/// A function fitted to the odd or the even part of a game, and its interactions.
pub(super) struct Fit {
    /// The values of the sets, by the index's measures: (set, output).
    pub values: Array2<f64>,
    /// What the function says of each pair: (pair, output).
    pub said: Array2<f64>,
    /// What it says of each pair when it has not seen it: (pair, output).
    pub left_out: Array2<f64>,
}

impl Fit {
    /// What says nothing of `n_sets` sets.
    pub fn nothing(seen: &Seen, parity: Parity, n_sets: usize) -> Fit {
        let zeros = Array2::zeros(seen.part(parity).dim());
        Fit { values: Array2::zeros((n_sets, zeros.ncols())), said: zeros.clone(), left_out: zeros }
    }

    /// The mixture of two fits that tells most of pairs not seen.
    pub fn blend(self, other: Fit, seen: &Seen, parity: Parity) -> Fit {
        let (mut along, mut square) = (0.0, 0.0);
        for (output, known) in seen.part(parity).columns().into_iter().enumerate() {
            let scale: f64 = seen.open(known).map(|(_, x)| x * x).sum();
            for (pair, known) in seen.open(known).filter(|_| scale > 0.0) {
                let apart = self.left_out[[pair, output]] - other.left_out[[pair, output]];
                along += apart * (known - other.left_out[[pair, output]]) / scale;
                square += apart * apart / scale;
            }
        }
        let part = if square > 0.0 { (along / square).clamp(0.0, 1.0) } else { 1.0 };
        let mix = |a: Array2<f64>, b: Array2<f64>| a * part + b * (1.0 - part);
        Fit {
            values: mix(self.values, other.values),
            said: mix(self.said, other.said),
            left_out: mix(self.left_out, other.left_out),
        }
    }
}
