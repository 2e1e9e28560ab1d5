//! A model made of trees.

use std::fmt;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Feature, Model, Output, Result, Table, TreeEnsemble, TreeStructured};

use super::compact::CompactTrees;

/// An ensemble of trees with the names of what goes in and comes out.
///
/// # Units
/// [`Model::predict`] gives margins; [`TreeModel::predictions`] applies the link.
///
/// # Cost
/// A prediction visits depth · trees nodes. The trees are held twice: as they are, and in a form for prediction, where
/// shallow trees are padded: 16 to 24 bytes for each of at most 8 copies of a leaf.
///
/// # Laws
/// `compact_equals_leaf_of`, `predictions_ignore_the_batch_cut`.
#[derive(Clone, PartialEq)]
pub struct TreeModel {
    trees: TreeEnsemble,
    compact: CompactTrees,
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
        let compact = CompactTrees::new(&trees);
        Ok(TreeModel { trees, compact, features, outputs })
    }

    /// The predictions behind the link, such as probabilities: (sample, output).
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predictions(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut predictions = self.predict(batch)?;
        for row in predictions.as_slice_mut().unwrap_or_default().chunks_exact_mut(self.trees.n_outputs.max(1)) {
            self.trees.link.apply(row);
        }
        Ok(predictions)
    }

    /// Renames features and outputs.
    ///
    /// # Errors
    /// As [`TreeModel::new`].
    pub fn renamed(mut self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        same_shape("names of features", &[self.trees.n_features], &[features.len()])?;
        same_shape("names of outputs", &[self.trees.n_outputs], &[outputs.len()])?;
        (self.features, self.outputs) = (features, outputs);
        Ok(self)
    }
}

impl TreeModel {
    /// Writes the scores of a few rows, whose scores start at 0.
    fn score(&self, rows: &ArrayView2<f64>, scores: &mut ArrayViewMut2<f64>) {
        let trees = &self.trees;
        let mut sums = vec![0.0; scores.len()];
        if !sums.is_empty() {
            self.compact.add_scores(trees, rows, &mut sums);
        }
        let bases = trees.base.iter().cycle();
        for ((score, sum), base) in scores.iter_mut().zip(sums).zip(bases) {
            *score = sum + base;
        }
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
        if batch.nrows() <= ROWS_PER_TASK {
            self.score(&batch.view(), &mut scores.view_mut());
            return Ok(scores);
        }
        scores
            .axis_chunks_iter_mut(Axis(0), ROWS_PER_TASK)
            .into_par_iter()
            .zip(batch.axis_chunks_iter(Axis(0), ROWS_PER_TASK))
            .for_each(|(mut scores, rows)| self.score(&rows, &mut scores));
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

/// Its size and names; the nodes of a real model would fill screens.
impl fmt::Debug for TreeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeModel")
            .field("n_trees", &self.trees.n_trees())
            .field("n_nodes", &self.trees.n_nodes())
            .field("link", &self.trees.link)
            .field("features", &self.features)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl TreeStructured for TreeModel {
    fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }
}
