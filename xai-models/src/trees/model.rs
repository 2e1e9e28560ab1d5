//! A model made of trees.

use ndarray::{Array2, Axis};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Feature, Model, Output, Result, Table, TreeEnsemble, TreeStructured};

/// An ensemble of trees with the names of what goes in and comes out.
///
/// # Units
/// [`Model::predict`] gives margins; [`TreeModel::predictions`] applies the link.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeModel {
    trees: TreeEnsemble,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

/// How many rows one task predicts: their scores stay in cache while tree after tree passes over them.
const ROWS_PER_TASK: usize = 64;

impl TreeModel {
    /// A model of `trees`.
    ///
    /// # Errors
    /// [`Error::Shape`](xai_core::Error::Shape) when the names are not as many as the columns and the outputs.
    pub fn new(trees: TreeEnsemble, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        same_shape("names of features", &[trees.n_features], &[features.len()])?;
        same_shape("names of outputs", &[trees.n_outputs], &[outputs.len()])?;
        Ok(TreeModel { trees, features, outputs })
    }

    /// The predictions behind the link, such as probabilities: (sample, output).
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predictions(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut scores = self.predict(batch)?;
        for mut row in scores.outer_iter_mut() {
            let mut prediction = row.to_vec();
            self.trees.link.apply(&mut prediction);
            row.assign(&ndarray::ArrayView1::from(&prediction));
        }
        Ok(scores)
    }

    /// Renames features and outputs.
    ///
    /// # Errors
    /// As [`TreeModel::new`].
    pub fn renamed(self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        TreeModel::new(self.trees, features, outputs)
    }
}

impl Model for TreeModel {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.trees.n_outputs
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let trees = &self.trees;
        same_shape("columns of the batch", &[trees.n_features], &[batch.ncols()])?;
        let mut scores = Array2::zeros((batch.nrows(), trees.n_outputs));
        scores
            .axis_chunks_iter_mut(Axis(0), ROWS_PER_TASK)
            .into_par_iter()
            .zip(batch.axis_chunks_iter(Axis(0), ROWS_PER_TASK))
            .for_each(|(mut scores, rows)| {
                let rows = rows.as_standard_layout();
                for tree in 0..trees.n_trees() {
                    let outputs = trees.outputs_of(tree);
                    for (mut score, row) in scores.outer_iter_mut().zip(rows.outer_iter()) {
                        let leaf = trees.leaf_of(tree, row.as_slice().unwrap_or_default());
                        for (output, value) in outputs.clone().zip(trees.leaf_values(tree, leaf)) {
                            score[output] += value;
                        }
                    }
                }
                for mut score in scores.outer_iter_mut() {
                    score.iter_mut().zip(&trees.base).for_each(|(s, b)| *s += b);
                }
            });
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl TreeStructured for TreeModel {
    fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }
}
