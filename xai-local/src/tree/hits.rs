//! Which players' splits samples follow: the indices of the twigs, for one sample or for a block of them.

use xai_core::TreeEnsemble;

use super::twigs::{Branch, Copse, LANES};

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

/// Sets `index` to the index of each twig for one sample.
///
/// # Shapes
/// `row` (feature), rounded as the comparison asks; `patterns` at least [`n_patterns`], the first of them 0; `index`
/// [`n_indices`].
#[inline(always)]
pub(super) fn walk_row<const STRICT: bool>(
    trees: &TreeEnsemble,
    copse: &Copse,
    row: &[f64],
    patterns: &mut [u16],
    index: &mut [u16],
) {
    for branch in &copse.branches {
        let x = row[branch.feature as usize];
        let left = if branch.is_plain {
            (if STRICT { x < branch.threshold } else { x <= branch.threshold }) | (x.is_nan() & branch.default_left)
        } else {
            trees.goes_left(branch.node as usize, x)
        };
        let from = branch.from as usize;
        let pattern = patterns[from] | branch.fresh;
        let on = branch.mask & (left as u16).wrapping_neg();
        let off = branch.mask ^ on;
        let below = &mut patterns[(from & !1) + 2..(from & !1) + 4];
        below[0] = pattern & !off;
        below[1] = pattern & !on;
        index[branch.twig as usize] = branch.pick.index(pattern, on, off);
    }
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
        // NaN is neither at least nor above anything: then it goes left.
        (true, true, true) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit(!(*x >= threshold))),
        (true, false, true) => on.iter_mut().zip(x).for_each(|(on, x)| *on = bit(!(*x > threshold))),
    }
    on
}
