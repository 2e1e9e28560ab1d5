//! Do methods differ by more than chance?

use ndarray::ArrayRef2;
use xai_core::league::Friedman;

use crate::Direction;
use crate::normal::cumulative;
use crate::rank::ranks;

/// The level of the critical difference, over all pairs of methods together.
const LEVEL: f64 = 0.05;

/// The mean rank of each method over blocks, 1 at best, and what Friedman's test says of them; `None` for fewer than two
/// methods or two blocks.
///
/// χ² = (k − 1)·Σⱼ (Rⱼ − n(k + 1)/2)² / Σᵢⱼ (rᵢⱼ − (k + 1)/2)², with mean ranks for ties; the critical difference is
/// q·√(k(k + 1)/(6n)), q from the studentised range with infinite degrees of freedom, by √2.
///
/// # Shapes
/// `values` (block, method), without NaN → (method).
///
/// # Source
/// Friedman 1937; Conover 1999 for ties; Nemenyi 1963; Demšar 2006, "Statistical comparisons of classifiers over multiple
/// data sets", section 3.2.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_eval::{Direction, tournament::friedman};
/// let (ranks, test) = friedman(&array![[3.0, 1.0], [2.0, 0.0], [5.0, 4.0]], Direction::Higher).unwrap();
/// assert_eq!(ranks, [1.0, 2.0]);
/// assert!((test.statistic - 3.0).abs() < 1e-12);
/// ```
pub fn friedman(values: &ArrayRef2<f64>, direction: Direction) -> Option<(Vec<f64>, Friedman)> {
    let (n, k) = values.dim();
    if n < 2 || k < 2 {
        return None;
    }
    let sign = if direction == Direction::Higher { -1.0 } else { 1.0 };
    let mut sums = vec![0.0; k];
    let mut spread = 0.0;
    let centre = (k as f64 + 1.0) / 2.0;
    for block in values.outer_iter() {
        let ranks = ranks(&block.iter().map(|v| sign * v).collect::<Vec<_>>());
        spread += ranks.iter().map(|r| (r - centre).powi(2)).sum::<f64>();
        sums.iter_mut().zip(&ranks).for_each(|(sum, rank)| *sum += rank);
    }
    let between: f64 = sums.iter().map(|sum| (sum - n as f64 * centre).powi(2)).sum();
    let statistic = if spread > 0.0 { (k as f64 - 1.0) * between / spread } else { 0.0 };
    let quantile = studentised_range(1.0 - LEVEL, k) / std::f64::consts::SQRT_2;
    let test = Friedman {
        n_blocks: n,
        n_methods: k,
        statistic,
        p_value: chi_squared_tail(statistic, k - 1),
        critical_difference: quantile * (k as f64 * (k as f64 + 1.0) / (6.0 * n as f64)).sqrt(),
    };
    Some((sums.iter().map(|sum| sum / n as f64).collect(), test))
}

/// The chance of more than `x` under χ² with `degrees` degrees of freedom.
pub(crate) fn chi_squared_tail(x: f64, degrees: usize) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // Q(a, y): for whole and half a by the recurrence Q(a + 1, y) = Q(a, y) + y^a·exp(−y)/Γ(a + 1).
    let y = x / 2.0;
    let (mut a, mut tail, mut term) = match degrees % 2 {
        0 => (1.0, (-y).exp(), y * (-y).exp()),
        _ => (0.5, 2.0 * cumulative(-x.sqrt()), (y / std::f64::consts::PI).sqrt() * 2.0 * (-y).exp()),
    };
    // `term` is y^a·exp(−y)/Γ(a + 1).
    while a + 0.25 < degrees as f64 / 2.0 {
        tail += term;
        a += 1.0;
        term *= y / a;
    }
    tail.min(1.0)
}

/// The `level` quantile of the range of `k` independent standard normal numbers.
pub(crate) fn studentised_range(level: f64, k: usize) -> f64 {
    // P(range < q) = k ∫ φ(z)·(Φ(z) − Φ(z − q))^(k−1) dz, by Simpson's rule: smooth, and nothing beyond 9.
    let below = |q: f64| {
        const PARTS: usize = 1024;
        let step = 18.0 / PARTS as f64;
        let at = |i: usize| {
            let z = -9.0 + step * i as f64;
            let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            density * (cumulative(z) - cumulative(z - q)).powi(k as i32 - 1)
        };
        let weight = |i: usize| if i == 0 || i == PARTS { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
        k as f64 * step / 3.0 * (0..=PARTS).map(|i| weight(i) * at(i)).sum::<f64>()
    };
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < level { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}
