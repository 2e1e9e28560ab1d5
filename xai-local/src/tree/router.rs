//! The leaves of many samples or many trees, found side by side.

use std::sync::Arc;

use xai_core::trees::{Missing, NO_SET};
use xai_core::{Result, TreeEnsemble};

use super::sweep::round;

/// Leaves that are looked for side by side, so that they do not wait for one another's memory.
pub(super) const ABREAST: usize = 8;

/// The nodes of an ensemble, so laid out that a step down takes no branch. For trees that compare numbers, and for which
/// NaN is what is missing.
pub(super) struct Router {
    forks: Vec<Fork>,
    /// The number of splits on the longest path: (tree).
    depth: Vec<usize>,
    is_strict: bool,
}

/// A node; from a leaf all ways lead to itself.
struct Fork {
    threshold: f64,
    feature: u32,
    default_left: bool,
    /// Right, left.
    children: [u32; 2],
}

/// What routers are kept by.
#[derive(PartialEq)]
struct RouterKey;

impl Router {
    /// The router of an ensemble, if it has one, kept beside the trees.
    pub(super) fn of(trees: &TreeEnsemble) -> Result<Arc<Option<Self>>> {
        trees.memo().get_or_make(RouterKey, || Ok(Self::new(trees)))
    }

    fn new(trees: &TreeEnsemble) -> Option<Self> {
        let plain = |node| trees.is_leaf(node) || trees.set[node] == NO_SET && trees.missing[node] == Missing::Nan;
        let fork = |node: usize| {
            let this = node as u32;
            match trees.is_leaf(node) {
                true => Fork { threshold: 0.0, feature: 0, default_left: false, children: [this; 2] },
                false => Fork {
                    threshold: trees.threshold[node],
                    feature: trees.feature[node],
                    default_left: trees.default_left[node],
                    children: [trees.right[node], trees.left[node]],
                },
            }
        };
        (0..trees.n_nodes()).all(plain).then(|| Router {
            forks: (0..trees.n_nodes()).map(fork).collect(),
            depth: (0..trees.n_trees()).map(|tree| trees.depth(tree)).collect(),
            is_strict: trees.comparison.strict,
        })
    }

    /// The margins of some samples: the base and the leaf of every tree, in the order of the trees.
    ///
    /// # Shapes
    /// `rows` (sample, feature), rounded as the comparison asks; `scores` (sample, output).
    pub(super) fn margins(&self, trees: &TreeEnsemble, rows: &[f64], scores: &mut [f64]) {
        let (width, n_outputs) = (trees.n_features, trees.n_outputs.max(1));
        scores.chunks_exact_mut(n_outputs).for_each(|scores| scores.copy_from_slice(&trees.base));
        let row = |sample: usize| &rows[sample * width..(sample + 1) * width];
        let n = scores.len() / n_outputs;
        let mut add = |sample: usize, tree: usize, leaf: u32| {
            let scores = &mut scores[sample * n_outputs..(sample + 1) * n_outputs][trees.outputs_of(tree)];
            let values = trees.leaf_values(tree, leaf as usize);
            scores.iter_mut().zip(values).for_each(|(score, value)| *score += value);
        };
        for first in (0..n).step_by(ABREAST) {
            let here = n - first;
            if here >= ABREAST / 2 {
                let rows = std::array::from_fn(|lane| row(first + lane.min(here - 1)));
                for tree in 0..trees.n_trees() {
                    let leaves = self.leaves(rows, [trees.root(tree) as u32; ABREAST], self.depth[tree]);
                    leaves.into_iter().take(here).enumerate().for_each(|(lane, leaf)| add(first + lane, tree, leaf));
                }
                continue;
            }
            for sample in first..n {
                for trees_here in (0..trees.n_trees()).step_by(ABREAST) {
                    let last = trees.n_trees().min(trees_here + ABREAST) - 1;
                    let roots = std::array::from_fn(|lane| trees.root(last.min(trees_here + lane)) as u32);
                    let depth = self.depth[trees_here..=last].iter().copied().max().unwrap_or(0);
                    let leaves = self.leaves([row(sample); ABREAST], roots, depth);
                    (trees_here..=last).zip(leaves).for_each(|(tree, leaf)| add(sample, tree, leaf));
                }
            }
        }
    }

    fn leaves(&self, rows: [&[f64]; ABREAST], nodes: [u32; ABREAST], depth: usize) -> [u32; ABREAST] {
        if self.is_strict { self.follow::<true>(rows, nodes, depth) } else { self.follow::<false>(rows, nodes, depth) }
    }

    fn follow<const STRICT: bool>(
        &self,
        rows: [&[f64]; ABREAST],
        mut nodes: [u32; ABREAST],
        depth: usize,
    ) -> [u32; ABREAST] {
        for _ in 0..depth {
            for lane in 0..ABREAST {
                let fork = &self.forks[nodes[lane] as usize];
                let x = rows[lane][fork.feature as usize];
                let below = if STRICT { x < fork.threshold } else { x <= fork.threshold };
                nodes[lane] = fork.children[usize::from(below | (x.is_nan() & fork.default_left))];
            }
        }
        nodes
    }
}

/// The cells of some samples, rounded as the trees compare them: (sample, feature).
pub(super) fn rounded(trees: &TreeEnsemble, cells: impl Iterator<Item = f64>, rows: &mut Vec<f64>) {
    rows.clear();
    rows.extend(cells.map(|x| round(trees, x)));
}
