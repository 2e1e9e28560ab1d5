//! Interventional TreeSHAP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array1, Array2, Array3, Axis, Slice};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{
    Attribution, Error, Explainer, Groups, Meter, Provenance, Result, Run, Table, TreeEnsemble, TreeStructured,
};

use super::coalitions::{Enumeration, MOST_PLAYERS};
use super::crowd::{Crowd, Factors, Samples};
use super::pair::{LeafWeights, Pair};
use super::players::{Players, all_margins, margins};
use super::router::rounded;
use super::scale::{Nonlinear, OutputScale, Transform};
use super::tabulated::{self, Tabulated};
use super::trail::Trail;

/// Shapley values of the score, where an absent feature has the value of a background row.
///
/// The worth of a coalition S is the mean over the background rows z of the score of the sample that takes the players
/// in S from x and all others from z. The same numbers as [`ExactShap`](crate::shapley::ExactShap) with the same
/// background, without its limit on players. Categorical splits, missing values in samples and background, leaves with
/// a value for every output and weighted rows are all exact.
///
/// # Shapes
/// `values` (sample, player, output); `base` (sample, output) is the same for every sample but on the loss scale.
///
/// # Units
/// `base` + Σ `values` = `scores` on the scale of `scale`. On a scale that is not linear in the margin, the default
/// [`Nonlinear::Rescale`] is what shap computes and no Shapley value of that scale; [`Nonlinear::Exact`] is.
///
/// # Cost
/// No model calls. Margins of trees with few players on a path, 7 or, against m background rows, log₂ m, go by tables of
/// 2ᵈ·d numbers for each second leaf: reading the background takes leaves / 2 for each row, making a table about
/// d²·log₂ d·2ᵈ, a sample leaves × d / 2. Up to 64 MiB of tables are kept with the model for the next call with the same
/// background. Other trees, and rescaled values: up to 512 background rows walk down a tree together beside one sample, as
/// a set of bits that shrinks wherever they part from the sample; the time for a sample and a row is at most the leaves
/// that a mixture of the two can reach, about 1.5ᵈ of 2ᵈ, most of it shared. Memory for each thread: a bit for each
/// split and row of the 512, 4 KiB for each player on a path. Exact values of other scales: 2^players for each pair, of the
/// players that tell the two apart.
///
/// # Errors
/// [`Error::Parameter`] for a background without rows, weights or labels that make no sense, groups that are no
/// partition of the columns; [`Error::Shape`] for a batch or background of another width than the trees;
/// [`Error::Unsupported`] for rescaled softmax probabilities and losses and for losses of links that have none known;
/// [`Error::TooLarge`] when [`Nonlinear::Exact`] meets more than 20 players; [`Error::Cancelled`].
///
/// # Laws
/// `interventional_equals_enumeration` (margins and exact predictions), `long_paths_equal_enumeration`,
/// `a_deep_tree_equals_enumeration`, `many_rows_are_the_mean_of_single_rows`,
/// `rescaled_values_are_margins_times_the_secant`, `values_and_base_sum_to_the_score`,
/// `same_bits_for_any_threads_and_batches`, `a_sample_alone_gets_the_bits_of_many`.
///
/// # Source
/// Lundberg et al., *From local explanations to global understanding with explainable AI for trees*, Nature Machine
/// Intelligence 2 (2020), algorithm 3. *differs:* the recursion runs once for a sample and a set of background rows, which
/// splits only where they differ; tables by pattern as in WOODELF (arXiv 2511.09376), made by quadrature instead of cubes;
/// columns of a group are one player; a sample and a background row with equal margins are
/// rescaled by the derivative of the link, the limit of shap's quotient.
///
/// # Example
/// ```
/// use xai_local::tree::{InterventionalTreeShap, OutputScale};
/// let method = InterventionalTreeShap {
///     scale: OutputScale::Prediction,
///     ..InterventionalTreeShap::new(ndarray::array![[0.0, 1.0], [2.0, f64::NAN]])
/// };
/// assert_eq!(method.background.nrows(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InterventionalTreeShap {
    /// The rows that stand for absence: (row, feature).
    pub background: Array2<f64>,
    /// The weight of each row, at least 0; they need not sum to 1. All the same when `None`: (row).
    pub weights: Option<Vec<f64>>,
    /// The scale on which scores are explained.
    pub scale: OutputScale,
    /// How a scale that is not linear in the margin is explained.
    pub nonlinear: Nonlinear,
    /// Which columns are one player; every column is one when `None`.
    pub groups: Option<Groups>,
}

