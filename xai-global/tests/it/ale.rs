//! Accumulated local effects: closed forms, an oracle, counts.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use xai_core::{Curve, Error, Explainer, Feature, Run};
use xai_global::{AccumulatedLocalEffects, CategoryOrder, Centring};

use crate::zoo::{Function, Stop, assert_close, table, with_threads};

/// Sums of a few hundred differences of size one.
const ROUNDING: f64 = 1e-12;

fn of(features: &[usize]) -> AccumulatedLocalEffects {
    AccumulatedLocalEffects { features: vec![features.to_vec()], ..Default::default() }
}

fn curve(explainer: &AccumulatedLocalEffects, model: &Function, batch: &Array2<f64>) -> Curve {
    explainer.explain(model, batch, &Run::default()).unwrap().curves.remove(0)
}

#[test]
fn ale_of_a_linear_model_is_its_centred_term() {
    let batch = table(100, 3, 1);
    let model = Function::linear(&[2.0, -3.0, 0.0]);
    let effects = AccumulatedLocalEffects::default().explain(&model, &batch, &Run::default()).unwrap();
    for (j, slope) in [2.0, -3.0, 0.0].iter().enumerate() {
        let curve = &effects.curves[j];
        assert_eq!(curve.grid[0].len(), 21);
        let mean = batch.column(j).mean().unwrap();
        for ((z, value), error) in curve.grid[0].iter().zip(&curve.values).zip(curve.standard_error.as_ref().unwrap()) {
            assert_close(*value, slope * (z - mean), ROUNDING);
            // Widths of bins differ, but not within one: at each sample the slope is the same.
            assert!(*error < ROUNDING);
        }
    }
}

#[test]
fn ale_of_an_additive_model_follows_its_terms() {
    let batch = table(200, 2, 2);
    let model = Function::new(|x| x[0].powi(3) + x[1].sin());
    let curve = curve(&of(&[0]), &model, &batch);
    let at = |k: usize| curve.grid[0][k].powi(3) - curve.grid[0][0].powi(3);
    for k in 0..curve.grid[0].len() {
        assert_close(curve.values[[k, 0]] - curve.values[[0, 0]], at(k), ROUNDING);
    }
}

#[test]
fn ale_of_an_additive_pair_is_zero() {
    let batch = table(60, 2, 3);
    let model = Function::new(|x| x[0].exp() - 3.0 * x[1] * x[1]);
    for centring in [Centring::Data, Centring::Midpoints] {
        let explainer = AccumulatedLocalEffects { n_bins: 5, centring, ..of(&[0, 1]) };
        assert!(curve(&explainer, &model, &batch).values.iter().all(|v| v.abs() < ROUNDING));
    }
}

/// On a full factorial table the features are independent, and the interaction of a product is (x − x̄)(y − ȳ).
#[test]
fn ale_of_a_product_is_its_interaction() {
    let (xs, ys) = ([-2.0, -1.0, 0.5, 3.0], [0.0, 1.0, 5.0]);
    let batch = Array2::from_shape_fn((12, 2), |(i, j)| if j == 0 { xs[i / 3] } else { ys[i % 3] });
    let model = Function::new(|x| x[0] * x[1] + 7.0 * x[0] - x[1]);
    let curve = curve(&AccumulatedLocalEffects { n_bins: 3, ..of(&[0, 1]) }, &model, &batch);
    assert_eq!((curve.grid[0].first(), curve.grid[1].last()), (Some(&-2.0), Some(&5.0)));
    let (x_mean, y_mean) = (0.125, 2.0);
    let mut p = 0;
    for x in &curve.grid[0] {
        for y in &curve.grid[1] {
            assert_close(curve.values[[p, 0]], (x - x_mean) * (y - y_mean), ROUNDING);
            p += 1;
        }
    }
    assert_eq!(curve.values.nrows(), p);
}

