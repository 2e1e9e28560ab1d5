//! Interactions where an absent feature is averaged over by cover.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array1, Array2, Array3, Axis, Slice};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::model::output_names;
use xai_core::{
    Explainer, Groups, InteractionIndex, Interactions, Meter, Provenance, Result, Run, Table, TreeEnsemble,
    TreeStructured,
};

use super::plan::Plan;
use super::sweep::{Stacks, sweep};
use super::{Found, check_order, check_size, finish};
use crate::tree::players::{Players, margins};
use crate::tree::sweep::{LANES, round};

/// The memory that the sums of one block of samples may take, so that they stay in the cache beside a tree.
const BLOCK_BYTES: usize = 1 << 18;
/// Batches of up to as many samples are explained one by one.
const FEW: usize = 2;
/// The groups of lanes that a block has at most.
const MOST_GROUPS: usize = 8;

/// What sets of features contribute together to the margins, where a split on an absent feature sends the sample both
/// ways by cover.
///
/// The game is that of [`TreeShap`](crate::tree::TreeShap). With order 1, SII, k-SII, STII and FSII are its Shapley
/// values and BII its Banzhaf values; k-SII of order 2 is what `shap` and XGBoost call interaction values
/// ([`Interactions::matrix`] halves the pairs as they do). Every set of up to `order` players that some path holds is
/// listed; all others have the value 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
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
/// No model calls. For each sample and split, the sets of up to `order` − 1 of the players above × q, where q = ⌈d/2⌉ for
/// paths with d distinct players; FSII takes up to `order` more, Möbius and Banzhaf take q = 1. Memory: 4 bytes for
/// each of those sets of each split, kept with the trees, and the result.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for an order out of range or groups that are no partition;
/// [`Error::Shape`](xai_core::Error::Shape) for a batch of another width than the trees;
/// [`Error::Unsupported`](xai_core::Error::Unsupported) for trees whose covers are all zero, and for Möbius, STII and
/// FSII of trees with covers that no training data can have;
/// [`Error::TooLarge`](xai_core::Error::TooLarge) for more than 4 million sets, 1 GiB for the trees or 4 GiB of values;
/// [`Error::Cancelled`](xai_core::Error::Cancelled).
///
/// # Laws
/// `path_dependent_interactions_equal_enumeration`, `interactions_have_the_same_bits_for_any_threads_and_batches`.
///
/// # Source
/// The games are those of Lundberg et al. 2020; the indices those named at [`InteractionIndex`]; the integral that of
/// *Quadrature-TreeSHAP* (arXiv 2605.04497). *differs:* the number of nodes is exact for each tree and index; a set is
/// credited at its deepest split, so that all leaves below share the work; Shapley-Taylor, faithful and Möbius indices
/// use the same walk with other measures.
///
/// # Example
/// ```
/// use xai_core::InteractionIndex;
/// use xai_local::tree::TreeInteractions;
/// let banzhaf = TreeInteractions { index: InteractionIndex::Bii, order: 1, ..Default::default() };
/// assert_eq!(TreeInteractions::default().order, 2);
/// # let _ = banzhaf;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeInteractions {
    /// How the game is divided.
    pub index: InteractionIndex,
    /// The most players in a set.
    pub order: usize,
    /// Which columns are one player; every column is one when `None`.
    pub groups: Option<Groups>,
}

impl Default for TreeInteractions {
    fn default() -> Self {
        TreeInteractions { index: InteractionIndex::KSii, order: 2, groups: None }
    }
}

/// What a plan was made for.
#[derive(PartialEq)]
struct Key {
    index: InteractionIndex,
    order: usize,
    player_of: Vec<usize>,
}

impl<M: TreeStructured + ?Sized> Explainer<M> for TreeInteractions {
    type Explanation = Interactions;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Interactions> {
        check_order(self.order)?;
        let (index, order, trees) = (self.index, self.order, model.trees());
        let players = Players::new(model, batch, self.groups.as_ref())?;
        let key = Key { index, order, player_of: players.of.clone() };
        let plan = trees.memo().get_or_make(key, || Plan::new(trees, &players.of, index, order))?;
        check_size(batch.nrows(), plan.terms.len(), trees.n_outputs)?;
        let meter = Meter::new(run, batch.nrows() as u64);
        // Few samples would leave most lanes idle. The arithmetic of a lane is the same, to the last bit.
        let found = match batch.nrows() {
            0..=FEW => values::<1>(trees, &plan, batch, &meter)?,
            _ => values::<LANES>(trees, &plan, batch, &meter)?,
        };
        let mut provenance = Provenance::new("tree-interactions", run)
            .note("an absent feature is averaged over by the training cover of the splits on the sample's paths");
        if self.groups.is_some() {
            provenance = provenance.with("players", players.len());
        }
        if plan.n_halved > 0 {
            let note =
                format!("{} splits have no training cover; they send an absent feature half each way", plan.n_halved);
            provenance = provenance.note(note);
        }
        finish(players, output_names(model), (index, order), plan.terms.clone(), found, provenance)
    }
}

