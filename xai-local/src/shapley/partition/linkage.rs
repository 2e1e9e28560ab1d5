//! Columns that go together in the data belong together.

use ndarray::{ArrayView1, Axis};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Result, Table};

use super::PartitionTree;

/// How far two clusters of columns are from each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// The mean distance of their columns.
    #[default]
    Average,
    /// The distance of the two columns furthest apart.
    Complete,
}

/// The distances of 8192 columns take half a gigabyte.
const MOST_COLUMNS: usize = 8192;

impl PartitionTree {
    /// Columns clustered by 1 − |ρ|, their correlation in `data` (row, column): the two nearest clusters become a part,
    /// again and again.
    ///
    /// ρ is over the rows in which both columns have a value; a column that does not vary correlates with none.
    ///
    /// # Cost
    /// O(columns² · rows), and 8 · columns² bytes.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for an infinite cell; [`Error::TooLarge`] past 8192 columns.
    ///
    /// # Laws
    /// `clusters_are_those_of_the_definition`.
    ///
    /// # Source
    /// The chain of nearest neighbours: Benzécri 1982, as in Müllner, *Modern hierarchical, agglomerative clustering
    /// algorithms*, 2011, figure 3.
    pub fn correlated(data: &Table, linkage: Linkage) -> Result<Self> {
        let n = data.ncols();
        if n > MOST_COLUMNS {
            let what = "columns to cluster".to_owned();
            return Err(Error::TooLarge { what, limit: MOST_COLUMNS as u64, found: n as u64 });
        }
        if let Some(((sample, column), &value)) = data.indexed_iter().find(|(_, cell)| cell.is_infinite()) {
            return Err(Error::NonFinite { what: "data to cluster".into(), sample, column, value });
        }
        let columns: Vec<ArrayView1<f64>> = data.axis_iter(Axis(1)).collect();
        let mut distance = vec![vec![0.0; n]; n];
        for i in 0..n {
            for j in 0..i {
                let far = 1.0 - correlation(&columns[i], &columns[j]).abs();
                (distance[i][j], distance[j][i]) = (far, far);
            }
        }
        PartitionTree::new(n, merges(distance, linkage))
    }
}

/// Pearson's, of the pairs that are both there.
fn correlation(x: &ArrayView1<f64>, y: &ArrayView1<f64>) -> f64 {
    let both = || x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let count = both().count() as f64;
    let (mean_x, mean_y) = (both().map(|(x, _)| x).sum::<f64>() / count, both().map(|(_, y)| y).sum::<f64>() / count);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in both() {
        let (x, y) = (x - mean_x, y - mean_y);
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    let root = (xx * yy).sqrt();
    if root > 0.0 && root.is_finite() { (xy / root).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The two members of each part, nearest first.
fn merges(mut distance: Vec<Vec<f64>>, linkage: Linkage) -> Vec<Vec<usize>> {
    let n = distance.len();
    let mut size = vec![1.0; n];
    let mut alive = vec![true; n];
    // Whoever is nearest to each other merges at some time, so that a chain of nearest neighbours finds all merges.
    let mut chain: Vec<usize> = Vec::new();
    let mut found: Vec<(f64, usize, usize)> = Vec::new();
    while found.len() + 1 < n {
        let tip = match chain.last() {
            Some(&tip) => tip,
            None => {
                let first = (0..n).find(|&k| alive[k]).unwrap_or(0);
                chain.push(first);
                first
            }
        };
        let before = chain.len().checked_sub(2).map(|k| chain[k]);
        // On a tie the one before, so that the chain ends.
        let mut nearest = before;
        for k in (0..n).filter(|&k| alive[k] && k != tip) {
            if nearest.is_none_or(|nearest| distance[tip][k] < distance[tip][nearest]) {
                nearest = Some(k);
            }
        }
        let Some(nearest) = nearest else { break };
        if Some(nearest) != before {
            chain.push(nearest);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let (keep, gone) = (tip.min(nearest), tip.max(nearest));
        found.push((distance[keep][gone], keep, gone));
        for k in (0..n).filter(|&k| alive[k] && k != keep && k != gone) {
            let far = match linkage {
                Linkage::Average => {
                    (size[keep] * distance[keep][k] + size[gone] * distance[gone][k]) / (size[keep] + size[gone])
                }
                Linkage::Complete => distance[keep][k].max(distance[gone][k]),
            };
            (distance[keep][k], distance[k][keep]) = (far, far);
        }
        size[keep] += size[gone];
        alive[gone] = false;
    }
    // A cluster is known by its first column; sorting is stable, so that a merge comes after those that it needs.
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut node: Vec<usize> = (0..n).collect();
    let mut parts = Vec::new();
    for (_, keep, gone) in found {
        parts.push(vec![node[keep], node[gone]]);
        node[keep] = n + parts.len() - 1;
    }
    parts
}
