//! Who plays, and what the trees say of a sample: what both methods check and report alike.

use ndarray::{Array2, Array3};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::model::feature_names;
use xai_core::{Attribution, Feature, Groups, Output, Provenance, Result, Table, TreeEnsemble, TreeStructured};

/// The players of a tree ensemble.
pub(super) struct Players {
    /// Names and kinds: (player).
    pub features: Vec<Feature>,
    /// The player of each column: (feature).
    pub of: Vec<usize>,
    /// What to show as the players' values: (sample, player).
    pub data: Array2<f64>,
}

impl Players {
    /// The players of a model for a batch: its columns, or groups of them.
    ///
    /// # Errors
    /// [`Error::Shape`](xai_core::Error::Shape) when batch, names and trees do not fit together;
    /// [`Error::Parameter`](xai_core::Error::Parameter) for groups that are no partition of the columns.
    pub(super) fn new<M: TreeStructured + ?Sized>(model: &M, batch: &Table, groups: Option<&Groups>) -> Result<Self> {
        let trees = model.trees();
        same_shape("columns of the batch", &[trees.n_features], &[batch.ncols()])?;
        same_shape("outputs of the model", &[trees.n_outputs], &[model.n_outputs()])?;
        let columns = feature_names(model, batch)?;
        Ok(match groups {
            None => Players { features: columns, of: (0..batch.ncols()).collect(), data: batch.to_owned() },
            Some(groups) => Players {
                of: groups.player_of(batch.ncols())?,
                features: groups.players.clone(),
                data: groups.data(batch),
            },
        })
    }

    /// The number of players.
    pub(super) fn len(&self) -> usize {
        self.features.len()
    }

    /// The finished explanation.
    pub(super) fn attribution(
        self,
        outputs: Vec<Output>,
        values: Array3<f64>,
        base: Array2<f64>,
        scores: Array2<f64>,
        provenance: Provenance,
    ) -> Result<Attribution> {
        let all = Attribution {
            provenance,
            features: self.features,
            outputs,
            base,
            values,
            scores,
            standard_error: None,
            data: Some(self.data),
            fidelity: None,
        };
        all.checked()
    }
}

/// Leaves that are looked for side by side, so that they do not wait for one another's memory.
const ABREAST: usize = 8;

/// The margins of one sample: the base and the leaf of every tree, summed in `f64` in the order of the trees.
///
/// # Shapes
/// `sample` (feature), `scores` (output).
pub(super) fn margins(trees: &TreeEnsemble, sample: &[f64], scores: &mut [f64]) {
    scores.copy_from_slice(&trees.base);
    for first in (0..trees.n_trees()).step_by(ABREAST) {
        let mut nodes = [None; ABREAST];
        let in_reach = first..trees.n_trees().min(first + ABREAST);
        nodes.iter_mut().zip(in_reach.clone()).for_each(|(node, tree)| *node = Some(trees.root(tree)));
        let leaves = leaves(trees, sample, nodes.map(|node| node.unwrap_or(trees.root(first))));
        for (tree, leaf) in in_reach.zip(leaves) {
            let outputs = trees.outputs_of(tree);
            scores[outputs].iter_mut().zip(trees.leaf_values(tree, leaf)).for_each(|(score, value)| *score += value);
        }
    }
}

/// The leaves below some nodes that a sample falls into.
fn leaves(trees: &TreeEnsemble, sample: &[f64], mut nodes: [usize; ABREAST]) -> [usize; ABREAST] {
    loop {
        let mut is_done = true;
        for node in &mut nodes {
            let at = *node;
            if !trees.is_leaf(at) {
                is_done = false;
                let left = trees.goes_left(at, sample[trees.feature[at] as usize]);
                *node = if left { trees.left[at] } else { trees.right[at] } as usize;
            }
        }
        if is_done {
            return nodes;
        }
    }
}

/// The margins of all samples.
///
/// # Shapes
/// `batch` (sample, feature) → (sample, output).
pub(super) fn all_margins(trees: &TreeEnsemble, batch: &Table) -> Array2<f64> {
    let mut scores = Array2::zeros((batch.nrows(), trees.n_outputs));
    let one = |sample: usize, scores: &mut [f64]| match batch.row(sample).as_slice() {
        Some(row) => margins(trees, row, scores),
        None => margins(trees, &batch.row(sample).to_vec(), scores),
    };
    let n_outputs = trees.n_outputs.max(1);
    if let Some(all) = scores.as_slice_mut() {
        if batch.nrows() * trees.n_trees() < 5000 {
            all.chunks_exact_mut(n_outputs).enumerate().for_each(|(sample, scores)| one(sample, scores));
        } else {
            all.par_chunks_exact_mut(n_outputs).enumerate().for_each(|(sample, scores)| one(sample, scores));
        }
    }
    scores
}
