//! An order in which similar rows stand side by side.

use ndarray::ArrayView2;

/// The leaves of an average-linkage clustering of the rows, from left to right.
///
/// # Cost
/// O(rows²) time and memory, by chains of nearest neighbours.
pub(crate) fn order(rows: ArrayView2<'_, f64>) -> Vec<usize> {
    let n = rows.nrows();
    let largest = rows.iter().fold(0.0, |m: f64, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    let mut distance = vec![0.0f64; n * n];
    for i in 0..n {
        for j in 0..i {
            let square = |(a, b): (&f64, &f64)| (a / largest - b / largest).powi(2);
            let d = rows.row(i).iter().zip(rows.row(j).iter()).map(square).sum::<f64>().sqrt();
            (distance[i * n + j], distance[j * n + i]) = (d, d);
        }
    }
    let mut leaves: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    let mut alive: Vec<bool> = vec![true; n];
    let mut chain: Vec<usize> = Vec::new();
    let mut left = n;
    while left > 1 {
        let Some(&tip) = chain.last() else {
            chain.extend(alive.iter().position(|&a| a));
            continue;
        };
        let previous = chain.len().checked_sub(2).map(|i| chain[i]);
        let mut nearest = previous;
        for other in (0..n).filter(|&o| alive[o] && o != tip) {
            // Strictly nearer only: otherwise the chain could run in a circle among equals.
            if nearest.is_none_or(|best| distance[tip * n + other] < distance[tip * n + best]) {
                nearest = Some(other);
            }
        }
        let Some(next) = nearest else { break };
        if previous != Some(next) {
            chain.push(next);
            continue;
        }
        chain.truncate(chain.len() - 2);
        merge(&mut distance, &mut leaves, &mut alive, (next.min(tip), next.max(tip)));
        left -= 1;
    }
    alive.iter().position(|&a| a).map_or_else(Vec::new, |root| std::mem::take(&mut leaves[root]))
}

/// Joins cluster `b` to `a`.
fn merge(distance: &mut [f64], leaves: &mut [Vec<usize>], alive: &mut [bool], (a, b): (usize, usize)) {
    let n = alive.len();
    let (wa, wb) = (leaves[a].len() as f64, leaves[b].len() as f64);
    for k in (0..n).filter(|&k| alive[k] && k != a && k != b) {
        let mean = (wa * distance[a * n + k] + wb * distance[b * n + k]) / (wa + wb);
        (distance[a * n + k], distance[k * n + a]) = (mean, mean);
    }
    alive[b] = false;
    let tail = std::mem::take(&mut leaves[b]);
    leaves[a].extend(tail);
}
