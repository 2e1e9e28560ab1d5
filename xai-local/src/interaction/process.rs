//! A Gaussian process on coalitions, learned from some of them.
//!
//! A game is taken for a draw of a process with the covariance
//!
//! k(S, T) = a · Πᵢ (1 if i is in both or neither, otherwise e^−ℓᵢ) + b · x_S · x_T + c · δ_S(T),
//!
//! where x is 1 for those present and −1 for the others. Players that matter little have small ℓᵢ; sets of few players
//! weigh more than large ones. The last term is what a coalition has to itself.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1};

use crate::cholesky::Cholesky;

/// The parameters of the covariance.
#[derive(Debug, Clone)]
pub(super) struct Covariance {
    /// e^−ℓ of each player.
    pub forgets: Vec<f64>,
    /// a.
    pub smooth: f64,
    /// b.
    pub linear: f64,
    /// c.
    pub own: f64,
}

/// What coalitions have to themselves at least, in units of the variance: matrices stay positive definite.
const LEAST_OWN: f64 = 1e-8;
/// Σℓ before anything is known.
const REACH: f64 = 1.5;
/// The standard deviations of the logarithms of ℓ, a, b and c before anything is known.
const SPREAD: [f64; 4] = [0.7, 2.0, 2.0, 3.0];
/// Steps of the search, and how far one goes.
const STEPS: usize = 60;
const STRIDE: f64 = 0.15;

impl Covariance {
    fn of(logs: &[f64]) -> Self {
        let (reach, rest) = logs.split_at(logs.len() - 3);
        Covariance {
            forgets: reach.iter().map(|x| (-x.exp()).exp()).collect(),
            smooth: rest[0].exp(),
            linear: rest[1].exp(),
            own: LEAST_OWN + rest[2].exp(),
        }
    }

    /// The likeliest parameters for worths `y` (coalition, output) of mean 0 and variance 1 on `x` (coalition, player).
    ///
    /// # Cost
    /// [`STEPS`] times the cube of the number of coalitions.
    pub fn learn(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Self {
        let n = x.ncols();
        let mut prior = vec![(REACH / n as f64).ln(); n];
        prior.extend([0.0, (0.3 / n as f64).ln(), 0.01f64.ln()]);
        let (mut at, mut best) = (prior.clone(), (f64::NEG_INFINITY, prior.clone()));
        let (mut mean, mut square) = (vec![0.0; at.len()], vec![0.0; at.len()]);
        for step in 1..=STEPS {
            let Some((likelihood, slope)) = posterior(&at, &prior, x, y) else { break };
            if likelihood > best.0 {
                best = (likelihood, at.clone());
            }
            // Adam (Kingma & Ba 2015), uphill, with steps that grow shorter.
            let stride = STRIDE * (1.0 - (step - 1) as f64 / STEPS as f64);
            for (p, slope) in slope.into_iter().enumerate() {
                mean[p] = 0.8 * mean[p] + 0.2 * slope;
                square[p] = 0.95 * square[p] + 0.05 * slope * slope;
                let (m, v) =
                    (mean[p] / (1.0 - 0.8f64.powi(step as i32)), square[p] / (1.0 - 0.95f64.powi(step as i32)));
                at[p] += stride * m / (v.sqrt() + 1e-8);
            }
        }
        Covariance::of(&best.1)
    }

    /// The covariance of two coalitions, without what each has to itself.
    pub fn between(&self, x: ArrayView1<f64>, y: ArrayView1<f64>) -> f64 {
        let (mut product, mut dot) = (1.0, 0.0);
        for ((x, y), forgets) in x.iter().zip(y).zip(&self.forgets) {
            dot += x * y;
            product *= if x == y { 1.0 } else { *forgets };
        }
        self.smooth * product + self.linear * dot
    }

    /// The covariances of all coalitions; `known` ones have nothing to themselves but rounding.
    pub fn matrix(&self, x: &ArrayRef2<f64>, known: usize) -> Array2<f64> {
        let m = x.nrows();
        let mut matrix = Array2::zeros((m, m));
        for i in 0..m {
            for j in 0..=i {
                let k = self.between(x.row(i), x.row(j));
                (matrix[[i, j]], matrix[[j, i]]) = (k, k);
            }
            matrix[[i, i]] += if i < known { LEAST_OWN } else { self.own };
        }
        matrix
    }
}

/// The logarithm of the posterior density of the parameters, up to a constant, and its slope.
fn posterior(logs: &[f64], prior: &[f64], x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Option<(f64, Vec<f64>)> {
    let (m, n) = x.dim();
    let outputs = y.ncols() as f64;
    let covariance = Covariance::of(logs);
    let matrix = covariance.matrix(x, 0);
    let factor = Cholesky::new(matrix.clone()).ok()?;
    let inverse = factor.solve(&Array2::eye(m));
    let told = inverse.dot(y);
    let fit: f64 = told.iter().zip(y).map(|(told, y)| told * y).sum();
    let mut value = -0.5 * fit - 0.5 * outputs * factor.log_determinant();
    // ½ tr((t tᵀ − outputs · K⁻¹) ∂K).
    let mut pull = told.dot(&told.t());
    pull.scaled_add(-outputs, &inverse);
    let mut slope = vec![0.0; logs.len()];
    for i in 0..m {
        for j in 0..=i {
            let twice = if i == j { 0.5 } else { 1.0 };
            let pull = twice * pull[[i, j]];
            let (row, other) = (x.row(i), x.row(j));
            let dot: f64 = row.dot(&other);
            let linear = covariance.linear * dot;
            let own = if i == j { covariance.own } else { 0.0 };
            let smooth = matrix[[i, j]] - linear - own;
            slope[n] += pull * smooth;
            slope[n + 1] += pull * linear;
            slope[n + 2] += pull * (own - if i == j { LEAST_OWN } else { 0.0 });
            for ((p, x), y) in row.iter().enumerate().zip(&other) {
                if x != y {
                    slope[p] -= pull * smooth * logs[p].exp();
                }
            }
        }
    }
    for (p, slope) in slope.iter_mut().enumerate() {
        let spread = SPREAD[p.saturating_sub(n - 1).min(3)];
        let away = (logs[p] - prior[p]) / spread;
        value -= 0.5 * away * away;
        *slope -= away / spread;
    }
    value.is_finite().then_some((value, slope))
}

/// What the worths that are left out look like from the others: the share of their variance that is foreseen.
pub(super) fn foreseen(covariance: &Covariance, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Option<f64> {
    let inverse = Cholesky::new(covariance.matrix(x, 0)).ok()?.solve(&Array2::eye(x.nrows()));
    let told = inverse.dot(y);
    let missed: f64 = told.indexed_iter().map(|((i, _), t)| (t / inverse[[i, i]]).powi(2)).sum();
    let mean: Array1<f64> = y.mean_axis(ndarray::Axis(0))?;
    let all: f64 = y.outer_iter().flat_map(|row| (&row - &mean).into_iter()).map(|y| y * y).sum();
    (all > 0.0).then(|| 1.0 - missed / all)
}

/// Mean and standard deviation, 1 for a constant.
pub(super) fn scale(y: &ArrayRef1<f64>) -> (f64, f64) {
    let mean = y.sum() / y.len() as f64;
    let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / y.len() as f64;
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}
