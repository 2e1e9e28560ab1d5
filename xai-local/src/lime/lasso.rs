//! The lasso path by least-angle regression.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};

use crate::cholesky::Cholesky;

/// A correlation below this share of the first step's is zero in all but rounding.
const NOTHING_LEFT: f64 = 1e-13;

/// The features at the last point of the lasso path that has at most `n`; all, if nothing correlates with the scores.
///
/// # Source
/// Efron, Hastie, Johnstone & Tibshirani, *Least angle regression*, 2004, with the lasso's modification of section
/// 3.1; the choice on the path as in `lime` 0.2.0.1, `LimeBase.feature_selection`.
pub(super) fn longest(products: &ArrayRef2<f64>, cross: &ArrayRef1<f64>, n: usize) -> Vec<usize> {
    let path = path(products, cross);
    let users =
        |coefficients: &Array1<f64>| (0..coefficients.len()).filter(|&k| coefficients[k] != 0.0).collect::<Vec<_>>();
    let mut nonzero: Vec<usize> = (0..cross.len()).collect();
    for coefficients in path.iter().rev() {
        nonzero = users(coefficients);
        if nonzero.len() <= n {
            break;
        }
    }
    nonzero
}

/// The coefficients at every corner of the path but the first, which is 0.
fn path(products: &ArrayRef2<f64>, cross: &ArrayRef1<f64>) -> Vec<Array1<f64>> {
    let features = cross.len();
    let mut coefficients = Array1::<f64>::zeros(features);
    let mut active: Vec<usize> = Vec::new();
    let mut out: Vec<usize> = (0..features).filter(|&k| products[[k, k]] == 0.0).collect();
    let mut path = Vec::new();
    let mut dropped = false;
    let start = cross.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    // Each corner adds or drops one feature; a long path is a few times as long as the list of features.
    for _ in 0..8 * features + 8 {
        let correlation = &cross.view() - &products.dot(&coefficients);
        let idle: Vec<usize> = (0..features).filter(|k| !active.contains(k) && !out.contains(k)).collect();
        if !dropped {
            let Some(&next) = idle.iter().max_by(|a, b| correlation[**a].abs().total_cmp(&correlation[**b].abs()))
            else {
                break;
            };
            if correlation[next].abs() <= NOTHING_LEFT * start {
                break;
            }
            active.push(next);
        }
        dropped = false;
        let Some(step) = direction(products, &correlation, &active) else {
            // The newest feature is a mixture of the others.
            out.extend(active.pop());
            dropped = !active.is_empty();
            continue;
        };
        let most = active.iter().map(|&k| correlation[k].abs()).fold(0.0, f64::max);
        let slope = products.dot(&step);
        // All active correlations fall from `most` to 0 at gamma = 1, at the same rate.
        let mut gamma: f64 = 1.0;
        for &k in idle.iter().filter(|k| !active.contains(k)) {
            for (gap, rate) in [(most - correlation[k], most - slope[k]), (most + correlation[k], most + slope[k])] {
                let meets = gap / rate;
                // A feature that has just left stands at the corner itself, up to rounding.
                if gap > NOTHING_LEFT * start && meets > 0.0 && meets < gamma {
                    gamma = meets;
                }
            }
        }
        let mut leaver = None;
        for &k in &active {
            let crosses = -coefficients[k] / step[k];
            if crosses > 0.0 && crosses < gamma {
                (gamma, leaver) = (crosses, Some(k));
            }
        }
        coefficients.scaled_add(gamma, &step);
        if let Some(k) = leaver {
            coefficients[k] = 0.0;
            active.retain(|&a| a != k);
            dropped = true;
        }
        path.push(coefficients.clone());
        if gamma == 1.0 && leaver.is_none() {
            break;
        }
    }
    path
}

/// The step that would take all active correlations to zero at once.
fn direction(products: &ArrayRef2<f64>, correlation: &Array1<f64>, active: &[usize]) -> Option<Array1<f64>> {
    let n = active.len();
    let normal = Array2::from_shape_fn((n, n), |(a, b)| products[[active[a], active[b]]]);
    let right = Array2::from_shape_fn((n, 1), |(a, _)| correlation[active[a]]);
    let solution = Cholesky::new(normal).ok()?.solve(&right);
    let mut step = Array1::zeros(correlation.len());
    active.iter().enumerate().for_each(|(a, &k)| step[k] = solution[[a, 0]]);
    Some(step)
}
