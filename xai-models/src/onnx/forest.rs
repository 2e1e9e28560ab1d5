//! The trees of either operator in one form, and the ensemble made of them.

use xai_core::trees::{Comparison, Missing};
use xai_core::{Error, Link, Result, TreeEnsemble};

use super::FORMAT;
use crate::file::Limit;
use crate::trees::{Split, TreeBuilder};

/// A tree whose root comes first; children are places in `nodes`.
pub(super) struct Tree {
    /// What it is called in the file, for errors.
    pub id: i64,
    pub nodes: Vec<Node>,
}

pub(super) enum Node {
    Branch {
        feature: u32,
        mode: Mode,
        threshold: f64,
        missing_is_true: bool,
        yes: u32,
        no: u32,
    },
    /// What it adds to which output.
    Leaf(Vec<(u32, f64)>),
}

/// What a branch asks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    AtMost,
    Less,
    AtLeast,
    Greater,
}

/// What an ensemble is besides its trees.
pub(super) struct Face {
    pub n_features: usize,
    /// The base of every output.
    pub base: Vec<f64>,
    pub link: Link,
    /// Values are rounded to `f32` before they are compared.
    pub single: bool,
    /// What leaves are multiplied with: 1/trees for an average.
    pub scale: f64,
}

/// The number of columns that the trees ask for.
pub(super) fn n_features(trees: &[Tree]) -> u64 {
    let asked = trees.iter().flat_map(|tree| &tree.nodes).map(|node| match node {
        Node::Branch { feature, .. } => u64::from(*feature) + 1,
        Node::Leaf(_) => 0,
    });
    asked.max().unwrap_or(0)
}

/// # Errors
/// Those of [`TreeEnsemble::new`]; [`Error::TooLarge`] when most leaves would be filled up with zeros.
pub(super) fn ensemble(trees: &[Tree], face: Face, limit: &Limit) -> Result<TreeEnsemble> {
    let comparison = if face.single { Comparison::SINGLE_AT_MOST } else { Comparison::DOUBLE_AT_MOST };
    let n_outputs = face.base.len();
    let mut values = 0_u64;
    let mut builder = TreeBuilder::new(face.n_features, face.base, face.link, comparison);
    for tree in trees {
        let output = only_output(tree);
        builder.start_tree(output);
        let width = if output.is_some() { 1 } else { n_outputs };
        let leaves = tree.nodes.iter().filter(|node| matches!(node, Node::Leaf(_))).count();
        values = values.saturating_add(leaves as u64 * width as u64);
        limit.count("groups of 16 leaf values", values.div_ceil(16))?;
        let mut sums = vec![0.0; width];
        for (place, node) in tree.nodes.iter().enumerate() {
            match node {
                Node::Leaf(additions) => {
                    sums.fill(0.0);
                    for &(to, value) in additions {
                        let to = if output.is_some() { 0 } else { to as usize };
                        sums[to] += face.scale * value;
                    }
                    builder.leaf(&sums, 0.0);
                }
                &Node::Branch { feature, mode, threshold, missing_is_true, yes, no } => {
                    let strict = matches!(mode, Mode::Less | Mode::AtLeast);
                    let threshold = if strict { below(threshold, face.single) } else { Some(threshold) };
                    let threshold = threshold.ok_or_else(|| Error::Malformed {
                        format: FORMAT,
                        at: format!("tree {}, node {place}", tree.id),
                        problem: "a comparison with −∞ or NaN".into(),
                    })?;
                    // "Greater" is "at most" with its children exchanged.
                    let turned = matches!(mode, Mode::Greater | Mode::AtLeast);
                    let (left, right) = if turned { (no, yes) } else { (yes, no) };
                    let default_left = missing_is_true != turned;
                    let split = Split { feature, left, right, default_left, missing: Missing::Nan };
                    builder.number_split(split, threshold, 0.0);
                }
            }
        }
    }
    builder.finish()
}

/// The output that all leaves of a tree add to, if there is but one.
fn only_output(tree: &Tree) -> Option<u32> {
    let mut outputs = tree.nodes.iter().filter_map(|node| match node {
        Node::Leaf(additions) => Some(additions.iter().map(|(output, _)| *output)),
        Node::Branch { .. } => None,
    });
    let mut all = outputs.by_ref().flatten();
    let first = all.next()?;
    all.all(|output| output == first).then_some(first)
}

/// The largest number below `threshold` that a value can be: x < threshold just when x ≤ it. `None` when no number is
/// smaller.
fn below(threshold: f64, single: bool) -> Option<f64> {
    if threshold.is_nan() || threshold == f64::NEG_INFINITY {
        return None;
    }
    if !single {
        return Some(threshold.next_down());
    }
    let rounded = threshold as f32;
    // A threshold between two f32 numbers is equal to no value: there < and ≤ are the same.
    Some(if f64::from(rounded) == threshold { f64::from(rounded.next_down()) } else { threshold })
}