impl InterventionalTreeShap {
    /// Margins against `background`, every row with the same weight, every column a player.
    pub fn new(background: Array2<f64>) -> Self {
        InterventionalTreeShap { background, ..Default::default() }
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

impl<M: TreeStructured + ?Sized> Explainer<M> for InterventionalTreeShap {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        let trees = model.trees();
        let players = Players::new(model, batch, self.groups.as_ref())?;
        same_shape("columns of the background", &[trees.n_features], &[self.background.ncols()])?;
        let transform = Transform::new(&self.scale, self.nonlinear, trees, batch.nrows())?;
        let exact = self.nonlinear == Nonlinear::Exact && !transform.is_identity();
        let rows = Rows::new(trees, &self.background, self.shares()?)?;
        let meter = Meter::new(run, batch.nrows() as u64);
        let tabulated = match transform.is_identity() {
            true => Some(Tabulated::new(trees, &players.of, players.len(), rows.shares.len())?),
            false => None,
        };
        let others = tabulated.as_ref().map_or_else(|| vec![true; trees.n_trees()], |found| found.others.clone());
        let task = Task {
            trees,
            player_of: &players.of,
            n_players: players.len(),
            transform: &transform,
            exact,
            weights: LeafWeights::new(),
            trails: if exact { Arc::default() } else { trails(trees, &players, others)? },
            crowd: Crowd::new(trees, &rows.cells, rows.shares.len()),
            rows,
        };
        let mut found = if !task.trails.is_empty() || tabulated.is_none() {
            task.run(batch, &meter)?
        } else {
            task.margins(batch)?
        };
        if let Some(tabulated) = tabulated {
            let rows = tabulated::Rows { cells: &task.rows.cells, shares: &task.rows.shares };
            tabulated.add(trees, &players.of, rows, batch, &mut found.values, &|done| meter.tick(done))?;
            meter.tick(batch.nrows() as u64)?;
        }
        let mut outputs = output_names(model);
        let n_scores = transform.n_scores(outputs.len());
        if n_scores < outputs.len() {
            outputs.truncate(n_scores);
            found = found.first_outputs(n_scores);
        }
        transform.rename(&self.scale, trees.link, &mut outputs);
        let mut provenance = Provenance::new("interventional-tree-shap", run)
            .with("background", self.background.nrows())
            .with("weighted", self.weights.is_some())
            .with("scale", self.scale.name());
        if self.groups.is_some() {
            provenance = provenance.with("players", players.len());
        }
        if !transform.is_identity() {
            provenance = match self.nonlinear {
                Nonlinear::Exact => provenance.with("nonlinear", "exact"),
                Nonlinear::Rescale => provenance.with("nonlinear", "rescale").note(
                    "margin values rescaled for each background row, as shap does; not the Shapley values of the \
                     scale itself, for which set nonlinear to exact",
                ),
            };
        }
        players.attribution(outputs, found.values, found.base, found.scores, provenance)
    }
}

/// The background, with what every sample needs of it.
struct Rows {
    /// The rows one after another: (row, feature).
    cells: Vec<f64>,
    /// Their margins: (row, output).
    margins: Vec<f64>,
    /// Their weights, which sum to 1: (row).
    shares: Vec<f64>,
}

impl Rows {
    fn new(trees: &TreeEnsemble, background: &Table, shares: Vec<f64>) -> Result<Self> {
        let cells: Vec<f64> = background.iter().copied().collect();
        let margins = all_margins(trees, background)?.into_iter().collect();
        Ok(Rows { cells, margins, shares })
    }

