//! One tree of XGBoost's file.

use xai_core::Result;
use xai_core::trees::Missing;

use super::malformed;
use super::schema::{Real, Tree};
use crate::file::Limit;
use crate::trees::{Split, TreeBuilder};

/// Where trees are added.
pub(super) struct Growth<'a> {
    pub builder: &'a mut TreeBuilder,
    pub limit: &'a mut Limit,
    /// 1 + the largest category that a split of each feature names: (feature).
    pub categories: &'a mut [u32],
}

/// XGBoost takes no category from here on; such a value goes left like one that is in no set.
const END_OF_CATEGORIES: u32 = 1 << 24;

impl Growth<'_> {
    /// Adds tree number `index`, whose leaves count `weight` times.
    pub fn add(&mut self, tree: &Tree, index: usize, output: Option<u32>, n_outputs: usize, weight: f64) -> Result<()> {
        check_lengths(tree, index)?;
        if output.is_none() && tree.n_values()? != n_outputs {
            let problem = format!("{} values a leaf for {n_outputs} outputs", tree.n_values()?);
            return Err(malformed(&format!("trees[{index}].tree_param"), problem));
        }
        let order = reachable(tree, index)?;
        let mut place = vec![0_u32; tree.left_children.len()];
        for (at, &node) in order.iter().enumerate() {
            place[node] = at as u32;
        }
        let sets = sets(tree, index)?;
        self.builder.start_tree(output);
        for &node in &order {
            let cover = cover(tree, node);
            if tree.left_children[node] == -1 {
                let values = leaf(tree, index, node, output, n_outputs)?;
                let values: Vec<f64> = values.iter().map(|value| f64::from(value.0) * weight).collect();
                self.builder.leaf(&values, cover);
            } else {
                self.split(tree, index, node, &place, sets[node], cover)?;
            }
        }
        Ok(())
    }

    fn split(
        &mut self,
        tree: &Tree,
        index: usize,
        node: usize,
        place: &[u32],
        listed: Option<&[i64]>,
        cover: f64,
    ) -> Result<()> {
        let bad = |problem: String| Err(malformed(&format!("trees[{index}], node {node}"), problem));
        let feature = tree.split_indices[node];
        let Some(largest) = usize::try_from(feature).ok().and_then(|feature| self.categories.get_mut(feature)) else {
            return bad(format!("feature {feature} of {}", self.categories.len()));
        };
        let split = Split {
            feature: feature as u32,
            left: place[tree.left_children[node] as usize],
            right: place[tree.right_children[node] as usize],
            default_left: tree.default_left[node].0,
            missing: Missing::Nan,
        };
        match (tree.split_type.get(node).copied().unwrap_or(0), listed) {
            (0, None) => {
                self.builder.number_split(split, f64::from(tree.split_conditions[node].0), cover);
                Ok(())
            }
            (1, Some(listed)) => {
                let mut end = 0;
                for &category in listed {
                    match u32::try_from(category) {
                        Ok(category) if category < END_OF_CATEGORIES => end = end.max(category + 1),
                        _ => return bad(format!("category {category}")),
                    }
                }
                *largest = end.max(*largest);
                let words = end.div_ceil(32) as usize;
                self.limit.take(words)?;
                let mut goes_right = vec![0_u32; words];
                for &category in listed {
                    goes_right[category as usize / 32] |= 1 << (category % 32);
                }
                // The listed categories go right, ours go left: the sides change places.
                let (left, right) = (split.right, split.left);
                let split = Split { left, right, default_left: !split.default_left, ..split };
                self.builder.category_split(split, goes_right, cover);
                Ok(())
            }
            (1, None) => bad("a split by category without a set".to_owned()),
            (kind, _) => bad(format!("split type {kind}")),
        }
    }
}

fn check_lengths(tree: &Tree, index: usize) -> Result<()> {
    let n = tree.left_children.len();
    let lengths = [
        ("right_children", tree.right_children.len()),
        ("split_indices", tree.split_indices.len()),
        ("split_conditions", tree.split_conditions.len()),
        ("default_left", tree.default_left.len()),
    ];
    let sum_hessian = tree.sum_hessian.as_ref().map(|covers| ("sum_hessian", covers.len()));
    let split_type = Some(("split_type", tree.split_type.len())).filter(|(_, length)| *length > 0);
    for (field, length) in lengths.into_iter().chain(split_type).chain(sum_hessian) {
        if length != n {
            return Err(malformed(&format!("trees[{index}].{field}"), format!("{length} entries for {n} nodes")));
        }
    }
    Ok(())
}

