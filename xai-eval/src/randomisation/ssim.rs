//! How alike two explanations look.

use crate::lanes::Number;

/// The side of the window in which means and variances are taken.
const WINDOW: usize = 7;

/// The mean structural similarity of two arrays of `shape` (channel, row, column) or (channel, step): in every window of 7
/// places a side (2·μₐ·μ_b + c₁)·(2·σₐ_b + c₂) / ((μₐ² + μ_b² + c₁)·(σₐ² + σ_b² + c₂)), where c₁ and c₂ are the squares of
/// 0.01 and 0.03 of the range of both; the mean over all windows that fit and over the channels.
pub(super) fn ssim(shape: Option<&[usize]>, a: &[f64], b: &[f64]) -> Number {
    let (channels, rows, columns) = match shape {
        Some([channels, rows, columns]) => (*channels, *rows, *columns),
        Some([channels, steps]) => (*channels, 1, *steps),
        _ => return Err("features without a place beside each other have no structure"),
    };
    let height = if rows == 1 { 1 } else { WINDOW };
    if rows < height || columns < WINDOW || channels == 0 {
        return Err("structure needs 7 places along each axis");
    }
    let both = || a.iter().chain(b).copied();
    let range = both().fold(f64::NEG_INFINITY, f64::max) - both().fold(f64::INFINITY, f64::min);
    if range == 0.0 {
        return Err("all shares are the same");
    }
    let (flat, steep) = ((0.01 * range).powi(2), (0.03 * range).powi(2));
    let (mut sum, mut count) = (0.0, 0.0);
    for channel in 0..channels {
        for top in 0..=rows - height {
            for left in 0..=columns - WINDOW {
                let places = (top..top + height)
                    .flat_map(|row| (left..left + WINDOW).map(move |column| (channel * rows + row) * columns + column));
                let [mean_a, mean_b, var_a, var_b, together] = moments(a, b, places);
                sum += (2.0 * mean_a * mean_b + flat) * (2.0 * together + steep)
                    / ((mean_a * mean_a + mean_b * mean_b + flat) * (var_a + var_b + steep));
                count += 1.0;
            }
        }
    }
    Ok(sum / count)
}

/// Means, sample variances and the sample covariance.
fn moments(a: &[f64], b: &[f64], places: impl Iterator<Item = usize> + Clone) -> [f64; 5] {
    let n = places.clone().count() as f64;
    let mean = |x: &[f64]| places.clone().map(|place| x[place]).sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| {
        places.clone().map(|place| (x[place] - mean_x) * (y[place] - mean_y)).sum::<f64>() / (n - 1.0)
    };
    [mean_a, mean_b, product(a, mean_a, a, mean_a), product(b, mean_b, b, mean_b), product(a, mean_a, b, mean_b)]
}