    /// One row of the background: (feature).
    fn row(&self, trees: &TreeEnsemble, row: usize) -> &[f64] {
        &self.cells[row * trees.n_features..(row + 1) * trees.n_features]
    }
}

/// What trails are kept by.
#[derive(PartialEq)]
struct TrailsKey {
    player_of: Vec<usize>,
    wanted: Vec<bool>,
}

/// The trails of the wanted trees, kept beside the model.
fn trails(trees: &TreeEnsemble, players: &Players, wanted: Vec<bool>) -> Result<Arc<Vec<Trail>>> {
    if !wanted.contains(&true) {
        return Ok(Arc::default());
    }
    let key = TrailsKey { player_of: players.of.clone(), wanted: wanted.clone() };
    trees.memo().get_or_make(key, || {
        let wanted = (0..trees.n_trees()).filter(|&tree| wanted[tree] && !trees.is_leaf(trees.root(tree)));
        Ok(wanted.map(|tree| Trail::new(trees, tree, &players.of, players.len())).collect())
    })
}

/// Everything that is the same for all samples.
struct Task<'a> {
    trees: &'a TreeEnsemble,
    player_of: &'a [usize],
    n_players: usize,
    transform: &'a Transform<'a>,
    exact: bool,
    weights: LeafWeights,
    rows: Rows,
    /// The trees without tables; none when `exact`.
    trails: Arc<Vec<Trail>>,
    crowd: Crowd,
}

/// Values (sample, player, output); base and scores (sample, output).
struct Found {
    values: Array3<f64>,
    base: Array2<f64>,
    scores: Array2<f64>,
}

impl Found {
    fn first_outputs(self, n: usize) -> Found {
        let first = Slice::from(..n);
        Found {
            values: self.values.slice_axis(Axis(2), first).to_owned(),
            base: self.base.slice_axis(Axis(1), first).to_owned(),
            scores: self.scores.slice_axis(Axis(1), first).to_owned(),
        }
    }
}

/// How many samples one thread takes at a time: where the background rows go is found anew for each block. The cut changes
/// no bit.
const BLOCKS: std::ops::RangeInclusive<usize> = 8..=256;

/// The memory of one thread.
#[derive(Default)]
struct Workspace {
    enumeration: Enumeration,
    /// The block's samples, rounded as the trees compare them: (sample, feature).
    samples: Vec<f64>,
    /// The margins of the present one: (output).
    margins: Vec<f64>,
    /// What each pair's margin values are multiplied with: (sample, background row, output).
    factors: Vec<f64>,
    stand_in: Vec<f64>,
}

