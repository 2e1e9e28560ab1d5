//! Permutation importance.

use ndarray::{Array2, ArrayView2, Axis};
use xai_core::{Error, Explainer, Feature, Groups, Run};
use xai_global::{Labels, Loss, PermutationImportance};

use crate::zoo::{Function, Stop, assert_close, table, with_threads};

/// Sums of a few hundred numbers of size one, in another order.
const ROUNDING: f64 = 1e-12;

fn labels_of(model: &Function, batch: &Array2<f64>) -> Labels {
    Labels::Numbers(batch.outer_iter().map(|row| model.score(row) + 0.1 * row[0]).collect())
}

/// A shuffled value is any of the column's with equal chance: E (βx′ − βx)² = 2 β² Var x.
#[test]
fn permutation_of_a_linear_model_has_its_expectation() {
    let batch = table(25, 3, 1);
    let model = Function::linear(&[2.0, -0.5, 0.0]);
    let labels = Labels::Numbers(batch.outer_iter().map(|row| model.score(row)).collect());
    let explainer = PermutationImportance { n_repeats: 4000, ..PermutationImportance::new(labels) };
    let importance = explainer.explain(&model, &batch, &Run::default()).unwrap();
    let spread = importance.spread.as_ref().unwrap();
    for (j, slope) in [2.0f64, -0.5].iter().enumerate() {
        let expected = 2.0 * slope * slope * batch.column(j).var(0.0);
        let error = spread[[j, 0]] / 4000f64.sqrt();
        let away = (importance.values[[j, 0]] - expected).abs();
        // Five standard errors: by chance once in two million seeds, and this is one fixed seed.
        assert!(away < 5.0 * error && error < 0.02 * expected, "{away} from {expected}, standard error {error}");
    }
    assert_eq!(importance.values[[2, 0]], 0.0, "a column that the model never looks at");
    assert_eq!(importance.order(), [0, 1, 2]);
}

#[test]
fn permutation_repeats_are_losses_of_what_the_model_saw() {
    let batch = table(30, 4, 2);
    let model = Function::new(|x| x[0] * x[1] + x[2] - x[3]);
    let labels = labels_of(&model, &batch);
    let Labels::Numbers(truth) = &labels else { unreachable!() };
    let features = Feature::unnamed(4);
    let groups = Groups {
        players: vec![features[1].clone(), Feature::numeric("pair"), features[2].clone()],
        members: vec![vec![1], vec![0, 3], vec![2]],
    };
    let explainer = PermutationImportance {
        losses: vec![Loss::AbsoluteError, Loss::SquaredError],
        n_repeats: 5,
        groups: Some(groups.clone()),
        ..PermutationImportance::new(labels.clone())
    };
    let importance = explainer.explain(&model, &batch, &Run { seed: 9, ..Run::default() }).unwrap();
    let seen = model.seen();
    assert_eq!(
        seen.iter().map(|b| b.nrows()).collect::<Vec<_>>(),
        [30, 30 * 15],
        "intact, then all copies in one call"
    );
    let loss = |rows: ArrayView2<f64>, power: i32| {
        let gaps = rows.outer_iter().zip(truth).map(|(row, y)| (model.score(row) - y).abs().powi(power));
        gaps.sum::<f64>() / 30.0
    };
    let repeats = importance.repeats.unwrap();
    for (copy, rows) in seen[1].axis_chunks_iter(Axis(0), 30).enumerate() {
        let (player, repeat) = (copy / 5, copy % 5);
        for (l, power) in [(0, 1), (1, 2)] {
            let expected = loss(rows, power) - loss(batch.view(), power);
            assert_close(repeats[[player, l, repeat]], expected, ROUNDING);
        }
        let members = &groups.members[player];
        let moved: Vec<usize> = rows
            .outer_iter()
            .map(|row| {
                (0..30).find(|&i| members.iter().all(|&c| row[c] == batch[[i, c]])).expect("columns move together")
            })
            .collect();
        let mut sorted = moved.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..30).collect::<Vec<_>>(), "every row is used once");
        assert_ne!(moved, sorted, "and not all in their place");
        for column in (0..4).filter(|c| !members.contains(c)) {
            assert_eq!(rows.column(column), batch.column(column));
        }
    }
    let means = repeats.mean_axis(Axis(2)).unwrap();
    let spreads = repeats.std_axis(Axis(2), 1.0);
    for (cell, value) in importance.values.indexed_iter() {
        assert_close(*value, means[cell], ROUNDING);
        assert_close(importance.spread.as_ref().unwrap()[cell], spreads[cell], ROUNDING);
    }
    assert_close(importance.base.unwrap()[0], loss(batch.view(), 1), ROUNDING);
    assert_eq!(importance.features[1].name, "pair");
    assert_eq!(importance.outputs[0].name, "absolute-error");
}

