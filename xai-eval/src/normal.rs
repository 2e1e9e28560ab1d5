//! The normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Φ(x), to some 1e-15.
pub(crate) fn cumulative(x: f64) -> f64 {
    if x < 0.0 { 0.5 * complement(-x * FRAC_1_SQRT_2) } else { 1.0 - 0.5 * complement(x * FRAC_1_SQRT_2) }
}

/// Φ⁻¹(p) for 0 < p < 1: Newton's steps on Φ from a start of Hastings (Abramowitz, Stegun 26.2.23).
pub(crate) fn quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let start =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let mut z = start;
    for _ in 0..4 {
        let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
        z += (0.5 * complement(z * FRAC_1_SQRT_2) - tail) / density;
    }
    if p < 0.5 { -z } else { z }
}

/// 1 − erf(x) for x ≥ 0: the series near zero, Lentz's continued fraction beyond.
fn complement(x: f64) -> f64 {
    if x > 27.0 {
        return 0.0;
    }
    if x < 2.5 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-17 * sum.abs() && n < 200.0 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        return 1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum;
    }
    // exp(−x²) / (√π · (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …))))), from the inside out.
    let fraction = (1..=60).rev().fold(x, |inner, i| x + f64::from(i) / 2.0 / inner);
    (-x * x).exp() / (PI.sqrt() * fraction)
}