/// Straight from the formula, sample by sample; shares no code with the fast path.
fn oracle(model: &Function, batch: &Array2<f64>, column: usize, edges: &[f64], midpoints: bool) -> Vec<f64> {
    let rows: Vec<Array1<f64>> = batch.outer_iter().filter(|r| !r[column].is_nan()).map(|r| r.to_owned()).collect();
    let inside = |x: f64, k: usize| (k == 0 && x == edges[0]) || (edges[k] < x && x <= edges[k + 1]);
    let mut accumulated = vec![0.0];
    for k in 0..edges.len() - 1 {
        let differences: Vec<f64> = rows
            .iter()
            .filter(|row| inside(row[column], k))
            .map(|row| {
                let (mut low, mut high) = (row.clone(), row.clone());
                (low[column], high[column]) = (edges[k], edges[k + 1]);
                model.score(high.view()) - model.score(low.view())
            })
            .collect();
        accumulated.push(accumulated[k] + differences.iter().sum::<f64>() / differences.len() as f64);
    }
    let read = |x: f64| {
        let k = (0..edges.len() - 1).find(|&k| inside(x, k)).unwrap();
        let share = if midpoints { 0.5 } else { (x - edges[k]) / (edges[k + 1] - edges[k]) };
        accumulated[k] + share * (accumulated[k + 1] - accumulated[k])
    };
    let mean = rows.iter().map(|row| read(row[column])).sum::<f64>() / rows.len() as f64;
    accumulated.iter().map(|g| g - mean).collect()
}

proptest! {
    #[test]
    fn ale_equals_brute_force(
        seed in any::<u64>(), n in 2usize..40, n_bins in 1usize..12, coarse in any::<bool>(), midpoints in any::<bool>(),
    ) {
        let mut batch = table(n, 3, seed);
        if coarse {
            batch.mapv_inplace(f64::round);
        }
        if n > 4 {
            batch[[2, 0]] = f64::NAN;
        }
        let model = Function::new(|x| if x[0].is_nan() { 0.0 } else { x[0] * x[1] + (x[2] * x[0]).sin() });
        let centring = if midpoints { Centring::Midpoints } else { Centring::Data };
        let curve = curve(&AccumulatedLocalEffects { n_bins, centring, ..of(&[0]) }, &model, &batch);
        let edges = &curve.grid[0];
        prop_assert!(edges.len() <= n_bins + 1 && edges.is_sorted_by(|a, b| a < b));
        let present = batch.column(0).iter().filter(|v| !v.is_nan()).count();
        if edges.len() == 1 {
            prop_assert_eq!(&curve.values, &array![[0.0]]);
        } else {
            for (found, expected) in curve.values.iter().zip(oracle(&model, &batch, 0, edges, midpoints)) {
                prop_assert!((found - expected).abs() < ROUNDING, "{found} {expected}");
            }
            prop_assert_eq!(model.n_seen(), 2 * present);
        }
    }

    #[test]
    fn ale_of_categories_equals_brute_force(seed in any::<u64>(), n in 2usize..40, given in any::<bool>()) {
        let mut batch = table(n, 2, seed);
        batch.column_mut(0).mapv_inplace(|x| (x + 2.0).floor());
        let mut model = Function::new(|x| (x[0] + 1.0).ln() * x[1]);
        model.features = vec![Feature::categorical("c", ["a", "b", "c", "d"]), Feature::numeric("x")];
        let order = if given { CategoryOrder::Given } else { CategoryOrder::Similarity };
        let curve = curve(&AccumulatedLocalEffects { order, ..of(&[0]) }, &model, &batch);
        let levels = &curve.grid[0];
        let mut sorted = levels.clone();
        sorted.sort_by(f64::total_cmp);
        let mut present = batch.column(0).to_vec();
        present.sort_by(f64::total_cmp);
        present.dedup();
        prop_assert_eq!(&sorted, &present);
        prop_assert!(!given || levels == &sorted);
        let mut accumulated = vec![0.0];
        for pair in levels.windows(2) {
            let near: Vec<f64> = batch.outer_iter().filter(|r| r[0] == pair[0] || r[0] == pair[1])
                .map(|r| model.score(array![pair[1], r[1]].view()) - model.score(array![pair[0], r[1]].view()))
                .collect();
            accumulated.push(accumulated.last().unwrap() + near.iter().sum::<f64>() / near.len() as f64);
        }
        let place = |x: f64| levels.iter().position(|l| *l == x).unwrap();
        let mean = batch.column(0).iter().map(|x| accumulated[place(*x)]).sum::<f64>() / n as f64;
        for (found, g) in curve.values.iter().zip(&accumulated) {
            prop_assert!((found - (g - mean)).abs() < ROUNDING, "{found} {}", g - mean);
        }
        let ends = batch.column(0).iter().filter(|x| place(**x) == 0 || place(**x) == levels.len() - 1).count();
        prop_assert_eq!(model.n_seen(), if levels.len() > 1 { n + 2 * n - ends } else { 0 });
    }
}