/// The memory of one thread, for `L` samples at a time.
#[derive(Default)]
struct Workspace<const L: usize> {
    stacks: Stacks<L>,
    /// The samples of a block: (group of lanes, feature).
    rows: Vec<[f64; L]>,
    /// What the sets earned: (group of lanes, output, term).
    credit: Vec<[f64; L]>,
    sample: Vec<f64>,
}

fn values<const L: usize>(trees: &TreeEnsemble, plan: &Plan, batch: &Table, meter: &Meter) -> Result<Found> {
    let (n_outputs, n_terms) = (trees.n_outputs, plan.terms.len());
    let mut values = Array3::zeros((batch.nrows(), n_terms, n_outputs));
    let mut scores = Array2::zeros((batch.nrows(), n_outputs));
    let done = AtomicU64::new(0);
    let groups = BLOCK_BYTES / (8 * L * (n_terms * n_outputs).max(1));
    let block_size = L * groups.clamp(1, MOST_GROUPS);
    let blocks = values.axis_chunks_iter_mut(Axis(0), block_size).into_par_iter();
    blocks.zip(scores.axis_chunks_iter_mut(Axis(0), block_size)).enumerate().try_for_each_init(
        Workspace::<L>::default,
        |work, (block, (mut values, mut scores))| {
            meter.tick(done.load(Ordering::Relaxed))?;
            let start = block * block_size;
            let samples = batch.slice_axis(Axis(0), Slice::from(start..start + scores.nrows()));
            for (sample, mut scores) in samples.outer_iter().zip(scores.outer_iter_mut()) {
                work.sample.clear();
                work.sample.extend(sample);
                if let Some(scores) = scores.as_slice_mut() {
                    margins(trees, &work.sample, scores);
                }
            }
            Arch::new().dispatch(Block { trees, plan, samples: &samples, work });
            for ((sample, term, output), value) in values.indexed_iter_mut() {
                let place = (sample / L * n_outputs + output) * n_terms + term;
                *value = work.credit[place][sample % L];
            }
            done.fetch_add(scores.nrows() as u64, Ordering::Relaxed);
            Ok(())
        },
    )?;
    meter.tick(batch.nrows() as u64)?;
    let base = Array1::from(plan.base.clone()).broadcast(scores.dim()).map_or_else(|| scores.clone(), |b| b.to_owned());
    Ok(Found { values, base, scores })
}

/// Fills the workspace's credit for a block of samples, tree by tree. Lanes without a sample repeat the last one.
struct Block<'a, const L: usize> {
    trees: &'a TreeEnsemble,
    plan: &'a Plan,
    samples: &'a Table,
    work: &'a mut Workspace<L>,
}

impl<const L: usize> WithSimd for Block<'_, L> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Block { trees, plan, samples, work } = self;
        let (n_features, n_outputs, n_terms) = (trees.n_features, trees.n_outputs, plan.terms.len());
        let groups = samples.nrows().div_ceil(L);
        work.rows.clear();
        for group in 0..groups {
            work.rows.extend((0..n_features).map(|feature| {
                std::array::from_fn(|lane| {
                    let sample = (group * L + lane).min(samples.nrows() - 1);
                    round(trees, samples[[sample, feature]])
                })
            }));
        }
        work.credit.clear();
        work.credit.resize(groups * n_outputs * n_terms, [0.0; L]);
        for tree in &plan.trees {
            for (value, output) in trees.outputs_of(tree.tree).enumerate() {
                for group in 0..groups {
                    let rows = &work.rows[group * n_features..(group + 1) * n_features];
                    let first = (group * n_outputs + output) * n_terms;
                    let credit = &mut work.credit[first..first + n_terms];
                    sweep(trees, tree, plan.order, value, rows, &mut work.stacks, credit);
                }
            }
        }
        if n_terms > 0 {
            let each = work.credit.chunks_exact_mut(n_terms);
            each.for_each(|credit| plan.sums.apply(credit.as_flattened_mut(), L));
        }
    }
}
