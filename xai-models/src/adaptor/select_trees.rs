//! An ensemble cut down to some of its outputs.

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
    let mut parts = TreeParts {
        n_features: trees.n_features,
        n_outputs: indices.len(),
        base: indices.iter().map(|&index| trees.base[index]).collect(),
        link: if trees.link.is_elementwise() || is_permutation(indices, trees.n_outputs) {
            trees.link
        } else {
            Link::Identity
        },
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
    };
    for tree in 0..trees.n_trees() {
        match trees.tree_output[tree] {
            None => copy(&mut parts, trees, tree, None, indices),
            Some(output) => {
                for place in (0..indices.len()).filter(|&place| indices[place] == output as usize) {
                    copy(&mut parts, trees, tree, Some(place as u32), &[0]);
                }
            }
        }
    }
    TreeEnsemble::new(parts)
}

/// Appends a tree with those of its leaves' values that stand at `picks`.
fn copy(parts: &mut TreeParts, trees: &TreeEnsemble, tree: usize, output: Option<u32>, picks: &[usize]) {
    let (root, new_root) = (trees.root(tree) as u32, parts.feature.len() as u32);
    parts.tree_output.push(output);
    for node in trees.nodes(tree) {
        let (left, right) = if trees.feature[node] == LEAF {
            let first = parts.values.len() as u32;
            let values = trees.leaf_values(tree, node);
            parts.values.extend(picks.iter().map(|&pick| values[pick]));
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
