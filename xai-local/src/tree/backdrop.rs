//! What a background makes of each twig: tables of Shapley values against it.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use xai_core::TreeEnsemble;

use super::absence::by_sheaf;
use super::hits::{Column, ROWS, Words, n_indices, n_patterns, walk_rows};
use super::sweep::round;
use super::tables::table_len;
use super::twigs::{Copse, LANES};

/// The background in blocks, as the twigs' indices are found.
pub(super) struct Backdrop<'a> {
    trees: &'a TreeEnsemble,
    /// Cells, rounded; places without a row repeat the last one: (block, feature).
    columns: Vec<Column>,
    /// The rows' weights, which sum to 1: (row).
    shares: &'a [f64],
}

/// The indices of all twigs of a copse for a block of the background.
#[derive(Default)]
struct Indices {
    patterns: Vec<Words>,
    index: Vec<Words>,
}

impl<'a> Backdrop<'a> {
    /// # Shapes
    /// `cells` (row, feature), `shares` (row).
    pub(super) fn new(trees: &'a TreeEnsemble, cells: &[f64], shares: &'a [f64]) -> Self {
        let (n, width) = (shares.len(), trees.n_features);
        let columns = (0..n).step_by(ROWS).flat_map(|first| {
            let cell = move |row: usize, feature: usize| cells[(first + row).min(n - 1) * width + feature];
            (0..width).map(move |feature| std::array::from_fn(|row| round(trees, cell(row, feature))))
        });
        Backdrop { trees, columns: columns.collect(), shares }
    }

    /// Fills the tables of a copse: (sheaf, output, twig, player, index).
    ///
    /// For a twig of which the background has the index q with the weight f(q), a sample with the index p earns
    /// Σ f(q)·φ(p, q), where φᵢ(p, q) = ∫₀¹ (pᵢ − qᵢ)·v·Πⱼ≠ᵢ (pⱼ·t + qⱼ·(1 − t)) dt for the other players and
    /// v = u(p)·t + u(q)·(1 − t) is what the last player makes of the leaves. For each node of the quadrature the sum over
    /// q is a product of 2 × 2 matrices, one for each player.
    pub(super) fn fill(&self, copse: &Copse, tables: &mut [f64]) {
        let width = self.trees.n_features.max(1);
        let indices: Vec<Indices> = self
            .columns
            .par_chunks(width)
            .map(|columns| {
                let mut found = Indices::default();
                Arch::new().dispatch(Walk { trees: self.trees, copse, columns, found: &mut found });
                found
            })
            .collect();
        by_sheaf(copse, tables).into_par_iter().enumerate().for_each_init(Mixer::default, |work, (number, tables)| {
            Arch::new().dispatch(Fill { copse, number, indices: &indices, shares: self.shares, work, tables });
        });
    }
}

struct Walk<'a> {
    trees: &'a TreeEnsemble,
    copse: &'a Copse,
    columns: &'a [Column],
    found: &'a mut Indices,
}

impl WithSimd for Walk<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Walk { trees, copse, columns, found } = self;
        found.patterns.resize(n_patterns(copse), [0; ROWS]);
        found.index.resize(n_indices(copse), [0; ROWS]);
        walk_rows(trees, copse, columns, &mut found.patterns, &mut found.index);
    }
}

/// The memory of one thread.
#[derive(Default)]
struct Mixer {
    /// The weight of the background by pattern of the other players, then weight × value for each output.
    masses: Vec<f64>,
    /// Copies on the way from all players to one.
    copies: Vec<f64>,
    /// Of the weight, and then of weight × value: the sums for each player, the last one at the end: (player, pattern).
    sums: [Vec<f64>; 2],
}

struct Fill<'a> {
    copse: &'a Copse,
    number: usize,
    indices: &'a [Indices],
    shares: &'a [f64],
    work: &'a mut Mixer,
    tables: &'a mut [f64],
}

impl WithSimd for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Fill { copse, number, indices, shares, work, tables } = self;
        let (sheaf, width) = (&copse.sheaves[number], copse.width);
        let len: usize = (0..sheaf.len).map(|lane| table_len(sheaf, lane)).sum();
        let mut place = 0;
        for lane in 0..sheaf.len {
            let n = sheaf.n_others - usize::from(sheaf.pads[lane]);
            let size = 1usize << n;
            let states = |output: usize| &copse.states[number * width + output][lane];
            let Mixer { masses, copies, sums } = work;
            masses.clear();
            masses.resize(size * (1 + width), 0.0);
            for (index, shares) in indices.iter().zip(shares.chunks(ROWS)) {
                for (index, share) in index.index[number * LANES + lane].iter().zip(shares) {
                    let (pattern, state) = (usize::from(*index) & (size - 1), usize::from(*index) >> n);
                    masses[pattern] += share;
                    for output in 0..width {
                        masses[(output + 1) * size + pattern] += share * states(output)[state & 3];
                    }
                }
            }
            copies.resize(copies.len().max(size * 8), 0.0);
            for output in 0..width {
                for (side, sums) in sums.iter_mut().enumerate() {
                    // The sums of the weight are the same for all outputs.
                    if side == 0 && output > 0 {
                        continue;
                    }
                    let from = if side == 0 { 0 } else { output + 1 };
                    sums.clear();
                    sums.resize((n + 1) * size, 0.0);
                    for ((&t, &rest), &weight) in sheaf.rule.t.iter().zip(&sheaf.rule.rest).zip(&sheaf.rule.weight) {
                        let scale = weight * if side == 0 { t } else { rest };
                        copies[..size].copy_from_slice(&masses[from * size..(from + 1) * size]);
                        leave_one_out(Node { t, rest, scale, weight }, n, copies, sums);
                    }
                }
                let from = output * len + place;
                let table = &mut tables[from..from + table_len(sheaf, lane)];
                let [weight, value] = &*sums;
                let n_states = 1usize << (usize::from(sheaf.bits[lane]) - n);
                for (player, table) in table.chunks_exact_mut(size * n_states).enumerate() {
                    let sign = if player < n { 1.0 } else { -1.0 };
                    let own = player * size..(player + 1) * size;
                    for (table, state) in table.chunks_exact_mut(size).zip(states(output)) {
                        for ((table, a), b) in table.iter_mut().zip(&weight[own.clone()]).zip(&value[own.clone()]) {
                            *table = a * state + sign * b;
                        }
                    }
                }
            }
            place += table_len(sheaf, lane);
        }
    }
}

