//! Which pairs of coalitions KernelSHAP evaluates, and how much each weighs.
//!
//! A pair is a coalition S and those who are not in it; it is known by the smaller of the two (by the one with player 0
//! if they are equal in size). Sizes that the budget can afford are enumerated, the smallest first; those left are
//! strata from which pairs are drawn without repetition.

use std::ops::RangeInclusive;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::coalitions::{Bits, Coalitions, add, nobody};

/// Pairs whose smaller coalition has one of these sizes.
pub(super) struct Stratum {
    pub sizes: RangeInclusive<usize>,
    /// The sum of the Shapley kernel over all its coalitions.
    pub mass: f64,
    /// How many pairs there are; infinite if more than an `f64` can count.
    pub pairs: f64,
    /// How many of them are evaluated.
    pub draws: usize,
}

impl Stratum {
    pub fn is_complete(&self) -> bool {
        self.draws as f64 >= self.pairs
    }
}

/// With fewer draws a stratum would have no spread to judge its error by.
const FEWEST_DRAWS: f64 = 2.0;

/// Divides a budget of at least `n` pairs among the sizes 1 to n / 2, for n ≥ 2: to each its share of the kernel.
///
/// Leaning towards the middle, up to equal shares as leverage scores would have it, made no difference that shows on
/// triple products, maxima and a network of thirty players.
pub(super) fn plan(n: usize, budget: usize) -> Vec<Stratum> {
    let sizes = (1..=n / 2).map(|s| Stratum { sizes: s..=s, mass: mass(n, s), pairs: pairs(n, s), draws: 0 });
    let mut rest = sizes.peekable();
    let mut open_mass: f64 = (1..=n / 2).map(|s| mass(n, s)).sum();
    let mut left = budget;
    let mut strata = Vec::new();
    while let Some(stratum) = rest.next_if(|next| {
        // The pairs of size 1 alone settle all values.
        *next.sizes.start() == 1 || left as f64 * next.mass / open_mass >= next.pairs
    }) {
        let draws = left.min(stratum.pairs as usize);
        open_mass -= stratum.mass;
        left -= draws;
        strata.push(Stratum { draws, ..stratum });
    }
    strata.extend(share(rest, left));
    strata
}

/// Divides `total` pairs among sizes of which none can be enumerated. Neighbouring sizes with too few draws of their own
/// become one stratum.
fn share(sizes: impl Iterator<Item = Stratum>, total: usize) -> Vec<Stratum> {
    let sizes: Vec<Stratum> = sizes.collect();
    let mass: f64 = sizes.iter().map(|stratum| stratum.mass).sum();
    let wish = |stratum: &Stratum| total as f64 * stratum.mass / mass;
    let mut strata: Vec<Stratum> = Vec::new();
    let mut sparse: Option<Stratum> = None;
    for size in sizes {
        let stratum = match sparse.take() {
            Some(before) => before.join(size),
            None => size,
        };
        match wish(&stratum) >= FEWEST_DRAWS {
            true => strata.push(stratum),
            false => sparse = Some(stratum),
        }
    }
    if let Some(last) = sparse {
        let joined = match strata.pop() {
            Some(before) => before.join(last),
            None => last,
        };
        strata.push(joined);
    }
    let wishes: Vec<f64> = strata.iter().map(wish).collect();
    round(&mut strata, &wishes, total);
    strata
}

impl Stratum {
    fn join(self, next: Stratum) -> Stratum {
        Stratum {
            sizes: *self.sizes.start()..=*next.sizes.end(),
            mass: self.mass + next.mass,
            pairs: self.pairs + next.pairs,
            draws: 0,
        }
    }
}

/// Whole numbers near the shares that sum to `total`: the largest remainders are rounded up.
fn round(strata: &mut [Stratum], shares: &[f64], total: usize) {
    for (stratum, share) in strata.iter_mut().zip(shares) {
        stratum.draws = share.min(stratum.pairs) as usize;
    }
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| shares[b].fract().total_cmp(&shares[a].fract()));
    let mut spare = total.saturating_sub(strata.iter().map(|s| s.draws).sum());
    for &k in order.iter().cycle().take(2 * order.len()) {
        if spare > 0 && !strata[k].is_complete() {
            strata[k].draws += 1;
            spare -= 1;
        }
    }
}

/// The Shapley kernel (n − 1) / (C(n, s) s (n − s)), summed over the coalitions of sizes s and n − s.
fn mass(n: usize, s: usize) -> f64 {
    let sides = if 2 * s == n { 1.0 } else { 2.0 };
    sides * (n - 1) as f64 / (s * (n - s)) as f64
}

fn pairs(n: usize, s: usize) -> f64 {
    let subsets = (1..=s).fold(1.0, |count, k| (count * (n + 1 - k) as f64 / k as f64).round());
    if 2 * s == n { subsets / 2.0 } else { subsets }
}

/// All pairs of a complete stratum (of one size), or as many as it draws, without repetition.
pub(super) fn choose(n: usize, stratum: &Stratum, rng: &mut ChaCha8Rng, chosen: &mut Coalitions) {
    if stratum.is_complete() && stratum.sizes.start() == stratum.sizes.end() {
        return enumerate(n, *stratum.sizes.start(), chosen);
    }
    let masses: Vec<(usize, f64)> = stratum.sizes.clone().map(|s| (s, mass(n, s))).collect();
    let mut players: Vec<usize> = (0..n).collect();
    let mut drawn = 0;
    while drawn < stratum.draws {
        let size = match masses.as_slice() {
            [(size, _)] => *size,
            several => {
                let mut left = rng.random::<f64>() * stratum.mass;
                let hit = several.iter().find(|(_, mass)| {
                    left -= mass;
                    left < 0.0
                });
                hit.map_or(*stratum.sizes.end(), |(size, _)| *size)
            }
        };
        if chosen.insert(draw(n, size, &mut players, rng)).1 {
            drawn += 1;
        }
    }
}

/// A random coalition of `size`, by the first steps of a shuffle; with player 0 if it is half of all.
fn draw(n: usize, size: usize, players: &mut [usize], rng: &mut ChaCha8Rng) -> Bits {
    let mut coalition = nobody(n);
    let mut first = 0;
    if 2 * size == n {
        let zero = players.iter().position(|&p| p == 0).unwrap_or(0);
        players.swap(0, zero);
        add(&mut coalition, 0);
        first = 1;
    }
    for k in first..size {
        let other = rng.random_range(k as u64..n as u64) as usize;
        players.swap(k, other);
        add(&mut coalition, players[k]);
    }
    coalition
}

fn enumerate(n: usize, size: usize, chosen: &mut Coalitions) {
    let half = 2 * size == n;
    let mut members: Vec<usize> = (0..size).collect();
    loop {
        // Ascending order: once player 0 has left the first place it never comes back.
        if half && members[0] != 0 {
            return;
        }
        let mut coalition = nobody(n);
        members.iter().for_each(|&p| add(&mut coalition, p));
        chosen.insert(coalition);
        let Some(k) = (0..size).rposition(|k| members[k] < n - size + k) else { return };
        members[k] += 1;
        for later in k + 1..size {
            members[later] = members[later - 1] + 1;
        }
    }
}
