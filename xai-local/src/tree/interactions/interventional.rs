//! Interactions where an absent feature has the value of background rows.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, Array3, Axis, Slice};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{
    Error, Explainer, Groups, InteractionIndex, Interactions, Meter, Provenance, Result, Run, Table, TreeEnsemble,
    TreeStructured,
};

use super::background::Background;
use super::mixtures::{Mixture, MixtureWalk};
use super::patterns::Masks;
use super::{Found, check_order, check_size, finish};
use crate::tree::players::{Players, margins};

/// The memory that the values of one block of samples may take.
const BLOCK_BYTES: usize = 1 << 20;
/// The samples that a block has: enough to find alike ones.
const BLOCKS: std::ops::RangeInclusive<usize> = 32..=1024;

/// What sets of features contribute together to the margins, where an absent feature has the value of a background row.
///
/// The game is that of [`InterventionalTreeShap`](crate::tree::InterventionalTreeShap): a coalition S is worth the mean,
/// over the background rows z, of the margins of the sample that takes the players in S from x and all others from z.
/// With order 1, SII, k-SII, STII and FSII are its Shapley values and BII its Banzhaf values. Every set of up to `order`
/// players that some path holds is listed; all others have the value 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `background` | must be given | the rows that stand for absence |
/// | `weights` | equal | the weight of each row |
/// | `index` | k-SII | how the game is divided |
/// | `order` | 2 | the most players in a set, 1 to 10 |
/// | `groups` | none | which columns are one player |
///
/// # Shapes
/// `values` (sample, term, output); `base` is the same for every sample.
///
/// # Units
/// Margins. For k-SII, STII and FSII `base` + Σ `values` = `scores`.
///
/// # Cost
/// No model calls. One pass of the background over the trees, kept with them. Then, for each leaf, the sets of up to
/// `order` players of its path × the background rows that differ for it, once for all samples that do not differ for it,
/// and at most the sets for each sample. Trees with more than 64 players on a path, or for which that would take more
/// than 1 GiB, are walked for each pair of sample and row.
///
/// # Errors
/// [`Error::Parameter`] for an order out of range, a background without rows, weights that make no sense or groups that
/// are no partition; [`Error::Shape`] for a batch or background of another width than the trees; [`Error::TooLarge`] for
/// more than 4 million sets or 4 GiB of values; [`Error::Cancelled`].
///
/// # Laws
/// `interventional_interactions_equal_enumeration`, `long_paths_have_the_same_interactions`,
/// `interactions_have_the_same_bits_for_any_threads_and_batches`.
///
/// # Source
/// The indices are those named at [`InteractionIndex`]. That background rows count as one where a leaf cannot tell them
/// apart is the idea of Zern et al., *Interventional SHAP values and interaction values for piecewise linear regression
/// trees*, AAAI 2023. *differs:* any index and order; rows have weights; columns of a group are one player.
///
/// # Example
/// ```
/// use xai_local::tree::InterventionalTreeInteractions;
/// let method = InterventionalTreeInteractions::new(ndarray::array![[0.0, 1.0], [2.0, f64::NAN]]);
/// assert_eq!((method.background.nrows(), method.order), (2, 2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InterventionalTreeInteractions {
    /// The rows that stand for absence: (row, feature).
    pub background: Array2<f64>,
    /// The weight of each row, at least 0; they need not sum to 1. All the same when `None`: (row).
    pub weights: Option<Vec<f64>>,
    /// How the game is divided.
    pub index: InteractionIndex,
    /// The most players in a set.
    pub order: usize,
    /// Which columns are one player; every column is one when `None`.
    pub groups: Option<Groups>,
}

impl InterventionalTreeInteractions {
    /// Pairs (k-SII of order 2) against `background`, every row with the same weight, every column a player.
    pub fn new(background: Array2<f64>) -> Self {
        InterventionalTreeInteractions {
            background,
            weights: None,
            index: InteractionIndex::KSii,
            order: 2,
            groups: None,
        }
    }

    /// The weights, so that they sum to 1: (row).
    fn shares(&self) -> Result<Vec<f64>> {
        let rows = self.background.nrows();
        if rows == 0 {
            return Err(Error::parameter("background", "no rows", "at least one row"));
        }
        let Some(weights) = &self.weights else { return Ok(vec![1.0 / rows as f64; rows]) };
        same_shape("weights (background row)", &[rows], &[weights.len()])?;
        let total: f64 = weights.iter().sum();
        if weights.iter().any(|w| !(w.is_finite() && *w >= 0.0)) || !(total > 0.0 && total.is_finite()) {
            return Err(Error::parameter("weights", format!("{weights:?}"), "finite numbers of at least 0, not all 0"));
        }
        Ok(weights.iter().map(|w| w / total).collect())
    }
}

