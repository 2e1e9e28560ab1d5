//! What one sample earns at eight twigs at a time, without tables.

use super::hits::indices;
use super::precision::Real;
use super::twigs::{Copse, LANES, MOST_BITS};

/// Where one sample's credit lies: that of place p for output o at `start` + `stride`·(p + o·`n_players`).
pub(super) struct Target<'a, R> {
    pub credit: &'a mut [R],
    pub start: usize,
    pub stride: usize,
    pub n_players: usize,
}

/// Adds what a sample earns in a copse, twig after twig.
///
/// For a twig whose last player turns the leaves into u when it is present and m when it is absent, and with
/// fⱼ(t) = hⱼ·t + cⱼ·(1 − t) for the others, the other player i earns
/// (hᵢ − cᵢ)·∫₀¹ (u·t + m·(1 − t))·Πⱼ≠ᵢ fⱼ dt, and the last one (u − m)·∫₀¹ Πⱼ fⱼ dt. The integrals are sums over the
/// nodes of a quadrature; the products are built from both ends, so that nothing is divided.
///
/// The tables of [`tables`](super::tables) hold the same numbers, made by the same operations in the same order.
#[inline(always)]
pub(super) fn credit_row<R: Real>(copse: &Copse, patterns: &[u16], target: &mut Target<R>) {
    for number in 0..copse.sheaves.len() {
        macro_rules! by_players {
            ($($n:literal)*) => {
                match copse.sheaves[number].n_others {
                    $($n => credit_sheaf::<R, $n>(copse, number, patterns, target),)*
                    _ => {}
                }
            };
        }
        by_players!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
    }
}

const _: () = assert!(MOST_BITS == 14);

#[inline(always)]
fn credit_sheaf<R: Real, const N: usize>(copse: &Copse, number: usize, patterns: &[u16], target: &mut Target<R>) {
    let sheaf = &copse.sheaves[number];
    let index = indices(sheaf, patterns);
    let mut covers = [[R::ZERO; LANES]; N];
    for (to, from) in covers.iter_mut().zip(&copse.covers[sheaf.first..sheaf.first + N]) {
        *to = from.map(R::of);
    }
    let places = &copse.places[sheaf.first + number..sheaf.first + number + N + 1];
    let (mut bits, mut hits) = ([0u32; LANES], [[R::ZERO; LANES]; N]);
    for lane in 0..LANES {
        let pads = sheaf.pads[lane];
        bits[lane] = (index[lane] << pads) | ((1 << pads) - 1);
    }
    for (player, hits) in hits.iter_mut().enumerate() {
        for lane in 0..LANES {
            hits[lane] = R::of_bit((bits[lane] >> player) & 1);
        }
    }
    for output in 0..copse.width {
        let mean = copse.means[number * copse.width + output].map(R::of);
        let states = &copse.states[number * copse.width + output];
        let mut value = [R::ZERO; LANES];
        for lane in 0..LANES {
            value[lane] = R::of(states[lane][((bits[lane] >> N) & 3) as usize]);
        }
        let (mut earned, mut last) = ([[R::ZERO; LANES]; N], [R::ZERO; LANES]);
        for ((&t, &rest), &weight) in sheaf.rule.t.iter().zip(&sheaf.rule.rest).zip(&sheaf.rule.weight) {
            let (t, rest, weight) = (R::of(t), R::of(rest), R::of(weight));
            let (mut factors, mut below) = ([[R::ZERO; LANES]; N], [[R::ZERO; LANES]; N]);
            let mut product = [R::ONE; LANES];
            for player in 0..N {
                below[player] = product;
                for lane in 0..LANES {
                    let factor = covers[player][lane] * rest + hits[player][lane] * t;
                    factors[player][lane] = factor;
                    product[lane] *= factor;
                }
            }
            let mut above = [R::ZERO; LANES];
            for lane in 0..LANES {
                last[lane] += weight * product[lane];
                above[lane] = weight * (t * value[lane] + rest * mean[lane]);
            }
            for player in (0..N).rev() {
                for lane in 0..LANES {
                    earned[player][lane] += below[player][lane] * above[lane];
                    above[lane] *= factors[player][lane];
                }
            }
        }
        for player in 0..N {
            for lane in 0..LANES {
                earned[player][lane] *= hits[player][lane] - covers[player][lane];
            }
        }
        for lane in 0..LANES {
            last[lane] *= value[lane] - mean[lane];
        }
        let shift = output * target.n_players;
        for lane in 0..sheaf.len {
            let mut add = |player: usize, amount: R| {
                let place = places[player][lane] as usize + shift;
                target.credit[target.start + place * target.stride] += amount;
            };
            for (player, earned) in earned.iter().enumerate().skip(usize::from(sheaf.pads[lane])) {
                add(player, earned[lane]);
            }
            add(N, last[lane]);
        }
    }
}
