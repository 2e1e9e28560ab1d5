//! Shapley values against recorded numbers of `shap`, and the linear closed form.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, array};
use proptest::prelude::*;
use serde_json::Value;
use xai_core::{Explainer, Feature, Groups, LinearStructured, Model, Result, Run, Table};
use xai_local::linear::LinearShap;
use xai_local::masker::Background;
use xai_local::shapley::{ExactShap, KernelShap, Masked};

use crate::golden::{assert_close, cases, numbers, table};
use crate::zoo::Function;

/// 256 coalitions of 20 rows in f64; `shap` solves a normal equation.
const SHAP: f64 = 1e-10;

const SLOPES: [f64; 8] = [1.5, -2.0, 0.75, 0.0, 3.0, -0.25, 0.5, 1.0];

fn linear(x: &[f64]) -> f64 {
    x.iter().zip(SLOPES).map(|(x, a)| x * a).sum::<f64>() + 0.7
}

fn mixture(x: &[f64]) -> f64 {
    x[0].sin() * (0.3 * x[1]).exp() + (x[2] * x[3]).cos() + x[4] * x[4] - (-x[5] * x[5]).exp() * x[6] + 0.1 * x[7]
}

/// The recorded formulas. `None` for a link on the worth, which is not offered: the mean of the scores is what is
/// explained.
pub fn formula(name: &str) -> Option<Function> {
    Some(match name {
        "linear" => Function::one(linear),
        "products" => Function::one(|x| x[0] * x[1] - 2.0 * x[2] * x[3] + 0.5 * x[4] + x[5] * x[5] * x[6]),
        "triple_products" => Function::one(|x| x[0] * x[1] * x[2] + 2.0 * x[3] * x[4] * x[5] - x[6] * x[7] * x[0]),
        "mixture" => Function::one(mixture),
        "two_outputs" => Function::many(2, |x| vec![linear(x), mixture(x)]),
        _ => return None,
    })
}

#[test]
fn values_are_those_of_shap() {
    let mut compared = 0;
    for (name, case) in cases("shapley") {
        let Some(model) = formula(&name) else { continue };
        let (rows, background) = (table(&case["rows"]), table(&case["background"]));
        let plain = Background::new(background.clone()).unwrap();
        let weighted = Background::weighted(background, numbers(&case["weights"])).unwrap();
        for (masker, recorded) in [
            (&weighted, &case["kernel_weighted"]),
            (&weighted, &case["enumeration_weighted"]),
            (&plain, &case["exact_unweighted"]),
        ] {
            let exact = Masked { estimator: ExactShap, masker: masker.clone() }.explain(&model, &rows, &Run::default());
            let kernel = KernelShap { n_coalitions: Some(254) };
            let kernel = Masked { estimator: kernel, masker: masker.clone() }.explain(&model, &rows, &Run::default());
            for explanation in [exact.unwrap(), kernel.unwrap()] {
                compared += 1;
                let values: Vec<f64> = explanation.values.iter().copied().collect();
                assert_close(&name, &values, &numbers(&recorded["values"]), SHAP);
                assert_close(&name, &explanation.base.row(0).to_vec(), &numbers(&recorded["base"]), SHAP);
                assert_close(
                    &name,
                    &explanation.scores.iter().copied().collect::<Vec<_>>(),
                    &numbers(&case["scores"]),
                    SHAP,
                );
            }
        }
    }
    assert!(compared >= 30, "only {compared} explanations were compared");
}

struct Line {
    slopes: Array2<f64>,
    intercept: Array1<f64>,
}

impl Model for Line {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.intercept.len()
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(batch.dot(&self.slopes) + &self.intercept)
    }
}

impl LinearStructured for Line {
    fn coefficients(&self) -> &ArrayRef2<f64> {
        &self.slopes
    }
    fn intercept(&self) -> &ArrayRef1<f64> {
        &self.intercept
    }
}

#[test]
fn linear_shap_is_that_of_shap() {
    let recorded: Vec<(String, Value)> =
        cases("shapley").into_iter().filter(|(name, _)| name == "linear_explainer").collect();
    let [(name, case)] = recorded.as_slice() else { panic!("one recorded case is expected") };
    let slopes = table(&case["coefficients"]);
    let model = Line { slopes, intercept: array![case["intercept"].as_f64().unwrap()] };
    let background = Background::new(table(&case["background"])).unwrap();
    let explanation = LinearShap { background }.explain(&model, &table(&case["rows"]), &Run::default()).unwrap();
    let values: Vec<f64> = explanation.values.iter().copied().collect();
    assert_close(name, &values, &numbers(&case["values"]), SHAP);
    assert_close(name, &explanation.base.row(0).to_vec(), &numbers(&case["base"]), SHAP);
}

proptest! {
    #[test]
    fn linear_shap_equals_exact_shap(cells in prop::collection::vec(-5.0..5.0, 4 * 8), weights in prop::collection::vec(0.1..2.0, 3), grouped: bool) {
        let cells = Array2::from_shape_vec((8, 4), cells).unwrap();
        let model = Line {
            slopes: cells.select(Axis(0), &[0, 1]).reversed_axes(),
            intercept: array![1.0, -2.0],
        };
        let mut background = Background::weighted(cells.select(Axis(0), &[2, 3, 4]), weights).unwrap();
        if grouped {
            let players = vec![Feature::numeric("ends"), Feature::numeric("middle")];
            background = background.grouped(Groups { players, members: vec![vec![0, 3], vec![1, 2]] }).unwrap();
        }
        let batch = cells.select(Axis(0), &[5, 6, 7]);
        let linear = LinearShap { background: background.clone() }.explain(&model, &batch, &Run::default()).unwrap();
        let exact = Masked { estimator: ExactShap, masker: background }.explain(&model, &batch, &Run::default()).unwrap();
        for (found, expected) in linear.values.iter().chain(&linear.base).zip(exact.values.iter().chain(&exact.base)) {
            prop_assert!((found - expected).abs() < SHAP);
        }
        prop_assert_eq!(linear.features, exact.features);
        // As text, since NaN is not NaN.
        prop_assert_eq!(format!("{:?}", linear.data), format!("{:?}", exact.data));
        prop_assert_eq!(linear.provenance.evaluations, 3);
    }
}
