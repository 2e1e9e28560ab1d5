//! Who plays, and what the trees say of a sample: what both methods check and report alike.

use ndarray::{Array2, Array3};
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

/// The margins of one sample: the base and the leaf of every tree, summed in `f64` in the order of the trees.
///
/// # Shapes
/// `sample` (feature), `scores` (output).
pub(super) fn margins(trees: &TreeEnsemble, sample: &[f64], scores: &mut [f64]) {
    scores.copy_from_slice(&trees.base);
    for tree in 0..trees.n_trees() {
        let leaf = trees.leaf_of(tree, sample);
        let outputs = trees.outputs_of(tree);
        scores[outputs].iter_mut().zip(trees.leaf_values(tree, leaf)).for_each(|(score, value)| *score += value);
    }
}