/// A feature's shuffles do not depend on what else is asked, nor do the repeats on their number.
#[test]
fn permutation_repeats_follow_from_seed_feature_and_repeat() {
    let batch = table(20, 3, 3);
    let model = Function::linear(&[1.0, 2.0, 3.0]);
    let explainer = PermutationImportance::new(labels_of(&model, &batch));
    let values = |explainer: &PermutationImportance, seed| {
        explainer.explain(&model, &batch, &Run { seed, ..Run::default() }).unwrap().repeats.unwrap()
    };
    let ten = values(&explainer, 5);
    let three = values(&PermutationImportance { n_repeats: 3, ..explainer.clone() }, 5);
    assert_eq!(three, ten.slice_axis(Axis(2), ndarray::Slice::from(0..3)));
    assert_eq!(ten, values(&explainer, 5));
    assert_ne!(ten, values(&explainer, 6));
    let weighted = PermutationImportance { weights: Some(vec![2.0; 20]), ..explainer.clone() };
    for (cell, value) in values(&weighted, 5).indexed_iter() {
        assert_close(*value, ten[cell], ROUNDING);
    }
}

#[test]
fn permutation_is_the_same_for_any_number_of_threads() {
    // More rows than one call takes, so that copies are cut in the middle.
    let batch = table(5000, 2, 4);
    let model = Function::linear(&[1.0, 2.0]);
    let explainer = PermutationImportance { n_repeats: 3, ..PermutationImportance::new(labels_of(&model, &batch)) };
    let explain = || explainer.explain(&model, &batch, &Run::default()).unwrap();
    assert_eq!(with_threads(1, explain), with_threads(4, explain));
    assert!(model.seen().iter().all(|b| b.nrows() <= 4096));
}

#[test]
fn permutation_counts_its_evaluations() {
    let batch = table(40, 3, 5);
    let model = Function::linear(&[1.0, 2.0, 3.0]);
    let explainer = PermutationImportance { n_repeats: 4, ..PermutationImportance::new(labels_of(&model, &batch)) };
    let needed = 40 * (1 + 3 * 4);
    let exact = Run { max_evaluations: Some(needed), ..Run::default() };
    let importance = explainer.explain(&model, &batch, &exact).unwrap();
    assert_eq!((importance.provenance.evaluations, model.n_seen() as u64), (needed, needed));
    let short = Run { max_evaluations: Some(needed - 1), ..Run::default() };
    let error = explainer.explain(&model, &batch, &short).unwrap_err();
    assert!(matches!(error, Error::Budget { budget, needed: n } if budget == needed - 1 && n == needed));
    assert_eq!(model.n_seen() as u64, needed, "nothing is spent on what cannot be finished");
    let stopped = explainer.explain(&model, &batch, &Run { observer: &Stop, ..Run::default() });
    assert!(matches!(stopped.unwrap_err(), Error::Cancelled { done: 0, total } if total == needed));
}

#[test]
fn permutation_ratio_divides() {
    let batch = table(30, 2, 6);
    let model = Function::linear(&[1.0, 2.0]);
    let explainer = PermutationImportance::new(labels_of(&model, &batch));
    let difference = explainer.explain(&model, &batch, &Run::default()).unwrap();
    let ratio = PermutationImportance { ratio: true, ..explainer }.explain(&model, &batch, &Run::default()).unwrap();
    let base = difference.base.as_ref().unwrap()[0];
    for (cell, value) in ratio.repeats.unwrap().indexed_iter() {
        assert_close(*value, difference.repeats.as_ref().unwrap()[cell] / base + 1.0, ROUNDING);
    }
    let perfect = Labels::Numbers(batch.outer_iter().map(|row| model.score(row)).collect());
    let error = PermutationImportance { ratio: true, ..PermutationImportance::new(perfect) };
    let error = error.explain(&model, &batch, &Run::default()).unwrap_err();
    assert!(error.to_string().contains("the intact squared-error is 0"), "{error}");
}
