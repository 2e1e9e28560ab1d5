//! Masking behind the first matrix product of a model.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayRef1, ArrayRef2, Axis, Slice};
use xai_core::error::{all_finite, same_shape};
use xai_core::{Attribution, Explainer, Game, LinearFirst, Masker, Meter, Result, Run, Table};

use super::Estimator;
use super::games::Games;
use crate::masker::Background;

/// Explains as [`Masked`](super::Masked) does with a [`Background`], and masks the products of the model's first layer
/// instead of its input.
///
/// The first layer's product of a masked row is a sum over players, u(S, z) = Σ_{i ∈ S} xᵢWᵢ + Σ_{i ∉ S} zᵢWᵢ. For every
/// background row z, players are taken in blocks of a few; each block's sums for all its subsets are made once and then
/// looked up, so that a coalition costs one addition a block instead of a product of the whole width.
///
/// # Units
/// As [`Masked`](super::Masked); the numbers are the same up to the rounding of the sums.
///
/// # Cost
/// Evaluations as [`Masked`](super::Masked): rows that are scored from their products count. Half a megabyte a thread.
///
/// # Errors
/// As [`Masked`](super::Masked), and [`Error::NonFinite`](xai_core::Error::NonFinite) for a missing or infinite cell in
/// the batch or the background, whose products mean nothing.
///
/// # Laws
/// `masked_products_equal_masked_samples` and those of [`Masked`](super::Masked).
///
/// # Source
/// The tables are those of Arlazarov, Dinic, Kronrod & Faradzhev, *On economical construction of the transitive closure
/// of a directed graph*, 1970.
///
/// # Example
/// ```
/// use ndarray::{Array2, ArrayRef2, array};
/// use xai_core::{Explainer, LinearFirst, Model, Result, Run, Table};
/// use xai_local::{masker::Background, shapley::{ExactShap, MaskedProducts}};
/// /// The square of a weighted sum.
/// struct Square(Array2<f64>);
/// impl Model for Square {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { self.head(&batch.dot(&self.0)) }
/// }
/// impl LinearFirst for Square {
///     fn first_weights(&self) -> &ArrayRef2<f64> { &self.0 }
///     fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> { Ok(products.mapv(|u| u * u)) }
/// }
/// let explainer = MaskedProducts { estimator: ExactShap, background: Background::new(array![[0.0, 0.0]])? };
/// let explanation = explainer.explain(&Square(array![[1.0], [2.0]]), &array![[1.0, 1.0]], &Run::default())?;
/// assert_eq!(explanation.values.into_raw_vec_and_offset().0, [3.0, 6.0]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MaskedProducts<E> {
    /// How the shares are found.
    pub estimator: E,
    /// The rows whose values absent players take, and who the players are.
    pub background: Background,
}

impl<M, E> Explainer<M> for MaskedProducts<E>
where
    M: LinearFirst + ?Sized,
    E: Estimator,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        let (background, rows) = (&self.background, self.background.rows());
        let players = background.players(model.features())?;
        same_shape("features of the batch, by the background", &[rows.ncols()], &[batch.ncols()])?;
        same_shape("inputs of the first layer, by the background", &[rows.ncols()], &[model.first_weights().nrows()])?;
        all_finite("batch", batch)?;
        all_finite("background", rows)?;

        let mut members = vec![Vec::new(); players.len()];
        background.player_of().iter().enumerate().for_each(|(column, &player)| members[player].push(column));
        let (samples, replicas) = (batch.nrows(), rows.nrows());
        // A game shares out its background rows, not its coalitions.
        let at_once = usize::MAX;
        let games = Games { estimator: &self.estimator, players, samples, replicas, empty_is_shared: true, at_once };
        let meter = Meter::new(run, games.planned(run)?);
        let scores = meter.predict(model, batch)?;
        let played = games.play(&scores, run, |sample| {
            let own = products(&batch.row(sample), &members, model.first_weights());
            Ok(ProductGame { model, meter: &meter, background, members: &members, own })
        })?;
        let masker = format!("{}, behind the first product", background.describe());
        let provenance = games.account(run, masker, &played).evaluations(meter.evaluations());
        games.attribution(model, scores, &played, provenance, background.data(batch))
    }
}

