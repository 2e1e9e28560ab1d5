//! Which pairs of coalitions a regression evaluates, and how much each weighs.
//!
//! A pair is a coalition S and those who are not in it; it is known by the smaller of the two (by the one with player 0
//! if they are equal in size). All pairs of size 1 come first, since they alone settle a linear function. Then every
//! size s has events at the times (k + uₛ) / wₛ, k = 0, 1, …, one for each of its pairs, and the budget takes the
//! earliest. So a size has wₛ · t pairs by the time t, give or take one, or all of its pairs.
//!
//! Nothing in this sequence depends on the budget, and every size draws its pairs from a random stream of its own: with
//! the same seed the pairs of a small budget are among those of a large one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Range, RangeInclusive};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::coalitions::{Bits, Coalitions, add, nobody};

/// How the draws are divided among the sizes: as the Shapley kernel's mass of a size to this power.
///
/// If what a linear function leaves of the game is of the same size everywhere, the variance is least for 1/2 (Neyman's
/// rule). 1 draws as the kernel weighs, 0 as leverage scores do: every size alike.
#[derive(Clone, Copy)]
pub(super) struct Lean(pub f64);

impl Lean {
    pub const MIDDLE: Lean = Lean(0.5);
    pub const LEVERAGE: Lean = Lean(0.0);

    /// The draws of a size in a unit of time.
    fn pace(self, n: usize, size: usize) -> f64 {
        sides(n, size) * ((n - 1) as f64 / (size * (n - size)) as f64).powf(self.0)
    }
}

/// Pairs whose smaller coalition has one of these sizes.
pub(super) struct Stratum {
    pub sizes: RangeInclusive<usize>,
    /// The sum of the Shapley kernel over all its coalitions.
    pub mass: f64,
    /// How many pairs there are; infinite if more than an `f64` can count.
    pub pairs: f64,
    /// Where those that are evaluated stand among all.
    pub span: Range<usize>,
}

impl Stratum {
    pub fn is_complete(&self) -> bool {
        self.span.len() as f64 >= self.pairs
    }

    fn join(&mut self, next: Stratum) {
        self.sizes = *self.sizes.start()..=*next.sizes.end();
        self.mass += next.mass;
        self.pairs += next.pairs;
        self.span.end = next.span.end;
    }
}

/// The pairs of one regression.
pub(super) struct Pairs {
    /// The smaller coalition of each, by size.
    pub chosen: Coalitions,
    /// How they hang together, by size: first those sizes that are complete, then those from which some were drawn.
    pub strata: Vec<Stratum>,
    /// The weight of each pair in the regression.
    pub weight: Vec<f64>,
}

/// With fewer draws a stratum would have no spread to judge its error by; sizes with fewer join their neighbours.
const FEWEST_DRAWS: usize = 2;

impl Pairs {
    /// At most `budget` pairs, and at least those of size 1, for `n` ≥ 2.
    pub fn draw(n: usize, budget: usize, seed: u64, lean: Lean) -> Pairs {
        let every = counts(n);
        let draws = divide(n, budget, seed, lean, &every);
        let mut chosen = Coalitions::default();
        let mut strata: Vec<Stratum> = Vec::new();
        let mut sparse: Vec<Stratum> = Vec::new();
        for (k, (&pairs, &draws)) in every.iter().zip(&draws).enumerate() {
            let size = k + 1;
            let start = chosen.len();
            choose(n, size, draws, pairs, seed, &mut chosen);
            let stratum = Stratum { sizes: size..=size, mass: mass(n, size), pairs, span: start..chosen.len() };
            match stratum.is_complete() {
                // Pairs at the ends fill first, but for rounding; a complete size never joins others.
                true => {
                    strata.append(&mut sparse);
                    strata.push(stratum);
                }
                false => match sparse.last_mut().filter(|last| last.span.len() < FEWEST_DRAWS) {
                    Some(last) => last.join(stratum),
                    None => sparse.push(stratum),
                },
            }
        }
        if let Some(last) = sparse.pop_if(|last| last.span.len() < FEWEST_DRAWS) {
            match sparse.last_mut() {
                Some(before) => before.join(last),
                None => sparse.push(last),
            }
        }
        strata.append(&mut sparse);
        let weight = weights(n, &chosen, &strata, lean);
        Pairs { chosen, strata, weight }
    }
}

/// Each pair stands for as much of the kernel as its size has for a draw, so that a stratum's pairs stand for all of it.
fn weights(n: usize, chosen: &Coalitions, strata: &[Stratum], lean: Lean) -> Vec<f64> {
    let mut weight = vec![0.0; chosen.len()];
    for stratum in strata {
        let own = &mut weight[stratum.span.clone()];
        for (own, place) in own.iter_mut().zip(stratum.span.clone()) {
            let size = chosen.get(place).iter().map(|word| word.count_ones() as usize).sum();
            *own = mass(n, size) / lean.pace(n, size);
        }
        let scale = stratum.mass / own.iter().sum::<f64>();
        own.iter_mut().for_each(|own| *own *= scale);
    }
    weight
}

/// How many pairs of each size 1, 2, …, n / 2 are evaluated.
fn divide(n: usize, budget: usize, seed: u64, lean: Lean, every: &[f64]) -> Vec<usize> {
    let mut draws = vec![0; every.len()];
    draws[0] = n.min(every[0] as usize);
    let mut left = budget.saturating_sub(draws[0]);
    // Stream 0 is no size's. Phases that lie evenly keep neighbouring sizes, which may share a stratum, in step.
    let start = ChaCha8Rng::seed_from_u64(seed).random::<f64>();
    let phase = |size: usize| (start + size as f64 * GOLDEN).fract();
    let time = |size: usize, draw: usize| (draw as f64 + phase(size)) / lean.pace(n, size);
    // Times are not negative, so their bits are in their order.
    let mut next: BinaryHeap<Reverse<(u64, usize)>> =
        (2..=every.len()).map(|size| Reverse((time(size, 0).to_bits(), size))).collect();
    while left > 0 {
        let Some(Reverse((_, size))) = next.pop() else { break };
        draws[size - 1] += 1;
        left -= 1;
        if (draws[size - 1] as f64) < every[size - 1] {
            next.push(Reverse((time(size, draws[size - 1]).to_bits(), size)));
        }
    }
    draws
}

/// Multiples of the golden ratio's fraction lie as evenly as any.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

fn sides(n: usize, size: usize) -> f64 {
    if 2 * size == n { 1.0 } else { 2.0 }
}

/// The Shapley kernel (n − 1) / (C(n, s) s (n − s)), summed over the coalitions of sizes s and n − s.
fn mass(n: usize, size: usize) -> f64 {
    sides(n, size) * (n - 1) as f64 / (size * (n - size)) as f64
}

/// The number of pairs of each size 1, 2, …, n / 2.
fn counts(n: usize) -> Vec<f64> {
    let mut subsets = 1.0;
    let count = |size: usize| {
        subsets = f64::round(subsets * (n + 1 - size) as f64 / size as f64);
        if 2 * size == n { subsets / 2.0 } else { subsets }
    };
    (1..=n / 2).map(count).collect()
}

/// All `pairs` of a size, or the first `draws` different ones of the size's random stream.
fn choose(n: usize, size: usize, draws: usize, pairs: f64, seed: u64, chosen: &mut Coalitions) {
    if draws as f64 >= pairs {
        return enumerate(n, size, chosen);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(size as u64);
    let mut players: Vec<usize> = (0..n).collect();
    let end = chosen.len() + draws;
    while chosen.len() < end {
        chosen.insert(draw(n, size, &mut players, &mut rng));
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
