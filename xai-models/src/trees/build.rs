//! An ensemble put together node by node, as the loaders do it.

use xai_core::trees::{CategoryRule, Comparison, LEAF, Missing, NO_SET};
use xai_core::{Error, Link, Result, TreeEnsemble, TreeParts};

/// Collects the trees of an ensemble, whose nodes a file names by their place in their tree.
///
/// # Example
/// ```
/// use xai_core::{Link, trees::{Comparison, Missing}};
/// use xai_models::trees::{Split, TreeBuilder};
/// let mut builder = TreeBuilder::new(1, vec![0.0], Link::Identity, Comparison::SINGLE_LESS);
/// builder.start_tree(Some(0));
/// let split = Split { feature: 0, left: 1, right: 2, default_left: true, missing: Missing::Nan };
/// builder.number_split(split, 0.5, 10.0);
/// builder.leaf(&[-1.0], 4.0);
/// builder.leaf(&[1.0], 6.0);
/// let trees = builder.finish().unwrap();
/// assert_eq!(trees.leaf_values(0, trees.leaf_of(0, &[0.7])), [1.0]);
/// ```
#[derive(Debug, Clone)]
pub struct TreeBuilder {
    parts: TreeParts,
}

/// The part of a split that is the same for numbers and categories.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    /// The column that decides.
    pub feature: u32,
    /// The left child, by its place in the tree.
    pub left: u32,
    /// The right child, by its place in the tree.
    pub right: u32,
    /// Whether missing values go left.
    pub default_left: bool,
    /// What counts as missing.
    pub missing: Missing,
}

impl TreeBuilder {
    /// An ensemble without trees; `base` has an entry for every output.
    pub fn new(n_features: usize, base: Vec<f64>, link: Link, comparison: Comparison) -> Self {
        let parts = TreeParts {
            n_features,
            n_outputs: base.len(),
            base,
            link,
            comparison,
            category_rule: CategoryRule::default(),
            starts: vec![0],
            tree_output: Vec::new(),
            feature: Vec::new(),
            threshold: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            missing: Vec::new(),
            default_left: Vec::new(),
            set: Vec::new(),
            cover: Vec::new(),
            sets: Vec::new(),
            values: Vec::new(),
        };
        TreeBuilder { parts }
    }

    /// Sets the rule for categories that are not whole numbers.
    pub fn category_rule(&mut self, rule: CategoryRule) {
        self.parts.category_rule = rule;
    }

    /// Begins a tree that adds to `output`, or to all outputs when `None`; its nodes follow, the root first.
    pub fn start_tree(&mut self, output: Option<u32>) {
        self.parts.tree_output.push(output);
        self.parts.starts.push(self.here());
    }

    /// The next node of the tree, which compares a number with `threshold`.
    pub fn number_split(&mut self, split: Split, threshold: f64, cover: f64) {
        self.node(split, threshold, NO_SET, cover);
    }

    /// The next node of the tree, which sends the categories in `goes_left` (bits, see [`TreeParts::sets`]) left.
    pub fn category_split(&mut self, split: Split, goes_left: Vec<u32>, cover: f64) {
        let set = index(self.parts.sets.len());
        self.parts.sets.push(goes_left);
        self.node(split, 0.0, set, cover);
    }

    /// The next node of the tree, a leaf with one value for each output that the tree adds to.
    pub fn leaf(&mut self, values: &[f64], cover: f64) {
        let first = index(self.parts.values.len());
        self.parts.values.extend_from_slice(values);
        let split = Split { feature: LEAF, left: 0, right: 0, default_left: false, missing: Missing::Nan };
        self.node(split, 0.0, NO_SET, cover);
        if let Some(left) = self.parts.left.last_mut() {
            *left = first;
        }
    }

    /// The ensemble, checked.
    ///
    /// # Errors
    /// As [`TreeEnsemble::new`]; [`Error::TooLarge`] for more nodes or leaf values than a 32-bit index can name.
    pub fn finish(self) -> Result<TreeEnsemble> {
        let found = self.parts.feature.len().max(self.parts.values.len()) as u64;
        let limit = u64::from(u32::MAX - 1);
        if found > limit {
            return Err(Error::TooLarge { what: "nodes or leaf values of the trees".to_owned(), limit, found });
        }
        TreeEnsemble::new(self.parts)
    }

    fn here(&self) -> u32 {
        index(self.parts.feature.len())
    }

    fn node(&mut self, split: Split, threshold: f64, set: u32, cover: f64) {
        let root = self.parts.starts[self.parts.tree_output.len().saturating_sub(1)];
        let parts = &mut self.parts;
        parts.feature.push(split.feature);
        parts.threshold.push(threshold);
        // A child beyond u32 cannot exist; saturating leads it out of the tree, where the check refuses it.
        parts.left.push(root.saturating_add(split.left));
        parts.right.push(root.saturating_add(split.right));
        parts.missing.push(split.missing);
        parts.default_left.push(split.default_left);
        parts.set.push(set);
        parts.cover.push(cover);
        if let Some(end) = parts.starts.last_mut() {
            *end = index(parts.feature.len());
        }
    }
}

/// A place in an array as the ensemble stores it; [`TreeBuilder::finish`] refuses arrays that are longer.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
