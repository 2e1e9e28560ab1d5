//! How strongly one column goes together with several others among some rows.

use ndarray::{Array2, ArrayRef2, Axis};

use super::moments::{factor, whiten};

/// Some rows, and what their responses are once their means and correlations are taken out.
pub(super) struct Node<'a> {
    coded: &'a ArrayRef2<f64>,
    rows: &'a [usize],
    /// Uncorrelated responses of mean 0 and mean square 1: (row, response).
    white: Array2<f64>,
    rank: usize,
}

impl<'a> Node<'a> {
    /// The responses are the columns `responses` of `coded`.
    pub fn new(coded: &'a ArrayRef2<f64>, rows: &'a [usize], responses: &[usize]) -> Self {
        let n = rows.len() as f64;
        let mut centred = Array2::from_shape_fn((rows.len(), responses.len()), |(i, j)| coded[[rows[i], responses[j]]]);
        let mean = centred.sum_axis(Axis(0)) / n;
        centred -= &mean;
        let covariance = centred.t().dot(&centred) / n;
        let order: Vec<usize> = (0..responses.len()).collect();
        let lower = factor(&covariance, &order);
        // A response that is constant in this node, or follows from others, has no direction of its own.
        let kept: Vec<usize> = order.into_iter().filter(|&j| lower[[j, j]] > CONSTANT).collect();
        for mut row in centred.outer_iter_mut() {
            let white = whiten(&lower, row.to_vec().into_iter());
            row.iter_mut().zip(white).for_each(|(slot, value)| *slot = value);
        }
        Node { coded, rows, white: centred.select(Axis(1), &kept), rank: kept.len() }
    }

    /// The number of responses that do not follow from others: the degrees of freedom of the statistic.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Hothorn, Hornik & Zeileis 2006, equations 2 and 3: the quadratic form of Σᵢ xᵢ hᵢ under permutations; `None` if
    /// the column is constant here.
    pub fn statistic(&self, column: usize) -> Option<f64> {
        let n = self.rows.len() as f64;
        let value = |&row: &usize| self.coded[[row, column]];
        let mean = self.rows.iter().map(value).sum::<f64>() / n;
        let spread: f64 = self.rows.iter().map(|row| (value(row) - mean).powi(2)).sum();
        if !(spread > CONSTANT * CONSTANT * n && self.rank > 0) {
            return None;
        }
        let mut linear = vec![0.0; self.rank];
        for (row, white) in self.rows.iter().zip(self.white.outer_iter()) {
            let x = value(row) - mean;
            linear.iter_mut().zip(white).for_each(|(sum, h)| *sum += x * h);
        }
        let square: f64 = linear.iter().map(|sum| sum * sum).sum();
        Some(square * (n - 1.0) / (n * spread))
    }

    /// The value of the column up to which rows go left, so that the two sides, of `least` rows each, differ most; the
    /// first of equals. `None` if there is no such value.
    pub fn split(&self, column: usize, least: usize) -> Option<f64> {
        let n = self.rows.len();
        let value = |place: usize| self.coded[[self.rows[place], column]];
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let mut sums = vec![0.0; self.rank];
        let mut best: Option<(f64, f64)> = None;
        for (left, pair) in (1..).zip(order.windows(2)) {
            sums.iter_mut().zip(self.white.row(pair[0])).for_each(|(sum, h)| *sum += h);
            if left < least || n - left < least || value(pair[0]) == value(pair[1]) {
                continue;
            }
            let square: f64 = sums.iter().map(|sum| sum * sum).sum();
            let statistic = square / (left as f64 * (n - left) as f64);
            if best.is_none_or(|(most, _)| statistic > most) {
                best = Some((statistic, value(pair[0])));
            }
        }
        best.map(|(_, border)| border)
    }
}

/// Codes are of size one: what varies less is rounding.
const CONSTANT: f64 = 1e-9;

/// The probability that a χ² variable with `k` ≥ 1 degrees of freedom exceeds `x`: the upper incomplete gamma function
/// Q(k/2, x/2), by its series below the mean and by Lentz's continued fraction above (Press et al., *Numerical recipes*).
pub(super) fn survival(x: f64, k: usize) -> f64 {
    const STEPS: usize = 10_000;
    let (a, x) = (0.5 * k as f64, 0.5 * x);
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma_of_half(k)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for step in 1..STEPS {
            term *= x / (a + step as f64);
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / f64::MIN_POSITIVE, 1.0 / b);
    let mut fraction = d;
    for step in 1..STEPS {
        let an = -(step as f64) * (step as f64 - a);
        b += 2.0;
        let tiny = |v: f64| if v.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { v };
        d = 1.0 / tiny(an * d + b);
        c = tiny(b + an / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// ln Γ(k/2), from Γ(1) or Γ(1/2) upwards.
fn ln_gamma_of_half(k: usize) -> f64 {
    let (first, start) = if k.is_multiple_of(2) { (1.0, 0.0) } else { (0.5, 0.5 * std::f64::consts::PI.ln()) };
    let steps = (k as f64 / 2.0 - first).max(0.0) as usize;
    start + (0..steps).map(|step| (first + step as f64).ln()).sum::<f64>()
}
