//! Indices as measures: how much a discrete derivative counts, by the chance t with which others are present.

use xai_core::InteractionIndex;

use crate::tree::quadrature::{Quadrature, nodes_for};

/// The weights of an index for sets of one size.
///
/// The index of a set T is Σ over S ⊆ N∖T of p(|S|)·Δ_T(S), and for all of them p(s) = ∫ tˢ (1 − t)^(n − |T| − s) dμ(t):
/// the mean of Δ_T when each other player is present with chance t, over a measure μ that depends on |T| alone.
#[derive(Debug, Clone, Default)]
struct Measure {
    /// Points with the mass there, which may be negative.
    points: Vec<(f64, f64)>,
    /// The density, a sum of c·tⁱ·(1 − t)ʲ: c, i, j.
    density: Vec<(f64, usize, usize)>,
}

/// The measures of an index for sets of 1, 2, … up to its order.
#[derive(Debug, Clone)]
pub(crate) struct Measures {
    sizes: Vec<Measure>,
}

/// Measures as sums over nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nodes {
    /// Where: (node).
    pub t: Vec<f64>,
    /// 1 − t: (node).
    pub rest: Vec<f64>,
    /// How much each node counts for sets of one size: (size − 1, node).
    pub weights: Vec<Vec<f64>>,
}

impl Measures {
    /// The measures of an index; of the one it is made from, if it is a sum over larger sets (k-SII, FBII).
    pub(crate) fn new(index: InteractionIndex, order: usize) -> Self {
        let measure = |size: usize| match index {
            InteractionIndex::Sii | InteractionIndex::KSii => Measure::of_density(vec![(1.0, 0, 0)]),
            InteractionIndex::Bii | InteractionIndex::Fbii => Measure::of_point(0.5),
            InteractionIndex::Stii if size == order => Measure::of_density(vec![(order as f64, 0, order - 1)]),
            InteractionIndex::Fsii => faithful(size, order),
            // Möbius, and what Shapley-Taylor gives to small sets.
            _ => Measure::of_point(0.0),
        };
        Measures { sizes: (1..=order).map(measure).collect() }
    }

    /// The largest size of a set.
    pub(super) fn order(&self) -> usize {
        self.sizes.len()
    }

    /// Whether some measure has a mass at t = 0.
    pub(super) fn touch_zero(&self) -> bool {
        self.sizes.iter().any(|m| m.points.iter().any(|&(t, _)| t == 0.0))
    }

    /// Whether nothing counts but Δ at the empty set.
    pub(super) fn only_zero(&self) -> bool {
        self.sizes.iter().all(|m| m.density.is_empty() && m.points.iter().all(|&(t, _)| t == 0.0))
    }

    /// The number of players that the rule of [`Measures::nodes`] must be made for so that it is exact for paths of
    /// `players`: 0 when no measure has a density.
    pub(super) fn degree(&self, players: usize) -> usize {
        let degree = |(place, m): (usize, &Measure)| {
            m.density.iter().map(|&(_, i, j)| (players + i + j).saturating_sub(place)).max().unwrap_or(0)
        };
        self.sizes.iter().enumerate().map(degree).max().unwrap_or(0)
    }

    /// Nodes that integrate what paths of `players` distinct players give rise to; `contradictory` when factors may
    /// exceed 1.
    pub(crate) fn nodes(&self, players: usize, leaves: usize, contradictory: bool) -> Nodes {
        let (mut t, mut rest, mut gauss) = (Vec::new(), Vec::new(), Vec::new());
        let degree = self.degree(players);
        if degree > 0 {
            let n = if contradictory { degree.div_ceil(2) } else { nodes_for(degree, leaves) };
            let rule = Quadrature::new(n);
            (t, rest, gauss) = (rule.t, rule.rest, rule.weight);
        }
        let mut weights: Vec<Vec<f64>> = self.sizes.iter().map(|m| m.weights(&t, &rest, &gauss)).collect();
        for point in [0.0, 0.5] {
            let mass = |m: &Measure| m.points.iter().filter(|(t, _)| *t == point).map(|(_, mass)| mass).sum::<f64>();
            let masses: Vec<f64> = self.sizes.iter().map(mass).collect();
            if masses.iter().any(|&mass| mass != 0.0) {
                t.push(point);
                rest.push(1.0 - point);
                weights.iter_mut().zip(masses).for_each(|(weights, mass)| weights.push(mass));
            }
        }
        Nodes { t, rest, weights }
    }

    /// ∫ tⁱ (1 − t)ʲ dμ for sets of `size` players.
    pub(crate) fn moment(&self, size: usize, i: usize, j: usize) -> f64 {
        let m = &self.sizes[size - 1];
        let points = m.points.iter().map(|&(t, mass)| mass * t.powi(i as i32) * (1.0 - t).powi(j as i32));
        let density = m.density.iter().map(|&(c, a, b)| c * beta(a + i, b + j));
        points.sum::<f64>() + density.sum::<f64>()
    }
}

impl Measure {
    fn of_point(t: f64) -> Self {
        Measure { points: vec![(t, 1.0)], density: Vec::new() }
    }

    fn of_density(density: Vec<(f64, usize, usize)>) -> Self {
        Measure { points: Vec::new(), density }
    }

    /// The weights of Gaussian nodes times the density there.
    fn weights(&self, t: &[f64], rest: &[f64], gauss: &[f64]) -> Vec<f64> {
        let density = |t: f64, rest: f64| -> f64 {
            self.density.iter().map(|&(c, i, j)| c * t.powi(i as i32) * rest.powi(j as i32)).sum()
        };
        t.iter().zip(rest).zip(gauss).map(|((&t, &rest), w)| w * density(t, rest)).collect()
    }
}

/// The measure of the faithful Shapley interaction index of order ℓ for sets of `size` s.
///
/// Tsai et al. 2023, theorem 19, in Möbius coefficients a: E(T) = a(T) + (−1)^(ℓ−s) s/(ℓ+s) C(ℓ, s) Σ over S ⊋ T of
/// C(|S|−1, ℓ)/C(|S|+ℓ−1, ℓ+s)·a(S). The quotient of binomials is a Beta integral of dˡ/dtˡ t^(|S|−1); integrating ℓ
/// times by parts leaves ∫ t^(|S|−s) ρ(t) dt, and a(T) itself, less its part of that integral, is a mass at 0.
fn faithful(size: usize, order: usize) -> Measure {
    let (s, l) = (size, order);
    let scale = sign(l - s) / (factorial(s - 1) * factorial(l - s));
    let term = |m: usize| {
        let c = factorial(l) / (factorial(m) * factorial(l - m));
        let derivatives = factorial(l - s) / factorial(l - s - m) * factorial(l + s - 1) / factorial(s - 1 + m);
        (scale * sign(m) * c * derivatives, l - 1 - m, s - 1 + m)
    };
    let density: Vec<_> = (0..=l - s).map(term).collect();
    if s == l {
        return Measure::of_density(density);
    }
    let rest = 1.0 - density.iter().map(|&(c, i, j)| c * beta(i, j)).sum::<f64>();
    Measure { points: vec![(0.0, rest)], density }
}

fn sign(n: usize) -> f64 {
    if n.is_multiple_of(2) { 1.0 } else { -1.0 }
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|i| i as f64).product()
}

/// ∫₀¹ tⁱ (1 − t)ʲ dt = i!·j!/(i + j + 1)!.
fn beta(i: usize, j: usize) -> f64 {
    let (small, large) = (i.min(j), i.max(j));
    (1..=small).fold(1.0 / (large + 1) as f64, |value, k| value * k as f64 / (large + 1 + k) as f64)
}
