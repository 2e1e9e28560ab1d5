//! The background rows walk down a tree together, as a set of bits, beside one sample.

use pulp::{Arch, Simd, WithSimd};
use xai_core::TreeEnsemble;

use super::pair::LeafWeights;
use super::plan::NONE;
use super::sweep::round;
use super::trail::{Place, Trail};

/// Rows in a word.
const WORD: usize = 64;
/// The most words that walk together.
const MOST_WORDS: usize = 8;

/// The background in words of 64 rows.
pub(super) struct Crowd {
    /// Cells, rounded; rows that are none repeat the last one: (word, feature).
    columns: Vec<[f64; WORD]>,
    n_rows: usize,
    n_features: usize,
}

/// Samples to be explained together.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Their cells, rounded: (sample, feature).
    pub cells: &'a [f64],
    /// Their number.
    pub n: usize,
    /// What background rows weigh for them.
    pub factors: Factors<'a>,
}

/// What a background row weighs for a sample.
#[derive(Clone, Copy)]
pub(super) enum Factors<'a> {
    /// The same for all samples: (background row).
    Shares(&'a [f64]),
    /// (sample, background row, output).
    Rows(&'a [f64]),
}

impl Crowd {
    /// # Shapes
    /// `cells` (row, feature) of at least one row.
    pub(super) fn new(trees: &TreeEnsemble, cells: &[f64], n_rows: usize) -> Self {
        let n_features = trees.n_features;
        let n_words = n_rows.div_ceil(WORD).next_multiple_of(words(n_rows));
        let cell = |row: usize, feature: usize| round(trees, cells[row.min(n_rows - 1) * n_features + feature]);
        let columns = (0..n_words).flat_map(|word| {
            (0..n_features).map(move |feature| std::array::from_fn(|row| cell(word * WORD + row, feature)))
        });
        Crowd { columns: columns.collect(), n_rows, n_features }
    }

    /// Adds to `credit` what each player of the samples contributes in a tree.
    ///
    /// # Shapes
    /// `credit` (sample, player, output).
    pub(super) fn add(
        &self,
        trees: &TreeEnsemble,
        trail: &Trail,
        samples: Samples,
        weights: &LeafWeights,
        credit: &mut [f64],
    ) {
        let task = Task { trees, trail, samples, weights };
        // The counts of missed players have 4, 8 or 32 bits.
        match (trail.most_players, words(self.n_rows)) {
            (..16, 1) => self.dispatch::<1, 4>(task, credit),
            (..16, 2) => self.dispatch::<2, 4>(task, credit),
            (..16, 4) => self.dispatch::<4, 4>(task, credit),
            (..16, _) => self.dispatch::<MOST_WORDS, 4>(task, credit),
            (..256, 1) => self.dispatch::<1, 8>(task, credit),
            (..256, 2) => self.dispatch::<2, 8>(task, credit),
            (..256, _) => self.dispatch::<4, 8>(task, credit),
            _ => self.dispatch::<1, 32>(task, credit),
        }
    }

    fn dispatch<const W: usize, const P: usize>(&self, task: Task, credit: &mut [f64]) {
        Arch::new().dispatch(Walks::<W, P> { crowd: self, task, credit });
    }
}

/// How many words walk together.
fn words(n_rows: usize) -> usize {
    n_rows.div_ceil(WORD).next_power_of_two().min(MOST_WORDS)
}

#[derive(Clone, Copy)]
struct Task<'a> {
    trees: &'a TreeEnsemble,
    trail: &'a Trail,
    samples: Samples<'a>,
    weights: &'a LeafWeights,
}

/// Walks of `W` words of rows; at how many players a row parts from the sample is counted with `P` bits.
struct Walks<'a, const W: usize, const P: usize> {
    crowd: &'a Crowd,
    task: Task<'a>,
    credit: &'a mut [f64],
}

