//! A random forest.

use linfa::Label;
use linfa_ensemble::EnsembleLearner;
use linfa_trees::DecisionTree;
use xai_core::error::same_shape;
use xai_core::{Error, Result, Scale, Table};

use super::Cell;
use super::grow::Voters;
use crate::trees::TreeModel;

/// A forest whose score for a class is the share of trees that vote for it.
///
/// `classes` are the labels in the order of the outputs; `background` are the rows, best those of the training, that
/// give the nodes their covers. The rows that each tree was grown from are not recorded, so the covers count all rows.
///
/// # Units
/// Probabilities: each tree adds 1 / trees to the class of its leaf.
///
/// # Cost
/// The background passes once through every tree.
///
/// # Errors
/// As [`decision_tree`](super::decision_tree); [`Error::Parameter`] for a forest without trees.
///
/// # Laws
/// `a_forest_votes_like_linfa`: linfa predicts the class with most votes, and one of them at random when several have
/// as many; `a_forest_s_features_count_its_columns`.
///
/// # Example
/// ```
/// use linfa::prelude::*;
/// use linfa_ensemble::EnsembleLearnerParams;
/// use linfa_trees::DecisionTree;
/// use nd16::Array;
/// use rand08::{SeedableRng, rngs::SmallRng};
/// use xai_core::Model;
///
/// let rows: Vec<f64> = (0..80).map(|i| f64::from(i * 7 % 40)).collect();
/// let labels: Vec<usize> = rows.chunks(2).map(|row| usize::from(row[0] > 20.0)).collect();
/// let data = Dataset::new(Array::from_shape_vec((40, 2), rows.clone())?, Array::from_vec(labels));
/// let forest = EnsembleLearnerParams::new_fixed_rng(DecisionTree::params(), SmallRng::seed_from_u64(1))
///     .ensemble_size(10).bootstrap_proportion(0.7).feature_proportion(1.0)
///     .fit(&data)?;
///
/// let table = ndarray::Array2::from_shape_vec((40, 2), rows)?;
/// let model = xai_models::linfa::random_forest(&forest, &[0, 1], &table)?;
/// let scores = model.predict(&table)?;
/// assert!((scores[[0, 0]] + scores[[0, 1]] - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn random_forest<F: Cell, L: Label>(
    forest: &EnsembleLearner<DecisionTree<F, L>>,
    classes: &[L],
    background: &Table,
) -> Result<TreeModel> {
    let n_trees = forest.models.len();
    if n_trees == 0 {
        return Err(Error::parameter("forest", "no trees", "at least one"));
    }
    same_shape("features of the forest's trees (tree)", &[n_trees], &[forest.model_features.len()])?;
    let mut voters = Voters::new::<F>(classes, background.ncols())?;
    for (tree, columns) in forest.models.iter().zip(&forest.model_features) {
        voters.add(tree, Some(columns), 1.0 / n_trees as f64)?;
    }
    voters.finish(background, Scale::Probability)
}