/// What each player's columns add to the first layer's product of a row: (player, unit).
fn products(row: &ArrayRef1<f64>, members: &[Vec<usize>], weights: &ArrayRef2<f64>) -> Array2<f64> {
    let mut products = Array2::zeros((members.len(), weights.ncols()));
    for (mut product, members) in products.outer_iter_mut().zip(members) {
        members.iter().for_each(|&column| product.scaled_add(row[column], &weights.row(column)));
    }
    products
}

struct ProductGame<'a, M: ?Sized> {
    model: &'a M,
    meter: &'a Meter<'a>,
    background: &'a Background,
    members: &'a [Vec<usize>],
    /// The sample's own products: (player, unit).
    own: Array2<f64>,
}

/// Rows that the model's head scores in one call.
const ROWS_PER_CALL: usize = 1024;

/// Scores that wait to be summed.
const MOST_SCORES: usize = 1 << 22;

impl<M: LinearFirst + ?Sized> Game for ProductGame<'_, M> {
    fn n_players(&self) -> usize {
        self.members.len()
    }

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let blocks = Blocks::new(self.own.nrows(), self.own.ncols());
        let codes = blocks.codes(coalitions);
        let (n, rows) = (coalitions.nrows(), self.background.rows().nrows());
        let mut worth = Array2::zeros((n, self.n_outputs()));
        if n == 0 {
            return Ok(worth);
        }
        let group = (ROWS_PER_CALL / n).max(1);
        let groups: Vec<_> = (0..rows).step_by(group).map(|start| start..(start + group).min(rows)).collect();
        let at_once = (MOST_SCORES / (n * self.n_outputs()).max(1) / group).max(1);
        for groups in groups.chunks(at_once) {
            let scores = groups.par_iter().map(|rows| self.scores(rows.clone(), &codes, &blocks));
            // In the order of the rows, whoever was ready first.
            for (rows, scores) in groups.iter().zip(scores.collect::<Result<Vec<_>>>()?) {
                for (row, scores) in rows.clone().zip(scores.axis_chunks_iter(Axis(0), n)) {
                    worth.scaled_add(self.background.row_weights()[row], &scores);
                }
            }
        }
        Ok(worth)
    }
}

impl<M: LinearFirst + ?Sized> ProductGame<'_, M> {
    /// The scores of all coalitions by some background rows: (row and coalition, output).
    fn scores(&self, rows: std::ops::Range<usize>, codes: &[u16], blocks: &Blocks) -> Result<Array2<f64>> {
        let n = codes.len() / blocks.count;
        let mut scores = Array2::zeros((rows.len() * n, self.n_outputs()));
        let mut table = Vec::new();
        // Few coalitions of several rows, or many of one row: one call in the first case, one table in the second.
        let step = ROWS_PER_CALL.min(n);
        for start in (0..n).step_by(step) {
            let end = (start + step).min(n);
            let part = &codes[start * blocks.count..end * blocks.count];
            let mut sums = Array2::zeros((rows.len() * (end - start), self.own.ncols()));
            let mut free = sums.as_slice_mut().unwrap_or_default();
            for row in rows.clone() {
                if start == 0 || rows.len() > 1 {
                    let weights = self.model.first_weights();
                    let absent = products(&self.background.rows().row(row), self.members, weights);
                    blocks.fill(&self.own, &absent, &mut table);
                }
                let (here, rest) = std::mem::take(&mut free).split_at_mut((end - start) * self.own.ncols());
                blocks.look_up(&table, part, here);
                free = rest;
            }
            let found = self.meter.head(self.model, &sums)?;
            scores.slice_axis_mut(Axis(0), Slice::from(start * rows.len()..end * rows.len())).assign(&found);
        }
        Ok(scores)
    }
}

