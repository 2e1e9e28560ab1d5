//! The credit of all samples at all twigs: one by one, or in blocks with tables.

use ndarray::{Array3, ArrayViewMut3, Axis};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use xai_core::{Result, Table, TreeEnsemble};

use super::absence::{Absence, tables_len};
use super::direct::{Target, credit_row};
use super::hits::{Column, ROWS, Words, n_indices, n_patterns, walk_row, walk_rows};
use super::precision::Real;
use super::sweep::round;
use super::tables::{look_up, look_up_row, sheaf_len};
use super::twigs::Copse;

/// The most memory for the credit of the samples that use a table together.
const MOST_CREDIT: usize = 1 << 26;
/// The most memory for the tables of several copses that are looked up in one turn.
const TURN_BYTES: usize = 1 << 20;
/// Fewer samples are looked up one by one.
const FEW: usize = 32;
/// Samples times twigs that are not worth a second thread.
const SMALL: usize = 20_000;

/// Trees cut into twigs, and who plays.
#[derive(Clone, Copy)]
pub(super) struct Grove<'a> {
    pub trees: &'a TreeEnsemble,
    pub copses: &'a [Copse],
    pub n_players: usize,
}

/// How many of the copses are looked up in one turn: more than one when their tables fit into the cache together, so that
/// threads seldom wait for one another.
fn turn<R: Real>(copses: &[Copse]) -> usize {
    let mut bytes = 0;
    let fits = |copse: &&Copse| {
        bytes += size_of::<R>() * tables_len(copse);
        bytes <= TURN_BYTES
    };
    copses.iter().take_while(fits).count().max(1)
}

impl Grove<'_> {
    /// Adds the values of all samples. `tick` is told how many of them are done.
    ///
    /// # Shapes
    /// `batch` (sample, feature), `values` (sample, player, output).
    pub(super) fn add<R: Real, A: Absence<R>>(
        self,
        batch: &Table,
        absence: &A,
        values: &mut Array3<f64>,
        tick: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        if self.copses.is_empty() {
            return Ok(());
        }
        if !A::BY_COVER && batch.nrows() < FEW {
            return self.look_up_few(batch, absence, values, tick);
        }
        if !A::BY_COVER || self.copses.iter().any(|copse| batch.nrows() >= copse.tables_from) {
            return self.add_in_blocks(batch, absence, values, tick);
        }
        let n_twigs: usize = self.copses.iter().map(|copse| copse.n_twigs).sum();
        let one = |work: &mut RowWork<R>, sample: usize, values: &mut [f64]| {
            tick(sample as u64)?;
            work.take(self.trees, batch.row(sample).iter().copied());
            for copses in self.copses.chunks(R::COPSES) {
                work.credit.clear();
                work.credit.resize(values.len(), R::ZERO);
                Arch::new().dispatch(AddRow { grove: Grove { copses, ..self }, work });
                for (player, values) in values.chunks_exact_mut(self.trees.n_outputs).enumerate() {
                    for (output, value) in values.iter_mut().enumerate() {
                        *value += work.credit[output * self.n_players + player].wide();
                    }
                }
            }
            Ok(())
        };
        let width = self.n_players * self.trees.n_outputs;
        let Some(all) = values.as_slice_mut().filter(|all| !all.is_empty()) else { return Ok(()) };
        if batch.nrows() < 2 || batch.nrows() * n_twigs < SMALL {
            let mut work = RowWork::default();
            all.chunks_exact_mut(width).enumerate().try_for_each(|(sample, values)| one(&mut work, sample, values))
        } else {
            all.par_chunks_exact_mut(width)
                .enumerate()
                .try_for_each_init(RowWork::default, |work, (sample, values)| one(work, sample, values))
        }
    }

    /// Looks few samples up one by one, copse by copse.
    fn look_up_few<R: Real>(
        self,
        batch: &Table,
        absence: &impl Absence<R>,
        values: &mut Array3<f64>,
        tick: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        let width = self.n_players * self.trees.n_outputs;
        let mut work = RowWork::<R>::default();
        let (mut credit, mut tables) = (vec![R::ZERO; batch.nrows() * width], Vec::new());
        for (number, copse) in self.copses.iter().enumerate() {
            tick(0)?;
            let found = absence.tables(std::slice::from_ref(copse), number, batch.nrows(), &mut tables);
            let Some(tables) = found.first().copied().flatten() else { continue };
            for (row, credit) in batch.outer_iter().zip(credit.chunks_exact_mut(width.max(1))) {
                work.take(self.trees, row.iter().copied());
                work.walk(self.trees, copse);
                look_up_row(copse, tables, &work.patterns, self.n_players, credit);
            }
        }
        for ((sample, player, output), value) in values.indexed_iter_mut() {
            *value += credit[sample * width + output * self.n_players + player].wide();
        }
        Ok(())
    }

    fn add_in_blocks<R: Real, A: Absence<R>>(
        self,
        batch: &Table,
        absence: &A,
        values: &mut Array3<f64>,
        tick: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        let cells = (self.n_players * self.trees.n_outputs).max(1);
        let n_blocks = (MOST_CREDIT / (8 * ROWS * cells)).clamp(1, 64.max(4 * rayon::current_num_threads()));
        let mut memory: Vec<R> = Vec::new();
        let mut start = 0;
        for mut values in values.axis_chunks_iter_mut(Axis(0), n_blocks * ROWS) {
            let n = values.len_of(Axis(0));
            let mut blocks: Vec<Block<R>> = (start..start + n)
                .into_par_iter()
                .step_by(ROWS)
                .map(|first| Block::new(self, batch, first, ROWS.min(start + n - first)))
                .collect();
            let mut number = 0;
            for summed in self.copses.chunks(R::COPSES) {
                let end = number + summed.len();
                while number < end {
                    tick(start as u64)?;
                    let copses = &self.copses[number..number + turn::<R>(&self.copses[number..end])];
                    let tables = absence.tables(copses, number, n, &mut memory);
                    blocks.par_iter_mut().for_each(|block| {
                        for (copse, tables) in copses.iter().zip(&tables) {
                            match *tables {
                                Some(tables) => Arch::new().dispatch(LookUp { grove: self, copse, tables, block }),
                                None => Arch::new().dispatch(AddRows { grove: self, copse, block }),
                            }
                        }
                    });
                    number += copses.len();
                }
                self.take_over(&mut blocks, values.view_mut());
            }
            start += n;
        }
        Ok(())
    }

    /// Adds the credit of the blocks to the values, and starts it anew.
    fn take_over<R: Real>(self, blocks: &mut [Block<R>], mut values: ArrayViewMut3<f64>) {
        values.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().zip(blocks).for_each(|(mut values, block)| {
            for ((sample, player, output), value) in values.indexed_iter_mut() {
                *value += block.credit[output * self.n_players + player][sample].wide();
            }
            block.credit.fill([R::ZERO; ROWS]);
        });
    }
}

