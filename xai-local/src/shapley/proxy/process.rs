//! A Gaussian process on coalitions, and the Shapley values of what it expects.
//!
//! The odd part of a game is taken for a draw of a process with the covariance
//!
//! k(S, T) = ½ a (e^{−d(S, T)} − e^{−d(S, N∖T)}) + b x_S · x_T + c δ_S(T), d(S, T) = Σ_{i in one of S and T} ℓᵢ,
//!
//! where x is 1 for those present and −1 for the others. Players whose presence matters little have small ℓᵢ, and
//! coalitions that differ only in them are alike. The last term is what coalitions have to themselves: it keeps the
//! process from following every whim of the sample, and is the game's as much as the rest is. The even part of the same
//! process, which knows nothing of the odd one, has the sum of the two exponentials instead of their difference, and a
//! constant instead of the linear term.

use ndarray::{Array1, Array2, ArrayRef2, Axis};

use super::descent::minimise;
use crate::cholesky::Cholesky;

/// The parameters of the covariance; all are positive.
#[derive(Debug, Clone)]
pub(crate) struct Covariance {
    /// ℓ, how much each player's presence sets coalitions apart: (player).
    pub reach: Vec<f64>,
    /// a, of the part that forgets.
    pub smooth: f64,
    /// b, of the linear part.
    pub linear: f64,
    /// c, of what each coalition has to itself.
    pub own: f64,
}

/// What was seen of the two parts of a process: (pair, output) each, of mean square 1 or so.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// What changes its sign when all who are present leave and all others come.
    pub odd: &'a Array2<f64>,
    /// What does not, if it is looked at.
    pub even: Option<&'a Array2<f64>>,
}

/// The variance of the constant in the even part.
const LEVEL: f64 = 1.0;

/// Beside `own`, so that matrices stay positive definite in these digits.
pub(super) const LEAST_OWN: f64 = 1e-9;

/// What the worth of all is uncertain by, beside that of other coalitions: it is known, but rounding needs a little.
pub(super) const END: f64 = 1e-3;

/// The prior of the logarithms of the parameters, in that order: standard deviations. That of `reach` is the strictest,
/// since it has as many numbers as there are players.
const SPREAD: [f64; 4] = [0.5, 2.0, 2.0, 3.0];

/// The sum of the prior's `reach` over all players: coalitions that have half of them in common are alike by e^−0.75.
const REACH: f64 = 1.5;

/// What steps of the search must gain, in units of the logarithm of the likelihood, and how many there are.
const GAIN: f64 = 0.05;
const STEPS: usize = 40;

impl Covariance {
    fn of(logs: &[f64]) -> Self {
        let n = logs.len() - 3;
        let (reach, rest) = logs.split_at(n);
        Covariance {
            reach: reach.iter().map(|x| x.exp()).collect(),
            smooth: rest[0].exp(),
            linear: rest[1].exp(),
            own: rest[2].exp(),
        }
    }

    /// The logarithms of the parameters that are likeliest before anything was seen.
    fn prior(n: usize) -> Vec<f64> {
        let mut logs = vec![(REACH / n as f64).ln(); n];
        logs.extend([0.0, (0.3 / n as f64).ln(), 0.01f64.ln()]);
        logs
    }

    /// The likeliest parameters after `parts` were seen on the pairs `x` (pair, player), and how surprising `parts` are
    /// under them; the search begins at `start`.
    pub fn learn(x: &Array2<f64>, parts: Parts, start: Option<&Covariance>) -> (Self, f64) {
        let n = x.ncols();
        let prior = Covariance::prior(n);
        if parts.odd.ncols() == 0 {
            return (Covariance::of(&prior), 0.0);
        }
        let start = start.map_or_else(|| prior.clone(), Covariance::logs);
        let (logs, surprise) = minimise(start, STEPS, GAIN, |logs| {
            let (mut value, mut slope) = Covariance::of(logs).surprise(x, parts)?;
            for (k, (log, mean)) in logs.iter().zip(&prior).enumerate() {
                let spread = SPREAD[(k + 1).saturating_sub(n)];
                let off = (log - mean) / spread;
                value += 0.5 * off * off;
                slope[k] += off / spread;
            }
            (value.is_finite() && slope.iter().all(|s| s.is_finite())).then_some((value, slope))
        });
        (Covariance::of(&logs), surprise)
    }