/// A node of the quadrature.
#[derive(Clone, Copy)]
struct Node {
    t: f64,
    rest: f64,
    /// What the other players' sums are multiplied with.
    scale: f64,
    /// What the last player's sum is multiplied with.
    weight: f64,
}

/// For each of `n` players, applies its difference and all others' mixtures to the first 2ⁿ of `copies` and adds the
/// result to `sums`; for the last player, the mixtures of all `n`.
///
/// Halves the players again and again: either half's mixtures are applied once for all players of the other half.
#[inline(always)]
fn leave_one_out(node: Node, n: usize, copies: &mut [f64], sums: &mut [f64]) {
    let size = 1usize << n;
    // Ranges of players, the last one counted, with the copy where all players outside have been mixed.
    let mut stack = [(0usize, 0usize, 0usize); 16];
    stack[0] = (0, n + 1, 0);
    let mut top = 1;
    while top > 0 {
        top -= 1;
        let (start, end, level) = stack[top];
        if end - start == 1 {
            let copy = &copies[level * size..(level + 1) * size];
            let sums = &mut sums[start * size..(start + 1) * size];
            if start == n {
                sums.iter_mut().zip(copy).for_each(|(sum, copy)| *sum += node.weight * copy);
            } else {
                differ(node.scale, 1 << start, copy, sums);
            }
            continue;
        }
        let middle = start + (end - start) / 2;
        // The half that reuses this copy is popped second.
        let (before, after) = copies.split_at_mut((level + 1) * size);
        let here = &mut before[level * size..];
        let next = &mut after[..size];
        next.copy_from_slice(here);
        for player in (middle..end).filter(|&player| player < n) {
            mix(node, 1 << player, next);
        }
        for player in start..middle {
            mix(node, 1 << player, here);
        }
        stack[top] = (middle, end, level);
        stack[top + 1] = (start, middle, level + 1);
        top += 2;
    }
}

/// A player's mixture: (without, with) becomes ((1 − t)·with, t·without + with).
#[inline(always)]
fn mix(node: Node, width: usize, numbers: &mut [f64]) {
    pairs(width, numbers, |without, with| (node.rest * with, node.t * without + with));
}

#[inline(always)]
fn pairs(width: usize, numbers: &mut [f64], with: impl Fn(f64, f64) -> (f64, f64)) {
    #[inline(always)]
    fn narrow<const N: usize>(numbers: &mut [f64], with: impl Fn(f64, f64) -> (f64, f64)) {
        for pair in numbers.as_chunks_mut::<N>().0.as_chunks_mut::<2>().0 {
            let [low, high] = pair;
            low.iter_mut().zip(high).for_each(|(low, high)| (*low, *high) = with(*low, *high));
        }
    }
    match width {
        1 => narrow::<1>(numbers, with),
        2 => narrow::<2>(numbers, with),
        4 => narrow::<4>(numbers, with),
        _ => {
            for pair in numbers.chunks_exact_mut(2 * width) {
                let (low, high) = pair.split_at_mut(width);
                low.iter_mut().zip(high).for_each(|(low, high)| (*low, *high) = with(*low, *high));
            }
        }
    }
}

/// A player's difference: adds `scale`·(−with, without).
#[inline(always)]
fn differ(scale: f64, width: usize, copy: &[f64], sums: &mut [f64]) {
    #[inline(always)]
    fn narrow<const N: usize>(scale: f64, copy: &[f64], sums: &mut [f64]) {
        let sums = sums.as_chunks_mut::<N>().0.as_chunks_mut::<2>().0;
        for (sum, copy) in sums.iter_mut().zip(copy.as_chunks::<N>().0.as_chunks::<2>().0) {
            for i in 0..N {
                sum[0][i] -= scale * copy[1][i];
                sum[1][i] += scale * copy[0][i];
            }
        }
    }
    match width {
        1 => narrow::<1>(scale, copy, sums),
        2 => narrow::<2>(scale, copy, sums),
        4 => narrow::<4>(scale, copy, sums),
        _ => {
            for (sum, copy) in sums.chunks_exact_mut(2 * width).zip(copy.chunks_exact(2 * width)) {
                let ((low, high), (without, with)) = (sum.split_at_mut(width), copy.split_at(width));
                low.iter_mut().zip(with).for_each(|(sum, with)| *sum -= scale * with);
                high.iter_mut().zip(without).for_each(|(sum, without)| *sum += scale * without);
            }
        }
    }
}
