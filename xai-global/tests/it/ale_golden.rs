//! Accumulated local effects against PyALE.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};
use serde_json::Value;
use xai_core::{Curve, Explainer, Feature, Run};
use xai_global::{AccumulatedLocalEffects, CategoryOrder, Centring};

use crate::golden;
use crate::zoo::{Function, assert_close};

fn explain(features: &[usize], edges: &[&Value], rows: &Array2<f64>, model: &Function) -> Curve {
    let explainer = AccumulatedLocalEffects {
        features: vec![features.to_vec()],
        edges: features.iter().copied().zip(edges.iter().map(|e| golden::numbers(e))).collect::<BTreeMap<_, _>>(),
        centring: Centring::Midpoints,
        ..Default::default()
    };
    explainer.explain(model, rows, &Run::default()).unwrap().curves.remove(0)
}

fn same(found: impl IntoIterator<Item = f64>, expected: Vec<f64>, tolerance: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    found.into_iter().zip(expected).for_each(|(found, expected)| assert_close(found, expected, tolerance));
}

#[test]
fn ale_of_numbers_equals_pyale() {
    let case = golden::read("ale");
    let (rows, tolerance) = (golden::matrix(&case["rows"]), golden::tolerance(&case));
    let model = Function::new(golden::formula);
    let mut compared = 0;
    for result in case["one_dimensional"].as_array().unwrap() {
        let feature = result["feature"].as_u64().unwrap() as usize;
        for (edges, effects) in [("edges", "effects"), ("linear_quantile_edges", "linear_quantile_effects")] {
            let curve = explain(&[feature], &[&result[edges]], &rows, &model);
            same(curve.grid[0].clone(), golden::numbers(&result[edges]), 0.0);
            same(curve.values, golden::numbers(&result[effects]), tolerance);
            compared += 1;
        }
    }
    assert!(compared >= 8, "{compared} compared");
}

#[test]
fn ale_of_pairs_equals_its_reference() {
    let case = golden::read("ale");
    let (rows, tolerance) = (golden::matrix(&case["rows"]), golden::tolerance(&case));
    let model = Function::new(golden::formula);
    let (mut compared, mut empty) = (0, 0);
    for result in case["two_dimensional"].as_array().unwrap() {
        let features = golden::indices(&result["features"]);
        let curve = explain(&features, &[&result["edges"][0], &result["edges"][1]], &rows, &model);
        same(curve.values, golden::matrix(&result["effects"]).into_iter().collect(), tolerance);
        compared += 1;
        empty += result["empty_cells"].as_u64().unwrap();
    }
    assert!(compared >= 3 && empty > 0, "{compared} compared, {empty} empty cells");
}

#[test]
fn ale_of_ordered_values_equals_pyale() {
    let case = golden::read("ale");
    let discrete = &case["discrete"];
    let feature = discrete["feature"].as_u64().unwrap() as usize;
    let mut model = Function::new(golden::formula);
    model.features = Feature::unnamed(4);
    model.features[feature] = Feature::categorical("steps", ["a", "b"]);
    let explainer =
        AccumulatedLocalEffects { features: vec![vec![feature]], order: CategoryOrder::Given, ..Default::default() };
    let rows = golden::matrix(&discrete["rows"]);
    let curve = explainer.explain(&model, &rows, &Run::default()).unwrap().curves.remove(0);
    same(curve.grid[0].clone(), golden::numbers(&discrete["values"]), 0.0);
    same(curve.values, golden::numbers(&discrete["effects"]), golden::tolerance(&case));
}

#[test]
fn ale_of_categories_equals_pyale() {
    let case = golden::read("ale_categorical");
    let names: Vec<&str> = case["worth"].as_object().unwrap().keys().map(String::as_str).collect();
    let worth: Vec<f64> = names.iter().map(|name| case["worth"][name].as_f64().unwrap()).collect();
    let code = |name: &Value| names.iter().position(|n| Some(*n) == name.as_str()).unwrap() as f64;
    let trees: Vec<f64> = case["tree"].as_array().unwrap().iter().map(code).collect();
    let mut rows = golden::matrix(&case["rows"]);
    rows.push_column(ndarray::ArrayView1::from(&trees)).unwrap();
    let mut model = Function::new(move |x| golden::formula(x) + worth[x[4] as usize]);
    model.features = Feature::unnamed(5);
    model.features[4] = Feature::categorical("tree", names.iter().copied());
    let explainer = AccumulatedLocalEffects { features: vec![vec![4]], ..Default::default() };
    let curve = explainer.explain(&model, &rows, &Run::default()).unwrap().curves.remove(0);

    // The line of similarity may be read from either end.
    let mut order: Vec<f64> = case["order"].as_array().unwrap().iter().map(code).collect();
    let mut effects = golden::numbers(&case["effects"]);
    if curve.grid[0] != order {
        order.reverse();
        effects.reverse();
    }
    assert_eq!(curve.grid[0], order);
    same(curve.values.index_axis_move(Axis(1), 0), effects, golden::tolerance(&case));
}
