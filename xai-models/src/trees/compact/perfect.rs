//! Trees padded until all paths have the same length: the place of a child follows from that of its parent.

use xai_core::TreeEnsemble;

use super::columns::{Columns, LOWEST, RULED};
use super::number::Number;
use super::{Shape, Split};

/// Trees of this depth are padded whatever they look like.
const SHALLOW: usize = 4;
/// Deeper ones when that makes of every leaf no more than this many.
const MOST_COPIES: usize = 8;

/// Padded trees. The root stands in place 1 of its tree, the children of i in 2i and 2i + 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Perfect<F> {
    splits: Vec<Split<F>>,
    /// The values of leaves that have one: (leaf).
    values: Vec<f64>,
    /// The ensemble's leaves, for the trees whose leaves have several: (leaf).
    origin: Vec<u32>,
}

impl<F: Number> Perfect<F> {
    /// Appends a tree; nothing happens when it does not lend itself to this.
    pub(super) fn add(&mut self, trees: &TreeEnsemble, tree: usize, columns: &mut Columns) -> Option<Shape> {
        let depth = trees.depth(tree);
        let n_leaves = trees.nodes(tree).len().div_ceil(2);
        if depth > SHALLOW && (depth >= 32 || 1usize << depth > MOST_COPIES * n_leaves) {
            return None;
        }
        let size = 1usize << depth;
        // Splits below a leaf decide nothing: all leaves under them are that leaf.
        let mut splits = vec![Split { threshold: F::default(), column: LOWEST }; size];
        let mut leaves = vec![0; size];
        let mut stack = vec![(trees.root(tree), 1, depth)];
        while let Some((node, place, below)) = stack.pop() {
            if trees.is_leaf(node) {
                let first = (place << below) - size;
                leaves[first..first + (1 << below)].fill(node as u32);
            } else {
                splits[place] = columns.split(trees, node);
                if splits[place].column & RULED != 0 {
                    return None;
                }
                stack.push((trees.left[node] as usize, 2 * place, below - 1));
                stack.push((trees.right[node] as usize, 2 * place + 1, below - 1));
            }
        }
        let shape = |leaves| Shape::Perfect { depth: depth as u32, splits: self.splits.len(), leaves };
        let shape = if trees.tree_output[tree].is_some() {
            let shape = shape(self.values.len());
            self.values.extend(leaves.iter().map(|&leaf| trees.leaf_values(tree, leaf as usize)[0]));
            shape
        } else {
            let shape = shape(self.origin.len());
            self.origin.extend(leaves);
            shape
        };
        self.splits.extend(splits);
        Some(shape)
    }

    /// The leaves that `N` rows fall into, counted from the left.
    #[inline(always)]
    pub(super) fn walk<const N: usize>(&self, depth: u32, first: usize, cells: &[[F; N]]) -> [usize; N] {
        let size = 1 << depth;
        let splits = &self.splits[first..first + size];
        let mut at = [1; N];
        for _ in 0..depth {
            for (lane, at) in at.iter_mut().enumerate() {
                let split = splits[*at];
                let left = cells[split.column as usize][lane] < split.threshold;
                *at = 2 * *at + usize::from(!left);
            }
        }
        at.map(|at| at - size)
    }

    /// Adds the values of `leaves`, of a tree whose leaves begin at `first`, to the scores (row, output).
    #[inline(always)]
    pub(super) fn pay<const N: usize>(
        &self,
        trees: &TreeEnsemble,
        tree: usize,
        leaves: [usize; N],
        first: usize,
        scores: &mut [f64],
    ) {
        let scores = leaves.iter().zip(scores.chunks_exact_mut(trees.n_outputs));
        match trees.tree_output[tree] {
            Some(output) => scores.for_each(|(leaf, score)| score[output as usize] += self.values[first + leaf]),
            None => {
                for (leaf, score) in scores {
                    let values = trees.leaf_values(tree, self.origin[first + leaf] as usize);
                    score.iter_mut().zip(values).for_each(|(score, value)| *score += value);
                }
            }
        }
    }
}
