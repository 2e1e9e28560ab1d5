//! A Gaussian process of games that are sums of products of three players' memberships.
//!
//! Let every three players add an amount of their own, any as likely as any other, when all of them are present. Then the
//! differences of pairs, which are sums of g_A(S) = [A ⊆ S] − [A ⊆ N∖S] over all A of three players, have the covariance
//!
//! a Σ_A g_A(S) g_A(T) / (2 C(n, 3)) + b x_S · x_T + c δ_S(T).
//!
//! Sums over A are counts of how many players S and T share. Amounts that players add when all of them are *absent* lead
//! to the same, and products of one and two are in the linear part. Such games are rough: few pairs tell little of other
//! pairs. Yet they tell much of Shapley values, since what a player seems to add alone and what the player adds in
//! products go together.

use ndarray::{Array1, Array2, ArrayView1};

use super::descent::minimise;
use super::posterior::Process;
use super::process::{END, LEAST_OWN};
use super::share::{marginal_weights, of_pair};
use crate::cholesky::Cholesky;

/// The process.
#[derive(Debug, Clone)]
pub(crate) struct Conjunctions {
    /// a.
    products: f64,
    /// b, of the linear part.
    linear: f64,
    /// c, of what each coalition has to itself.
    own: f64,
}

/// The players of a product.
const PLAYERS: usize = 3;

/// The prior of the logarithms of a, b and c: standard deviations. There are three numbers to learn, so let them be.
const SPREAD: [f64; 3] = [6.0, 6.0, 4.0];

/// What steps of the search must gain, in units of the logarithm of the likelihood, and how many there are.
const GAIN: f64 = 0.02;
const STEPS: usize = 40;

impl Conjunctions {
    /// The likeliest parameters after the differences `y` (pair, output), of mean square 1 or so, were seen on the pairs
    /// `x` (pair, player), the end last; and how surprising `y` is under them.
    pub fn learn(x: &Array2<f64>, y: &Array2<f64>) -> Option<(Self, f64)> {
        let n = x.ncols();
        if n < PLAYERS || y.ncols() == 0 {
            return None;
        }
        let linear = x.dot(&x.t());
        let seen = Likeness { products: products(&linear, x), linear: &linear, x, y };
        let (logs, surprise) = minimise(prior(n).to_vec(), STEPS, GAIN, |logs| seen.surprise(logs));
        let [products, linear, own] = [0, 1, 2].map(|k| logs[k].exp());
        Some((Conjunctions { products, linear, own }, surprise))
    }
}

impl Process for Conjunctions {
    fn own(&self, x: &Array2<f64>) -> Vec<f64> {
        own(x).iter().map(|part| part * self.own + LEAST_OWN).collect()
    }

    fn between(&self, x: &Array2<f64>) -> Array2<f64> {
        let linear = x.dot(&x.t());
        let mut between = products(&linear, x) * self.products;
        between.scaled_add(self.linear, &linear);
        between
    }

    fn pulls(&self, x: &Array2<f64>, own: &[f64]) -> Array2<f64> {
        let n = x.ncols();
        let weights = marginal_weights(n);
        let scale = self.products / (2.0 * PLAYERS as f64 * choose(n as f64, PLAYERS));
        let mut pulls = x * self.linear;
        for ((row, mut pull), own) in x.outer_iter().zip(pulls.outer_iter_mut()).zip(own) {
            let size = row.iter().filter(|x| **x > 0.0).count();
            let (inside, outside) = of_pair(&weights, size);
            let with = scale * choose(size as f64 - 1.0, PLAYERS - 1) + own * inside;
            let without = -scale * choose((n - size) as f64 - 1.0, PLAYERS - 1) + own * outside;
            pull.iter_mut().zip(&row).for_each(|(pull, x)| *pull += if *x > 0.0 { with } else { without });
        }
        pulls
    }

    fn variances(&self, n: usize, own: f64) -> Array1<f64> {
        Array1::from_elem(n, self.linear + self.products / (2 * n * PLAYERS) as f64 + self.own * own)
    }
}

/// What was seen, for the search.
struct Likeness<'a> {
    products: Array2<f64>,
    linear: &'a Array2<f64>,
    x: &'a Array2<f64>,
    y: &'a Array2<f64>,
}

impl Likeness<'_> {
    /// Minus the logarithm of the likelihood, mean over the outputs, and of the prior; and their slope.
    fn surprise(&self, logs: &[f64]) -> Option<(f64, Vec<f64>)> {
        let [products, linear, amount] = [0, 1, 2].map(|k| logs[k].exp());
        let own = own(self.x);
        let mut matrix = &self.products * products;
        matrix.scaled_add(linear, self.linear);
        matrix.diag_mut().iter_mut().zip(&own).for_each(|(d, own)| *d += amount * own + LEAST_OWN);
        let factor = Cholesky::new(matrix).ok()?;
        let inverse = factor.inverse();
        let told = inverse.dot(self.y);
        let outputs = self.y.ncols() as f64;
        let mut value = 0.5 * (&told * self.y).sum() / outputs + 0.5 * factor.log_determinant();
        let pull = (inverse - told.dot(&told.t()) / outputs) * 0.5;
        let mut slope = vec![
            products * (&self.products * &pull).sum(),
            linear * (self.linear * &pull).sum(),
            amount * own.iter().zip(pull.diag()).map(|(own, pull)| own * pull).sum::<f64>(),
        ];
        for ((log, mean), (spread, slope)) in logs.iter().zip(prior(self.x.ncols())).zip(SPREAD.iter().zip(&mut slope))
        {
            let off = (log - mean) / spread;
            value += 0.5 * off * off;
            *slope += off / spread;
        }
        (value.is_finite() && slope.iter().all(|s| s.is_finite())).then_some((value, slope))
    }
}

/// The logarithms of a, b and c that are likeliest before anything was seen: products and next to nothing else. If there
/// is more the pairs tell; but they hardly tell little from nothing, which makes the difference to Shapley values.
fn prior(n: usize) -> [f64; 3] {
    [0.0, (0.003 / n as f64).ln(), 1e-4f64.ln()]
}

/// How much of c each pair has; the end has little, since it is known.
fn own(x: &Array2<f64>) -> Vec<f64> {
    let n = x.ncols() as f64;
    x.outer_iter().map(|row: ArrayView1<f64>| if row.sum().abs() == n { END } else { 1.0 }).collect()
}

/// Σ_A g_A(S) g_A(T) / (2 C(n, 3)), from x_S · x_T: (pair, pair).
fn products(dots: &Array2<f64>, x: &Array2<f64>) -> Array2<f64> {
    let n = x.ncols() as f64;
    let sums: Vec<f64> = x.outer_iter().map(|row| row.sum()).collect();
    let all = 2.0 * choose(n, PLAYERS);
    Array2::from_shape_fn(dots.dim(), |(i, j)| {
        let shared = |a: f64, b: f64| choose((n + a * sums[i] + b * sums[j] + a * b * dots[[i, j]]) / 4.0, PLAYERS);
        (shared(1.0, 1.0) + shared(-1.0, -1.0) - shared(1.0, -1.0) - shared(-1.0, 1.0)) / all
    })
}

/// The number of sets of `k` of `n` things; none if there are fewer.
fn choose(n: f64, k: usize) -> f64 {
    (0..k).map(|j| ((n - j as f64) / (j + 1) as f64).max(0.0)).product()
}
