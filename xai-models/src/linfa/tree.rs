//! A single decision tree.

use linfa::Label;
use linfa_trees::DecisionTree;
use xai_core::error::same_shape;
use xai_core::{Error, Feature, Model, Result, Scale, Table, TreeEnsemble, TreeStructured};

use super::grow::Voters;
use super::{Cell, name_of};
use crate::trees::TreeModel;

/// A tree that gives its leaf's label the probability 1, as linfa's `predict` does.
///
/// `classes` are the labels in the order of the outputs; `background` are the rows, best those of the training, that
/// give the nodes their covers.
///
/// # Units
/// Probabilities, all 0 or 1; see [`decision_tree_with_distribution`] for those in between.
///
/// # Errors
/// [`Error::Unknown`] for a leaf with a label that is not among `classes`; [`Error::Shape`] for a background with fewer
/// columns than the tree splits; [`Error::Parameter`] for a background without rows or classes that repeat.
///
/// # Laws
/// `a_decision_tree_votes_like_linfa`, `a_row_on_a_threshold_goes_right`.
pub fn decision_tree<F: Cell, L: Label>(
    tree: &DecisionTree<F, L>,
    classes: &[L],
    background: &Table,
) -> Result<TreeModel> {
    let mut voters = Voters::new::<F>(classes, background.ncols())?;
    voters.add(tree, None, 1.0)?;
    voters.finish(background, Scale::Probability)
}

/// A tree whose leaves give the shares of the classes among the rows that fall into them.
///
/// linfa keeps but the most frequent label of a leaf; the shares are counted again in `rows`, whose labels are
/// `labels`. A leaf that no row reaches gives its label the probability 1. Where labels tie, or where linfa pruned
/// leaves of one label into one, the label of the largest share need not be the one that linfa predicts.
///
/// # Units
/// Probabilities; they sum to 1.
///
/// # Errors
/// As [`decision_tree`]; [`Error::Shape`] for another number of labels than rows; [`Error::Unknown`] for a label that
/// is not among `classes`.
///
/// # Laws
/// `leaves_hold_the_shares_of_their_rows`.
pub fn decision_tree_with_distribution<F: Cell, L: Label>(
    tree: &DecisionTree<F, L>,
    classes: &[L],
    rows: &Table,
    labels: &[L],
) -> Result<TreeModel> {
    same_shape("labels", &[rows.nrows()], &[labels.len()])?;
    let model = decision_tree(tree, classes, rows)?;
    let trees = model.trees();
    let mut values = trees.values.clone();
    let mut counts = vec![0.0; values.len()];
    for (row, label) in rows.outer_iter().zip(labels) {
        let class = classes.iter().position(|class| class == label).ok_or_else(|| Error::Unknown {
            kind: "label".into(),
            name: name_of(label),
            nearest: None,
            known: classes.iter().map(name_of).collect(),
        })?;
        let leaf = trees.leaf_of(0, &row.to_vec());
        counts[trees.left[leaf] as usize + class] += 1.0;
    }
    for (values, counts) in values.chunks_exact_mut(classes.len()).zip(counts.chunks_exact(classes.len())) {
        let all: f64 = counts.iter().sum();
        if all > 0.0 {
            values.iter_mut().zip(counts).for_each(|(value, count)| *value = count / all);
        }
    }
    let mut parts = trees.clone().into_parts();
    parts.values = values;
    TreeModel::new(TreeEnsemble::new(parts)?, Feature::unnamed(rows.ncols()), model.outputs().to_vec())
}
