//! Conditional maskers against recorded numbers: numpy's and scipy's arithmetic, and the draws of shapiq.

use ndarray::{Array2, Axis};
use serde_json::Value;
use xai_core::{Explainer, Feature, Masker, Run};
use xai_local::masker::{ConditionalTree, Gaussian, Neighbours, Shrinkage};
use xai_local::shapley::{ExactShap, Masked};

use crate::golden::{assert_close, cases, numbers, table};
use crate::zoo::Function;

/// Both sides solve with well-conditioned matrices of four columns.
const SOLVING: f64 = 1e-9;

fn case(name: &str) -> Value {
    cases("conditional").into_iter().find(|(found, _)| found == name).unwrap().1
}

fn sample(case: &Value) -> Array2<f64> {
    table(&case["sample"]).reversed_axes()
}

fn presence(case: &Value) -> Vec<bool> {
    numbers(&case["present"]).iter().map(|&bit| bit == 1.0).collect()
}

#[test]
fn gaussian_is_that_of_numpy() {
    let case = case("gaussian");
    let (rows, x) = (table(&case["rows"]), sample(&case));
    let masker = Gaussian::fit(&rows, Shrinkage::None).unwrap();
    let parts = case["conditionals"].as_array().unwrap();
    assert_eq!(parts.len(), 15);
    for part in parts {
        let (mean, covariance) = masker.conditional(&x.row(0), &presence(part)).unwrap();
        assert_close("mean", &mean.to_vec(), &numbers(&part["mean"]), SOLVING);
        assert_close("covariance", &covariance.into_raw_vec_and_offset().0, &numbers(&part["covariance"]), SOLVING);
    }
    let shrunk = Gaussian::fit(&rows, Shrinkage::Automatic).unwrap();
    let (_, covariance) = shrunk.conditional(&x.row(0), &[false; 4]).unwrap();
    let recorded = numbers(&case["shrinkage"]["covariance"]);
    assert_close("shrunk", &covariance.into_raw_vec_and_offset().0, &recorded, SOLVING);

    let slopes = numbers(&case["linear"]["slopes"]);
    let model = Function::one(move |x| x.iter().zip(&slopes).map(|(x, b)| x * b).sum());
    let values = Masked { estimator: ExactShap, masker: masker.draws(2).unwrap() };
    let values = values.explain(&model, &x, &Run::default()).unwrap().values;
    assert_close("linear", &values.into_raw_vec_and_offset().0, &numbers(&case["linear"]["values"]), SOLVING);
}

/// Six standard errors: theirs, and what ours would be if our draws were independent.
#[test]
fn gaussian_draws_have_the_means_of_shapiq() {
    const DRAWS: usize = 20_000;
    let case = case("gaussian");
    let masker = Gaussian::fit(&table(&case["rows"]), Shrinkage::None).unwrap().draws(DRAWS).unwrap();
    let [worths, errors, deviations] =
        ["worths", "standard_errors", "deviations"].map(|key| numbers(&case["smooth"][key]));
    assert_eq!(worths.len(), errors.len().min(deviations.len()));
    for (coalition, ((recorded, error), deviation)) in worths.iter().zip(&errors).zip(&deviations).enumerate().take(15)
    {
        let here = Array2::from_shape_fn((1, 4), |(_, player)| coalition >> player & 1 == 1);
        let masked = masker.mask(&sample(&case), 0, &here).unwrap();
        let worth = |row: ndarray::ArrayView1<f64>| row[0] * row[1] + row[2].sin() + 0.5 * row[3] * row[3] * row[0];
        let mean = masked.outer_iter().map(worth).sum::<f64>() / DRAWS as f64;
        let own = deviation / (DRAWS as f64).sqrt();
        let most = 6.0 * error.hypot(own);
        assert!((mean - recorded).abs() <= most, "{coalition}: {mean} {recorded}");
    }
}

#[test]
fn neighbours_weigh_by_the_formula() {
    let case = case("neighbours");
    let (rows, x) = (table(&case["rows"]), sample(&case));
    for part in case["cases"].as_array().unwrap() {
        let masker = Neighbours::fit(&rows, &[]).unwrap().bandwidth(part["bandwidth"].as_f64().unwrap()).unwrap();
        let here = presence(part);
        let coalition = Array2::from_shape_vec((1, 4), here.clone()).unwrap();
        let replicas = masker.replicas(&x, 0, &coalition).unwrap().unwrap();
        let recorded: Vec<f64> = numbers(&part["weights"]).into_iter().filter(|weight| *weight > 0.0).collect();
        assert_close("weights", &replicas.weights, &recorded, SOLVING);
        let absent = here.iter().position(|here| !here).unwrap();
        let kept: Vec<f64> = rows
            .column(absent)
            .iter()
            .zip(numbers(&part["weights"]))
            .filter(|(_, w)| *w > 0.0)
            .map(|(v, _)| *v)
            .collect();
        assert_eq!(replicas.samples.column(absent).to_vec(), kept);
    }
}

#[test]
fn leaves_are_those_of_the_reference() {
    let case = case("tree");
    let (rows, x) = (table(&case["rows"]), sample(&case));
    let mut features = Feature::unnamed(4);
    features[case["categorical"].as_u64().unwrap() as usize] = Feature::categorical("kind", ["a", "b", "c"]);
    let masker = ConditionalTree::fit(&rows, &features).unwrap().draws(rows.nrows()).unwrap();
    for part in case["cases"].as_array().unwrap() {
        let here = presence(part);
        let coalition = Array2::from_shape_vec((1, 4), here.clone()).unwrap();
        let replicas = masker.replicas(&x, 0, &coalition).unwrap().unwrap();
        let places: Vec<usize> = numbers(&part["rows"]).iter().map(|&row| row as usize).collect();
        let mut expected = rows.select(Axis(0), &places);
        for (column, _) in here.iter().enumerate().filter(|(_, here)| **here) {
            expected.column_mut(column).fill(x[[0, column]]);
        }
        // As text, since NaN is not NaN.
        assert_eq!(format!("{:?}", replicas.samples), format!("{expected:?}"), "{here:?}");
        assert!(replicas.weights.iter().all(|w| (w * places.len() as f64 - 1.0).abs() < 1e-12));
    }
}