impl<const W: usize, const P: usize> WithSimd for Walks<'_, W, P> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Walks { crowd, task, credit } = self;
        let Task { trees, trail, samples, .. } = task;
        let (n_outputs, width) = (trees.n_outputs, credit.len() / samples.n.max(1));
        let mut lefts = vec![[0; W]; trail.forks.len()];
        let mut memory = Memory::<W, P>::new(trail.depth);
        for first in (0..crowd.n_rows.div_ceil(WORD)).step_by(W) {
            for (lefts, fork) in lefts.iter_mut().zip(&trail.forks) {
                for (word, lefts) in lefts.iter_mut().enumerate() {
                    let column = &crowd.columns[(first + word) * crowd.n_features + fork.feature as usize];
                    *lefts = fork.lefts(trees, column);
                }
            }
            let rows = first * WORD..crowd.n_rows.min((first + W) * WORD);
            let all = std::array::from_fn(|word| match rows.len().saturating_sub(word * WORD) {
                0 => 0,
                n @ 1..WORD => (1 << n) - 1,
                _ => u64::MAX,
            });
            let mut factors = [[0.0; WORD]; W];
            if let Factors::Shares(shares) = samples.factors {
                factors.as_flattened_mut()[..rows.len()].copy_from_slice(&shares[rows.clone()]);
            }
            for sample in 0..samples.n {
                let cells = &samples.cells[sample * trees.n_features..(sample + 1) * trees.n_features];
                let credit = &mut credit[sample * width..(sample + 1) * width];
                for (value, output) in trees.outputs_of(trail.tree).enumerate() {
                    if let Factors::Rows(all) = samples.factors {
                        let own = &all[sample * crowd.n_rows * n_outputs..];
                        for (factor, row) in factors.as_flattened_mut().iter_mut().zip(rows.clone()) {
                            *factor = own[row * n_outputs + output];
                        }
                    }
                    let walk = Walk { task, lefts: &lefts, cells, factors: &factors, value };
                    walk.run(all, &mut memory, |player, earned| credit[player * n_outputs + output] += earned);
                }
            }
        }
    }
}

/// A set of rows.
type Set<const W: usize> = [u64; W];

/// Binary digits of a number for each row, the lowest first.
type Counts<const W: usize, const P: usize> = [Set<W>; P];

/// The memory of one thread.
struct Memory<const W: usize, const P: usize> {
    /// What the split of the path decided: (depth).
    sides: Vec<Side<W>>,
    /// The splits of the path where rows part.
    partings: Vec<Parting<W, P>>,
    /// What each row makes a player earn that must be present, over the leaves below: (absent players, row).
    earned: Vec<[[f64; WORD]; W]>,
}

/// Whose value a split's player has.
#[derive(Clone, Copy)]
struct Side<const W: usize> {
    /// The rows from which the sample has parted there or at a split of the same player above: it must be present.
    parted: Set<W>,
    /// It must be absent, all rows follow their own values.
    is_absent: bool,
}

/// A split below which the walk goes on twice.
#[derive(Clone, Copy)]
struct Parting<const W: usize, const P: usize> {
    fork: u32,
    /// The child that comes second, and the rows that go there.
    second: Place,
    rows: Set<W>,
    /// Whether that is because the rows follow their own values.
    is_absent: bool,
    /// Whether the second child is being walked; then what the first one returned.
    first: Option<f64>,
    n_absent: u32,
    counts: Counts<W, P>,
}

impl<const W: usize, const P: usize> Memory<W, P> {
    fn new(depth: usize) -> Self {
        let open = Side { parted: [0; W], is_absent: false };
        Memory { sides: vec![open; depth], partings: Vec::new(), earned: vec![[[0.0; WORD]; W]] }
    }
}

/// One sample, one output of a tree, some rows.
struct Walk<'a, const W: usize> {
    task: Task<'a>,
    /// The rows that go left: (split).
    lefts: &'a [Set<W>],
    /// The sample's cells.
    cells: &'a [f64],
    factors: &'a [[f64; WORD]; W],
    /// The place of the output among the values of a leaf.
    value: usize,
}

