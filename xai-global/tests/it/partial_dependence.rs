//! Partial dependence and individual conditional expectation.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis, Slice, array};
use proptest::prelude::*;
use xai_core::{Error, Explainer, Feature, FeatureKind, Run};
use xai_global::{Grid, PartialDependence};

use crate::golden;
use crate::zoo::{Function, Stop, assert_close, table, with_threads};

/// Means of a few hundred numbers of size one, in another order.
const ROUNDING: f64 = 1e-12;

#[test]
fn partial_dependence_of_an_additive_model_is_its_term() {
    let batch = table(50, 3, 1);
    let model = Function::new(|x| x[0].exp() + 3.0 * x[1] - x[2] * x[2]);
    let rest = batch.outer_iter().map(|x| 3.0 * x[1] - x[2] * x[2]).sum::<f64>() / 50.0;
    let one = PartialDependence { features: vec![vec![0]], ..Default::default() };
    let effects = one.explain(&model, &batch, &Run::default()).unwrap();
    let curve = &effects.curves[0];
    assert_eq!(curve.grid[0].len(), 20);
    for (v, value) in curve.grid[0].iter().zip(&curve.values) {
        assert_close(*value, v.exp() + rest, ROUNDING);
    }
    // The other terms vary alike at every point; centring takes them out.
    let centred = PartialDependence { centered: true, ..one }.explain(&model, &batch, &Run::default()).unwrap();
    let curve = &centred.curves[0];
    for (v, value) in curve.grid[0].iter().zip(&curve.values) {
        assert_close(*value, v.exp() - curve.grid[0][0].exp(), ROUNDING);
    }
    assert!(curve.standard_error.as_ref().unwrap().iter().all(|e| *e < ROUNDING));
    let rest: Vec<f64> = batch.outer_iter().map(|x| 3.0 * x[1] - x[2] * x[2]).collect();
    let error = ndarray::Array1::from(rest).std(1.0) / 50f64.sqrt();
    assert!(effects.curves[0].standard_error.as_ref().unwrap().iter().all(|e| (e - error).abs() < ROUNDING));
}

fn brute(model: &Function, batch: &Array2<f64>, set: &[(usize, f64)], weights: &[f64]) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, weight) in weights.iter().enumerate() {
        let mut row = batch.row(i).to_owned();
        set.iter().for_each(|&(column, value)| row[column] = value);
        sum += weight * model.score(row.view());
        total += weight;
    }
    sum / total
}

proptest! {
    #[test]
    fn partial_dependence_equals_brute_force(
        seed in any::<u64>(), n in 1usize..12, points in 2usize..6, even in any::<bool>(), weighted in any::<bool>(),
    ) {
        let batch = table(n, 3, seed);
        let model = Function::new(|x| x[0] * x[1] + (x[2] * x[0]).sin());
        let weights: Vec<f64> = (0..n).map(|i| if weighted { 0.5 + i as f64 } else { 1.0 }).collect();
        let (low, high) = (0.1, 0.8);
        let explainer = PartialDependence {
            features: vec![vec![2], vec![1, 0]],
            grid: if even { Grid::Even { n: points, low, high } } else { Grid::Quantiles { n: points, low, high } },
            weights: weighted.then(|| weights.clone()),
            individual: true,
            ..Default::default()
        };
        let effects = explainer.explain(&model, &batch, &Run::default()).unwrap();
        let mut n_points = 0;
        for (p, v) in effects.curves[0].grid[0].iter().enumerate() {
            let expected = brute(&model, &batch, &[(2, *v)], &weights);
            prop_assert!((effects.curves[0].values[[p, 0]] - expected).abs() < ROUNDING);
            n_points += 1;
        }
        let surface = &effects.curves[1];
        let mut p = 0;
        for v in &surface.grid[0] {
            for w in &surface.grid[1] {
                let expected = brute(&model, &batch, &[(1, *v), (0, *w)], &weights);
                prop_assert!((surface.values[[p, 0]] - expected).abs() < ROUNDING);
                for i in 0..n {
                    let mut row = batch.row(i).to_owned();
                    (row[1], row[0]) = (*v, *w);
                    prop_assert_eq!(surface.individual.as_ref().unwrap()[[i, p, 0]], model.score(row.view()));
                }
                p += 1;
            }
        }
        prop_assert_eq!(surface.values.nrows(), p);
        prop_assert_eq!(effects.provenance.evaluations, ((n_points + p) * n) as u64);
    }
}