/// What a background was prepared for; numbers as bits, so that a missing cell equals itself.
#[derive(PartialEq)]
struct Key {
    index: InteractionIndex,
    order: usize,
    player_of: Vec<usize>,
    cells: Vec<u64>,
    shares: Vec<u64>,
}

impl<M: TreeStructured + ?Sized> Explainer<M> for InterventionalTreeInteractions {
    type Explanation = Interactions;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Interactions> {
        check_order(self.order)?;
        let (index, order, trees) = (self.index, self.order, model.trees());
        let players = Players::new(model, batch, self.groups.as_ref())?;
        same_shape("columns of the background", &[trees.n_features], &[self.background.ncols()])?;
        let (cells, shares): (Vec<f64>, _) = (self.background.iter().copied().collect(), self.shares()?);
        let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect();
        let key = Key { index, order, player_of: players.of.clone(), cells: bits(&cells), shares: bits(&shares) };
        let background =
            trees.memo().get_or_make(key, || Background::new(trees, &players.of, (index, order), cells, shares))?;
        check_size(batch.nrows(), background.terms.len(), trees.n_outputs)?;
        let meter = Meter::new(run, batch.nrows() as u64);
        let found = values(trees, &players.of, &background, batch, &meter)?;
        let mut provenance = Provenance::new("interventional-tree-interactions", run)
            .with("background", self.background.nrows())
            .with("weighted", self.weights.is_some());
        if self.groups.is_some() {
            provenance = provenance.with("players", players.len());
        }
        finish(players, output_names(model), (index, order), background.terms.clone(), found, provenance)
    }
}

/// The memory of one thread.
#[derive(Default)]
struct Workspace {
    masks: Masks,
    walk: MixtureWalk,
    /// The samples of a block: (sample, feature).
    samples: Vec<f64>,
}

fn values(
    trees: &TreeEnsemble,
    player_of: &[usize],
    background: &Background,
    batch: &Table,
    meter: &Meter,
) -> Result<Found> {
    let (n_outputs, n_terms) = (trees.n_outputs, background.terms.len());
    let mut values = Array3::zeros((batch.nrows(), n_terms, n_outputs));
    let mut scores = Array2::zeros((batch.nrows(), n_outputs));
    let done = AtomicU64::new(0);
    let threads = 2 * rayon::current_num_threads();
    let fitting = BLOCK_BYTES / (8 * n_terms * n_outputs).max(1);
    let block_size = fitting.min(batch.nrows() / threads).clamp(*BLOCKS.start(), *BLOCKS.end());
    let blocks = values.axis_chunks_iter_mut(Axis(0), block_size).into_par_iter();
    blocks.zip(scores.axis_chunks_iter_mut(Axis(0), block_size)).enumerate().try_for_each_init(
        Workspace::default,
        |work, (block, (mut values, mut scores))| {
            let start = block * block_size;
            work.samples.clear();
            work.samples.extend(batch.slice_axis(Axis(0), Slice::from(start..start + scores.nrows())));
            for (sample, mut scores) in scores.outer_iter_mut().enumerate() {
                let cells = &work.samples[sample * trees.n_features..(sample + 1) * trees.n_features];
                if let Some(scores) = scores.as_slice_mut() {
                    margins(trees, cells, scores);
                }
            }
            // Blocks of fresh arrays lie in one piece.
            if let Some(credit) = values.as_slice_mut() {
                for tree in 0..trees.n_trees() {
                    meter.tick(done.load(Ordering::Relaxed))?;
                    add_tree(trees, player_of, background, tree, work, credit);
                }
                if n_terms > 0 {
                    credit
                        .chunks_exact_mut(n_terms * n_outputs)
                        .for_each(|credit| background.sums.apply(credit, n_outputs));
                }
            }
            done.fetch_add(scores.nrows() as u64, Ordering::Relaxed);
            Ok(())
        },
    )?;
    meter.tick(batch.nrows() as u64)?;
    let base = Array2::from_shape_fn(scores.dim(), |(_, output)| background.base[output]);
    Ok(Found { values, base, scores })
}

/// Adds what one tree contributes to the samples of a block.
fn add_tree(
    trees: &TreeEnsemble,
    player_of: &[usize],
    background: &Background,
    tree: usize,
    work: &mut Workspace,
    credit: &mut [f64],
) {
    if let Some(patterns) = &background.patterns[tree] {
        patterns.add(trees, tree, &background.moments, &work.samples, &mut work.masks, credit);
        return;
    }
    let width = trees.n_features.max(1);
    let own = credit.len() / (work.samples.len() / width).max(1);
    if own == 0 {
        return;
    }
    for (sample, credit) in work.samples.chunks_exact(width).zip(credit.chunks_exact_mut(own)) {
        for (row, &share) in background.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let mixture = Mixture { trees, player_of, sample, row: background.row(trees, row) };
            work.walk.add(mixture, tree, (&background.places, &background.moments), share, credit);
        }
    }
}
