//! Orders and correlations.

use ndarray::ArrayView1;

/// The places of the numbers from the largest to the smallest; equal ones in their order.
pub(crate) fn descending(values: impl Iterator<Item = f64>) -> Vec<usize> {
    // No zero is less than another, whatever its sign.
    let values: Vec<f64> = values.map(|value| value + 0.0).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

/// The `k` places with the largest absolute values; of equal ones the first.
pub(crate) fn top(values: ArrayView1<f64>, k: usize) -> Vec<usize> {
    let mut order = descending(values.iter().map(|v| v.abs()));
    order.truncate(k);
    order
}

/// The rank of each number from 1 on; equal ones share the mean of their ranks.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        before += equal.len();
    }
    ranks
}

/// Pearson's correlation, or NaN when either side does not vary (beyond the rounding of its own numbers).
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum()
    };
    let (var_a, var_b) = (product(a, mean_a, a, mean_a), product(b, mean_b, b, mean_b));
    let noise = |x: &[f64]| {
        let largest = x.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        n * (ROUNDING * largest).powi(2)
    };
    if a.len() < 2 || var_a <= noise(a) || var_b <= noise(b) {
        return f64::NAN;
    }
    (product(a, mean_a, b, mean_b) / (var_a.sqrt() * var_b.sqrt())).clamp(-1.0, 1.0)
}

/// Numbers that differ by this share of the largest differ by rounding: some hundred sums of a double's 2⁻⁵³.
const ROUNDING: f64 = 1e-13;
