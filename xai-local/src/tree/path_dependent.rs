//! Path-dependent TreeSHAP.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array1, Array2, Array3, Axis, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::model::output_names;
use xai_core::{Attribution, Explainer, Groups, Meter, Provenance, Result, Run, Table, TreeEnsemble, TreeStructured};

use super::absence::Cover;
use super::blocks::Grove;
use super::levels::Levels;
use super::plan::Plan;
use super::players::{Players, all_margins};
use super::precision::{Precision, Real};
use super::router::rounded;
use super::sweep::{LANES, Slots, sweep_all, total};

/// The most samples that one thread takes at a time: enough to use a tree while it is in the cache. The cut changes no bit.
const MOST: usize = 16;

/// Shapley values of the margins, where a split on an absent feature sends the sample both ways by cover.
///
/// The worth of a coalition S is EXPVALUE(x, S) of Lundberg et al.: walking down a tree, a split on a feature in S
/// follows the sample, any other takes the mean of both children, weighted by their share of the node's cover. That is
/// the mean over the training rows that reach a node, not over the whole data: it depends on the shape of the trees.
/// Several columns that form one group are one player exactly; their values are not summed afterwards.
///
/// A split of cover 0 sends half each way; a note of the provenance counts such splits.
///
/// # Shapes
/// `values` (sample, player, output); `base` is the same for every sample.
///
/// # Units
/// `base` + Σ `values` = `scores`, all margins: sums of leaves before the link. Tree outputs are summed in `f64`, and so
/// are values unless [`precision`](Self::precision) says otherwise.
///
/// # Cost
/// No model calls. What depends on the trees alone is worked out once and kept with the model. For trees of up to ten
/// bits a twig (see [`Algorithm::Auto`]): leaves × d × q / 2 for a sample alone, where d is the number of players on a path
/// and q = ⌈d/2⌉; leaves × d / 2 for many, and tables of 2ᵈ·d numbers for each second leaf, made once for some 10,000
/// samples and thrown away tree by tree. For other trees nodes × q, with q about √(23·d) past d = 80. Memory: for the model
/// some 100 bytes a node, and of deep trees 16·q bytes for each split on a player that has split above; for each thread
/// 8·q + 32 bytes for each of some 4,096 splits, and of deep trees for each split with as many below; 64 MiB for the credit
/// of samples in work; no term is exponential in the depth.
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) for a batch of another width than the trees;
/// [`Error::Parameter`](xai_core::Error::Parameter) for groups that are no partition of the columns;
/// [`Error::Unsupported`](xai_core::Error::Unsupported) for trees whose covers are all zero, and in single precision for
/// leaves that it has no room for;
/// [`Error::TooLarge`](xai_core::Error::TooLarge) for a tree whose paths would need more than 1 GiB a thread (100,000
/// splits deep is possible with up to some hundred distinct players);
/// [`Error::Cancelled`](xai_core::Error::Cancelled).
///
/// # Laws
/// `path_dependent_equals_enumeration`, `a_tree_of_depth_64_equals_enumeration`, `a_million_leaves`,
/// `groups_are_players`, `values_and_base_sum_to_the_score`, `same_bits_for_any_threads_and_batches`,
/// `a_sample_alone_gets_the_bits_of_many`; in single precision `single_is_near_double`,
/// `a_sample_alone_gets_the_bits_of_many_in_single`.
///
/// # Source
/// Lundberg et al., *From local explanations to global understanding with explainable AI for trees*, Nature Machine
/// Intelligence 2 (2020), algorithm 1 for the definition. The integral is that of *Quadrature-TreeSHAP*
/// (arXiv 2605.04497). *differs:* factors are kept as h·t + c·(1 − t) with hits and covers apart, so no cover divides;
/// what a split adds is rearranged until both children share one term; the number of nodes is exact for each tree
/// instead of fixed; zero covers split in half, where XGBoost gives a zero child under a positive node 10⁻¹².
///
/// # Example
/// ```
/// use xai_core::trees::{Comparison, LEAF, NO_SET, TreeParts};
/// use xai_core::{Explainer, Model, Run, Table, TreeEnsemble, TreeStructured};
/// use xai_local::tree::TreeShap;
/// struct Stump(TreeEnsemble);
/// impl Model for Stump {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> xai_core::Result<ndarray::Array2<f64>> {
///         let score = |row: ndarray::ArrayView1<f64>| self.0.leaf_values(0, self.0.leaf_of(0, &row.to_vec()))[0];
///         Ok(ndarray::Array2::from_shape_fn((batch.nrows(), 1), |(i, _)| score(batch.row(i))))
///     }
/// }
/// impl TreeStructured for Stump {
///     fn trees(&self) -> &TreeEnsemble { &self.0 }
/// }
/// // x0 < 0: 1, otherwise 5; three quarters of the training rows went left.
/// let trees = TreeEnsemble::new(TreeParts {
///     n_features: 1, n_outputs: 1, base: vec![0.0], link: Default::default(),
///     comparison: Comparison::DOUBLE_LESS, category_rule: Default::default(),
///     starts: vec![0, 3], tree_output: vec![Some(0)],
///     feature: vec![0, LEAF, LEAF], threshold: vec![0.0; 3], left: vec![1, 0, 1], right: vec![2, 0, 0],
///     missing: vec![Default::default(); 3], default_left: vec![false; 3], set: vec![NO_SET; 3],
///     cover: vec![4.0, 3.0, 1.0], sets: vec![], values: vec![1.0, 5.0],
/// }).unwrap();
/// let found = TreeShap::default().explain(&Stump(trees), &ndarray::array![[7.0]], &Run::default()).unwrap();
/// assert_eq!((found.base[[0, 0]], found.values[[0, 0, 0]]), (2.0, 3.0));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeShap {
    /// Which columns are one player; every column is one when `None`.
    pub groups: Option<Groups>,
    /// How the sums over coalitions are taken. All ways are exact; they differ in speed and in the last bits.
    pub algorithm: Algorithm,
    /// In which numbers values are worked out: `f64`, or `f32` for more speed and fewer digits.
    pub precision: Precision,
}

