//! Symmetric trees: every level asks one question.

use xai_core::{Error, Result};

use super::features::{Columns, Question};
use super::malformed;
use super::schema::Oblivious;
use crate::file::Limit;
use crate::trees::TreeBuilder;

/// The most levels of a symmetric tree: 2¹⁶ leaves, as in the library.
const MOST_LEVELS: usize = 16;

/// The number of outputs that the trees have; `None` without trees.
pub(super) fn n_outputs(trees: &[Oblivious]) -> Result<Option<usize>> {
    let mut outputs = None;
    for (number, tree) in trees.iter().enumerate() {
        let at = || format!("oblivious_trees[{number}]");
        let levels = tree.splits.as_ref().map_or(0, Vec::len);
        if levels > MOST_LEVELS {
            let what = format!("levels of {}", at());
            return Err(Error::TooLarge { what, limit: MOST_LEVELS as u64, found: levels as u64 });
        }
        let (n, leaves) = (tree.leaf_values.len(), 1_usize << levels);
        if n == 0 || n % leaves != 0 {
            return Err(malformed(at(), format!("{n} leaf values for {leaves} leaves")));
        }
        if *outputs.get_or_insert(n / leaves) != n / leaves {
            return Err(malformed(
                at(),
                format!("{} outputs, where the trees before it have another number", n / leaves),
            ));
        }
    }
    Ok(outputs)
}

/// Adds the trees; says whether all of them know their leaves' weights.
pub(super) fn build(
    trees: &[Oblivious],
    scale: f64,
    columns: &Columns,
    limit: &mut Limit,
    builder: &mut TreeBuilder,
) -> Result<bool> {
    let weighted = trees.iter().all(|tree| tree.leaf_weights.is_some());
    for (number, tree) in trees.iter().enumerate() {
        let at = || format!("oblivious_trees[{number}]");
        let splits = tree.splits.as_deref().unwrap_or_default();
        let leaves = 1_usize << splits.len();
        let covers = match &tree.leaf_weights {
            Some(weights) if weights.len() != leaves => {
                return Err(malformed(at(), format!("{} leaf weights for {leaves} leaves", weights.len())));
            }
            Some(weights) if weighted => covers(weights),
            _ => vec![0.0; 2 * leaves - 1],
        };
        // The first split is the lowest bit of a leaf's number, so the last one stands at the root, and the leaves
        // follow from left to right.
        let levels: Vec<Question> =
            splits.iter().rev().map(|split| columns.question(split, at)).collect::<Result<_>>()?;
        let width = tree.leaf_values.len() / leaves;
        builder.start_tree((width == 1).then_some(0));
        for (node, cover) in covers[..leaves - 1].iter().enumerate() {
            let level = (node + 1).ilog2() as usize;
            let child = 2 * node as u32 + 1;
            levels[level].push(child, child + 1, *cover, limit, builder)?;
        }
        for (values, cover) in tree.leaf_values.chunks_exact(width).zip(&covers[leaves - 1..]) {
            let values: Vec<f64> = values.iter().map(|value| scale * value).collect();
            builder.leaf(&values, *cover);
        }
    }
    Ok(weighted)
}

/// The cover of every node in level order: the sum of the weights below it.
fn covers(weights: &[f64]) -> Vec<f64> {
    let mut covers = vec![0.0; weights.len() - 1];
    covers.extend_from_slice(weights);
    for node in (0..weights.len() - 1).rev() {
        covers[node] = covers[2 * node + 1] + covers[2 * node + 2];
    }
    covers
}
