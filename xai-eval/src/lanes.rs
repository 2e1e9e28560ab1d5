//! What an attribution says of one sample and one output, lane by lane.

use ndarray::{Array2, ArrayRef3, Axis};
use xai_core::{Attribution, Model, Result, Run};

use crate::{Case, Direction, Failures, Measurement};

/// A number, or why there is none.
pub(crate) type Number = std::result::Result<f64, &'static str>;

/// Why a measure that compares sizes has no value.
pub(crate) const NOTHING: &str = "all shares are zero";

/// The number, if it is finite.
pub(crate) fn finite(value: f64, reason: &'static str) -> Number {
    if value.is_finite() { Ok(value) } else { Err(reason) }
}

/// A measurement of one number for every sample and output, from the shares alone: no evaluation.
pub(crate) fn measure<M: Model + ?Sized>(
    metric: (&'static str, Direction),
    case: &Case<M>,
    attribution: &Attribution,
    run: &Run,
    number: impl Fn(usize, &[f64]) -> Number,
) -> Result<Measurement> {
    let mut failures = Failures::default();
    let values = fold(case.values(attribution)?, &mut failures, |sample, _, lane| number(sample, lane));
    Ok(Measurement::new(metric.0, metric.1, values, failures, 0, run))
}

/// A measurement of one number for every sample and output, from the shares and the features that are evidence in the
/// sample, which there is at least one of.
pub(crate) fn beside_masks<M: Model + ?Sized>(
    metric: (&'static str, Direction),
    case: &Case<M>,
    attribution: &Attribution,
    run: &Run,
    number: impl Fn(&[f64], &[bool]) -> Number,
) -> Result<Measurement> {
    let masks = case.need_masks(metric.0, attribution)?;
    let masks: Vec<Vec<bool>> = masks.outer_iter().map(|row| row.to_vec()).collect();
    measure(metric, case, attribution, run, |sample, lane| {
        if !masks[sample].contains(&true) {
            return Err("the sample has no evidence");
        }
        number(lane, &masks[sample])
    })
}

/// One number for every sample and output of an array (sample, feature, output).
pub(crate) fn fold(
    values: &ArrayRef3<f64>,
    failures: &mut Failures,
    number: impl Fn(usize, usize, &[f64]) -> Number,
) -> Array2<f64> {
    let mut lane = Vec::with_capacity(values.dim().1);
    let mut out = Array2::zeros((values.dim().0, values.dim().2));
    for ((sample, output), value) in out.indexed_iter_mut() {
        read(values, sample, output, &mut lane);
        *value = number(sample, output, &lane).unwrap_or_else(|reason| failures.add(sample, output, reason));
    }
    out
}

/// One number for every sample and output of two arrays (sample, feature, output) of the same shape.
pub(crate) fn pairs(
    a: &ArrayRef3<f64>,
    b: &ArrayRef3<f64>,
    failures: &mut Failures,
    number: impl Fn(&[f64], &[f64]) -> Number,
) -> Array2<f64> {
    let b_of = |sample: usize, output: usize| {
        let mut other = Vec::with_capacity(b.dim().1);
        read(b, sample, output, &mut other);
        other
    };
    fold(a, failures, |sample, output, lane| number(lane, &b_of(sample, output)))
}

/// Copies the shares of one sample and output: features lie an output's width apart in memory.
pub(crate) fn read(values: &ArrayRef3<f64>, sample: usize, output: usize, lane: &mut Vec<f64>) {
    lane.clear();
    lane.extend(values.index_axis(Axis(0), sample).index_axis(Axis(1), output));
}
