//! Do the strongest features agree?

use ndarray::ArrayView1;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::{beside_truth, of_pairs};
use crate::lanes::Number;
use crate::rank::top;
use crate::{Case, Direction, Measurement, Metric, Need};

/// A function of two attributions, and the metric that takes the truth for the second: they differ in what they count.
macro_rules! among_top {
    ($(#[$doc:meta])* $metric:ident, $function:ident, $name:literal, $count:expr) => {
        $(#[$doc])*
        ///
        /// # Cost
        /// No evaluation.
        ///
        /// # Laws
        /// `agreement_equals_its_definition`, `agreement_with_itself_is_one`.
        ///
        /// # Source
        /// Krishna et al. 2022, "The disagreement problem in explainable machine learning", section 3.2; Agarwal et al.
        /// 2022, "OpenXAI", section 2.3.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $metric {
            /// How many features are looked at, at most all of them.
            pub k: usize,
        }

        #[doc = concat!("[`", stringify!($metric), "`] of two attributions instead of one beside the truth.")]
        ///
        /// # Errors
        /// [`Error::Shape`] or [`Error::Parameter`] when the attributions do not speak of the same samples, features and
        /// outputs, or `k` is not between 1 and the number of features.
        pub fn $function(a: &Attribution, b: &Attribution, k: usize) -> Result<Measurement> {
            check(k, a)?;
            of_pairs(($name, Direction::Higher), a, b, &Run::default(), |x, y| share(x, y, k, $count))
        }

        impl<M: Model + ?Sized> Metric<M> for $metric {
            fn name(&self) -> &str {
                $name
            }
            fn direction(&self) -> Direction {
                Direction::Higher
            }
            fn needs(&self) -> &[Need] {
                &[Need::Truth]
            }
            fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
                check(self.k, attribution)?;
                let metric = ($name, Direction::Higher);
                beside_truth(metric, case, attribution, run, |x, y| share(x, y, self.k, $count))
            }
        }
    };
}

among_top!(
    /// The share of the `k` strongest features that both attributions have in common: |top(a) ∩ top(b)| / k.
    ///
    /// Higher is better; chance gives k / n_features. Needs the truth.
    FeatureAgreement,
    feature_agreement,
    "feature-agreement",
    |a, b, _| a.iter().filter(|i| b.contains(i)).count()
);

among_top!(
    /// The share of the `k` strongest features that both attributions have in common and with the same sign.
    ///
    /// Higher is better. Needs the truth. Zero has a sign of its own.
    SignAgreement,
    sign_agreement,
    "sign-agreement",
    |a, b, same_sign| a.iter().filter(|i| b.contains(i) && same_sign(**i)).count()
);

among_top!(
    /// The share of the `k` first places that both attributions give to the same feature.
    ///
    /// Higher is better; chance gives 1 / n_features. Needs the truth.
    RankAgreement,
    rank_agreement,
    "rank-agreement",
    |a, b, _| a.iter().zip(b).filter(|(i, j)| i == j).count()
);

among_top!(
    /// The share of the `k` first places that both attributions give to the same feature and with the same sign: the
    /// strictest of the four.
    ///
    /// Higher is better. Needs the truth.
    SignedRankAgreement,
    signed_rank_agreement,
    "signed-rank-agreement",
    |a, b, same_sign| a.iter().zip(b).filter(|(i, j)| i == j && same_sign(**i)).count()
);

fn check(k: usize, attribution: &Attribution) -> Result<()> {
    if (1..=attribution.features.len()).contains(&k) {
        return Ok(());
    }
    Err(Error::parameter("k", k, format!("1 to the number of features, {}", attribution.features.len())))
}

/// What share of the lists of the `k` strongest features of both sides is counted as common.
fn share(
    x: &[f64],
    y: &[f64],
    k: usize,
    count: impl Fn(&[usize], &[usize], &dyn Fn(usize) -> bool) -> usize,
) -> Number {
    let sign = |share: f64| (share > 0.0, share < 0.0);
    Ok(count(&top(ArrayView1::from(x), k), &top(ArrayView1::from(y), k), &|i| sign(x[i]) == sign(y[i])) as f64
        / k as f64)
}
