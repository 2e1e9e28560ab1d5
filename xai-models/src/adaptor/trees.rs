//! An ensemble with other outputs: some of its own, or a weighted sum of them.

use xai_core::error::same_shape;
use xai_core::trees::LEAF;
use xai_core::{Error, Link, Result, TreeEnsemble, TreeParts};

/// The ensemble of the outputs `indices` of `trees`: the trees that add to them, in their order.
///
/// Scores keep their bits, because the same leaves are added in the same order. A softmax over some of the outputs is
/// another function than over all, so the link becomes the identity unless every output is kept once.
///
/// # Cost
/// One pass over the nodes.
///
/// # Errors
/// [`Error::Parameter`] for an output that the ensemble does not have.
///
/// # Laws
/// `selected_trees_score_the_same_bits`.
pub fn select_trees(trees: &TreeEnsemble, indices: &[usize]) -> Result<TreeEnsemble> {
    if let Some(index) = indices.iter().find(|&&index| index >= trees.n_outputs) {
        return Err(Error::parameter("outputs", index, format!("an index below {}", trees.n_outputs)));
    }
    let whole = trees.link.is_elementwise() || is_permutation(indices, trees.n_outputs);
    let link = if whole { trees.link } else { Link::Identity };
    let mut parts = empty(trees, indices.iter().map(|&index| trees.base[index]).collect(), link);
    for tree in 0..trees.n_trees() {
        match trees.tree_output[tree] {
            None => copy(&mut parts, trees, tree, None, |leaf| indices.iter().map(|&index| leaf[index]).collect()),
            Some(output) => {
                for place in (0..indices.len()).filter(|&place| indices[place] == output as usize) {
                    copy(&mut parts, trees, tree, Some(place as u32), <[f64]>::to_vec);
                }
            }
        }
    }
    TreeEnsemble::new(parts)
}

/// The ensemble of one output: the sum of the outputs of `trees` times `weights`. Trees of outputs of weight 0 fall
/// away; the link becomes the identity.
///
/// # Cost
/// One pass over the nodes.
///
/// # Errors
/// [`Error::Shape`] for another number of weights than of outputs; [`Error::Malformed`] when a leaf times its weight is
/// beyond the largest number.
///
/// # Laws
/// `contrasted_trees_score_the_weighted_sum`.
pub fn contrast_trees(trees: &TreeEnsemble, weights: &[f64]) -> Result<TreeEnsemble> {
    same_shape("weights of the contrast (output)", &[trees.n_outputs], &[weights.len()])?;
    let sum = |scores: &[f64]| -> f64 {
        let terms = scores.iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
        terms.fold(0.0, |sum, (score, weight)| sum + score * weight)
    };
    let mut parts = empty(trees, vec![sum(&trees.base)], Link::Identity);
    for tree in 0..trees.n_trees() {
        match trees.tree_output[tree].map(|output| weights[output as usize]) {
            Some(0.0) => {}
            Some(weight) => copy(&mut parts, trees, tree, Some(0), |leaf| vec![leaf[0] * weight]),
            None => copy(&mut parts, trees, tree, Some(0), |leaf| vec![sum(leaf)]),
        }
    }
    TreeEnsemble::new(parts)
}

/// No tree yet, but the rules of `trees`.
fn empty(trees: &TreeEnsemble, base: Vec<f64>, link: Link) -> TreeParts {
    TreeParts {
        n_features: trees.n_features,
        n_outputs: base.len(),
        base,
        link,
        comparison: trees.comparison,
        category_rule: trees.category_rule,
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
        sets: trees.sets.clone(),
        values: Vec::new(),
    }
}

/// Appends a tree with other values in its leaves.
fn copy(
    parts: &mut TreeParts,
    trees: &TreeEnsemble,
    tree: usize,
    output: Option<u32>,
    values: impl Fn(&[f64]) -> Vec<f64>,
) {
    let (root, new_root) = (trees.root(tree) as u32, parts.feature.len() as u32);
    parts.tree_output.push(output);
    for node in trees.nodes(tree) {
        let (left, right) = if trees.feature[node] == LEAF {
            let first = parts.values.len() as u32;
            parts.values.extend(values(trees.leaf_values(tree, node)));
            (first, 0)
        } else {
            (trees.left[node] - root + new_root, trees.right[node] - root + new_root)
        };
        parts.feature.push(trees.feature[node]);
        parts.threshold.push(trees.threshold[node]);
        parts.left.push(left);
        parts.right.push(right);
        parts.missing.push(trees.missing[node]);
        parts.default_left.push(trees.default_left[node]);
        parts.set.push(trees.set[node]);
        parts.cover.push(trees.cover[node]);
    }
    parts.starts.push(parts.feature.len() as u32);
}

fn is_permutation(indices: &[usize], n: usize) -> bool {
    let mut sorted = indices.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..n)
}
