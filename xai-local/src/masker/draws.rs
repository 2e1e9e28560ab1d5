//! Random numbers that follow from a seed and a coalition.

use ndarray::{Array2, ArrayView1};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// The generator of one coalition: the same for every sample, batch and thread.
pub(super) fn generator(seed: u64, coalition: ArrayView1<bool>) -> ChaCha8Rng {
    let mut state = seed;
    let mut word = 0u64;
    for (player, &present) in coalition.iter().enumerate() {
        word |= u64::from(present) << (player % 64);
        if player % 64 == 63 {
            state = scatter(state ^ word);
            word = 0;
        }
    }
    ChaCha8Rng::seed_from_u64(scatter(scatter(state ^ word) ^ coalition.len() as u64))
}

/// A bijection that scatters nearby numbers (SplitMix64's finaliser).
fn scatter(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Standard normal draws (draw, column), an even number: antithetic pairs, row 2k + 1 the negative of row 2k, so that
/// every odd moment is exactly zero; in each column one draw from each of n equally likely intervals (a Latin
/// hypercube), so that functions of single columns are averaged with an error far below 1/√n.
pub(super) fn normal(n: usize, columns: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let half = n / 2;
    let mut draws = Array2::zeros((2 * half, columns));
    let mut strata: Vec<usize> = (0..half).collect();
    for mut column in draws.columns_mut() {
        strata.shuffle(rng);
        for (pair, &stratum) in strata.iter().enumerate() {
            // The upper half of the distribution, by its distance to 1: the tail keeps its digits.
            let tail = 0.5 * (stratum as f64 + 1.0 - rng.random::<f64>()) / half as f64;
            let z = if rng.random::<bool>() { upper_quantile(tail) } else { -upper_quantile(tail) };
            (column[2 * pair], column[2 * pair + 1]) = (z, -z);
        }
    }
    draws
}

/// The z ≥ 0 that a standard normal variable exceeds with probability `tail` in (0, 1/2].
///
/// Wichura, *Algorithm AS 241*, 1988 (PPND16): relative error about 1e-16.
pub(super) fn upper_quantile(tail: f64) -> f64 {
    let ratio = |r: f64, above: &[f64; 8], below: &[f64; 7]| {
        let top = above.iter().rev().fold(0.0, |sum, &c| sum * r + c);
        let bottom = below.iter().rev().fold(0.0, |sum, &c| sum * r + c);
        top / (bottom * r + 1.0)
    };
    let q = 0.5 - tail;
    if q <= 0.425 {
        return q * ratio(0.180625 - q * q, &CENTRE_ABOVE, &CENTRE_BELOW);
    }
    let r = (-tail.ln()).sqrt();
    if r <= 5.0 { ratio(r - 1.6, &MIDDLE_ABOVE, &MIDDLE_BELOW) } else { ratio(r - 5.0, &FAR_ABOVE, &FAR_BELOW) }
}

/// The z with probability `p` in (0, 1) below it.
pub(super) fn quantile(p: f64) -> f64 {
    if p <= 0.5 { -upper_quantile(p) } else { upper_quantile(1.0 - p) }
}

const CENTRE_ABOVE: [f64; 8] = [
    3.3871328727963666080,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
];
const CENTRE_BELOW: [f64; 7] = [
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
];
const MIDDLE_BELOW: [f64; 7] = [
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.65790464350110377720,
    5.46378491116411436990,
    1.78482653991729133580,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
];
const FAR_BELOW: [f64; 7] = [
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
];
