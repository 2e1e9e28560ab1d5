use ndarray::{Array2, array};
use proptest::prelude::*;
use xai_core::{Error, Run};
use xai_eval::complexity::{entropy, gini};
use xai_eval::{Case, EffectiveComplexity, Entropy, Measurement, Metric, Sparseness};

use crate::zoo::{Function, assert_close, attribution};

/// Sums of some ten numbers.
const ROUNDING: f64 = 1e-13;

fn measure(metric: &dyn Metric<Function>, values: &Array2<f64>) -> xai_core::Result<Measurement> {
    let model = Function::new(1, |_| vec![0.0]);
    metric.measure(&Case::new(&model, values), &attribution(values), &Run::default())
}

#[test]
fn sparseness_of_one_feature_is_largest() {
    let values = array![[0.0, -7.0, 0.0, 0.0], [2.0, 2.0, -2.0, 2.0], [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]];
    let found = measure(&Sparseness, &values).unwrap();
    // Of 1 2 3 4: (−3·1 − 1·2 + 1·3 + 3·4) / (4·10).
    for (sample, expected) in [0.75, 0.0, 0.25].into_iter().enumerate() {
        assert_close(found.values[[sample, 0]], expected, ROUNDING);
    }
    assert_eq!((found.n_undefined(), found.failures[0].reason.as_str()), (1, "all shares are zero"));
}

#[test]
fn entropy_lies_between_zero_and_ln_n() {
    let values = array![[0.0, -7.0, 0.0, 0.0], [2.0, 2.0, -2.0, 2.0], [0.5, 0.25, -0.25, 0.0], [0.0, 0.0, 0.0, 0.0]];
    let found = measure(&Entropy, &values).unwrap();
    for (sample, expected) in [0.0, 4f64.ln(), 1.5 * 2f64.ln()].into_iter().enumerate() {
        assert_close(found.values[[sample, 0]], expected, ROUNDING);
    }
    assert!(found.values[[3, 0]].is_nan());
}

#[test]
fn effective_complexity_counts() {
    let values = array![[100.0, -1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]];
    for (threshold, expected) in [(0.0, 3.0), (0.006, 2.0), (0.01, 1.0)] {
        let found = measure(&EffectiveComplexity { threshold }, &values).unwrap();
        // An explanation that says nothing is not the shortest of all: it is none.
        assert_eq!((found.mean, found.failures[0].cells.clone()), (Some(expected), vec![(1, 0)]));
    }
    for threshold in [1.0, 1.5, -0.1, f64::NAN] {
        let refused = measure(&EffectiveComplexity { threshold }, &values);
        assert!(matches!(refused, Err(Error::Parameter { .. })));
    }
}

/// Half of all differences of pairs, relative to the mean: the other definition of the Gini index.
fn gini_of_pairs(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let differences: f64 = values.iter().flat_map(|a| values.iter().map(|b| (a.abs() - b.abs()).abs())).sum();
    differences / (2.0 * n * values.iter().map(|v| v.abs()).sum::<f64>())
}

proptest! {
    #[test]
    fn complexity_ignores_sign_and_scale(values in prop::collection::vec(-5.0..5.0f64, 2..9), scale in 0.1..9.0f64) {
        let other: Vec<f64> = values.iter().rev().map(|v| -scale * v).collect();
        prop_assert!((gini(&values) - gini(&other)).abs() < ROUNDING);
        prop_assert!((entropy(&values) - entropy(&other)).abs() < ROUNDING);
        prop_assert!((gini(&values) - gini_of_pairs(&values)).abs() < ROUNDING);
        prop_assert!((-ROUNDING..=(values.len() as f64).ln() + ROUNDING).contains(&entropy(&values)));
    }
}
