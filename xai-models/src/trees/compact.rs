//! Trees laid out for prediction: sixteen bytes a node, siblings side by side, eight rows at a time.

use xai_core::TreeEnsemble;
use xai_core::trees::{Missing, NO_SET};

/// The trees of an ensemble once more, in the order in which rows walk through them.
///
/// A row moves to `left + went_right`, without a branch: a tree that is hard to predict for the processor costs no more
/// than another. A leaf leads to itself, so rows that have arrived wait for the others of their group.
///
/// # Laws
/// `compact_equals_leaf_of`: the scores are those of [`TreeEnsemble::leaf_of`], bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CompactTrees {
    nodes: Vec<Node>,
    /// The node of the ensemble that each node stands for.
    origin: Vec<u32>,
    /// The first node of each tree.
    roots: Vec<u32>,
    /// Whether a tree has splits that need [`TreeEnsemble::goes_left`].
    ruled: Vec<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// The threshold, or the value of a leaf that has one.
    number: f64,
    /// The left child, with the right one after it; in a leaf the node itself.
    left: u32,
    /// The feature and the flags below.
    how: u32,
}

/// The node is a leaf.
const IS_LEAF: u32 = 1 << 31;
/// NaN goes left.
const NAN_LEFT: u32 = 1 << 30;
/// The split is none of numbers with NaN as missing: [`TreeEnsemble::goes_left`] decides.
const RULED: u32 = 1 << 29;
/// The feature.
const FEATURE: u32 = RULED - 1;

/// How many rows walk through a tree together: their loads overlap. Sixteen no longer fit the registers and are slower.
const LANES: usize = 8;

impl CompactTrees {
    pub(super) fn new(trees: &TreeEnsemble) -> Self {
        let n = trees.n_nodes();
        let mut compact = CompactTrees {
            nodes: Vec::with_capacity(n),
            origin: Vec::with_capacity(n),
            roots: Vec::with_capacity(trees.n_trees()),
            ruled: Vec::with_capacity(trees.n_trees()),
        };
        for tree in 0..trees.n_trees() {
            compact.add(trees, tree);
        }
        compact
    }

    /// Appends a tree level by level.
    fn add(&mut self, trees: &TreeEnsemble, tree: usize) {
        let first = self.origin.len();
        self.roots.push(first as u32);
        self.origin.push(trees.root(tree) as u32);
        let mut ruled = false;
        for at in first.. {
            let Some(&origin) = self.origin.get(at) else { break };
            let mut node = compact_node(trees, origin as usize);
            if node.how & IS_LEAF != 0 {
                node.left = at as u32;
            } else {
                ruled |= node.how & RULED != 0;
                node.left = self.origin.len() as u32;
                self.origin.extend([trees.left[origin as usize], trees.right[origin as usize]]);
            }
            self.nodes.push(node);
        }
        self.ruled.push(ruled);
    }

    /// Adds every tree's leaf values to the scores (row, output) of `rows` (row, feature), whose values are already
    /// rounded as [`Comparison::single`](xai_core::trees::Comparison::single) asks.
    pub(super) fn add_scores(&self, trees: &TreeEnsemble, rows: &[f64], scores: &mut [f64]) {
        if trees.comparison.strict {
            self.add_all::<true>(trees, rows, scores);
        } else {
            self.add_all::<false>(trees, rows, scores);
        }
    }

    fn add_all<const STRICT: bool>(&self, trees: &TreeEnsemble, rows: &[f64], scores: &mut [f64]) {
        for tree in 0..self.roots.len() {
            if self.ruled[tree] {
                self.add_tree::<STRICT, true>(trees, tree, rows, scores);
            } else {
                self.add_tree::<STRICT, false>(trees, tree, rows, scores);
            }
        }
    }

