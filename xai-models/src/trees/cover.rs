//! Covers that a file does not hold, recomputed from rows.

use xai_core::error::same_shape;
use xai_core::{Error, Result, Table, TreeEnsemble};

/// Whether every tree knows the weight of its training data.
///
/// ONNX files and models fitted with linfa do not hold it: their covers are 0 until [`with_covers`] recomputes them.
/// What needs covers, such as path-dependent TreeSHAP, must refuse trees without them.
pub fn has_covers(trees: &TreeEnsemble) -> bool {
    (0..trees.n_trees()).all(|tree| trees.cover[trees.root(tree)] > 0.0)
}

/// The same trees, with the number of rows of `background` that pass through each node as its cover.
///
/// With the training rows as background these are the covers that the training library would have stored for a model
/// grown from unweighted rows; a forest grown from bootstrapped rows stores others.
///
/// # Cost
/// One pass of every row through every tree; the trees are copied once.
///
/// # Errors
/// [`Error::Shape`] for a background of another width; [`Error::Parameter`] for one without rows.
///
/// # Laws
/// `covers_count_rows`; `covers_are_counted_in_a_background` with scikit-learn's training rows.
///
/// # Example
/// ```
/// use xai_core::{Link, trees::{Comparison, Missing}};
/// use xai_models::trees::{Split, TreeBuilder, has_covers, with_covers};
/// let mut builder = TreeBuilder::new(1, vec![0.0], Link::Identity, Comparison::SINGLE_LESS);
/// builder.start_tree(Some(0));
/// let split = Split { feature: 0, left: 1, right: 2, default_left: true, missing: Missing::Nan };
/// builder.number_split(split, 0.5, 0.0);
/// builder.leaf(&[-1.0], 0.0);
/// builder.leaf(&[1.0], 0.0);
/// let trees = builder.finish().unwrap();
/// assert!(!has_covers(&trees));
/// let trees = with_covers(&trees, &ndarray::array![[0.1], [0.4], [0.9]]).unwrap();
/// assert_eq!(trees.cover, [3.0, 2.0, 1.0]);
/// ```
pub fn with_covers(trees: &TreeEnsemble, background: &Table) -> Result<TreeEnsemble> {
    covered(trees, background, |_| 1.0)
}

/// As [`with_covers`], with a weight for every row of the background.
///
/// # Errors
/// As [`with_covers`]; [`Error::Shape`] for another number of weights; [`Error::Parameter`] for a weight that is
/// negative or not finite, and when all are 0.
pub fn with_weighted_covers(trees: &TreeEnsemble, background: &Table, weights: &[f64]) -> Result<TreeEnsemble> {
    same_shape("weights of the background", &[background.nrows()], &[weights.len()])?;
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(Error::parameter(format!("weights[{row}]"), weights[row], "a finite number, at least 0"));
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(Error::parameter("weights", "all 0", "at least one above 0"));
    }
    covered(trees, background, |row| weights[row])
}

fn covered(trees: &TreeEnsemble, background: &Table, weight: impl Fn(usize) -> f64) -> Result<TreeEnsemble> {
    same_shape("columns of the background", &[trees.n_features], &[background.ncols()])?;
    if background.nrows() == 0 {
        return Err(Error::parameter("background", "no rows", "at least one"));
    }
    let mut cover = vec![0.0; trees.n_nodes()];
    for (number, row) in background.outer_iter().enumerate() {
        let row = row.to_vec();
        let weight = weight(number);
        for tree in 0..trees.n_trees() {
            let mut node = trees.root(tree);
            cover[node] += weight;
            while !trees.is_leaf(node) {
                let left = trees.goes_left(node, row[trees.feature[node] as usize]);
                node = if left { trees.left[node] } else { trees.right[node] } as usize;
                cover[node] += weight;
            }
        }
    }
    let mut parts = trees.clone().into_parts();
    parts.cover = cover;
    TreeEnsemble::new(parts)
}
