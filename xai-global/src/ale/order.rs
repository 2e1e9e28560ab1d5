//! The order of categories by how alike their samples are.

use ndarray::{Array2, Axis};
use xai_core::{Feature, FeatureKind, Table};

use crate::axes::distinct;

/// At how many values two distributions of numbers are compared, at most.
const MOST_PLACES: usize = 1000;

/// How different the samples of every two levels are in the columns other than `column`: (level, level).
///
/// The sum over those columns of the Kolmogorov-Smirnov distance of the two distributions (numbers), or half the sum
/// of the differences of frequencies (categories). Of more than 1000 different numbers, the distributions are compared
/// at 1000, evenly chosen in order of size. A missing value is a category of its own; among numbers it is left
/// out.
pub(super) fn distances(
    of: &[Option<usize>],
    n_levels: usize,
    column: usize,
    names: &[Feature],
    batch: &Table,
) -> Array2<f64> {
    let mut sum = Array2::zeros((n_levels, n_levels));
    for (other, name) in names.iter().enumerate().filter(|(other, _)| *other != column) {
        let categorical = matches!(name.kind, FeatureKind::Categorical { .. });
        // The share of each level's samples at each value (categories) or up to it (numbers): (value, level).
        let mut values = distinct(&batch.column(other));
        if !categorical && values.len() > MOST_PLACES {
            let n = values.len();
            values = (1..=MOST_PLACES).map(|k| values[(n * k).div_ceil(MOST_PLACES) - 1]).collect();
        }
        let mut shares = Array2::<f64>::zeros((values.len() + usize::from(categorical), n_levels));
        for (cell, level) in batch.column(other).iter().zip(of) {
            let place = if cell.is_nan() { values.len() } else { values.partition_point(|v| v < cell) };
            if let (Some(level), true) = (level, place < shares.nrows()) {
                shares[[place, *level]] += 1.0;
            }
        }
        for mut share in shares.columns_mut() {
            let total = share.sum();
            if total > 0.0 {
                share /= total;
            }
        }
        if !categorical {
            shares.accumulate_axis_inplace(Axis(0), |&before, now| *now += before);
        }
        for i in 0..n_levels {
            for j in 0..i {
                let gaps = shares.column(i).to_owned() - shares.column(j);
                let distance = match categorical {
                    true => gaps.iter().map(|g| g.abs()).sum::<f64>() / 2.0,
                    false => gaps.iter().fold(0.0, |most: f64, g| most.max(g.abs())),
                };
                sum[[i, j]] += distance;
                sum[[j, i]] += distance;
            }
        }
    }
    sum
}

/// The levels along the line on which their distances are kept best: classical scaling to one dimension.
///
/// The line is turned so that level 0 lies on its lower half; levels at one place stay in their order.
pub(super) fn by_similarity(distances: &Array2<f64>) -> Vec<usize> {
    let n = distances.nrows();
    let squares = distances.mapv(|d| d * d);
    let means: Vec<f64> = squares.outer_iter().map(|row| row.sum() / n as f64).collect();
    let all = means.iter().sum::<f64>() / n as f64;
    let inner = Array2::from_shape_fn((n, n), |(i, j)| -0.5 * (squares[[i, j]] - means[i] - means[j] + all));
    let scale = inner.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let mut places = leading_eigenvector(inner);
    if places[0] > 0.0 {
        places.iter_mut().for_each(|p| *p = -*p);
    }
    let mut order: Vec<usize> = (0..n).collect();
    // Without any difference there is no line: the vector is noise.
    if scale > SAME {
        let place = |level: usize| (places[level] / SAME).round();
        order.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
    }
    order
}

/// Places this close on a line of length one are equal but for rounding.
const SAME: f64 = 1e-9;

/// The eigenvector of the largest eigenvalue of a symmetric matrix, by Jacobi's rotations.
fn leading_eigenvector(mut a: Array2<f64>) -> Vec<f64> {
    const MOST_SWEEPS: usize = 60;
    let n = a.nrows();
    let mut vectors = Array2::<f64>::eye(n);
    for _ in 0..MOST_SWEEPS {
        let diagonal: f64 = (0..n).map(|i| a[[i, i]] * a[[i, i]]).sum();
        let off = (a.iter().map(|v| v * v).sum::<f64>() - diagonal).max(0.0);
        if off <= 1e-30 * diagonal {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[[p, q]] == 0.0 {
                    continue;
                }
                let theta = (a[[q, q]] - a[[p, p]]) / (2.0 * a[[p, q]]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    (a[[k, p]], a[[k, q]]) = (c * a[[k, p]] - s * a[[k, q]], s * a[[k, p]] + c * a[[k, q]]);
                }
                for k in 0..n {
                    (a[[p, k]], a[[q, k]]) = (c * a[[p, k]] - s * a[[q, k]], s * a[[p, k]] + c * a[[q, k]]);
                    let (vp, vq) = (vectors[[k, p]], vectors[[k, q]]);
                    (vectors[[k, p]], vectors[[k, q]]) = (c * vp - s * vq, s * vp + c * vq);
                }
            }
        }
    }
    let largest = (0..n).fold(0, |best, i| if a[[i, i]] > a[[best, best]] { i } else { best });
    vectors.column(largest).to_vec()
}
