//! The bins of a numeric feature.

use xai_core::{Error, Result, Table};

use super::Centring;
use crate::axes::sorted;

/// The bins of one column, and where the samples lie in them.
pub(super) struct Bins {
    /// The edges, ascending, one more than bins.
    pub(super) edges: Vec<f64>,
    /// The rows of the batch that are looked at.
    pub(super) rows: Vec<usize>,
    /// The bin of each of those rows.
    pub(super) of: Vec<usize>,
    /// The value of each of those rows.
    values: Vec<f64>,
}

impl Bins {
    /// Edges at the least value and at the values below which 1/n, 2/n, …, n/n of the rows lie, equal ones made one.
    /// Each edge but the first is the value of a sample in its bin, so that none is empty.
    pub(super) fn at_quantiles(n_bins: usize, column: usize, batch: &Table, rows: Vec<usize>) -> Self {
        let values: Vec<f64> = rows.iter().map(|&row| batch[[row, column]]).collect();
        let ascending = sorted(&ndarray::ArrayView1::from(&values));
        let n = ascending.len();
        let place = |k: usize| (n as u128 * k as u128).div_ceil(n_bins as u128) as usize;
        let mut edges: Vec<f64> = ascending.first().copied().into_iter().collect();
        edges.extend((1..=n_bins).map(|k| ascending[place(k) - 1]));
        edges.dedup();
        Bins::new(edges, rows, values)
    }

    /// The given edges, less those between which no sample lies.
    ///
    /// # Errors
    /// [`Error::Parameter`] for edges that do not ascend, are not finite, or leave samples outside.
    pub(super) fn with_edges(given: &[f64], column: usize, batch: &Table, rows: Vec<usize>) -> Result<Self> {
        let wrong =
            |value: String, expected: &str| Err(Error::parameter(format!("edges of column {column}"), value, expected));
        if given.len() < 2 || !given.iter().all(|e| e.is_finite()) || !given.is_sorted_by(|a, b| a < b) {
            return wrong(format!("{given:?}"), "at least two finite numbers in ascending order");
        }
        let values: Vec<f64> = rows.iter().map(|&row| batch[[row, column]]).collect();
        let (first, last) = (given[0], given[given.len() - 1]);
        if let Some(i) = values.iter().position(|v| *v < first || *v > last) {
            return wrong(format!("{first} to {last}"), &format!("a range with {} of sample {}", values[i], rows[i]));
        }
        let all = Bins::new(given.to_vec(), Vec::new(), values);
        let counts = all.counts();
        // An empty bin joins the next one; empty bins at the end join the last one that is not.
        let mut edges = vec![first];
        edges.extend((0..counts.len()).filter(|&k| counts[k] > 0).map(|k| given[k + 1]));
        if let Some(end) = edges.last_mut() {
            *end = last;
        }
        Ok(Bins::new(edges, rows, all.values))
    }

    fn new(edges: Vec<f64>, rows: Vec<usize>, values: Vec<f64>) -> Self {
        let of = values.iter().map(|v| edges.partition_point(|edge| edge < v).saturating_sub(1)).collect();
        Bins { edges, rows, of, values }
    }

    /// The number of bins; 0 when all values are equal.
    pub(super) fn len(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// How many samples each bin holds.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.len()];
        self.of.iter().for_each(|&k| counts[k] += 1);
        counts
    }

    /// How far through its bin a sample counts as lying when a mean is taken: 0 at the left edge, 1 at the right one.
    pub(super) fn share(&self, i: usize, centring: Centring) -> f64 {
        let (low, high) = (self.edges[self.of[i]], self.edges[self.of[i] + 1]);
        match centring {
            Centring::Data => (self.values[i] - low) / (high - low),
            Centring::Midpoints => 0.5,
        }
    }
}