/// The memory of one thread that takes a sample at a time.
struct RowWork<R> {
    row: Vec<f64>,
    has_nan: bool,
    credit: Vec<R>,
    patterns: Vec<u16>,
}

impl<R> Default for RowWork<R> {
    fn default() -> Self {
        RowWork { row: Vec::new(), has_nan: false, credit: Vec::new(), patterns: Vec::new() }
    }
}

impl<R> RowWork<R> {
    fn take(&mut self, trees: &TreeEnsemble, cells: impl Iterator<Item = f64>) {
        self.row.clear();
        self.row.extend(cells.map(|x| round(trees, x)));
        self.has_nan = self.row.iter().any(|x| x.is_nan());
    }

    #[inline(always)]
    fn walk(&mut self, trees: &TreeEnsemble, copse: &Copse) {
        self.patterns.resize(self.patterns.len().max(2 * copse.turns.len() + 2), 0);
        walk_row(trees, copse, &self.row, self.has_nan, &mut self.patterns);
    }
}

/// Samples that use a table together.
struct Block<R> {
    n: usize,
    /// Their cells, rounded; places without a sample repeat the last one: (feature).
    columns: Vec<Column>,
    /// What they earned: (output, player).
    credit: Vec<[R; ROWS]>,
    patterns: Vec<Words>,
    index: Vec<Words>,
    row: RowWork<R>,
}

impl<R: Real> Block<R> {
    fn new(grove: Grove, batch: &Table, first: usize, n: usize) -> Self {
        let column =
            |feature: usize| std::array::from_fn(|row| round(grove.trees, batch[[first + row.min(n - 1), feature]]));
        Block {
            n,
            columns: (0..batch.ncols()).map(column).collect(),
            credit: vec![[R::ZERO; ROWS]; grove.n_players * grove.trees.n_outputs],
            patterns: Vec::new(),
            index: Vec::new(),
            row: RowWork::default(),
        }
    }
}

struct AddRow<'a, R> {
    grove: Grove<'a>,
    work: &'a mut RowWork<R>,
}

impl<R: Real> WithSimd for AddRow<'_, R> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AddRow { grove, work } = self;
        for copse in grove.copses {
            work.walk(grove.trees, copse);
            let credit = &mut work.credit[..];
            let mut target = Target { credit, start: 0, stride: 1, n_players: grove.n_players };
            credit_row(copse, &work.patterns, &mut target);
        }
    }
}

/// Credits a block's samples one by one.
struct AddRows<'a, R> {
    grove: Grove<'a>,
    copse: &'a Copse,
    block: &'a mut Block<R>,
}

impl<R: Real> WithSimd for AddRows<'_, R> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AddRows { grove, copse, block } = self;
        for row in 0..block.n {
            block.row.take(grove.trees, block.columns.iter().map(|column| column[row]));
            block.row.walk(grove.trees, copse);
            let credit = block.credit.as_flattened_mut();
            let mut target = Target { credit, start: row, stride: ROWS, n_players: grove.n_players };
            credit_row(copse, &block.row.patterns, &mut target);
        }
    }
}

/// Credits a block's samples by tables.
struct LookUp<'a, R> {
    grove: Grove<'a>,
    copse: &'a Copse,
    tables: &'a [R],
    block: &'a mut Block<R>,
}

impl<R: Real> WithSimd for LookUp<'_, R> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let LookUp { grove, copse, mut tables, block } = self;
        block.patterns.resize(block.patterns.len().max(n_patterns(copse)), [0; ROWS]);
        block.index.resize(block.index.len().max(n_indices(copse)), [0; ROWS]);
        let index = &mut block.index[..n_indices(copse)];
        walk_rows(grove.trees, copse, &block.columns, &mut block.patterns, index);
        for (number, sheaf) in copse.sheaves.iter().enumerate() {
            let (here, rest) = tables.split_at(sheaf_len(copse, sheaf));
            tables = rest;
            look_up(simd, copse, number, here, index, grove.n_players, &mut block.credit);
        }
    }
}
