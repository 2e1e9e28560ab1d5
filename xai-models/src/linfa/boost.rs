//! AdaBoost of decision trees.

use linfa::Label;
use linfa_ensemble::AdaBoost;
use linfa_trees::DecisionTree;
use xai_core::error::same_shape;
use xai_core::{Error, Result, Scale, Table};

use super::Cell;
use super::grow::Voters;
use crate::trees::TreeModel;

/// Boosted trees whose score for a class is the sum of the weights of the trees that vote for it.
///
/// The outputs are the model's `classes` in their order; `background` are the rows, best those of the training, that
/// give the nodes their covers.
///
/// # Units
/// Margins: linfa predicts the class with the largest one. A tree without a fault in training has the weight 10⁶.
///
/// # Errors
/// As [`decision_tree`](super::decision_tree); [`Error::Parameter`] for a model without trees.
///
/// # Laws
/// `boosted_trees_vote_like_linfa`.
pub fn ada_boost<F: Cell, L: Label>(model: &AdaBoost<DecisionTree<F, L>, L>, background: &Table) -> Result<TreeModel> {
    if model.models.is_empty() {
        return Err(Error::parameter("model", "no trees", "at least one"));
    }
    same_shape("weights of the boosted trees (tree)", &[model.models.len()], &[model.model_weights.len()])?;
    let mut voters = Voters::new::<F>(&model.classes, background.ncols())?;
    for (tree, weight) in model.models.iter().zip(&model.model_weights) {
        voters.add(tree, None, *weight)?;
    }
    voters.finish(background, Scale::Margin)
}