#[test]
fn partial_dependence_equals_scikit_learn() {
    let case = golden::read("partial_dependence");
    let rows = golden::matrix(&case["rows"]);
    let weights = golden::numbers(&case["weights"]);
    let tolerance = golden::tolerance(&case);
    let model = Function::new(golden::formula);
    let mut compared = 0;
    for result in case["results"].as_array().unwrap() {
        let params = &result["params"];
        let percentiles =
            params["percentiles"].as_array().map_or([0.05, 0.95], |p| [p[0].as_f64().unwrap(), p[1].as_f64().unwrap()]);
        let mut values = BTreeMap::new();
        if let Some(custom) = params["custom_values"].as_object() {
            values.extend(custom.iter().map(|(column, v)| (column.parse().unwrap(), golden::numbers(v))));
        }
        let n = params["grid_resolution"].as_u64().unwrap_or(100) as usize;
        let explainer = PartialDependence {
            features: vec![golden::indices(&result["features"])],
            grid: Grid::Even { n, low: percentiles[0], high: percentiles[1] },
            values,
            ..PartialDependence::individual()
        };
        let curve = explainer.explain(&model, &rows, &Run::default()).unwrap().curves.remove(0);
        let weighted = PartialDependence { weights: Some(weights.clone()), ..explainer };
        let weighted = weighted.explain(&model, &rows, &Run::default()).unwrap().curves.remove(0);
        for (axis, expected) in curve.grid.iter().zip(result["grid"].as_array().unwrap()) {
            let expected = golden::numbers(expected);
            assert_eq!(axis.len(), expected.len());
            axis.iter().zip(expected).for_each(|(found, expected)| assert_close(*found, expected, tolerance));
        }
        for (curve, key) in [(&curve, "average"), (&weighted, "average_weighted")] {
            let expected = golden::numbers(&result[key]);
            assert_eq!(curve.values.dim(), (expected.len(), 1));
            curve.values.iter().zip(expected).for_each(|(found, expected)| assert_close(*found, expected, tolerance));
        }
        let individual = golden::matrix(&result["individual_first_10_rows"]);
        for ((i, p), expected) in individual.indexed_iter() {
            assert_close(curve.individual.as_ref().unwrap()[[i, p, 0]], *expected, tolerance);
        }
        compared += 1;
    }
    assert!(compared >= 6, "{compared} compared");
}

#[test]
fn individual_curves_average_to_the_partial_dependence() {
    let batch = table(30, 2, 3);
    let model = Function::of_outputs(2, |x| vec![x[0] * x[1], x[0] - x[1]]);
    for centered in [false, true] {
        let explainer = PartialDependence { centered, ..PartialDependence::individual() };
        let effects = explainer.explain(&model, &batch, &Run::default()).unwrap();
        assert_eq!(effects.provenance.method, "individual-conditional-expectation");
        for curve in &effects.curves {
            let individual = curve.individual.as_ref().unwrap();
            let mean = individual.mean_axis(Axis(0)).unwrap();
            mean.iter().zip(&curve.values).for_each(|(a, b)| assert_close(*a, *b, ROUNDING));
            let start = individual.slice_axis(Axis(1), Slice::from(0..1));
            assert_eq!(start.iter().all(|v| *v == 0.0), centered);
        }
    }
    let plain = PartialDependence::default().explain(&model, &batch, &Run::default()).unwrap();
    assert_eq!(plain.provenance.method, "partial-dependence");
    assert!(plain.curves.iter().all(|c| c.individual.is_none()));
}

#[test]
fn partial_dependence_is_the_same_for_any_number_of_threads() {
    let batch = table(5000, 2, 4);
    let model = Function::new(|x| (x[0] * x[1]).sin());
    let explainer = PartialDependence { grid: Grid::Quantiles { n: 16, low: 0.0, high: 1.0 }, ..Default::default() };
    let explain = || explainer.explain(&model, &batch, &Run::default()).unwrap();
    let one = with_threads(1, explain);
    assert_eq!(one, with_threads(4, explain));
    // 13 copies make a wave: the 16 points come in two.
    assert_eq!(one.provenance.evaluations, 2 * 16 * 5000);
    assert!(model.seen().iter().all(|b| b.nrows() <= 4096));
    for (v, value) in one.curves[0].grid[0].iter().zip(&one.curves[0].values) {
        assert_close(*value, brute(&model, &batch, &[(0, *v)], &[1.0; 5000]), ROUNDING);
    }
}