/// Categories whose samples differ along one direction come in that order, whatever they are called.
#[test]
fn categories_are_ordered_by_similarity() {
    let places = [3.0, 0.0, 4.0, 1.0, 2.0];
    let batch = Array2::from_shape_fn((50, 2), |(i, j)| match j {
        0 => (i % 5) as f64,
        _ => places[i % 5] + 0.3 * (i / 5) as f64,
    });
    let mut model = Function::new(|x| x[0]);
    model.features = vec![Feature::categorical("c", ["a", "b", "c", "d", "e"]), Feature::numeric("x")];
    let curve = curve(&of(&[0]), &model, &batch);
    let order: Vec<usize> = curve.grid[0].iter().map(|&level| level as usize).collect();
    let along: Vec<f64> = order.iter().map(|&level| places[level]).collect();
    assert!(along.is_sorted() || along.iter().rev().is_sorted(), "{order:?}");
    // Without other features there is nothing to be alike in.
    let mut alone = Function::new(|x| x[0]);
    alone.features = vec![model.features[0].clone()];
    let batch = array![[2.0], [0.0], [1.0]];
    let effects = of(&[0]).explain(&alone, &batch, &Run::default()).unwrap();
    assert_eq!(effects.curves[0].grid[0], [0.0, 1.0, 2.0]);
    assert_eq!(effects.curves[0].values, array![[-1.0], [0.0], [1.0]]);
}

/// One bin: the curve is −wΔ and (1 − w)Δ, with w the mean place of the samples in it.
#[test]
fn ale_standard_error_of_one_bin() {
    let batch = array![[0.0, 1.0], [1.0, 2.0], [4.0, 6.0]];
    let model = Function::new(|x| x[0] * x[1]);
    let curve = curve(&AccumulatedLocalEffects { n_bins: 1, ..of(&[0]) }, &model, &batch);
    let (w, mean) = (5.0 / 12.0, 12.0);
    let error = 4.0 * 7f64.sqrt() / 3f64.sqrt();
    for (k, factor) in [-w, 1.0 - w].iter().enumerate() {
        assert_close(curve.values[[k, 0]], factor * mean, ROUNDING);
        assert_close(curve.standard_error.as_ref().unwrap()[[k, 0]], factor.abs() * error, ROUNDING);
    }
}

/// Two bins, by hand: differences 2, 6 and 4, 16, of which a sample has 0.625 and 0.375 behind it on average.
#[test]
fn ale_standard_error_of_two_bins() {
    let batch = array![[0.0, 1.0], [1.0, 3.0], [3.0, 2.0], [4.0, 8.0]];
    let model = Function::new(|x| x[0] * x[1]);
    let explainer = AccumulatedLocalEffects { edges: BTreeMap::from([(0, vec![0.0, 2.0, 4.0])]), ..of(&[0]) };
    let curve = curve(&explainer, &model, &batch);
    let errors = curve.standard_error.unwrap();
    let (first, second) = (4.0f64, 36.0);
    let by_hand = [(-6.25, -0.625, -0.375), (-2.25, 0.375, -0.375), (7.75, 0.375, 0.625f64)];
    for (k, (value, a, b)) in by_hand.into_iter().enumerate() {
        assert_close(curve.values[[k, 0]], value, ROUNDING);
        assert_close(errors[[k, 0]], (a * a * first + b * b * second).sqrt(), ROUNDING);
    }
}

