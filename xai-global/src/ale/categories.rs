//! The effect of a categorical feature.

use ndarray::{Array2, Axis};
use xai_core::{Error, Feature, Meter, Model, Result, Table};

use super::accumulate::{Differences, curve};
use super::order::{by_similarity, distances};
use super::{CategoryOrder, Effect};
use crate::axes::distinct;
use crate::copies::Copies;

/// The categories that occur in a column, in the order in which their effects are accumulated.
pub(super) struct Levels {
    /// The values.
    values: Vec<f64>,
    /// The place in `values` of each row; `None` where the value is missing.
    of: Vec<Option<usize>>,
}

/// Ordering by similarity compares every two categories and takes the cube of their number in time.
const MOST_SIMILAR: usize = 500;

impl Levels {
    /// # Errors
    /// [`Error::TooLarge`] for more categories than can be ordered by similarity.
    pub(super) fn new(order: CategoryOrder, column: usize, names: &[Feature], batch: &Table) -> Result<Self> {
        let mut values = distinct(&batch.column(column));
        let places = |values: &[f64]| -> Vec<Option<usize>> {
            batch.column(column).iter().map(|v| values.iter().position(|value| value == v)).collect()
        };
        if order == CategoryOrder::Similarity && values.len() > 2 {
            if values.len() > MOST_SIMILAR {
                return Err(Error::TooLarge {
                    what: format!("categories of {:?} to order by similarity", names[column].name),
                    limit: MOST_SIMILAR as u64,
                    found: values.len() as u64,
                });
            }
            let order = by_similarity(&distances(&places(&values), values.len(), column, names, batch));
            values = order.into_iter().map(|level| values[level]).collect();
        }
        let of = places(&values);
        Ok(Levels { values, of })
    }

    /// How many samples are scored with another category: one above, one below.
    pub(super) fn n_moves(&self) -> usize {
        let last = self.values.len().saturating_sub(1);
        self.of.iter().flatten().map(|&level| usize::from(level < last) + usize::from(level > 0)).sum()
    }

    pub(super) fn effect<M: Model<Batch = Table> + ?Sized>(
        &self,
        model: &M,
        batch: &Table,
        meter: &Meter,
        column: usize,
        intact: Option<&Array2<f64>>,
    ) -> Result<Effect> {
        let (n_outputs, n_levels) = (model.n_outputs(), self.values.len());
        let grid = vec![self.values.clone()];
        let (Some(intact), true) = (intact, n_levels > 1) else {
            return Ok(Effect { grid, values: Array2::zeros((n_levels, n_outputs)), standard_error: None, note: None });
        };
        let with_level = || self.of.iter().enumerate().filter_map(|(row, level)| level.map(|level| (row, level)));
        let ups = with_level().filter(|m| m.1 + 1 < n_levels).map(|(row, level)| (row, level, level + 1));
        let downs = with_level().filter(|m| m.1 > 0).map(|(row, level)| (row, level, level - 1));
        let moves: Vec<(usize, usize, usize)> = ups.chain(downs).collect();

        let rows: Vec<usize> = moves.iter().map(|m| m.0).collect();
        let mut moved = batch.select(Axis(0), &rows);
        for (cell, (_, _, to)) in moved.column_mut(column).iter_mut().zip(&moves) {
            *cell = self.values[*to];
        }
        let scores = Copies { meter, model, batch: &moved }
            .scores(0..1, |_, _, _| {}, |_, scores| Ok(scores.to_owned()))?
            .swap_remove(0);

        let mut differences = vec![Differences::none(n_outputs); n_levels - 1];
        for (i, &(row, from, to)) in moves.iter().enumerate() {
            let (there, here) = (scores.row(i), intact.row(row));
            match to > from {
                true => differences[from].push(there, here),
                false => differences[to].push(here, there),
            }
        }
        let n = with_level().count() as f64;
        let beyond = |l: usize| with_level().filter(|m| m.1 > l).count() as f64 / n;
        let weights: Vec<f64> = (0..n_levels - 1).map(beyond).collect();
        let (values, standard_error) = curve(&differences, &weights, n_outputs);
        Ok(Effect { grid, values, standard_error, note: None })
    }
}
