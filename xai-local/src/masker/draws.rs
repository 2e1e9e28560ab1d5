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
pub(crate) fn quantile(p: f64) -> f64 {
    if p <= 0.5 { -upper_quantile(p) } else { upper_quantile(1.0 - p) }
}

const CENTRE_ABOVE: [f64; 8] = [
    3.3871328727963665,
    133.14166789178438,
    1971.5909503065513,
    13731.69376550946,
    45921.95393154987,
    67265.7709270087,
    33430.57558358813,
    2509.0809287301227,
];
const CENTRE_BELOW: [f64; 7] = [
    42.31333070160091,
    687.1870074920579,
    5394.196021424751,
    21213.794301586597,
    39307.89580009271,
    28729.085735721943,
    5226.495278852854,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.4234371107496835,
    4.630337846156546,
    5.769497221460691,
    3.6478483247632045,
    1.2704582524523684,
    0.2417807251774506,
    0.022723844989269184,
    0.0007745450142783414,
];
const MIDDLE_BELOW: [f64; 7] = [
    2.053191626637759,
    1.6763848301838038,
    0.6897673349851,
    0.14810397642748008,
    0.015198666563616457,
    0.0005475938084995345,
    1.0507500716444169e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657904643501103,
    5.463784911164114,
    1.7848265399172913,
    0.29656057182850487,
    0.026532189526576124,
    0.0012426609473880784,
    2.7115555687434876e-5,
    2.0103343992922881e-7,
];
const FAR_BELOW: [f64; 7] = [
    0.599832206555888,
    0.1369298809227358,
    0.014875361290850615,
    0.0007868691311456133,
    1.8463183175100548e-5,
    1.421511758316446e-7,
    2.0442631033899397e-15,
];
