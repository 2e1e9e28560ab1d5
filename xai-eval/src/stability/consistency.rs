//! Do samples with the same explanation have the same prediction?

use std::collections::HashMap;

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::neighbourhood::highest;
use crate::lanes::read;
use crate::rank::descending;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// Among the other samples of the batch with the same explanation, made coarse by a [`Code`], the share for which the same
/// output scores highest.
///
/// Higher is better.
///
/// *Pitfalls.* It compares within the batch: more samples, more that agree; a batch that is cut gives other numbers. A code
/// that is too fine leaves every sample alone (no value), one that is too coarse (or a constant explanation) measures how
/// common the prediction is. Explanations of the predicted output alone say more than those of a fixed one.
///
/// # Cost
/// No evaluation.
///
/// # Errors
/// [`Error::Unsupported`] for one output: nothing is predicted then.
///
/// # Laws
/// `consistency_counts_pairs`; goldens beside Quantus.
///
/// # Source
/// Dasgupta, Frost, Moshkovitz 2022, "Framework for evaluating faithfulness of local explanations", definition 1. *differs:*
/// Quantus gives 0 where no other sample has the same explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consistency {
    /// When two explanations are the same.
    pub code: Code,
}

/// What two explanations must have in common to count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The sign of every share.
    Signs,
    /// Which are the strongest features, so many, in order, and the signs of their shares.
    Top(usize),
    /// The order of all shares, from the largest down.
    Order,
    /// Every share, rounded to so many decimals.
    Rounded(u8),
}

impl Default for Code {
    /// The three strongest features.
    fn default() -> Self {
        Code::Top(3)
    }
}

const NAME: &str = "consistency";

impl Code {
    fn of(self, shares: &[f64]) -> Vec<i64> {
        let sign = |share: f64| i64::from(share > 0.0) - i64::from(share < 0.0);
        match self {
            Code::Signs => shares.iter().map(|share| sign(*share)).collect(),
            Code::Order => descending(shares.iter().copied()).into_iter().map(|place| place as i64).collect(),
            Code::Top(k) => {
                let strongest = descending(shares.iter().map(|share| share.abs()));
                strongest.into_iter().take(k).flat_map(|place| [place as i64, sign(shares[place])]).collect()
            }
            Code::Rounded(decimals) => {
                let unit = 10f64.powi(i32::from(decimals));
                // Zero has one code, whatever its sign.
                shares.iter().map(|share| ((share * unit).round_ties_even() / unit + 0.0).to_bits() as i64).collect()
            }
        }
    }
}

impl<M: Model + ?Sized> Metric<M> for Consistency {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Higher
    }
    fn needs(&self) -> &[Need] {
        &[]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        if values.dim().2 < 2 {
            return Err(Error::unsupported(NAME, "a model with one output predicts none of several"));
        }
        if self.code == Code::Top(0) {
            return Err(Error::parameter("code", "the top 0", "at least 1 feature"));
        }
        let predicted: Vec<usize> = attribution.scores.outer_iter().map(highest).collect();
        let mut codes: HashMap<(usize, Vec<i64>), Vec<usize>> = HashMap::new();
        let mut lane = Vec::new();
        for (sample, output) in ndarray::indices(attribution.scores.dim()) {
            read(values, sample, output, &mut lane);
            codes.entry((output, self.code.of(&lane))).or_default().push(sample);
        }
        let mut shares = Array2::from_elem(attribution.scores.dim(), f64::NAN);
        for ((output, _), samples) in &codes {
            for &sample in samples {
                let same = samples.iter().filter(|other| predicted[**other] == predicted[sample]).count() - 1;
                shares[[sample, *output]] = same as f64 / (samples.len() as f64 - 1.0);
            }
        }
        let mut failures = Failures::default();
        for ((sample, output), share) in shares.indexed_iter_mut() {
            *share = failures.finite(sample, output, *share, "no other sample has the same explanation");
        }
        Ok(Measurement::new(NAME, Direction::Higher, shares, failures, 0, run))
    }
}
