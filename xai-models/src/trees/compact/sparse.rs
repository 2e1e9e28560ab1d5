//! Trees as they are, siblings side by side: for deep and lopsided ones, and for splits by category.

use xai_core::TreeEnsemble;

use super::columns::{Columns, LOWEST, RULED};
use super::number::Number;
use super::{Shape, Split};

/// Trees level by level. A leaf leads to itself, so rows that have arrived wait for the others of their group.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Sparse<F> {
    nodes: Vec<Node<F>>,
    /// The node of the ensemble that each node stands for.
    origin: Vec<u32>,
    /// The value of each leaf that has one.
    values: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Node<F> {
    split: Split<F>,
    /// The left child, with the right one after it; in a leaf the node itself.
    left: u32,
}

impl<F: Number> Sparse<F> {
    /// Appends a tree.
    pub(super) fn add(&mut self, trees: &TreeEnsemble, tree: usize, columns: &mut Columns) -> Shape {
        let first = self.origin.len();
        self.origin.push(trees.root(tree) as u32);
        let mut ruled = false;
        for at in first.. {
            let Some(&origin) = self.origin.get(at) else { break };
            let origin = origin as usize;
            if trees.is_leaf(origin) {
                self.nodes.push(Node { split: Split { threshold: F::default(), column: LOWEST }, left: at as u32 });
                self.values.push(trees.leaf_values(tree, origin).first().copied().unwrap_or_default());
            } else {
                let split = columns.split(trees, origin);
                ruled |= split.column & RULED != 0;
                self.nodes.push(Node { split, left: self.origin.len() as u32 });
                self.values.push(0.0);
                self.origin.extend([trees.left[origin], trees.right[origin]]);
            }
        }
        Shape::Sparse { root: first as u32, ruled }
    }

    /// The leaves that `N` rows fall into, as nodes. `RULES` when some splits are none of numbers.
    #[inline(always)]
    pub(super) fn walk<const RULES: bool, const N: usize>(
        &self,
        trees: &TreeEnsemble,
        root: u32,
        cells: &[[F; N]],
    ) -> [usize; N] {
        let mut at = [root as usize; N];
        loop {
            let mut moved = false;
            for (lane, at) in at.iter_mut().enumerate() {
                let Node { split, left } = self.nodes[*at];
                let goes_left = if RULES && split.column & RULED != 0 {
                    trees.goes_left(self.origin[*at] as usize, cells[(split.column & !RULED) as usize][lane].widen())
                } else {
                    cells[split.column as usize][lane] < split.threshold
                };
                let next = left as usize + usize::from(!goes_left);
                moved |= next != *at;
                *at = next;
            }
            if !moved {
                return at;
            }
        }
    }

    /// Adds the values of `leaves` to the scores (row, output).
    #[inline(always)]
    pub(super) fn pay<const N: usize>(
        &self,
        trees: &TreeEnsemble,
        tree: usize,
        leaves: [usize; N],
        scores: &mut [f64],
    ) {
        for (leaf, score) in leaves.into_iter().zip(scores.chunks_exact_mut(trees.n_outputs)) {
            match trees.tree_output[tree] {
                Some(output) => score[output as usize] += self.values[leaf],
                None => {
                    let values = trees.leaf_values(tree, self.origin[leaf] as usize);
                    score.iter_mut().zip(values).for_each(|(score, value)| *score += value);
                }
            }
        }
    }
}
