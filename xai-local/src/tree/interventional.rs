//! Interventional TreeSHAP.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, Array3, Axis};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{
    Attribution, Error, Explainer, Groups, Meter, Provenance, Result, Run, Table, TreeEnsemble, TreeStructured,
};

use super::coalitions::Enumeration;
use super::pair::{LeafWeights, Pair, PairWalk};
use super::players::{Players, margins};
use super::scale::{Nonlinear, OutputScale, Transform};

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
/// No model calls. Margins and rescaled values: the leaves that mixtures of sample and background row reach, for each
/// pair; exact values of other scales 2^players for each pair, of the players that tell the two apart.
///
/// # Errors
/// [`Error::Parameter`] for a background without rows, weights or labels that make no sense, groups that are no
/// partition of the columns; [`Error::Shape`] for a batch or background of another width than the trees;
/// [`Error::Unsupported`] for rescaled softmax probabilities and for losses of links that have none known;
/// [`Error::TooLarge`] when [`Nonlinear::Exact`] meets more than 20 players; [`Error::Cancelled`].
///
/// # Laws
/// `interventional_equals_enumeration`, `exact_scales_equal_enumeration`, `values_and_base_sum_to_the_score`,
/// `same_bits_for_any_threads_and_batches`.
///
/// # Source
/// Lundberg et al., *From local explanations to global understanding with explainable AI for trees*, Nature Machine
/// Intelligence 2 (2020), algorithm 3. *differs:* no recursion; columns of a group are one player; a sample and a
/// background row with equal margins are rescaled by the derivative of the link, the limit of shap's quotient.
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
        let task = Task {
            trees,
            player_of: &players.of,
            n_players: players.len(),
            transform: &transform,
            exact: self.nonlinear == Nonlinear::Exact && !transform.is_identity(),
            weights: LeafWeights::new(),
            rows: Rows::new(trees, &self.background, self.shares()?),
        };
        let found = task.run(batch, &Meter::new(run, batch.nrows() as u64))?;
        let mut outputs = output_names(model);
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
    fn new(trees: &TreeEnsemble, background: &Table, shares: Vec<f64>) -> Self {
        let cells: Vec<f64> = background.iter().copied().collect();
        let mut all = vec![0.0; shares.len() * trees.n_outputs];
        for row in 0..shares.len() {
            let cells = &cells[row * trees.n_features..(row + 1) * trees.n_features];
            margins(trees, cells, &mut all[row * trees.n_outputs..(row + 1) * trees.n_outputs]);
        }
        Rows { cells, margins: all, shares }
    }
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
}

/// Values (sample, player, output); base and scores (sample, output).
struct Found {
    values: Array3<f64>,
    base: Array2<f64>,
    scores: Array2<f64>,
}

/// The memory of one thread.
#[derive(Default)]
struct Workspace {
    walk: PairWalk,
    enumeration: Enumeration,
    sample: Vec<f64>,
    margins: Vec<f64>,
    factor: Vec<f64>,
    stand_in: Vec<f64>,
}

impl Task<'_> {
    fn run(&self, batch: &Table, meter: &Meter) -> Result<Found> {
        let shape = (batch.nrows(), self.trees.n_outputs);
        let mut values = Array3::zeros((batch.nrows(), self.n_players, self.trees.n_outputs));
        let (mut base, mut scores) = (Array2::zeros(shape), Array2::zeros(shape));
        let done = AtomicU64::new(0);
        let parts = values.axis_iter_mut(Axis(0)).into_par_iter();
        let parts = parts.zip(base.axis_iter_mut(Axis(0))).zip(scores.axis_iter_mut(Axis(0)));
        parts.enumerate().try_for_each_init(
            Workspace::default,
            |work, (sample, ((mut values, mut base), mut scores))| {
                meter.tick(done.load(Ordering::Relaxed))?;
                work.sample.clear();
                work.sample.extend(batch.row(sample));
                // Rows of fresh arrays lie in one piece.
                if let (Some(credit), Some(base), Some(scores)) =
                    (values.as_slice_mut(), base.as_slice_mut(), scores.as_slice_mut())
                {
                    self.explain(sample, work, credit, base, scores)?;
                }
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            },
        )?;
        meter.tick(batch.nrows() as u64)?;
        Ok(Found { values, base, scores })
    }

    /// Explains one sample: `credit` (player, output), `base` and `scores` (output).
    fn explain(
        &self,
        sample: usize,
        work: &mut Workspace,
        credit: &mut [f64],
        base: &mut [f64],
        scores: &mut [f64],
    ) -> Result<()> {
        let (trees, n_outputs) = (self.trees, self.trees.n_outputs);
        margins(trees, &work.sample, scores);
        work.margins.clear();
        work.margins.extend_from_slice(scores);
        self.transform.apply(sample, scores);
        for (row, &share) in self.rows.shares.iter().enumerate() {
            if share == 0.0 {
                continue;
            }
            let there = &self.rows.margins[row * n_outputs..(row + 1) * n_outputs];
            work.stand_in.clear();
            work.stand_in.extend_from_slice(there);
            self.transform.apply(sample, &mut work.stand_in);
            base.iter_mut().zip(&work.stand_in).for_each(|(base, score)| *base += share * score);
            let other = &self.rows.cells[row * trees.n_features..(row + 1) * trees.n_features];
            let pair = Pair { trees, player_of: self.player_of, sample: &work.sample, other };
            if self.exact {
                let transform = |margins: &mut [f64]| self.transform.apply(sample, margins);
                work.enumeration.add(pair, transform, share, self.n_players, credit)?;
                continue;
            }
            work.factor.clear();
            let secants = work.margins.iter().zip(there).map(|(&a, &b)| share * self.transform.secant(sample, a, b));
            work.factor.extend(secants);
            for tree in 0..trees.n_trees() {
                work.walk.add(pair, tree, &self.weights, &work.factor, self.n_players, credit);
            }
        }
        Ok(())
    }
}
