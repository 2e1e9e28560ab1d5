//! Normalisation.

use ndarray::{Array1, ArrayD};

/// x·scale + shift, channel by channel.
pub(in super::super) fn affine(scale: &Array1<f32>, shift: &Array1<f32>, n: usize, input: &[f32], output: &mut [f32]) {
    let places = (input.len() / (n * scale.len()).max(1)).max(1);
    let pairs = input.chunks_exact(places).zip(output.chunks_exact_mut(places));
    for ((channel, result), (&scale, &shift)) in pairs.zip(scale.iter().zip(shift).cycle()) {
        result.iter_mut().zip(channel).for_each(|(y, x)| *y = x * scale + shift);
    }
}

pub(super) fn affine_backward(scale: &Array1<f32>, n: usize, gradient: &[f32], sum: &mut [f32]) {
    let places = (gradient.len() / (n * scale.len()).max(1)).max(1);
    let pairs = gradient.chunks_exact(places).zip(sum.chunks_exact_mut(places));
    for ((gradient, sum), &scale) in pairs.zip(scale.iter().cycle()) {
        sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * scale);
    }
}

/// Mean and 1/√(variance + ε); sums in `f64`, for means far from zero.
fn moments(row: &[f32], epsilon: f32) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    (mean, 1.0 / (variance + f64::from(epsilon)).sqrt())
}

pub(super) fn forward(scale: &ArrayD<f32>, shift: &ArrayD<f32>, epsilon: f32, input: &[f32], output: &mut [f32]) {
    for (row, result) in input.chunks_exact(scale.len()).zip(output.chunks_exact_mut(scale.len())) {
        let (mean, inverse) = moments(row, epsilon);
        for ((y, &x), (&scale, &shift)) in result.iter_mut().zip(row).zip(scale.iter().zip(shift)) {
            *y = ((f64::from(x) - mean) * inverse) as f32 * scale + shift;
        }
    }
}

/// With u = (x − mean)·inverse and h = g·scale: inverse·(h − mean(h) − u·mean(h·u)).
pub(super) fn backward(scale: &ArrayD<f32>, epsilon: f32, input: &[f32], gradient: &[f32], sum: &mut [f32]) {
    let n = scale.len();
    let rows = input.chunks_exact(n).zip(gradient.chunks_exact(n)).zip(sum.chunks_exact_mut(n));
    for ((row, gradient), sum) in rows {
        let (mean, inverse) = moments(row, epsilon);
        let unit = |x: f32| (f64::from(x) - mean) * inverse;
        let scaled = || gradient.iter().zip(scale).map(|(&g, &scale)| f64::from(g) * f64::from(scale));
        let flat = scaled().sum::<f64>() / n as f64;
        let along = scaled().zip(row).map(|(h, &x)| h * unit(x)).sum::<f64>() / n as f64;
        for ((sum, h), &x) in sum.iter_mut().zip(scaled()).zip(row) {
            *sum += (inverse * (h - flat - unit(x) * along)) as f32;
        }
    }
}