    fn logs(&self) -> Vec<f64> {
        self.reach.iter().chain([&self.smooth, &self.linear, &self.own]).map(|x| x.ln()).collect()
    }

    /// `own` of each pair: (pair).
    pub fn own(&self, x: &Array2<f64>) -> Vec<f64> {
        let n = x.ncols() as f64;
        let end = |row: ndarray::ArrayView1<f64>| row.sum().abs() == n;
        x.outer_iter().map(|row| if end(row) { END * self.own + LEAST_OWN } else { self.own + LEAST_OWN }).collect()
    }

    /// The two exponentials of the covariance: (pair, other pair).
    fn exponentials(&self, x: &Array2<f64>, others: &ArrayRef2<f64>) -> (Array2<f64>, Array2<f64>) {
        let all: f64 = self.reach.iter().sum();
        let alike = (x * &Array1::from(self.reach.clone())).dot(&others.t());
        let near = alike.mapv(|d| ((d - all) / 2.0).exp());
        let both = (-all).exp();
        let far = near.mapv(|near| both / near);
        (near, far)
    }

    /// The covariance without what coalitions have to themselves, of the odd part: (pair, other pair).
    pub fn between(&self, x: &Array2<f64>, others: &ArrayRef2<f64>) -> Array2<f64> {
        let (near, far) = self.exponentials(x, others);
        let mut between = (near - far) * (self.smooth / 2.0);
        between.scaled_add(self.linear, &x.dot(&others.t()));
        between
    }

    /// The same of both parts, the odd one first.
    pub fn of_parts(&self, x: &Array2<f64>, others: &ArrayRef2<f64>) -> [Array2<f64>; 2] {
        let (near, far) = self.exponentials(x, others);
        let mut odd = (&near - &far) * (self.smooth / 2.0);
        odd.scaled_add(self.linear, &x.dot(&others.t()));
        [odd, (near + far) * (self.smooth / 2.0) + LEVEL]
    }

    /// Minus the logarithm of the likelihood, mean over the outputs, and its slope by the parameters' logarithms.
    fn surprise(&self, x: &Array2<f64>, parts: Parts) -> Option<(f64, Vec<f64>)> {
        let n = x.ncols();
        let (near, far) = self.exponentials(x, x);
        let own = self.own(x);
        let linear = x.dot(&x.t());
        let half = self.smooth / 2.0;
        let mut value = 0.0;
        let mut slope = vec![0.0; n + 3];
        for (sign, y) in [(-1.0, Some(parts.odd)), (1.0, parts.even)] {
            let Some(y) = y else { continue };
            let mut matrix = &near * half;
            matrix.scaled_add(sign * half, &far);
            match sign < 0.0 {
                true => matrix.scaled_add(self.linear, &linear),
                false => matrix += LEVEL,
            }
            matrix.diag_mut().iter_mut().zip(&own).for_each(|(d, own)| *d += own);
            let factor = Cholesky::new(matrix).ok()?;
            let inverse = factor.inverse();
            let told = inverse.dot(y);
            let outputs = y.ncols() as f64;
            value += 0.5 * (&told * y).sum() / outputs + 0.5 * factor.log_determinant();
            // By the entries of the matrix: (K⁻¹ − K⁻¹ y yᵀ K⁻¹) / 2.
            let pull = (inverse - told.dot(&told.t()) / outputs) * 0.5;
            let (near, far) = (&near * &pull, &far * &pull * sign);
            let (near_sum, far_sum) = (near.sum(), far.sum());
            let near_along = (x * &near.dot(x)).sum_axis(Axis(0));
            let far_along = (x * &far.dot(x)).sum_axis(Axis(0));
            for p in 0..n {
                slope[p] += half * self.reach[p] * 0.5 * ((near_along[p] - near_sum) - (far_along[p] + far_sum));
            }
            slope[n] += half * (near_sum + far_sum);
            if sign < 0.0 {
                slope[n + 1] += self.linear * (&linear * &pull).sum();
            }
            slope[n + 2] += own.iter().zip(pull.diag()).map(|(own, pull)| (own - LEAST_OWN) * pull).sum::<f64>();
        }
        Some((value, slope))
    }
}
