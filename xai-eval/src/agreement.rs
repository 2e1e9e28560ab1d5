//! Do two attributions say the same?
//!
//! *Pitfalls of all three.* Agreement is not truth: two methods may share a mistake, and methods with different
//! ideas of absence answer different questions. Features with equal absolute values are ranked by their place.

use ndarray::{Array2, ArrayView1, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Result, Run};

use crate::measurement::{Failures, Measurement, values_of};
use crate::metric::Direction;
use crate::rank::{correlation, ranks, top};

/// The share of the `k` features with the largest absolute values that both attributions have in common:
/// |top(a) ∩ top(b)| / k. Higher is better; chance gives k / n_features.
///
/// # Errors
/// [`Error::Shape`] or [`Error::Parameter`] when the attributions do not speak of the same samples, features and
/// outputs, or `k` is not between 1 and the number of features.
///
/// # Laws
/// `agreement_of_known_attributions`, `agreement_with_itself_is_one`.
///
/// # Source
/// Krishna et al. 2022, "The disagreement problem in explainable machine learning", section 3.2 (feature agreement).
pub fn feature_agreement(a: &Attribution, b: &Attribution, k: usize) -> Result<Measurement> {
    among_top("feature-agreement", a, b, k, |_, _| true)
}

/// The share of the `k` features with the largest absolute values that both attributions have in common and with the
/// same sign. Higher is better. Zero has a sign of its own.
///
/// # Errors
/// As [`feature_agreement`].
///
/// # Laws
/// `agreement_of_known_attributions`, `agreement_with_itself_is_one`.
///
/// # Source
/// Krishna et al. 2022, section 3.2 (sign agreement).
pub fn sign_agreement(a: &Attribution, b: &Attribution, k: usize) -> Result<Measurement> {
    among_top("sign-agreement", a, b, k, |x, y| (x > 0.0, x < 0.0) == (y > 0.0, y < 0.0))
}

/// Spearman's rank correlation of the absolute values of all features; equal values share their mean rank. Higher is
/// better; NaN where one of the attributions gives all features the same absolute value.
///
/// # Errors
/// [`Error::Shape`] or [`Error::Parameter`] when the attributions do not speak of the same samples, features and outputs.
///
/// # Laws
/// `agreement_of_known_attributions`, `agreement_with_itself_is_one`.
///
/// # Source
/// Krishna et al. 2022, section 3.2 (rank correlation). *differs:* over all features, not over chosen ones.
pub fn rank_correlation(a: &Attribution, b: &Attribution) -> Result<Measurement> {
    of_pairs("rank-correlation", a, b, |x, y| {
        let ranks_of = |v: ArrayView1<f64>| ranks(&v.iter().map(|v| v.abs()).collect::<Vec<f64>>());
        correlation(&ranks_of(x), &ranks_of(y))
    })
}

fn among_top(
    metric: &'static str,
    a: &Attribution,
    b: &Attribution,
    k: usize,
    counts: impl Fn(f64, f64) -> bool,
) -> Result<Measurement> {
    if !(1..=a.features.len()).contains(&k) {
        return Err(Error::parameter("k", k, format!("1 to the number of features, {}", a.features.len())));
    }
    of_pairs(metric, a, b, |x, y| {
        let theirs = top(y, k);
        let common = top(x, k).into_iter().filter(|i| theirs.contains(i) && counts(x[*i], y[*i]));
        common.count() as f64 / k as f64
    })
}

fn of_pairs(
    metric: &'static str,
    a: &Attribution,
    b: &Attribution,
    of: impl Fn(ArrayView1<f64>, ArrayView1<f64>) -> f64,
) -> Result<Measurement> {
    let (x, y) = (values_of(a)?, values_of(b)?);
    same_shape("values of the second attribution (sample, feature, output)", x.shape(), y.shape())?;
    if let Some((one, other)) = a.features.iter().zip(&b.features).find(|(one, other)| one.name != other.name) {
        let given = format!("{:?} beside {:?}", other.name, one.name);
        return Err(Error::parameter("features of the second attribution", given, "the features of the first"));
    }
    let mut failures = Failures::default();
    let values = Array2::from_shape_fn((a.n_samples(), a.outputs.len()), |(i, k)| {
        let lane = |v: &ndarray::Array3<f64>| v.index_axis(Axis(0), i).column(k).to_owned();
        let value = of(lane(x).view(), lane(y).view());
        failures.finite(i, k, value, "all features have the same absolute value")
    });
    Ok(Measurement::new(metric, Direction::Higher, values, failures, 0, &Run::default()))
}
