//! Gauss-Legendre quadrature on the unit interval.

use std::f64::consts::PI;

/// Nodes and weights of a rule: Σ `weight`·g(`t`) = ∫₀¹ g(t) dt for every polynomial g of degree below 2·`t.len()`.
#[derive(Debug, Clone)]
pub(crate) struct Quadrature {
    /// The nodes, inside (0, 1).
    pub t: Vec<f64>,
    /// 1 − t, to full relative accuracy: (node).
    pub rest: Vec<f64>,
    /// The weights, which sum to 1: (node).
    pub weight: Vec<f64>,
}

impl Quadrature {
    /// The rule of `n` nodes.
    ///
    /// A node is cos²(θ/2), where Pₙ(cos θ) = 0; Newton's method runs on θ, so that nodes and weights near both ends
    /// keep their relative accuracy, which the textbook form on x = cos θ loses.
    ///
    /// # Cost
    /// O(n²).
    pub(crate) fn new(n: usize) -> Self {
        let mut rule = Quadrature { t: vec![0.5; n], rest: vec![0.5; n], weight: vec![1.0; n] };
        for i in 0..n.div_ceil(2) {
            let mut theta = PI * (i as f64 + 0.75) / (n as f64 + 0.5);
            let mut slope = 1.0;
            for _ in 0..NEWTON_STEPS {
                let (value, derivative) = legendre(n, theta);
                theta -= value / derivative;
                slope = derivative;
            }
            let (near, far) = ((theta / 2.0).cos().powi(2), (theta / 2.0).sin().powi(2));
            let weight = 1.0 / (slope * slope);
            // The rule is its own mirror image, also in the last bit.
            (rule.t[i], rule.rest[i], rule.weight[i]) = (far, near, weight);
            let mirror = n - 1 - i;
            (rule.t[mirror], rule.rest[mirror], rule.weight[mirror]) = (near, far, weight);
        }
        rule
    }
}

/// Newton doubles the right digits from about five: three steps suffice, the fourth refines the slope.
const NEWTON_STEPS: usize = 5;

/// Pₙ(cos θ) and its derivative by θ.
///
/// The recurrence runs on differences of neighbours and on 1 − cos θ, which is accurate near θ = 0.
fn legendre(n: usize, theta: f64) -> (f64, f64) {
    let gap = 2.0 * (theta / 2.0).sin().powi(2);
    let (mut value, mut previous, mut step) = (1.0, 1.0, 0.0);
    for j in 0..n {
        let j = j as f64;
        step = (j * step - (2.0 * j + 1.0) * gap * value) / (j + 1.0);
        previous = value;
        value += step;
    }
    let derivative = n as f64 * (theta.cos() * value - previous) / theta.sin();
    (value, derivative)
}

/// How many nodes integrate the polynomials of a tree with `leaves` leaves to the last bit, when no path has more
/// than `players` distinct players.
///
/// A path's polynomial has degree `players` − 1, so ⌈`players`/2⌉ nodes are exact. Many players need fewer: each
/// factor h·t + c·(1 − t) with h, c in \[0, 1\] is at most cosh σ on the ellipse of parameter e^σ around \[0, 1\], the
/// product of d of them at most exp(d·σ²/2), and a rule of q nodes errs by about exp(d·σ²/2 − 2·q·σ). The best σ is
/// 2·q/d and gives exp(−2·q²/d), which `q` = √(d·(40 + ln `leaves`)/2) brings below 2⁻⁵³ for the sum over all leaves.
pub(crate) fn nodes_for(players: usize, leaves: usize) -> usize {
    let exact = players.div_ceil(2).max(1);
    let enough = (players as f64 * (40.0 + (leaves as f64).ln()) / 2.0).sqrt().ceil() as usize + 1;
    exact.min(enough)
}
