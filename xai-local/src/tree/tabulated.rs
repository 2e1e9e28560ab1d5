//! Values against a background by tables: which trees have them, and how long they are kept.

use std::sync::Arc;

use ndarray::Array3;
use xai_core::{Result, Table, TreeEnsemble};

use super::absence::Kept;
use super::backdrop::Backdrop;
use super::blocks::Grove;
use super::cutter::Cutter;
use super::tables::sheaf_len;
use super::twigs::{Copse, MOST_BITS};

/// The numbers of all tables, up to which they are kept beside the model.
const MOST_KEPT: usize = 1 << 23;
/// The numbers of one tree's tables, up to which it has tables.
const MOST_NUMBERS: usize = 1 << 23;
/// The bits of an index for which a table costs little, however small the background is.
const FEW_BITS: usize = 8;

/// The trees of an ensemble that have tables.
pub(super) struct Tabulated {
    copses: Vec<Copse>,
    /// Whether a tree needs something else: (tree).
    pub others: Vec<bool>,
    n_numbers: usize,
}

/// What says which trees have tables.
#[derive(PartialEq)]
struct CutKey {
    player_of: Vec<usize>,
    most_bits: usize,
}

/// What says what is in the tables.
#[derive(PartialEq)]
struct TableKey {
    cut: CutKey,
    cells: Vec<u64>,
    shares: Vec<u64>,
}

/// The rows that stand for absence.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// (row, feature).
    pub cells: &'a [f64],
    /// Their weights, which sum to 1: (row).
    pub shares: &'a [f64],
}

impl Tabulated {
    /// The trees whose tables are worth it against a background of `n_rows`. That hangs on nothing else, so that a
    /// sample gets the same bits in every batch.
    ///
    /// # Errors
    /// None; the signature is that of what is kept.
    pub(super) fn new(trees: &TreeEnsemble, player_of: &[usize], n_players: usize, n_rows: usize) -> Result<Arc<Self>> {
        let most_bits = most_bits(n_rows);
        trees.memo().get_or_make(CutKey { player_of: player_of.to_vec(), most_bits }, || {
            let mut cutter = Cutter::new(trees, player_of, n_players, most_bits, MOST_NUMBERS);
            let others = (0..trees.n_trees()).map(|tree| !trees.is_leaf(trees.root(tree)) && !cutter.cut(tree));
            let others = others.collect();
            let copses = cutter.finish();
            let numbers = |copse: &Copse| copse.sheaves.iter().map(|sheaf| sheaf_len(copse, sheaf)).sum::<usize>();
            let n_numbers = copses.iter().map(numbers).sum();
            Ok(Tabulated { copses, others, n_numbers })
        })
    }

    /// Adds the values of all samples in the trees that have tables.
    ///
    /// # Shapes
    /// `batch` (sample, feature), `values` (sample, player, output).
    pub(super) fn add(
        &self,
        trees: &TreeEnsemble,
        player_of: &[usize],
        rows: Rows,
        batch: &Table,
        values: &mut Array3<f64>,
        tick: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        let grove = Grove { trees, copses: &self.copses, n_players: values.dim().1 };
        let backdrop = || Backdrop::new(trees, rows.cells, rows.shares);
        if self.n_numbers > MOST_KEPT {
            return grove.add(batch, &backdrop(), values, tick);
        }
        let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect();
        let cut = CutKey { player_of: player_of.to_vec(), most_bits: most_bits(rows.shares.len()) };
        let key = TableKey { cut, cells: bits(rows.cells), shares: bits(rows.shares) };
        let tables = trees.memo().get_or_make(key, || {
            let backdrop = backdrop();
            let fill = |copse: &Copse| {
                let mut tables = vec![0.0; copse.sheaves.iter().map(|sheaf| sheaf_len(copse, sheaf)).sum()];
                backdrop.fill(copse, &mut tables);
                tables
            };
            let filled = self.copses.iter().map(|copse| tick(0).map(|()| fill(copse)));
            filled.collect::<Result<Vec<Vec<f64>>>>()
        })?;
        grove.add(batch, &Kept(&tables), values, tick)
    }
}

/// A table of many indices is worth it when the background has many rows.
fn most_bits(n_rows: usize) -> usize {
    (n_rows.max(1).ilog2() as usize + 1).clamp(FEW_BITS, MOST_BITS - 1)
}
