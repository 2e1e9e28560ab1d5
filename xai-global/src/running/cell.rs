//! What is kept of one feature's contributions to one output.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};

use super::MOST_VALUE;
use super::joint::Joint;
use super::sketch::Sketch;
use super::sum::ExactSum;

/// Sums, extremes and counts; those of the empty set are of no number at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub sum: ExactSum,
    pub absolute: ExactSum,
    pub squares: ExactSum,
    pub smallest: f64,
    pub largest: f64,
    pub quantiles: Sketch,
    pub joint: Joint,
}

impl Cell {
    /// A cell of one number or more; `data` are the values of the feature, where they are known.
    pub fn of(values: ArrayView1<f64>, data: Option<ArrayView1<f64>>) -> Self {
        let mut cell = Cell {
            sum: ExactSum::default(),
            absolute: ExactSum::default(),
            squares: ExactSum::default(),
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            quantiles: Sketch::default(),
            joint: Joint::default(),
        };
        cell.add(values, data);
        cell
    }

    pub fn add(&mut self, values: ArrayView1<f64>, data: Option<ArrayView1<f64>>) {
        for &value in values {
            self.sum.add(value);
            self.absolute.add(value.abs());
            self.squares.add_square(value);
            // Zero has no sign here: which of two zeros came first must not show.
            self.smallest = self.smallest.min(value) + 0.0;
            self.largest = self.largest.max(value) + 0.0;
            self.quantiles.add(value);
        }
        if let Some(data) = data {
            values.iter().zip(data).for_each(|(&value, &data)| self.joint.add(value, data));
        }
    }

    pub fn merge(&mut self, other: &Cell) {
        self.sum.merge(&other.sum);
        self.absolute.merge(&other.absolute);
        self.squares.merge(&other.squares);
        self.smallest = self.smallest.min(other.smallest);
        self.largest = self.largest.max(other.largest);
        self.quantiles.merge(&other.quantiles);
        self.joint.merge(&other.joint);
    }

    /// The numbers from the smallest to the largest, of which `rank`, from 1, is asked for.
    pub fn quantile(&self, rank: u64) -> f64 {
        self.quantiles.value(rank).clamp(self.smallest, self.largest)
    }

    pub fn largest_absolute(&self) -> f64 {
        self.smallest.abs().max(self.largest.abs())
    }

    pub fn absolute_quantile(&self, rank: u64) -> f64 {
        self.quantiles.absolute(rank).min(self.largest_absolute())
    }

    /// The numbers that are held, of eight bytes each.
    pub fn size(&self) -> usize {
        self.quantiles.n_counts() + self.joint.n_counts()
    }

    /// Whether a cell from a file speaks of `n` numbers.
    pub fn is_of(&self, n: u64) -> bool {
        let extremes = self.smallest <= self.largest && self.largest_absolute() <= MOST_VALUE;
        let sums = [&self.sum, &self.absolute, &self.squares].iter().all(|sum| sum.value().is_finite());
        extremes && sums && self.quantiles.total() == Some(n) && self.joint.total().is_some_and(|total| total <= n)
    }
}
