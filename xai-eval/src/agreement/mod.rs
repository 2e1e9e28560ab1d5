//! Do two attributions say the same? Against the truth, or one method against another.
//!
//! *Pitfalls of all of them.* Agreement with another method is not truth: two methods may share a mistake, and methods with
//! different ideas of absence answer different questions. Of features with equal absolute values the first counts as the
//! stronger one where a list of the `k` strongest is made. Features with shares of zero have an order, too: with fewer
//! relevant features than `k` the places behind them are filled by chance.

mod matrix;
mod order;
mod top;

pub use matrix::agreement_matrix;
pub use order::{
    PairwiseRankAgreement, RankCorrelation, pairwise_rank_agreement, pairwise_ranks_agree, rank_correlation, spearman,
};
pub use top::{
    FeatureAgreement, RankAgreement, SignAgreement, SignedRankAgreement, feature_agreement, rank_agreement,
    sign_agreement, signed_rank_agreement,
};

use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Model, Result, Run};

use crate::lanes::{Number, pairs};
use crate::measurement::values_of;
use crate::{Case, Direction, Failures, Measurement};

/// One number for every sample and output of two attributions to the same features.
pub(crate) fn of_pairs(
    metric: (&'static str, Direction),
    a: &Attribution,
    b: &Attribution,
    run: &Run,
    number: impl Fn(&[f64], &[f64]) -> Number,
) -> Result<Measurement> {
    let (x, y) = (values_of(a)?, values_of(b)?);
    same_shape("values of the second attribution (sample, feature, output)", x.shape(), y.shape())?;
    if let Some((one, other)) = a.features.iter().zip(&b.features).find(|(one, other)| one.name != other.name) {
        let given = format!("{:?} beside {:?}", other.name, one.name);
        return Err(Error::parameter("features of the second attribution", given, "the features of the first"));
    }
    let mut failures = Failures::default();
    let values = pairs(x, y, &mut failures, number);
    Ok(Measurement::new(metric.0, metric.1, values, failures, 0, run))
}

/// The same of an attribution and the truth of a case.
fn beside_truth<M: Model + ?Sized>(
    metric: (&'static str, Direction),
    case: &Case<M>,
    attribution: &Attribution,
    run: &Run,
    number: impl Fn(&[f64], &[f64]) -> Number,
) -> Result<Measurement> {
    case.values(attribution)?;
    of_pairs(metric, attribution, case.need_truth(metric.0, attribution)?, run, number)
}
