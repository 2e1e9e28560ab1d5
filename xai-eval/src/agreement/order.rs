//! Do the orders of all features agree?

use xai_core::{Attribution, Model, Result, Run};

use super::{beside_truth, of_pairs};
use crate::lanes::{Number, finite};
use crate::rank::{correlation, ranks};
use crate::{Case, Direction, Measurement, Metric, Need};

/// Spearman's rank correlation of the absolute shares of all features; equal ones share their mean rank.
///
/// Higher is better; chance gives 0. Needs the truth. NaN where one side gives all features the same absolute share.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `agreement_equals_its_definition`, `agreement_with_itself_is_one`.
///
/// # Source
/// Krishna et al. 2022, section 3.2 (rank correlation); OpenXAI. *differs:* over all features; equal shares have their mean
/// rank, where OpenXAI counts distinct ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RankCorrelation;

/// Spearman's rank correlation of the absolute shares of all features. See [`RankCorrelation`].
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) or [`Error::Parameter`](xai_core::Error::Parameter) when the attributions do
/// not speak of the same samples, features and outputs.
pub fn rank_correlation(a: &Attribution, b: &Attribution) -> Result<Measurement> {
    of_pairs(CORRELATION, a, b, &Run::default(), of_sizes)
}

const CORRELATION: (&str, Direction) = ("rank-correlation", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for RankCorrelation {
    fn name(&self) -> &str {
        CORRELATION.0
    }
    fn direction(&self) -> Direction {
        CORRELATION.1
    }
    fn needs(&self) -> &[Need] {
        &[Need::Truth]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        beside_truth(CORRELATION, case, attribution, run, of_sizes)
    }
}

fn of_sizes(x: &[f64], y: &[f64]) -> Number {
    let sizes = |shares: &[f64]| shares.iter().map(|v| v.abs()).collect::<Vec<f64>>();
    finite(spearman(&sizes(x), &sizes(y)), "all features have the same absolute share")
}

/// Spearman's rank correlation; NaN where one side does not vary.
///
/// # Example
/// ```
/// assert!((xai_eval::agreement::spearman(&[1.0, 2.0, 3.0], &[1.0, 4.0, 9.0]) - 1.0).abs() < 1e-12);
/// ```
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    correlation(&ranks(a), &ranks(b))
}

/// The share of all pairs of features that both attributions put into the same order by their absolute shares; a tie is an
/// order of its own.
///
/// Higher is better; chance gives ½. Needs the truth.
///
/// # Cost
/// No evaluation; n_features² / 2 comparisons a sample and output.
///
/// # Laws
/// `agreement_equals_its_definition`, `agreement_with_itself_is_one`.
///
/// # Source
/// Krishna et al. 2022, section 3.2 (pairwise rank agreement); OpenXAI. *differs:* OpenXAI takes a tie for "the later one
/// first".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairwiseRankAgreement;

/// The share of all pairs of features that both attributions put into the same order. See [`PairwiseRankAgreement`].
///
/// # Errors
/// As [`rank_correlation`].
pub fn pairwise_rank_agreement(a: &Attribution, b: &Attribution) -> Result<Measurement> {
    of_pairs(PAIRWISE, a, b, &Run::default(), of_all_pairs)
}

const PAIRWISE: (&str, Direction) = ("pairwise-rank-agreement", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for PairwiseRankAgreement {
    fn name(&self) -> &str {
        PAIRWISE.0
    }
    fn direction(&self) -> Direction {
        PAIRWISE.1
    }
    fn needs(&self) -> &[Need] {
        &[Need::Truth]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        beside_truth(PAIRWISE, case, attribution, run, of_all_pairs)
    }
}

fn of_all_pairs(x: &[f64], y: &[f64]) -> Number {
    finite(pairwise_ranks_agree(x, y), "there is one feature only")
}

/// The share of all pairs of places at which both sides compare alike by absolute value; NaN for fewer than two places.
pub fn pairwise_ranks_agree(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let alike = |i: usize, j: usize| x[i].abs().partial_cmp(&x[j].abs()) == y[i].abs().partial_cmp(&y[j].abs());
    let count = (0..n).map(|i| (0..i).filter(|&j| alike(i, j)).count()).sum::<usize>();
    count as f64 / (n as f64 * (n as f64 - 1.0) / 2.0)
}
