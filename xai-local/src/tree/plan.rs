//! What of path-dependent TreeSHAP depends on the trees alone, worked out once for all samples.

use xai_core::trees::TreeEnsemble;
use xai_core::{Error, Result};

use super::cutter::Cutter;
use super::levels::{Layout, Levels};
use super::path_dependent::Algorithm;
use super::precision::Real;
use super::twigs::{Copse, MOST_BITS};

/// No index.
pub(super) const NONE: u32 = u32::MAX;

/// Trees with more bits in an index than this are swept, unless they must not be.
const FEW_BITS: usize = 10;

/// An ensemble, cut into twigs or laid out level by level.
pub(super) struct Plan<R> {
    /// The trees that are cut into twigs.
    pub copses: Vec<Copse>,
    /// The other trees that have a split.
    pub trees: Vec<Levels<R>>,
    /// The score when every player is absent: (output).
    pub base: Vec<f64>,
    /// The splits without cover, which send half each way.
    pub n_halved: usize,
}

/// The share of a node's cover that lies in `child`: half when the node has no cover.
pub(super) fn share(trees: &TreeEnsemble, node: usize, child: u32) -> f64 {
    if trees.cover[node] > 0.0 { trees.cover[child as usize] / trees.cover[node] } else { 0.5 }
}

/// The splits without cover, which send half each way.
///
/// # Errors
/// [`Error::Unsupported`] when none has any.
pub(super) fn halved(trees: &TreeEnsemble, method: &str, instead: &str) -> Result<usize> {
    let splits = (0..trees.n_nodes()).filter(|&node| !trees.is_leaf(node));
    let count = |(all, halved), node: usize| (all + 1, halved + usize::from(trees.cover[node] == 0.0));
    let (n_splits, n_halved) = splits.fold((0, 0), count);
    if n_splits > 0 && n_halved == n_splits {
        let reason = "every split has a cover of 0, so nothing says how the training data went; recompute the covers from \
                      a table of training rows, or use";
        let what = format!("{method} of trees without covers");
        return Err(Error::unsupported(what, format!("{reason} {instead} with background rows")));
    }
    Ok(n_halved)
}

impl<R: Real> Plan<R> {
    /// Works out the plan.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for trees without covers or leaves out of range, [`Error::TooLarge`] when a tree needs too much memory or is too
    /// deep for the algorithm.
    pub(super) fn new(
        trees: &TreeEnsemble,
        player_of: &[usize],
        n_players: usize,
        algorithm: Algorithm,
    ) -> Result<Self> {
        let n_halved = halved(trees, "path-dependent TreeSHAP", "interventional-tree-shap")?;
        let largest = trees.values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        if largest > 0.0 && !(R::LEAVES[0]..=R::LEAVES[1]).contains(&largest) {
            return Err(Error::unsupported(
                "path-dependent TreeSHAP in single precision of these trees",
                format!("their largest leaf is {largest:e}, which single precision has no room for; use double"),
            ));
        }
        let mut plan = Plan { copses: Vec::new(), trees: Vec::new(), base: trees.base.clone(), n_halved };
        let mut layout = Layout::new(trees, player_of, n_players);
        let most_bits = if algorithm == Algorithm::Auto { FEW_BITS } else { MOST_BITS };
        let mut cutter = Cutter::new(trees, player_of, n_players, most_bits, usize::MAX);
        for tree in 0..trees.n_trees() {
            for (output, mean) in trees.outputs_of(tree).zip(means(trees, tree)) {
                plan.base[output] += mean;
            }
            if trees.is_leaf(trees.root(tree)) || (algorithm != Algorithm::Quadrature && cutter.cut(tree)) {
                continue;
            }
            if algorithm == Algorithm::Tables {
                return Err(Error::TooLarge {
                    what: format!("bits for the players on a path of tree {tree}, for tables"),
                    limit: MOST_BITS as u64,
                    found: MOST_BITS as u64 + 1,
                });
            }
            plan.trees.push(layout.levels(tree)?);
        }
        plan.copses = cutter.finish();
        Ok(plan)
    }
}

/// The mean of the leaves by cover: one for each output of the tree.
fn means(trees: &TreeEnsemble, tree: usize) -> Vec<f64> {
    let mut means = vec![0.0; trees.outputs_of(tree).len()];
    let mut stack = vec![(trees.root(tree), 1.0)];
    while let Some((node, weight)) = stack.pop() {
        if trees.is_leaf(node) {
            means.iter_mut().zip(trees.leaf_values(tree, node)).for_each(|(mean, value)| *mean += weight * value);
        } else {
            for child in [trees.right[node], trees.left[node]] {
                stack.push((child as usize, weight * share(trees, node, child)));
            }
        }
    }
    means
}
