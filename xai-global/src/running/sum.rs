//! Sums without rounding.

use serde::{Deserialize, Serialize};

/// A sum of numbers, exact until it is read: the same for any order and any grouping of its terms.
///
/// # Source
/// Shewchuk 1997, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", section 2: a sum
/// as numbers that do not overlap. The rounding at the end is that of Python's `math.fsum`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<f64>", into = "Vec<f64>")]
pub(super) struct ExactSum {
    /// Numbers that do not overlap, the smallest first; they sum to the sum.
    parts: Vec<f64>,
}

impl ExactSum {
    pub fn add(&mut self, term: f64) {
        let mut carried = term;
        let mut kept = 0;
        for i in 0..self.parts.len() {
            let (sum, error) = two_sum(carried, self.parts[i]);
            if error != 0.0 {
                self.parts[kept] = error;
                kept += 1;
            }
            carried = sum;
        }
        self.parts.truncate(kept);
        if carried != 0.0 {
            self.parts.push(carried);
        }
    }

    /// Adds x², exact unless it is below 10⁻²⁹².
    pub fn add_square(&mut self, x: f64) {
        let square = x * x;
        self.add(square);
        self.add(x.mul_add(x, -square));
    }

    pub fn merge(&mut self, other: &ExactSum) {
        other.parts.iter().for_each(|&part| self.add(part));
    }

    /// The sum, rounded once to the nearest number.
    pub fn value(&self) -> f64 {
        let Some((&last, mut rest)) = self.parts.split_last() else { return 0.0 };
        let mut sum = last;
        while let Some((&next, before)) = rest.split_last() {
            rest = before;
            let (rounded, error) = two_sum(sum, next);
            sum = rounded;
            if error != 0.0 {
                // Half way between two numbers: what is left decides.
                let tie = rest.last().is_some_and(|left| left.signum() == error.signum());
                let away = sum + 2.0 * error;
                return if tie && away - sum == 2.0 * error { away } else { sum };
            }
        }
        sum
    }

    /// The sum as one number and what it lacks, together good to 106 bits.
    pub fn pair(&self) -> (f64, f64) {
        let high = self.value();
        let mut left = self.clone();
        left.add(-high);
        (high, left.value())
    }

    /// The parts that follow from the sum alone: each is what the ones before it lack, rounded.
    fn canonical(&self) -> Vec<f64> {
        let mut left = self.clone();
        let mut parts = Vec::new();
        while !left.parts.is_empty() {
            let value = left.value();
            parts.push(value);
            left.add(-value);
        }
        parts
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl From<Vec<f64>> for ExactSum {
    fn from(parts: Vec<f64>) -> Self {
        let mut sum = ExactSum::default();
        parts.into_iter().for_each(|part| sum.add(part));
        sum
    }
}

impl From<ExactSum> for Vec<f64> {
    fn from(sum: ExactSum) -> Self {
        sum.canonical()
    }
}

/// a + b, and what the rounding lost.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let from_b = sum - a;
    (sum, (a - (sum - from_b)) + (b - from_b))
}

/// The variance (divided by n − 1) of `n` numbers with this sum and sum of squares.
pub(super) fn variance(n: u64, sum: &ExactSum, squares: &ExactSum) -> f64 {
    // Twice the precision, since the two terms nearly cancel where the mean is far from zero.
    let n_samples = n as f64;
    let (mean, mean_low) = divided(sum.pair(), n_samples);
    let (square, square_low) = divided(squares.pair(), n_samples);
    let product = mean * mean;
    let product_low = mean.mul_add(mean, -product) + 2.0 * mean * mean_low;
    let (difference, error) = two_sum(square, -product);
    let scatter = difference + (error + (square_low - product_low));
    scatter.max(0.0) * (n_samples / (n_samples - 1.0))
}

fn divided((high, low): (f64, f64), by: f64) -> (f64, f64) {
    let quotient = high / by;
    (quotient, ((-quotient).mul_add(by, high) + low) / by)
}
