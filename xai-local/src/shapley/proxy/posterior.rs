//! The Shapley values that a Gaussian process expects after it has seen a sample, and how unsure it is of them.

use ndarray::{Array1, Array2, Axis, concatenate};

use super::Fit;
use super::process::{Covariance, Parts};
use super::sample::Sampled;
use super::share::{marginal_weights, of_pair};
use crate::cholesky::Cholesky;
use crate::tree::quadrature::{Quadrature, nodes_for};

/// Pairs from which the covariance is learned; more cost time with the cube of their number and teach little.
const MOST_LEARNED: usize = 256;

/// An output whose differences are this much smaller than another's is still.
const STILL: f64 = 1e-12;

/// Nodes in each of the two directions of the integral that is a value's variance before anything was seen.
const VARIANCE_NODES: usize = 24;

/// Fits a process to the sample, whose covariance comes along; nothing if its matrix is singular in these digits.
///
/// # Cost
/// m³ / 3 for m pairs, and some dozen times as much for [`MOST_LEARNED`] of them.
pub(crate) fn fit(sampled: &Sampled) -> Option<(Fit, Covariance)> {
    let (m, n) = sampled.signs.dim();
    let end = Array2::ones((1, n));
    let x = concatenate(Axis(0), &[sampled.signs.view(), end.view()]).ok()?;
    let gain = sampled.gain.clone().insert_axis(Axis(0));
    let mut y = concatenate(Axis(0), &[sampled.difference.view(), gain.view()]).ok()?;
    let rms: Array1<f64> = y.columns().into_iter().map(|c| (c.dot(&c) / c.len() as f64).sqrt()).collect();
    let scale = rms.mapv(|rms| if rms > 0.0 { rms } else { 1.0 });
    y /= &scale;

    let places = learned(m + 1);
    // Outputs that do not move, but for rounding, teach nothing.
    let largest = rms.iter().fold(0.0, |most: f64, x| most.max(*x));
    let moving: Vec<usize> = (0..rms.len()).filter(|&o| rms[o] > STILL * largest).collect();
    let y_learned = y.select(Axis(0), &places).select(Axis(1), &moving);
    let covariance = Covariance::learn(&x.select(Axis(0), &places), Parts { odd: &y_learned, even: None }, None);

    let own = covariance.own(&x);
    let mut matrix = covariance.between(&x, &x);
    matrix.diag_mut().iter_mut().zip(&own).for_each(|(d, own)| *d += own);
    let factor = Cholesky::new(matrix).ok()?;
    let told = factor.solve(&y);
    let inverse = factor.inverse_diagonal();
    let pulls = pulls(&covariance, &x, &own);
    let mut shares = pulls.t().dot(&told);
    shares *= &scale;
    let settled = (&pulls * &factor.solve(&pulls)).sum_axis(Axis(0));
    let unsure = variances(&covariance, n) - settled;
    let standard_error = Array2::from_shape_fn(shares.dim(), |(p, o)| unsure[p].max(0.0).sqrt() * scale[o]);
    // What the fit without a pair says of that pair (Rasmussen & Williams 2006, equation 5.12).
    let left_out =
        Array2::from_shape_fn((m, y.ncols()), |(pair, o)| (y[[pair, o]] - told[[pair, o]] / inverse[pair]) * scale[o]);
    Some((Fit { shares, left_out, standard_error: Some(standard_error) }, covariance))
}

/// From which of `count` pairs, the last of which is the end, a covariance is learned: evenly along them, as they lie by
/// size.
pub(super) fn learned(count: usize) -> Vec<usize> {
    let few = count.min(MOST_LEARNED);
    (1..=few).map(|k| k * count / few - 1).collect()
}

/// The covariance of each pair's difference with each player's value: (pair, player).
///
/// For one pair the smooth part is a product over the players, so that its Shapley value is the integral over p of
/// ∂ᵢ Πⱼ (p fⱼ(1) + (1 − p) fⱼ(0)), a polynomial of p.
fn pulls(covariance: &Covariance, x: &Array2<f64>, own: &[f64]) -> Array2<f64> {
    let n = x.ncols();
    let rule = Quadrature::new(nodes_for(n, x.nrows()));
    let alone: Vec<f64> = covariance.reach.iter().map(|reach| (-reach).exp()).collect();
    let weights = marginal_weights(n);
    let mut pulls = Array2::zeros(x.dim());
    for ((row, mut pull), own) in x.outer_iter().zip(pulls.outer_iter_mut()).zip(own) {
        for ((t, rest), weight) in rule.t.iter().zip(&rule.rest).zip(&rule.weight) {
            let blend = |p: usize| if row[p] > 0.0 { t + rest * alone[p] } else { t * alone[p] + rest };
            let product: f64 = (0..n).map(blend).product();
            for p in 0..n {
                pull[p] += covariance.smooth * weight * product * (1.0 - alone[p]) * row[p] / blend(p);
            }
        }
        let size = row.iter().filter(|x| **x > 0.0).count();
        let (inside, outside) = of_pair(&weights, size);
        for p in 0..n {
            pull[p] += 2.0 * covariance.linear * row[p] + 2.0 * own * if row[p] > 0.0 { inside } else { outside };
        }
    }
    // Differences are twice the odd part, and so are these.
    pulls / 2.0
}

/// The variance of each player's value before anything was seen, in units of half a difference's: (player).
fn variances(covariance: &Covariance, n: usize) -> Array1<f64> {
    let rule = Quadrature::new(VARIANCE_NODES);
    let ratio: Vec<f64> = covariance.reach.iter().map(|reach| (reach / 2.0).tanh()).collect();
    let level: f64 = covariance.reach.iter().map(|reach| (1.0 + (-reach).exp()) / 2.0).product();
    let weights = marginal_weights(n);
    let own: f64 =
        (1..=n / 2).map(|size| (weights[size - 1] + if 2 * size == n { 0.0 } else { weights[size] }) / n as f64).sum();
    let mut variance = Array1::from_elem(n, covariance.linear + covariance.own * own);
    for (s, ws) in rule.t.iter().zip(&rule.weight) {
        for (t, wt) in rule.t.iter().zip(&rule.weight) {
            let plus: f64 = ratio.iter().map(|r| 1.0 + r * s * t).product();
            let minus: f64 = ratio.iter().map(|r| 1.0 - r * s * t).product();
            for (variance, r) in variance.iter_mut().zip(&ratio) {
                let odd = (plus / (1.0 + r * s * t) + minus / (1.0 - r * s * t)) / 2.0;
                *variance += covariance.smooth * level * ws * wt * r * odd;
            }
        }
    }
    variance
}
