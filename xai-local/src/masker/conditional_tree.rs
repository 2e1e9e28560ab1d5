//! Absent columns taken from the rows of the data that share a leaf with the sample.

use ndarray::{Array2, ArrayRef2};
use xai_core::{Error, Feature, Groups, Masker, Replicas, Result, Table};

use super::association::{Node, survival};
use super::columns::equal;
use super::training::{Question, Training};

/// Absent columns come from the rows of the data in the sample's leaf of a tree that predicts them by the present ones.
///
/// For every coalition a conditional inference tree is grown, of which only the path of the sample is needed. In a node,
/// the association of every present column with all absent ones together is tested (the quadratic form of their linear
/// statistic, χ²); if the smallest p-value, times the number of columns tested (Bonferroni), is above `alpha`, the node is
/// the leaf. Otherwise the column with the smallest is split where the two sides differ most. Rows of the leaf weigh
/// alike; if they are more than `draws`, some of them are drawn.
///
/// Categories (by `features`) are split one against the rest, and so is missing against present: both may occur. Every
/// replica's absent cells come from one row together, as they occurred.
///
/// | parameter | default | range |
/// |---|---|---|
/// | [`alpha`](ConditionalTree::alpha) | 0.05 | 0 to 1; 0 never splits: the marginal distribution |
/// | [`least_split`](ConditionalTree::least_split) | 20 | rows that a node needs to be split |
/// | [`least_leaf`](ConditionalTree::least_leaf) | 7 | rows on either side of a split, ≥ 1 |
/// | [`draws`](ConditionalTree::draws) | 100 | ≥ 1 |
/// | [`seeded`](ConditionalTree::seeded) | 0 | any |
///
/// # Cost
/// At most `draws` evaluations a coalition, and O(rows · features · absent features) arithmetic for each node of a path:
/// the dearest of the maskers.
///
/// # Errors
/// [`Error::NonFinite`] for an infinite cell; [`Error::TooLarge`] for a column of too many categories.
///
/// # Laws
/// `leaves_are_those_of_the_reference`, `a_tree_of_independent_columns_is_the_background`.
///
/// # Source
/// Redelmeier, Jullum & Aas, *Explaining predictive models with mixed features using Shapley values and conditional
/// inference trees*, 2020; the tests and splits: Hothorn, Hornik & Zeileis, *Unbiased recursive partitioning*, 2006.
/// *Differs:* categories are split one against the rest.
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use xai_core::Masker;
/// use xai_local::masker::ConditionalTree;
/// // The second column is the sign of the first.
/// let data = Array2::from_shape_fn((40, 2), |(r, c)| if c == 0 { r as f64 - 19.5 } else { (r as f64 - 19.5).signum() });
/// let masker = ConditionalTree::fit(&data, &[])?;
/// let replicas = masker.replicas(&ndarray::array![[5.0, 0.0]], 0, &ndarray::array![[true, false]])?.unwrap();
/// assert!(replicas.samples.column(1).iter().all(|&sign| sign == 1.0));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalTree {
    training: Training,
    alpha: f64,
    least_split: usize,
    least_leaf: usize,
}

impl ConditionalTree {
    /// The rows of `data`, whose columns are what `features` say, or numbers if there are none.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no row, [`Error::Shape`] for another number of features than columns,
    /// [`Error::NonFinite`] for an infinite cell, [`Error::TooLarge`] for too many categories.
    pub fn fit(data: &Table, features: &[Feature]) -> Result<Self> {
        Ok(ConditionalTree { training: Training::new(data, features)?, alpha: 0.05, least_split: 20, least_leaf: 7 })
    }

    /// The p-value above which a node is not split.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless it lies from 0 to 1.
    pub fn alpha(self, alpha: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::parameter("alpha", alpha, "a number from 0 to 1"));
        }
        Ok(ConditionalTree { alpha, ..self })
    }

    /// The number of rows that a node needs to be split.
    #[must_use]
    pub fn least_split(self, rows: usize) -> Self {
        ConditionalTree { least_split: rows, ..self }
    }

    /// The number of rows that each side of a split needs.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is zero.
    pub fn least_leaf(self, rows: usize) -> Result<Self> {
        match rows {
            0 => Err(Error::parameter("least_leaf", rows, "at least 1")),
            rows => Ok(ConditionalTree { least_leaf: rows, ..self }),
        }
    }

    /// The number of rows for each coalition, at most.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is zero.
    pub fn draws(self, n: usize) -> Result<Self> {
        Ok(ConditionalTree { training: Training { weights: equal(n)?, ..self.training }, ..self })
    }

    /// The seed that the choice among the rows of a leaf follows from.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        ConditionalTree { training: Training { seed, ..self.training }, ..self }
    }

    /// The same with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(ConditionalTree { training: self.training.grouped(groups)?, ..self })
    }

    fn leaf(&self, question: &Question) -> Vec<(usize, f64)> {
        let coded = &self.training.coded;
        let mut rows: Vec<usize> = (0..coded.nrows()).collect();
        while rows.len() >= self.least_split.max(2 * self.least_leaf) {
            let node = Node::new(coded, &rows, &question.absent);
            let tested = question.present.iter().filter_map(|&code| Some((code, node.statistic(code)?)));
            let tested: Vec<(usize, f64)> = tested.collect();
            // The first of equals.
            let best = tested.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best });
            let Some((code, statistic)) = best else { break };
            let p = survival(statistic, node.rank());
            let adjusted = -f64::exp_m1(tested.len() as f64 * f64::ln_1p(-p));
            if adjusted.is_nan() || adjusted >= self.alpha {
                break;
            }
            let Some(border) = node.split(code, self.least_leaf) else { break };
            let left = question.sample[code] <= border;
            rows.retain(|&row| (coded[[row, code]] <= border) == left);
        }
        rows.into_iter().map(|row| (row, 1.0)).collect()
    }
}

impl Masker<Table> for ConditionalTree {
    fn n_players(&self, _batch: &Table, _sample: usize) -> usize {
        self.training.columns.n_players()
    }

    fn weights(&self) -> &[f64] {
        &self.training.weights
    }

    fn empty_is_shared(&self) -> bool {
        true
    }

    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let replicas = self.training.replicas(batch, sample, coalitions, |question| self.leaf(question))?;
        Ok(self.training.equalised(&replicas, coalitions))
    }

    fn replicas(
        &self,
        batch: &Table,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
    ) -> Result<Option<Replicas<Array2<f64>>>> {
        self.training.replicas(batch, sample, coalitions, |question| self.leaf(question)).map(Some)
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        self.training.columns.players(features)
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        self.training.columns.data(batch)
    }

    fn describe(&self) -> String {
        let (rows, draws, seed) = (self.training.rows.nrows(), self.training.weights.len(), self.training.seed);
        format!("conditional trees of {rows} rows, alpha {}, {draws} draws, seed {seed}", self.alpha)
    }
}