impl Task<'_> {
    /// The margins of samples and background, and values of 0.
    fn margins(&self, batch: &Table) -> Result<Found> {
        let n_outputs = self.trees.n_outputs;
        let mut mean = Array1::zeros(n_outputs);
        for (margins, share) in self.rows.margins.chunks_exact(n_outputs.max(1)).zip(&self.rows.shares) {
            mean.iter_mut().zip(margins).for_each(|(mean, margin)| *mean += share * margin);
        }
        let scores = all_margins(self.trees, batch)?;
        let base = mean.broadcast(scores.dim()).map_or_else(|| scores.clone(), |base| base.to_owned());
        Ok(Found { values: Array3::zeros((batch.nrows(), self.n_players, n_outputs)), base, scores })
    }

    fn run(&self, batch: &Table, meter: &Meter) -> Result<Found> {
        let shape = (batch.nrows(), self.trees.n_outputs);
        let mut values = Array3::zeros((batch.nrows(), self.n_players, self.trees.n_outputs));
        let (mut base, mut scores) = (Array2::zeros(shape), Array2::zeros(shape));
        let done = AtomicU64::new(0);
        let block = (batch.nrows() / (2 * rayon::current_num_threads())).clamp(*BLOCKS.start(), *BLOCKS.end());
        let blocks = values.axis_chunks_iter_mut(Axis(0), block).into_par_iter();
        let blocks = blocks.zip(base.axis_chunks_iter_mut(Axis(0), block));
        let blocks = blocks.zip(scores.axis_chunks_iter_mut(Axis(0), block));
        blocks.enumerate().try_for_each_init(
            Workspace::default,
            |work, (number, ((mut values, mut base), mut scores))| {
                let start = number * block;
                let n = scores.nrows();
                let samples = batch.slice_axis(Axis(0), Slice::from(start..start + n));
                rounded(self.trees, samples.iter().copied(), &mut work.samples);
                // Blocks of fresh arrays lie in one piece.
                if let (Some(credit), Some(base), Some(scores)) =
                    (values.as_slice_mut(), base.as_slice_mut(), scores.as_slice_mut())
                {
                    work.margins.clear();
                    work.factors.clear();
                    for sample in 0..n {
                        meter.tick(done.load(Ordering::Relaxed))?;
                        self.prepare(start + sample, sample, work, credit, base, scores)?;
                        done.fetch_add(u64::from(self.exact), Ordering::Relaxed);
                    }
                    self.add_trees(n, work, credit, meter)?;
                }
                done.fetch_add(if self.exact { 0 } else { n as u64 }, Ordering::Relaxed);
                Ok(())
            },
        )?;
        meter.tick(batch.nrows() as u64)?;
        Ok(Found { values, base, scores })
    }

    /// Scores one sample of the batch and the background rows in its place; on an exact scale, also explains it.
    ///
    /// # Shapes
    /// Of the block that the sample is number `place` of: `credit` (sample, player, output); `base` and `scores`
    /// (sample, output).
    fn prepare(
        &self,
        sample: usize,
        place: usize,
        work: &mut Workspace,
        credit: &mut [f64],
        base: &mut [f64],
        scores: &mut [f64],
    ) -> Result<()> {
        let (trees, n_outputs) = (self.trees, self.trees.n_outputs);
        let own = place * n_outputs..(place + 1) * n_outputs;
        let (base, scores) = (&mut base[own.clone()], &mut scores[own]);
        let cells = &work.samples[place * trees.n_features..(place + 1) * trees.n_features];
        margins(trees, cells, scores);
        work.margins.clear();
        work.margins.extend_from_slice(scores);
        self.transform.apply(sample, scores);
        for (row, &share) in self.rows.shares.iter().enumerate() {
            let there = &self.rows.margins[row * n_outputs..(row + 1) * n_outputs];
            work.stand_in.clear();
            work.stand_in.extend_from_slice(there);
            self.transform.apply(sample, &mut work.stand_in);
            base.iter_mut().zip(&work.stand_in).for_each(|(base, score)| *base += share * score);
            if !self.exact {
                if self.transform.is_identity() {
                    continue;
                }
                let pairs = work.margins.iter().zip(there);
                work.factors.extend(pairs.map(|(&a, &b)| share * self.transform.secant(sample, a, b)));
            } else if share > 0.0 {
                let pair = Pair { trees, player_of: self.player_of, sample: cells, other: self.rows.row(trees, row) };
                let transform = |margins: &mut [f64]| self.transform.apply(sample, margins);
                let width = self.n_players * n_outputs;
                let credit = &mut credit[place * width..(place + 1) * width];
                work.enumeration.add(pair, transform, share, self.n_players, credit).map_err(|found| {
                    Error::TooLarge {
                        what: format!("players that tell sample {sample} from background row {row}, for exact values"),
                        limit: MOST_PLAYERS as u64,
                        found: found as u64,
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Explains the margins of the block's `n` samples, tree by tree, each pair with its factor.
    fn add_trees(&self, n: usize, work: &Workspace, credit: &mut [f64], meter: &Meter) -> Result<()> {
        let factors = if self.transform.is_identity() {
            Factors::Shares(&self.rows.shares)
        } else {
            Factors::Rows(&work.factors)
        };
        let samples = Samples { cells: &work.samples, n, factors };
        for trail in self.trails.iter() {
            meter.tick(0)?;
            self.crowd.add(self.trees, trail, samples, &self.weights, credit);
        }
        Ok(())
    }
}
