//! Background rows, with what every sample needs of them.

use rayon::prelude::*;
use xai_core::{InteractionIndex, Result, TreeEnsemble};

use super::measure::Measures;
use super::patterns::Patterns;
use super::terms::{Places, Sums, list};
use crate::tree::players::margins;

/// Paths with more distinct players than a mask has bits are walked pair by pair.
pub(super) const MOST_PLAYERS: usize = 64;
/// The most memory for all trees' patterns; trees beyond it are walked pair by pair.
const MOST_BYTES: u64 = 1 << 30;

/// What every sample needs of the background.
pub(super) struct Background {
    /// The sets that have a value, by size.
    pub terms: Vec<Vec<usize>>,
    pub places: Places,
    /// What makes the index of the measures' values.
    pub sums: Sums,
    pub moments: Moments,
    /// The mean margins of the rows: (output).
    pub base: Vec<f64>,
    /// The rows one after another: (row, feature).
    pub cells: Vec<f64>,
    /// Their weights, which sum to 1: (row).
    pub shares: Vec<f64>,
    /// Those of each tree, unless it must be walked pair by pair: (tree).
    pub patterns: Vec<Option<Patterns>>,
}

/// ∫ tⁱ (1 − t)ʲ dμ, tabulated.
pub(super) struct Moments {
    measures: Measures,
    table: Vec<f64>,
    /// The number of players, and of i and j.
    n: usize,
    /// The most players that a background row may miss for a leaf and still count.
    pub most_missed: usize,
}

impl Moments {
    fn new(measures: Measures) -> Self {
        let n = MOST_PLAYERS + 1;
        let entry = |e: usize| measures.moment(e / (n * n) + 1, e / n % n, e % n);
        let table = (0..measures.order() * n * n).map(entry).collect();
        let most_missed = if measures.only_zero() { measures.order() } else { usize::MAX };
        Moments { table, n, most_missed, measures }
    }

    /// For sets of `size` players, when `i` more must be present and `j` more absent.
    pub(super) fn of(&self, size: usize, i: usize, j: usize) -> f64 {
        if i < self.n && j < self.n {
            return self.table[((size - 1) * self.n + i) * self.n + j];
        }
        self.measures.moment(size, i, j)
    }

    /// The largest size of a set.
    pub(super) fn order(&self) -> usize {
        self.measures.order()
    }
}

impl Background {
    /// # Shapes
    /// `cells` (row, feature), `shares` (row).
    ///
    /// # Errors
    /// [`Error::TooLarge`](xai_core::Error::TooLarge) for more sets than a result can hold.
    pub(super) fn new(
        trees: &TreeEnsemble,
        player_of: &[usize],
        (index, order): (InteractionIndex, usize),
        cells: Vec<f64>,
        shares: Vec<f64>,
    ) -> Result<Self> {
        let terms = list(trees, player_of, order)?;
        let places = Places::new(&terms);
        let moments = Moments::new(Measures::new(index, order));
        let mut left = MOST_BYTES;
        let mut afford = |tree: usize| {
            let bytes = cost(trees, tree, player_of, order, shares.len());
            let fits = bytes <= left;
            left -= if fits { bytes } else { 0 };
            (tree, fits)
        };
        let affordable: Vec<(usize, bool)> = (0..trees.n_trees()).map(&mut afford).collect();
        let make = |(tree, fits)| match fits {
            true => Patterns::new(trees, tree, player_of, &places, &moments, &cells, &shares).map(Some),
            false => Ok(None),
        };
        let patterns = affordable.into_par_iter().map(make).collect::<Result<Vec<_>>>()?;
        let sums = Sums::new(index, order, &terms)?;
        let mut found = Background { terms, places, sums, moments, base: Vec::new(), cells, shares, patterns };
        found.base = found.mean(trees);
        Ok(found)
    }

    fn mean(&self, trees: &TreeEnsemble) -> Vec<f64> {
        let (mut mean, mut scores) = (vec![0.0; trees.n_outputs], vec![0.0; trees.n_outputs]);
        for (row, share) in self.shares.iter().enumerate() {
            margins(trees, self.row(trees, row), &mut scores);
            mean.iter_mut().zip(&scores).for_each(|(mean, score)| *mean += share * score);
        }
        mean
    }

    /// One row: (feature).
    pub(super) fn row(&self, trees: &TreeEnsemble, row: usize) -> &[f64] {
        &self.cells[row * trees.n_features..(row + 1) * trees.n_features]
    }
}

/// The bytes that a tree's patterns take; far too many for paths that are too long.
fn cost(trees: &TreeEnsemble, tree: usize, player_of: &[usize], order: usize, rows: usize) -> u64 {
    let (mut bytes, mut path) = (0u64, Vec::new());
    let mut stack = vec![(trees.root(tree), 0)];
    while let Some((node, above)) = stack.pop() {
        path.truncate(above);
        if !trees.is_leaf(node) {
            let player = player_of[trees.feature[node] as usize];
            if !path.contains(&player) {
                path.push(player);
            }
            stack.push((trees.right[node] as usize, path.len()));
            stack.push((trees.left[node] as usize, path.len()));
            continue;
        }
        if above > MOST_PLAYERS {
            return u64::MAX;
        }
        let (mut sets, mut binomial) = (0u64, 1u64);
        for size in 1..=order.min(above) {
            binomial = binomial.saturating_mul((above + 1 - size) as u64) / size as u64;
            sets = sets.saturating_add(binomial);
        }
        let kinds = (rows as u64).min(1u64.checked_shl(above as u32).unwrap_or(u64::MAX));
        bytes = bytes.saturating_add(sets.saturating_mul(16)).saturating_add(kinds * 16 + 64);
    }
    bytes
}