    fn add_tree<const STRICT: bool, const RULES: bool>(
        &self,
        trees: &TreeEnsemble,
        tree: usize,
        rows: &[f64],
        scores: &mut [f64],
    ) {
        let (n_features, n_outputs) = (trees.n_features, trees.n_outputs);
        let root = self.roots[tree];
        let mut groups = scores.chunks_exact_mut(LANES * n_outputs);
        let mut first = 0;
        for scores in &mut groups {
            let rows = &rows[first * n_features..(first + LANES) * n_features];
            let leaves = self.walk::<STRICT, RULES, LANES>(trees, root, rows);
            self.pay(trees, tree, &leaves, scores);
            first += LANES;
        }
        for scores in groups.into_remainder().chunks_exact_mut(n_outputs) {
            let row = &rows[first * n_features..(first + 1) * n_features];
            let leaf = self.walk::<STRICT, RULES, 1>(trees, root, row);
            self.pay(trees, tree, &leaf, scores);
            first += 1;
        }
    }

    /// The leaves of `N` rows.
    #[inline(always)]
    fn walk<const STRICT: bool, const RULES: bool, const N: usize>(
        &self,
        trees: &TreeEnsemble,
        root: u32,
        rows: &[f64],
    ) -> [u32; N] {
        let mut at = [root; N];
        if self.nodes[root as usize].how & IS_LEAF != 0 {
            return at;
        }
        let n_features = trees.n_features;
        loop {
            let mut moved = false;
            for lane in 0..N {
                let node = self.nodes[at[lane] as usize];
                // A leaf reads feature 0, which is there because the root is a split, and stays where it is.
                let value = rows[lane * n_features + (node.how & FEATURE) as usize];
                let below = if STRICT { value < node.number } else { value <= node.number };
                let missing_left = value.is_nan() & (node.how & NAN_LEFT != 0);
                let mut right = !(below | missing_left | (node.how & IS_LEAF != 0));
                if RULES && node.how & RULED != 0 {
                    let origin = self.origin[at[lane] as usize] as usize;
                    right = !trees.goes_left(origin, rows[lane * n_features + trees.feature[origin] as usize]);
                }
                let next = node.left + u32::from(right);
                moved |= next != at[lane];
                at[lane] = next;
            }
            if !moved {
                return at;
            }
        }
    }

    /// Adds the values of `leaves` to the scores (row, output).
    #[inline(always)]
    fn pay(&self, trees: &TreeEnsemble, tree: usize, leaves: &[u32], scores: &mut [f64]) {
        for (&leaf, score) in leaves.iter().zip(scores.chunks_exact_mut(trees.n_outputs)) {
            match trees.tree_output[tree] {
                Some(output) => score[output as usize] += self.nodes[leaf as usize].number,
                None => {
                    let values = trees.leaf_values(tree, self.origin[leaf as usize] as usize);
                    score.iter_mut().zip(values).for_each(|(score, value)| *score += value);
                }
            }
        }
    }
}

/// A node without its place; splits are simplified where that changes no decision.
fn compact_node(trees: &TreeEnsemble, node: usize) -> Node {
    if trees.is_leaf(node) {
        // A leaf of a tree with an output of its own has one value; for the others the number goes unused.
        let number = trees.values.get(trees.left[node] as usize).copied().unwrap_or(0.0);
        return Node { number, left: 0, how: IS_LEAF };
    }
    let (feature, number) = (trees.feature[node], trees.threshold[node]);
    let zero_left = if trees.comparison.strict { 0.0 < number } else { 0.0 <= number };
    let nan_left = match trees.missing[node] {
        _ if trees.set[node] != NO_SET || feature >= RULED => None,
        Missing::Nan => Some(trees.default_left[node]),
        Missing::Never => Some(zero_left),
        Missing::Zero => None,
    };
    match nan_left {
        Some(true) => Node { number, left: 0, how: feature | NAN_LEFT },
        Some(false) => Node { number, left: 0, how: feature },
        None => Node { number: 0.0, left: 0, how: RULED },
    }
}