#[test]
fn partial_dependence_keeps_the_budget() {
    let batch = table(10, 2, 5);
    let model = Function::linear(&[1.0, 2.0]);
    let explainer = PartialDependence { features: vec![vec![0]], centered: true, ..Default::default() };
    // Ten different values are fewer than twenty points: a point for each.
    let run = |n| Run { max_evaluations: Some(n), ..Run::default() };
    assert!(matches!(explainer.explain(&model, &batch, &run(99)), Err(Error::Budget { budget: 99, needed: 100 })));
    assert_eq!(model.n_seen(), 0);
    let effects = explainer.explain(&model, &batch, &run(100)).unwrap();
    assert_eq!((effects.provenance.evaluations, model.n_seen()), (100, 100));
    let stopped = explainer.explain(&model, &batch, &Run { observer: &Stop, ..Run::default() });
    assert!(matches!(stopped, Err(Error::Cancelled { .. })));
}

#[test]
fn categories_and_missing_values_are_kept() {
    let batch = array![[0.0, 1.0, 7.0], [2.0, f64::NAN, 7.0], [0.0, 3.0, 7.0], [f64::NAN, 4.0, 7.0]];
    let or = |x: f64, other: f64| if x.is_nan() { other } else { x };
    let mut model = Function::new(move |x| or(x[0], -1.0) * 10.0 + or(x[1], 100.0));
    model.features = Feature::unnamed(3);
    model.features[0] = Feature::categorical("tree", ["ash", "beech", "cedar"]);
    let effects = PartialDependence::default().explain(&model, &batch, &Run::default()).unwrap();
    let tree = &effects.curves[0];
    assert_eq!(tree.grid, [[0.0, 1.0, 2.0]], "all categories, also those that the data lack");
    assert_eq!(tree.values, array![[27.0], [37.0], [47.0]], "the row without a category counts");
    assert_eq!((&tree.distribution[0].counts, tree.distribution[0].missing), (&vec![2, 0, 1], 1));
    assert_eq!(effects.curves.len(), 3);
    let constant = &effects.curves[2];
    assert_eq!((&constant.grid[0], &constant.distribution[0].edges), (&vec![7.0], &vec![7.0, 7.0]));
    assert_eq!(constant.distribution[0].counts, [4]);
}

#[test]
fn grid_ignores_missing_values() {
    let feature = Feature::numeric("x");
    let points = |grid: Grid, values: &[f64]| grid.points(&feature, &ndarray::ArrayView1::from(values)).unwrap();
    let even = Grid::Even { n: 3, low: 0.0, high: 1.0 };
    let (found, note) = points(even, &[4.0, f64::NAN, 0.0, 1.0, f64::NAN, 3.0]);
    assert_eq!((found, note), (vec![0.0, 2.0, 4.0], None));
    // Negative zero is zero.
    assert_eq!(points(even, &[0.0, -0.0, 1.0]).0.len(), 2);
    // Nineteen zeros in twenty: both quantiles are 0, and the grid says that it spans the whole range instead.
    let mut zeros = vec![0.0; 98];
    zeros.extend([1.0, 8.0]);
    let (found, note) = points(Grid::Even { n: 3, low: 0.05, high: 0.95 }, &zeros);
    assert_eq!(found, [0.0, 4.0, 8.0]);
    assert!(note.unwrap().contains("coincide"));
    let quantiles = Grid::Quantiles { n: 5, low: 0.0, high: 1.0 };
    assert_eq!(points(quantiles, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]).0[0], 0.0);
    let whole = Feature { kind: FeatureKind::Integer, ..feature.clone() };
    assert_eq!(even.points(&whole, &array![1.0, 2.0].view()).unwrap().0, [1.0, 2.0]);
    let counts: Vec<f64> = (0..12).map(f64::from).collect();
    let three = Grid::Even { n: 4, low: 0.0, high: 1.0 };
    assert_eq!(three.points(&whole, &ndarray::ArrayView1::from(&counts)).unwrap().0, [0.0, 4.0, 7.0, 11.0]);
    assert!(matches!(even.points(&feature, &array![f64::NAN].view()), Err(Error::Unsupported { .. })));
}
