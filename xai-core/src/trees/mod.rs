//! Ensembles of decision trees as plain arrays, with the exact routing rules of the libraries that grow them.

mod check;
mod memo;
mod route;

use serde::{Deserialize, Serialize};

use crate::{Link, Result};

pub use memo::Memo;

/// The feature of a node that is a leaf.
pub const LEAF: u32 = u32::MAX;
/// The set of a split that compares numbers.
pub const NO_SET: u32 = u32::MAX;

/// A checked ensemble of decision trees; reads as its [`TreeParts`].
///
/// It can only be made by [`TreeEnsemble::new`], so whoever holds one may follow its indices without fear: children
/// lie in the tree of their parent, no path runs in a circle, every value is finite.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct TreeEnsemble {
    parts: TreeParts,
    #[serde(skip)]
    memo: Memo,
}

impl PartialEq for TreeEnsemble {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

/// The arrays of an ensemble of decision trees.
///
/// A score is `base[output]` plus the sum, over the trees, of the leaf that the sample falls into. Nodes of all trees
/// lie in one set of arrays; tree t owns the nodes `starts[t]..starts[t + 1]` and its root comes first. Every node has
/// an entry in each array that is marked (node).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeParts {
    /// The number of columns that a sample must have.
    pub n_features: usize,
    /// The number of scores.
    pub n_outputs: usize,
    /// What the trees' sums are added to: (output).
    pub base: Vec<f64>,
    /// How scores become predictions.
    pub link: Link,
    /// How numbers are compared.
    pub comparison: Comparison,
    /// Which category a fraction below zero is.
    pub category_rule: CategoryRule,
    /// The first node of each tree, and at the end the number of nodes: (tree + 1).
    pub starts: Vec<u32>,
    /// The output that each tree adds to; `None` when its leaves hold a value for every output: (tree).
    pub tree_output: Vec<Option<u32>>,
    /// The column that decides, or [`LEAF`]: (node).
    pub feature: Vec<u32>,
    /// The number that the column is compared with; unused in leaves and splits by category: (node).
    pub threshold: Vec<f64>,
    /// The node for samples that go left: (node). In a leaf: the place of its first value in `values`.
    pub left: Vec<u32>,
    /// The node for samples that go right: (node). Unused in a leaf.
    pub right: Vec<u32>,
    /// What counts as missing and what happens then: (node).
    pub missing: Vec<Missing>,
    /// Whether missing values go left: (node).
    pub default_left: Vec<bool>,
    /// For a split by category, the place in `sets` of the categories that go left; otherwise [`NO_SET`]: (node).
    pub set: Vec<u32>,
    /// The weight of the training data in each node, at least 0: (node).
    pub cover: Vec<f64>,
    /// Sets of categories as bits: category c is in the set when bit c % 32 of word c / 32 is on.
    pub sets: Vec<Vec<u32>>,
    /// The leaves' values: one for a leaf of a tree with an output of its own, otherwise one for each output.
    pub values: Vec<f64>,
}

/// How a split compares a number with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Round the sample's value to `f32` first, as XGBoost, CatBoost and scikit-learn do. Thresholds that the library
    /// holds in `f32` stand here widened, which changes none.
    pub single: bool,
    /// Left when value < threshold; otherwise left when value ≤ threshold.
    pub strict: bool,
}

impl Comparison {
    /// `f32`, <: XGBoost.
    pub const SINGLE_LESS: Comparison = Comparison { single: true, strict: true };
    /// `f32`, ≤: CatBoost, scikit-learn.
    pub const SINGLE_AT_MOST: Comparison = Comparison { single: true, strict: false };
    /// `f64`, <: linfa.
    pub const DOUBLE_LESS: Comparison = Comparison { single: false, strict: true };
    /// `f64`, ≤: LightGBM.
    pub const DOUBLE_AT_MOST: Comparison = Comparison { single: false, strict: false };
}

/// What a split does with a missing value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// NaN goes the default way.
    #[default]
    Nan,
    /// NaN and |x| ≤ 1e-35, as an `f32`, go the default way (LightGBM with `zero_as_missing`).
    Zero,
    /// Nothing is missing: NaN counts as 0 (LightGBM with `use_missing=false`).
    Never,
}

/// Which category a value is that is not a whole number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CategoryRule {
    /// Rounded toward zero; anything below 0 is in no set (XGBoost).
    #[default]
    RejectNegative,
    /// Rounded toward zero, then anything below 0 is in no set: −0.5 is category 0 (LightGBM).
    TruncateFirst,
}

impl TreeEnsemble {
    /// Checks the arrays and makes an ensemble of them.
    ///
    /// # Cost
    /// One pass over the nodes.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for arrays of the wrong length; [`Error::Malformed`](crate::Error) naming
    /// tree and node for a child outside its tree, a node with two parents or none, a cycle, a feature, output, set or
    /// value out of range, a threshold that is NaN, a cover that is negative or not finite, a value that is not finite.
    pub fn new(parts: TreeParts) -> Result<Self> {
        check::check(&parts)?;
        Ok(TreeEnsemble { parts, memo: Memo::default() })
    }

    /// The arrays, to change them; [`TreeEnsemble::new`] checks them again.
    pub fn into_parts(self) -> TreeParts {
        self.parts
    }

    /// What explainers have worked out from these trees alone, kept while the trees live and shared by their clones.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// The number of trees.
    pub fn n_trees(&self) -> usize {
        self.tree_output.len()
    }

    /// The number of nodes, leaves included.
    pub fn n_nodes(&self) -> usize {
        self.feature.len()
    }

    /// The root of a tree.
    pub fn root(&self, tree: usize) -> usize {
        self.starts[tree] as usize
    }

    /// The nodes of a tree.
    pub fn nodes(&self, tree: usize) -> std::ops::Range<usize> {
        self.starts[tree] as usize..self.starts[tree + 1] as usize
    }

    /// Whether a node is a leaf.
    pub fn is_leaf(&self, node: usize) -> bool {
        self.feature[node] == LEAF
    }

    /// The values of a leaf of `tree`: one for each of [`TreeEnsemble::outputs_of`].
    pub fn leaf_values(&self, tree: usize, leaf: usize) -> &[f64] {
        let first = self.left[leaf] as usize;
        &self.values[first..first + self.outputs_of(tree).len()]
    }

    /// The outputs that a tree adds to.
    pub fn outputs_of(&self, tree: usize) -> std::ops::Range<usize> {
        match self.tree_output[tree] {
            Some(output) => output as usize..output as usize + 1,
            None => 0..self.n_outputs,
        }
    }

    /// The number of splits on the longest path of a tree.
    pub fn depth(&self, tree: usize) -> usize {
        let mut deepest = 0;
        let mut stack = vec![(self.root(tree), 0)];
        while let Some((node, depth)) = stack.pop() {
            deepest = deepest.max(depth);
            if !self.is_leaf(node) {
                stack.push((self.left[node] as usize, depth + 1));
                stack.push((self.right[node] as usize, depth + 1));
            }
        }
        deepest
    }
}

impl std::ops::Deref for TreeEnsemble {
    type Target = TreeParts;
    fn deref(&self) -> &TreeParts {
        &self.parts
    }
}

impl<'de> Deserialize<'de> for TreeEnsemble {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        TreeEnsemble::new(TreeParts::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
