//! Interaction indices by their definitions, from the worth of every coalition.

use xai_core::InteractionIndex;

/// The Bernoulli numbers B₀ to B₅.
const BERNOULLI: [f64; 6] = [1.0, -0.5, 1.0 / 6.0, 0.0, -1.0 / 30.0, 0.0];

fn factorial(n: usize) -> f64 {
    (1..=n).map(|i| i as f64).product()
}

fn binomial(n: usize, k: usize) -> f64 {
    factorial(n) / factorial(k) / factorial(n - k)
}

fn size(set: usize) -> usize {
    set.count_ones() as usize
}

/// Δ_T(S).
fn derivative(worth: &[f64], t: usize, s: usize) -> f64 {
    let parts = (0..worth.len()).filter(|l| l & !t == 0);
    parts.map(|l| worth[s | l] * (-1f64).powi((size(t) - size(l)) as i32)).sum()
}

/// Σ over S ⊆ N∖T of `weight`(|S|)·Δ_T(S).
fn weighted(worth: &[f64], t: usize, weight: impl Fn(usize) -> f64) -> f64 {
    (0..worth.len()).filter(|s| s & t == 0).map(|s| weight(size(s)) * derivative(worth, t, s)).sum()
}

fn sii(n: usize, worth: &[f64], t: usize) -> f64 {
    let k = size(t);
    weighted(worth, t, |s| factorial(n - s - k) * factorial(s) / factorial(n - k + 1))
}

/// The index of every set of up to `order` of `n` players, by bit mask; 0 for larger sets and for the empty one.
pub fn by_definition(index: InteractionIndex, order: usize, n: usize, worth: &[f64]) -> Vec<f64> {
    let of = |t: usize| match index {
        InteractionIndex::Sii => sii(n, worth, t),
        InteractionIndex::KSii => {
            let larger = (0..1usize << n).filter(|s| s & t == t && size(*s) <= order);
            larger.map(|s| BERNOULLI[size(s) - size(t)] * sii(n, worth, s)).sum()
        }
        InteractionIndex::Stii if size(t) == order => {
            order as f64 / n as f64 * weighted(worth, t, |s| 1.0 / binomial(n - 1, s))
        }
        InteractionIndex::Stii | InteractionIndex::Moebius => derivative(worth, t, 0),
        InteractionIndex::Bii => weighted(worth, t, |_| 0.5f64.powi((n - size(t)) as i32)),
        InteractionIndex::Fsii | InteractionIndex::Fbii => f64::NAN,
        other => panic!("no definition of {other}"),
    };
    match index {
        InteractionIndex::Fsii => faithful(order, n, worth, true),
        InteractionIndex::Fbii => faithful(order, n, worth, false),
        _ => (0..1 << n).map(|t| if t == 0 || size(t) > order { 0.0 } else { of(t) }).collect(),
    }
}

/// The best approximation by sets of up to `order` players: least squares over all coalitions, in the Shapley kernel
/// and exact for none and all players, or with equal weights.
fn faithful(order: usize, n: usize, worth: &[f64], shapley: bool) -> Vec<f64> {
    let full = (1usize << n) - 1;
    let sets: Vec<usize> = (0..=full).filter(|t| size(*t) <= order).collect();
    let exact: Vec<usize> = if shapley { vec![0, full] } else { vec![] };
    let (k, all) = (sets.len(), sets.len() + exact.len());
    // The normal equations, bordered by Lagrange's multipliers.
    let mut system = vec![vec![0.0; all + 1]; all];
    let within = |t: usize, s: usize| f64::from(u8::from(t & !s == 0));
    for s in (0..=full).filter(|s| !exact.contains(s)) {
        let weight = if shapley { 1.0 / (binomial(n, size(s)) * (size(s) * (n - size(s))) as f64) } else { 1.0 };
        for (row, &a) in sets.iter().enumerate() {
            for (column, &b) in sets.iter().enumerate() {
                system[row][column] += weight * within(a, s) * within(b, s);
            }
            system[row][all] += weight * within(a, s) * worth[s];
        }
    }
    for (extra, &s) in exact.iter().enumerate() {
        for (row, &t) in sets.iter().enumerate() {
            system[row][k + extra] = within(t, s);
            system[k + extra][row] = within(t, s);
        }
        system[k + extra][all] = worth[s];
    }
    let solution = solve(system);
    let mut found = vec![0.0; full + 1];
    sets.iter().zip(solution).filter(|(t, _)| **t != 0).for_each(|(t, value)| found[*t] = value);
    found
}

/// Gauss-Jordan elimination with row pivots. A column that the others make redundant gets 0: with sets of all players
/// the last equation of the full coalition says nothing new.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    let mut rank = 0;
    let mut pivots = vec![None; n];
    for column in 0..n {
        let Some(best) = (rank..n).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs())) else {
            break;
        };
        if system[best][column].abs() < 1e-11 {
            continue;
        }
        system.swap(rank, best);
        let pivot = system[rank].clone();
        for (row, line) in system.iter_mut().enumerate() {
            let factor = line[column] / pivot[column];
            if row != rank && factor != 0.0 {
                line.iter_mut().zip(&pivot).for_each(|(to, from)| *to -= factor * from);
            }
        }
        pivots[column] = Some(rank);
        rank += 1;
    }
    (0..n).map(|column| pivots[column].map_or(0.0, |row| system[row][n] / system[row][column])).collect()
}
