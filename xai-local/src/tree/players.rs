//! Who plays, and what the trees say of a sample: what both methods check and report alike.

use ndarray::{Array2, Array3, Axis, Slice};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::model::feature_names;
use xai_core::{Attribution, Feature, Groups, Output, Provenance, Result, Table, TreeEnsemble, TreeStructured};

use super::router::{Router, rounded};

/// Samples times trees that are not worth a second thread.
const SMALL: usize = 5000;
/// Samples that one thread takes at a time.
const BLOCK: usize = 64;

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
            shape: None,
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

/// The margins of all samples: the numbers of [`margins`].
///
/// # Shapes
/// `batch` (sample, feature) → (sample, output).
///
/// # Errors
/// None; the signature is that of what is kept beside the trees.
pub(super) fn all_margins(trees: &TreeEnsemble, batch: &Table) -> Result<Array2<f64>> {
    let mut scores = Array2::zeros((batch.nrows(), trees.n_outputs));
    let router = Router::of(trees)?;
    let n_outputs = trees.n_outputs.max(1);
    let some = |rows: &mut Vec<f64>, first: usize, scores: &mut [f64]| {
        let samples = first..first + scores.len() / n_outputs;
        if let Some(router) = &*router {
            rounded(trees, batch.slice_axis(Axis(0), Slice::from(samples)).iter().copied(), rows);
            return router.margins(trees, rows, scores);
        }
        for (sample, scores) in samples.zip(scores.chunks_exact_mut(n_outputs)) {
            margins(trees, &batch.row(sample).to_vec(), scores);
        }
    };
    if let Some(all) = scores.as_slice_mut().filter(|all| !all.is_empty()) {
        if batch.nrows() * trees.n_trees() < SMALL {
            some(&mut Vec::new(), 0, all);
        } else {
            let some = |rows: &mut Vec<f64>, (block, scores): (usize, &mut [f64])| some(rows, block * BLOCK, scores);
            all.par_chunks_mut(n_outputs * BLOCK).enumerate().for_each_init(Vec::new, some);
        }
    }
    Ok(scores)
}