/// Players in blocks, and a table of what every subset of a block adds to the products.
struct Blocks {
    players: usize,
    units: usize,
    /// Players in a block, but for the last.
    size: usize,
    count: usize,
}

/// The number of coalitions that the size of the blocks is best for. It is not the true one, so that what a coalition is
/// worth does not depend, in its last bits, on which others are asked for with it.
const COALITIONS: usize = 2048;

/// Numbers in the tables of all blocks, so that they stay in cache.
const MOST_CELLS: usize = 1 << 16;

impl Blocks {
    fn new(players: usize, units: usize) -> Self {
        let count = |size: usize| players.div_ceil(size).max(1);
        let fits = |&size: &usize| (count(size) << size) * units <= MOST_CELLS;
        // Twice: every entry of a table is made by an addition and written.
        let cost = |&size: &usize| count(size) * ((2 << size) + COALITIONS);
        let best = (1..=8).filter(fits).min_by_key(cost).unwrap_or(1);
        let count = count(best);
        Blocks { players, units, size: players.div_ceil(count).max(1), count }
    }

    /// For each coalition and block the number whose bits are the block's present players.
    fn codes(&self, coalitions: &ArrayRef2<bool>) -> Vec<u16> {
        let mut codes = vec![0; coalitions.nrows() * self.count];
        for (codes, coalition) in codes.chunks_exact_mut(self.count).zip(coalitions.outer_iter()) {
            for (player, _) in coalition.iter().enumerate().filter(|(_, present)| **present) {
                codes[player / self.size] |= 1 << (player % self.size);
            }
        }
        codes
    }

    /// The sums of all blocks' subsets, block by block, each of 2^`size` entries of `units`.
    fn fill<'a>(&self, present: &'a Array2<f64>, absent: &'a Array2<f64>, table: &mut Vec<f64>) {
        table.clear();
        table.resize((self.count << self.size) * self.units, 0.0);
        for (block, sums) in table.chunks_exact_mut(((1 << self.size) * self.units).max(1)).enumerate() {
            let players = block * self.size..((block + 1) * self.size).min(self.players);
            for (bit, player) in players.enumerate() {
                let (without, rest) = sums.split_at_mut((1 << bit) * self.units);
                let parts = |products: &'a Array2<f64>| products.row(player).to_slice().unwrap_or_default();
                let (present, absent) = (parts(present), parts(absent));
                let units = self.units.max(1);
                for (with, without) in rest.chunks_exact_mut(units).zip(without.chunks_exact_mut(units)) {
                    fork(with, without, present, absent);
                }
            }
        }
    }

    /// Writes the products of the coalitions with these codes, one after another.
    fn look_up(&self, table: &[f64], codes: &[u16], products: &mut [f64]) {
        let units = self.units.max(1);
        let entry = |block: usize, code: u16| {
            let start = ((block << self.size) + usize::from(code)) * units;
            &table[start..start + units]
        };
        for (products, codes) in products.chunks_exact_mut(units).zip(codes.chunks_exact(self.count)) {
            products.copy_from_slice(entry(0, codes[0]));
            for (block, &code) in codes.iter().enumerate().skip(1) {
                products.iter_mut().zip(entry(block, code)).for_each(|(sum, part)| *sum += part);
            }
        }
    }
}

/// A sum becomes two: with a player who is present and with the same who is absent. Slices of one length, so that the loop
/// runs on vectors.
fn fork(with: &mut [f64], without: &mut [f64], present: &[f64], absent: &[f64]) {
    let n = with.len().min(without.len()).min(present.len()).min(absent.len());
    let (with, without, present, absent) = (&mut with[..n], &mut without[..n], &present[..n], &absent[..n]);
    for unit in 0..n {
        with[unit] = without[unit] + present[unit];
        without[unit] += absent[unit];
    }
}
