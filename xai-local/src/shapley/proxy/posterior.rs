//! The Shapley values that a Gaussian process expects after it has seen a sample, and how unsure it is of them.

use ndarray::{Array1, Array2, Axis, concatenate};

use super::Fit;
use super::conjunctions::Conjunctions;
use super::process::{Covariance, Parts};
use super::sample::Sampled;
use super::share::{marginal_weights, of_pair};
use crate::cholesky::Cholesky;
use crate::tree::quadrature::{Quadrature, nodes_for};

/// Pairs from which the covariance is learned; more cost time with the cube of their number and teach little.
const MOST_LEARNED: usize = 256;

/// An output whose differences are this much smaller than another's is still.
const STILL: f64 = 1e-12;

/// The logarithm of how many times likelier products must be: what both know, the smooth process tells better.
const LIKELIER: f64 = 3.0;

/// A smooth process that loses more than this share of pairs left out knows nothing; it need not be less likely to be
/// worse.
const NOTHING_KNOWN: f64 = 0.9;

/// Nodes in each of the two directions of the integral that is a value's variance before anything was seen.
const VARIANCE_NODES: usize = 24;

/// A process on pairs of coalitions, after its parameters were learned.
pub(crate) trait Process {
    /// The variance of what each pair has to itself: (pair).
    fn own(&self, x: &Array2<f64>) -> Vec<f64>;
    /// The covariance of the differences of pairs, without that: (pair, pair).
    fn between(&self, x: &Array2<f64>) -> Array2<f64>;
    /// The covariance of each pair's difference with each player's value: (pair, player).
    fn pulls(&self, x: &Array2<f64>, own: &[f64]) -> Array2<f64>;
    /// The variance of each of the `n` players' values before anything was seen; `own` is what the variance of what pairs
    /// have to themselves counts for: (player).
    fn variances(&self, n: usize, own: f64) -> Array1<f64>;
}

/// What processes make of a sample.
pub(crate) struct Posterior {
    /// Of the likelier process.
    pub fit: Fit,
    /// Of the smooth process.
    pub covariance: Covariance,
    /// Whether the likelier one is that of products.
    pub is_products: bool,
}

/// Fits a smooth process to the sample, or one of products if that is likelier; nothing if the matrix is singular in these
/// digits.
///
/// # Cost
/// m³ / 3 for m pairs, and some dozen times as much for [`MOST_LEARNED`] of them.
pub(crate) fn fit(sampled: &Sampled) -> Option<Posterior> {
    let seen = Seen::of(sampled)?;
    let (x, y) = seen.to_learn_from();
    let (covariance, surprise) = Covariance::learn(&x, Parts { odd: &y, even: None }, None);
    let smooth = seen.expected(&covariance);
    let known = smooth.as_ref().is_some_and(|smooth| sampled.lost(smooth) < NOTHING_KNOWN);
    let products = Conjunctions::learn(&x, &y).filter(|(_, of_products)| !known || of_products + LIKELIER < surprise);
    let products = products.and_then(|(products, of_products)| {
        let fit = seen.expected(&products)?;
        let is_better = smooth.as_ref().is_none_or(|smooth| sampled.lost(&fit) < sampled.lost(smooth));
        (is_better || of_products + LIKELIER < surprise).then_some(fit)
    });
    let is_products = products.is_some();
    Some(Posterior { fit: products.or(smooth)?, covariance, is_products })
}

/// Fits a process of products to the sample; nothing if its matrix is singular in these digits.
pub(crate) fn fit_products(sampled: &Sampled) -> Option<Fit> {
    let seen = Seen::of(sampled)?;
    let (x, y) = seen.to_learn_from();
    let (products, _) = Conjunctions::learn(&x, &y)?;
    seen.expected(&products)
}

/// What was seen, with the end as the last pair.
struct Seen {
    /// 1 for those in the pair's coalition, −1 for the others: (pair, player).
    x: Array2<f64>,
    /// The differences, of mean square 1: (pair, output).
    y: Array2<f64>,
    /// The root of the mean square of the differences: (output).
    rms: Array1<f64>,
}

