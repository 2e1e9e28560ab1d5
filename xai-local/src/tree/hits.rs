//! Which players' splits samples follow: the indices of the twigs, for one sample or for a block of them.

use std::hint::select_unpredictable;

use xai_core::TreeEnsemble;

use super::twigs::{Branch, Copse, LANES, Sheaf, Turn};

/// The samples of a block.
pub(super) const ROWS: usize = 256;
/// A bit pattern for each sample of a block.
pub(super) type Words = [u16; ROWS];
/// A column of a block.
pub(super) type Column = [f64; ROWS];

/// The length of the indices of a copse: whole sheaves, and a place for splits without a twig.
pub(super) fn n_indices(copse: &Copse) -> usize {
    copse.sheaves.len() * LANES + 1
}

/// The patterns above all splits of a path.
pub(super) fn n_patterns(copse: &Copse) -> usize {
    2 * copse.depth + 2
}

/// Sets `patterns` to the pattern below each split, to the left and to the right, for one sample.
///
/// # Shapes
/// `row` (feature), rounded as the comparison asks; `patterns` (2·split + 2), the first of them 0.
#[inline(always)]
pub(super) fn walk_row(trees: &TreeEnsemble, copse: &Copse, row: &[f64], has_nan: bool, patterns: &mut [u16]) {
    match (copse.is_plain && !has_nan, trees.comparison.strict) {
        (true, true) => follow(copse, row, patterns, |turn, _, x| x < turn.threshold),
        (true, false) => follow(copse, row, patterns, |turn, _, x| x <= turn.threshold),
        _ => follow(copse, row, patterns, |_, split, x| trees.goes_left(copse.branches[split].node as usize, x)),
    }
}

#[inline(always)]
fn follow(copse: &Copse, row: &[f64], patterns: &mut [u16], goes_left: impl Fn(&Turn, usize, f64) -> bool) {
    for (split, turn) in copse.turns.iter().enumerate() {
        let left = goes_left(turn, split, row[turn.feature as usize]);
        let pattern = patterns[turn.from as usize] | turn.fresh;
        // A jump here would be guessed wrong for every third split.
        let on = select_unpredictable(left, turn.mask, 0);
        let below = &mut patterns[2 * split + 2..2 * split + 4];
        below[0] = pattern & !(turn.mask ^ on);
        below[1] = pattern & !on;
    }
}

/// The indices of a sheaf's twigs for one sample, from its patterns.
#[inline(always)]
pub(super) fn indices(sheaf: &Sheaf, patterns: &[u16]) -> [u32; LANES] {
    let picks = &sheaf.picks;
    let (mut first, mut second, mut found) = ([0u32; LANES], [0u32; LANES], [0u32; LANES]);
    for lane in 0..LANES {
        first[lane] = u32::from(patterns[picks.from[0][lane] as usize]);
        second[lane] = u32::from(patterns[picks.from[1][lane] as usize]);
    }
    for lane in 0..LANES {
        let others = (first[lane] & picks.low[lane]) | ((first[lane] >> 1) & picks.high[lane]);
        let follows = ((first[lane] | second[lane]) >> picks.bit[lane]) & 1;
        let left = (first[lane] >> picks.bit[lane]) & 1;
        found[lane] = others | ((follows + left * picks.both[lane]) << picks.n_others[lane]);
    }
    found
}

/// Sets `index` to the index of each twig for each sample of a block.
///
/// # Shapes
/// `columns` (feature), rounded as the comparison asks; `patterns` at least [`n_patterns`], the first of them 0; `index`
/// [`n_indices`].
#[inline(always)]
pub(super) fn walk_rows(
    trees: &TreeEnsemble,
    copse: &Copse,
    columns: &[Column],
    patterns: &mut [Words],
    index: &mut [Words],
) {
    let none = index.len() - 1;
    for branch in &copse.branches {
        let on = decide(trees, branch, &columns[branch.feature as usize]);
        let from = branch.from as usize;
        let (above, below) = patterns.split_at_mut((from & !1) + 2);
        let [left, right, ..] = below else { return };
        let above = &above[from];
        let (fresh, mask, pick) = (branch.fresh, branch.mask, branch.pick);
        for row in 0..ROWS {
            let pattern = above[row] | fresh;
            left[row] = pattern & !(mask ^ on[row]);
            right[row] = pattern & !on[row];
        }
        if branch.twig as usize != none {
            let index = &mut index[branch.twig as usize];
            for row in 0..ROWS {
                index[row] = pick.index(above[row] | fresh, on[row], mask ^ on[row]);
            }
        }
    }
}

/// The branch's bit for the samples that go left.
#[inline(always)]
fn decide(trees: &TreeEnsemble, branch: &Branch, x: &Column) -> Words {
    let (mask, threshold) = (branch.mask, branch.threshold);
    let bit = |left: bool| if left { mask } else { 0 };
    let mut on = [0; ROWS];
    match (branch.is_plain, trees.comparison.strict, branch.default_left) {
        (false, ..) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit(trees.goes_left(branch.node as usize, *x))),
        (true, true, false) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit(*x < threshold)),
        (true, false, false) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit(*x <= threshold)),
        (true, true, true) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit((*x < threshold) | x.is_nan())),
        (true, false, true) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit((*x <= threshold) | x.is_nan())),
    }
    on
}