#[test]
fn given_edges_lose_their_empty_bins() {
    let batch = array![[0.5], [2.5], [2.75]];
    let model = Function::linear(&[2.0]);
    let edges = |edges: &[f64]| AccumulatedLocalEffects { edges: BTreeMap::from([(0, edges.to_vec())]), ..of(&[0]) };
    let kept = |given: &[f64]| curve(&edges(given), &model, &batch).grid[0].clone();
    assert_eq!(kept(&[0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 3.0]);
    assert_eq!(kept(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), [0.0, 1.0, 5.0]);
    assert_eq!(kept(&[-2.0, -1.0, 0.0, 5.0]), [-2.0, 5.0]);
    let values = curve(&edges(&[0.0, 1.0, 2.0, 3.0]), &model, &batch).values;
    let mean = (0.5 + 2.5 + 2.75) / 3.0;
    [0.0, 1.0, 3.0].iter().zip(&values).for_each(|(z, v)| assert_close(*v, 2.0 * (z - mean), ROUNDING));
}

#[test]
fn ale_counts_its_evaluations() {
    let mut batch = table(30, 4, 6);
    batch.column_mut(2).mapv_inplace(|x| (x + 2.0).floor().min(2.0));
    batch.column_mut(3).fill(1.0);
    batch[[0, 0]] = f64::NAN;
    let mut model = Function::new(|x| if x[0].is_nan() { 1.0 } else { x[0] } + x[1] * x[2]);
    model.features = Feature::unnamed(4);
    model.features[2] = Feature::categorical("c", ["a", "b", "c"]);
    let explainer = AccumulatedLocalEffects {
        features: vec![vec![0], vec![1], vec![2], vec![3], vec![0, 1], vec![1, 3]],
        order: CategoryOrder::Given,
        ..Default::default()
    };
    let inner = batch.column(2).iter().filter(|&&c| c == 1.0).count() as u64;
    let needed = 2 * 29 + 2 * 30 + (30 + 30 + inner) + 4 * 29;
    let run = |n| Run { max_evaluations: Some(n), ..Run::default() };
    let error = explainer.explain(&model, &batch, &run(needed - 1)).unwrap_err();
    assert!(matches!(error, Error::Budget { needed: n, .. } if n == needed), "{error} {needed}");
    assert_eq!(model.n_seen(), 0);
    let effects = explainer.explain(&model, &batch, &run(needed)).unwrap();
    assert_eq!((effects.provenance.evaluations, model.n_seen() as u64), (needed, needed));
    assert_eq!(effects.curves[0].distribution[0].missing, 1);
    assert!(effects.curves[3].values.iter().chain(&effects.curves[5].values).all(|v| *v == 0.0));
    assert!(effects.provenance.notes.iter().any(|n| n.starts_with("x0 × x1: ") && n.contains("cells hold no sample")));
    let stopped = explainer.explain(&model, &batch, &Run { observer: &Stop, ..Run::default() });
    assert!(matches!(stopped, Err(Error::Cancelled { done: 0, .. })));
    let pair = AccumulatedLocalEffects { features: vec![vec![1, 2]], ..Default::default() };
    let error = pair.explain(&model, &batch, &Run::default()).unwrap_err().to_string();
    assert!(error.contains("\"c\"") && error.contains("partial dependence"), "{error}");
}

#[test]
fn ale_is_the_same_for_any_number_of_threads() {
    let batch = table(5000, 2, 7);
    let model = Function::new(|x| (x[0] * x[1]).sin());
    let explainer = AccumulatedLocalEffects { features: vec![vec![0], vec![0, 1]], ..Default::default() };
    let explain = || explainer.explain(&model, &batch, &Run::default()).unwrap();
    assert_eq!(with_threads(1, explain), with_threads(4, explain));
    assert!(model.seen().iter().all(|b| b.nrows() <= 4096));
}

#[test]
fn too_many_categories_to_compare() {
    let batch = Array2::from_shape_fn((501, 2), |(i, _)| i as f64);
    let mut model = Function::new(|x| x[0]);
    model.features = vec![Feature::categorical("c", (0..501).map(|i| i.to_string())), Feature::numeric("x")];
    let error = of(&[0]).explain(&model, &batch, &Run::default()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 500, found: 501, .. }));
    let given = AccumulatedLocalEffects { order: CategoryOrder::Given, ..of(&[0]) };
    assert_eq!(curve(&given, &model, &batch).values.nrows(), 501);
}