/// The nodes that paths from the root lead to, the root first; pruning leaves others behind, and says how many.
fn reachable(tree: &Tree, index: usize) -> Result<Vec<usize>> {
    let n = tree.left_children.len();
    let at = |node: usize| format!("trees[{index}], node {node}");
    let mut seen = vec![false; n];
    let mut order = Vec::with_capacity(n);
    let mut stack = vec![0];
    while let Some(node) = stack.pop() {
        match seen.get_mut(node) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(malformed(&at(node), "it has two parents or lies on a cycle".to_owned())),
            None => return Err(malformed(&at(node), format!("there are {n} nodes"))),
        }
        order.push(node);
        if tree.left_children[node] != -1 {
            for child in [tree.right_children[node], tree.left_children[node]] {
                let child = usize::try_from(child).map_err(|_| malformed(&at(node), format!("child {child}")))?;
                stack.push(child);
            }
        }
    }
    let lost = (n - order.len()) as u64;
    if lost != tree.n_deleted()? {
        return Err(malformed(&format!("trees[{index}]"), format!("{lost} nodes that no path leads to")));
    }
    Ok(order)
}

/// The categories that each node lists: (node).
fn sets(tree: &Tree, index: usize) -> Result<Vec<Option<&[i64]>>> {
    let mut sets = vec![None; tree.left_children.len()];
    let bad = |problem: String| malformed(&format!("trees[{index}].categories_nodes"), problem);
    if tree.categories_nodes.len() != tree.categories_segments.len()
        || tree.categories_nodes.len() != tree.categories_sizes.len()
    {
        return Err(bad("nodes, segments and sizes are not as many".to_owned()));
    }
    let mut listed = 0;
    for ((&node, &start), &size) in
        tree.categories_nodes.iter().zip(&tree.categories_segments).zip(&tree.categories_sizes)
    {
        let range = usize::try_from(start).ok().zip(usize::try_from(size).ok());
        let set = range.and_then(|(start, size)| tree.categories.get(start..start.checked_add(size)?));
        let set = set.ok_or_else(|| bad(format!("{size} categories from {start} of {}", tree.categories.len())))?;
        listed += set.len();
        match usize::try_from(node).ok().and_then(|node| sets.get_mut(node)) {
            Some(slot @ None) => *slot = Some(set),
            Some(Some(_)) => return Err(bad(format!("node {node} twice"))),
            None => return Err(bad(format!("node {node}"))),
        }
    }
    if listed > tree.categories.len() {
        return Err(bad("sets that overlap".to_owned()));
    }
    Ok(sets)
}

/// The cover of a node: 0 in a file without covers.
fn cover(tree: &Tree, node: usize) -> f64 {
    match tree.sum_hessian.as_ref().map(|covers| f64::from(covers[node].0)) {
        // Rounding may leave a hessian a little below zero; the library treats it as zero, too.
        Some(hessian) if hessian < 0.0 => 0.0,
        Some(hessian) => hessian,
        None => 0.0,
    }
}

/// The values of a leaf.
fn leaf(tree: &Tree, index: usize, node: usize, output: Option<u32>, n_outputs: usize) -> Result<&[Real]> {
    let values = match (output, &tree.leaf_weights, &tree.base_weights) {
        (Some(_), _, _) => tree.split_conditions.get(node..node + 1),
        (None, Some(weights), _) if !weights.is_empty() => {
            usize::try_from(tree.right_children[node]).ok().and_then(|leaf| vector(weights, leaf, n_outputs))
        }
        (None, _, Some(weights)) => vector(weights, node, n_outputs),
        (None, _, None) => None,
    };
    values.ok_or_else(|| malformed(&format!("trees[{index}], node {node}"), "a leaf without values".to_owned()))
}

fn vector(weights: &[Real], at: usize, length: usize) -> Option<&[Real]> {
    let start = at.checked_mul(length)?;
    weights.get(start..start.checked_add(length)?)
}