/// How [`TreeShap`] sums over coalitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Twig by twig for trees with up to some ten players on a path, by a sweep over the nodes for others. Many samples
    /// look their twigs up in tables, few work them out: which, is decided for each tree by what it costs, and does not
    /// change a bit.
    #[default]
    Auto,
    /// By a sweep over the nodes, whatever the tree: its memory never grows with the number of players.
    Quadrature,
    /// Twig by twig, whatever the tree; trees with more than 13 players on a path are refused.
    Tables,
}

impl<M: TreeStructured + ?Sized> Explainer<M> for TreeShap {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        let trees = model.trees();
        let players = Players::new(model, batch, self.groups.as_ref())?;
        let meter = Meter::new(run, batch.nrows() as u64);
        let Found { values, scores, base, n_halved } = match self.precision {
            Precision::Double => self.found::<f64>(trees, &players, batch, &meter)?,
            Precision::Single => self.found::<f32>(trees, &players, batch, &meter)?,
        };
        let base = Array1::from(base).broadcast(scores.dim()).map_or_else(|| scores.clone(), |b| b.to_owned());
        let mut provenance = Provenance::new("tree-shap", run)
            .note("an absent feature is averaged over by the training cover of the splits on the sample's paths");
        if self.groups.is_some() {
            provenance = provenance.with("players", players.len());
        }
        if self.precision == Precision::Single {
            provenance = provenance.with("precision", "single").note(SINGLE);
        }
        if n_halved > 0 {
            let note = format!("{n_halved} splits have no training cover; they send an absent feature half each way");
            provenance = provenance.note(note);
        }
        players.attribution(output_names(model), values, base, scores, provenance)
    }
}

/// What single precision gives up.
const SINGLE: &str = "values are worked out in single precision: right to some 1e-6 of the largest, and base and values \
                      sum to the score to as much; scores and base are those of double precision";

/// What was worked out.
struct Found {
    /// (sample, player, output).
    values: Array3<f64>,
    /// (sample, output).
    scores: Array2<f64>,
    /// (output).
    base: Vec<f64>,
    n_halved: usize,
}

impl TreeShap {
    fn found<R: Real>(&self, trees: &TreeEnsemble, players: &Players, batch: &Table, meter: &Meter) -> Result<Found> {
        let plan = trees.memo().get_or_make((players.of.clone(), self.algorithm, self.precision), || {
            Plan::<R>::new(trees, &players.of, players.len(), self.algorithm)
        })?;
        let mut values = Array3::zeros((batch.nrows(), players.len(), trees.n_outputs));
        let scores = all_margins(trees, batch)?;
        let grove = Grove { trees, copses: &plan.copses, n_players: players.len() };
        grove.add::<R, _>(batch, &Cover, &mut values, &|done| meter.tick(done))?;
        if !plan.trees.is_empty() {
            add_swept(trees, &plan.trees, batch, &mut values, meter)?;
        }
        meter.tick(batch.nrows() as u64)?;
        Ok(Found { values, scores, base: plan.base.clone(), n_halved: plan.n_halved })
    }
}

/// The memory of one thread.
struct Workspace<R> {
    slots: Slots<R>,
    /// The samples of a block, rounded as the trees compare them: (sample, feature).
    rows: Vec<f64>,
    /// What the players earned: (sample, output, player).
    credit: Vec<[R; LANES]>,
}

/// Adds the values of the trees that are not cut into twigs.
fn add_swept<R: Real>(
    trees: &TreeEnsemble,
    swept: &[Levels<R>],
    batch: &Table,
    values: &mut Array3<f64>,
    meter: &Meter,
) -> Result<()> {
    let n_players = values.len_of(Axis(1));
    let done = AtomicU64::new(0);
    let block_len = batch.nrows().div_ceil(2 * rayon::current_num_threads()).clamp(1, MOST);
    let blocks = values.axis_chunks_iter_mut(Axis(0), block_len).into_par_iter();
    let work = || Workspace { slots: Slots::default(), rows: Vec::new(), credit: Vec::new() };
    blocks.enumerate().try_for_each_init(work, |work, (block, mut values)| {
        meter.tick(done.load(Ordering::Relaxed))?;
        let (start, n) = (block * block_len, values.len_of(Axis(0)));
        let samples = batch.slice_axis(Axis(0), Slice::from(start..start + n));
        rounded(trees, samples.iter().copied(), &mut work.rows);
        work.credit.resize(n * n_players * trees.n_outputs, [R::ZERO; LANES]);
        for some in swept.chunks(R::TREES) {
            sweep_all(trees, some, &work.rows, &mut work.slots, &mut work.credit);
            for ((sample, player, output), value) in values.indexed_iter_mut() {
                *value += total(&work.credit[(sample * trees.n_outputs + output) * n_players + player]).wide();
            }
        }
        done.fetch_add(n as u64, Ordering::Relaxed);
        Ok(())
    })
}