impl<const W: usize> Walk<'_, W> {
    /// Tells `credit` what each player contributes, in several parts.
    ///
    /// A coalition gives its players the sample's values and the others a background row's. It reaches a leaf when it
    /// holds the players A that must be present and none of the players B that must be absent, so the leaf's value v is
    /// the game v·\[A ⊆ S, B ∩ S = ∅\], whose Shapley value has a closed form. Where the sample and some of the rows
    /// part, all rows go on with the sample, for those that part the player must now be present; and those that part go
    /// their own way, where it must be absent. So B is the same for all rows at a leaf, and A differs.
    #[inline(always)]
    fn run<const P: usize>(&self, all: Set<W>, memory: &mut Memory<W, P>, mut credit: impl FnMut(usize, f64)) {
        let Task { trees, trail, .. } = self.task;
        let (mut at, mut rows, mut n_absent, mut counts) = (trail.root, all, 0u32, [[0; W]; P]);
        loop {
            let leaf = loop {
                let number = match at {
                    Place::Leaf(place) => break place as usize,
                    Place::Fork(number) => number as usize,
                };
                let fork = &trail.forks[number];
                let lefts = &self.lefts[number];
                let above = match fork.above {
                    NONE => Side { parted: [0; W], is_absent: false },
                    above => memory.sides[above as usize],
                };
                let [left, right] = fork.children;
                let mut second = [0; W];
                let (first, last) = if above.is_absent {
                    (0..W).for_each(|word| second[word] = rows[word] & !lefts[word]);
                    (left, right)
                } else {
                    let left_too = fork.goes_left(trees, self.cells[fork.feature as usize]);
                    let flip = if left_too { u64::MAX } else { 0 };
                    (0..W).for_each(|word| second[word] = rows[word] & !above.parted[word] & (lefts[word] ^ flip));
                    if left_too { (left, right) } else { (right, left) }
                };
                let parted = std::array::from_fn(|word| above.parted[word] | second[word]);
                memory.sides[fork.depth as usize] = Side { parted, ..above };
                at = first;
                if second == [0; W] {
                    continue;
                }
                if above.is_absent {
                    if second == rows {
                        at = last;
                        continue;
                    }
                    (0..W).for_each(|word| rows[word] &= !second[word]);
                }
                let fork = number as u32;
                let Side { is_absent, .. } = above;
                memory.partings.push(Parting {
                    fork,
                    second: last,
                    rows: second,
                    is_absent,
                    first: None,
                    n_absent,
                    counts,
                });
                if !is_absent {
                    count(&mut counts, second);
                }
            };
            let value = trees.values[leaf + self.value];
            let mut lost = self.land(rows, n_absent, &counts, value, &mut memory.earned[n_absent as usize]);
            loop {
                let Some(parting) = memory.partings.last_mut() else { return };
                let fork = &trail.forks[parting.fork as usize];
                let Some(first) = parting.first else {
                    parting.first = Some(lost);
                    (at, rows, n_absent, counts) = (parting.second, parting.rows, parting.n_absent, parting.counts);
                    if !parting.is_absent {
                        memory.sides[fork.depth as usize].is_absent = true;
                        n_absent += 1;
                        if memory.earned.len() == n_absent as usize {
                            memory.earned.push([[0.0; WORD]; W]);
                        }
                    }
                    break;
                };
                if !parting.is_absent {
                    let (above, below) = memory.earned.split_at_mut(parting.n_absent as usize + 1);
                    let (above, below) = (&mut above[parting.n_absent as usize], &below[0]);
                    credit(fork.player as usize, gather(&parting.rows, above, below) - lost);
                }
                lost += first;
                memory.partings.pop();
            }
        }
    }

    /// Sets what each of the rows makes a player earn that must be present, and returns what they all make one lose that
    /// must be absent.
    #[inline(always)]
    fn land<const P: usize>(
        &self,
        rows: Set<W>,
        n_absent: u32,
        counts: &Counts<W, P>,
        value: f64,
        earned: &mut [[f64; WORD]; W],
    ) -> f64 {
        let mut lost = 0.0;
        for word in 0..W {
            let mut left = rows[word];
            while left != 0 {
                let row = left.trailing_zeros() as usize % WORD;
                left &= left - 1;
                let n_present = (0..P).fold(0, |n, digit| n | (counts[digit][word] >> row & 1) << digit) as usize;
                let [gain, loss] = self.task.weights.both(n_present, n_absent as usize);
                let value = value * self.factors[word][row];
                earned[word][row] = value * gain;
                lost += value * loss;
            }
        }
        lost
    }
}

/// Adds 1 to the counts of some rows.
#[inline(always)]
fn count<const W: usize, const P: usize>(counts: &mut Counts<W, P>, mut rows: Set<W>) {
    for digit in counts {
        for word in 0..W {
            let carry = digit[word] & rows[word];
            digit[word] ^= rows[word];
            rows[word] = carry;
        }
    }
}

/// The sum of `above` over some rows, to which `below` is then added.
#[inline(always)]
fn gather<const W: usize>(rows: &Set<W>, above: &mut [[f64; WORD]; W], below: &[[f64; WORD]; W]) -> f64 {
    let mut sum = 0.0;
    for word in 0..W {
        let mut left = rows[word];
        while left != 0 {
            let row = left.trailing_zeros() as usize % WORD;
            left &= left - 1;
            sum += above[word][row];
            above[word][row] += below[word][row];
        }
    }
    sum
}