impl Seen {
    fn of(sampled: &Sampled) -> Option<Seen> {
        let end = Array2::ones((1, sampled.n));
        let x = concatenate(Axis(0), &[sampled.signs.view(), end.view()]).ok()?;
        let gain = sampled.gain.clone().insert_axis(Axis(0));
        let mut y = concatenate(Axis(0), &[sampled.difference.view(), gain.view()]).ok()?;
        let rms: Array1<f64> = y.columns().into_iter().map(|c| (c.dot(&c) / c.len() as f64).sqrt()).collect();
        y /= &scale(&rms);
        Some(Seen { x, y, rms })
    }

    /// Some pairs and their differences, of outputs that move: those that do not, but for rounding, teach nothing.
    fn to_learn_from(&self) -> (Array2<f64>, Array2<f64>) {
        let places = learned(self.x.nrows());
        let largest = self.rms.iter().fold(0.0, |most: f64, x| most.max(*x));
        let moving: Vec<usize> = (0..self.rms.len()).filter(|&o| self.rms[o] > STILL * largest).collect();
        (self.x.select(Axis(0), &places), self.y.select(Axis(0), &places).select(Axis(1), &moving))
    }

    /// What the process expects; nothing if its matrix is singular in these digits.
    fn expected(&self, process: &impl Process) -> Option<Fit> {
        let Seen { x, y, rms } = self;
        let (m, n) = (x.nrows() - 1, x.ncols());
        let scale = scale(rms);
        let own = process.own(x);
        let mut matrix = process.between(x);
        matrix.diag_mut().iter_mut().zip(&own).for_each(|(d, own)| *d += own);
        let factor = Cholesky::new(matrix).ok()?;
        let told = factor.solve(y);
        let inverse = factor.inverse_diagonal();
        let pulls = process.pulls(x, &own);
        let mut shares = pulls.t().dot(&told);
        shares *= &scale;
        let settled = (&pulls * &factor.solve(&pulls)).sum_axis(Axis(0));
        let unsure = process.variances(n, own_counts(n)) - settled;
        let standard_error = Array2::from_shape_fn(shares.dim(), |(p, o)| unsure[p].max(0.0).sqrt() * scale[o]);
        // What the fit without a pair says of that pair (Rasmussen & Williams 2006, equation 5.12).
        let left_out = Array2::from_shape_fn((m, y.ncols()), |(pair, o)| {
            (y[[pair, o]] - told[[pair, o]] / inverse[pair]) * scale[o]
        });
        Some(Fit { shares, left_out, standard_error: Some(standard_error) })
    }
}

/// What differences are divided by: (output).
fn scale(rms: &Array1<f64>) -> Array1<f64> {
    rms.mapv(|rms| if rms > 0.0 { rms } else { 1.0 })
}

/// The variance of a player's value if every coalition has a variance of 1 to itself.
fn own_counts(n: usize) -> f64 {
    let weights = marginal_weights(n);
    (1..=n / 2).map(|size| (weights[size - 1] + if 2 * size == n { 0.0 } else { weights[size] }) / n as f64).sum()
}

/// From which of `count` pairs, the last of which is the end, a covariance is learned: evenly along them, as they lie by
/// size.
pub(super) fn learned(count: usize) -> Vec<usize> {
    let few = count.min(MOST_LEARNED);
    (1..=few).map(|k| k * count / few - 1).collect()
}

impl Process for Covariance {
    fn own(&self, x: &Array2<f64>) -> Vec<f64> {
        Covariance::own(self, x)
    }

    fn between(&self, x: &Array2<f64>) -> Array2<f64> {
        Covariance::between(self, x, x)
    }

    fn pulls(&self, x: &Array2<f64>, own: &[f64]) -> Array2<f64> {
        pulls(self, x, own)
    }

    fn variances(&self, n: usize, own: f64) -> Array1<f64> {
        variances(self, n, own)
    }
}

/// For one pair the smooth part is a product over the players, so that its Shapley value is the integral over p of
/// ∂ᵢ Πⱼ (p fⱼ(1) + (1 − p) fⱼ(0)), a polynomial of p: (pair, player).
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

/// In units of half a difference's: (player).
fn variances(covariance: &Covariance, n: usize, own: f64) -> Array1<f64> {
    let rule = Quadrature::new(VARIANCE_NODES);
    let ratio: Vec<f64> = covariance.reach.iter().map(|reach| (reach / 2.0).tanh()).collect();
    let level: f64 = covariance.reach.iter().map(|reach| (1.0 + (-reach).exp()) / 2.0).product();
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
