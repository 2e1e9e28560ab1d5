//! Losses against their definitions and against scikit-learn.

use ndarray::{Array2, ArrayView1, Axis, array};
use proptest::prelude::*;
use xai_core::{Error, Output, Scale};
use xai_global::{Labels, Loss, Needs, performance};

use crate::golden;
use crate::zoo::assert_close;

/// Sums of a few hundred numbers of size one, in another order.
const ROUNDING: f64 = 1e-12;

fn binary(indices: &[usize]) -> Labels {
    Labels::Classes { n: 2, indices: indices.to_vec() }
}

#[test]
fn losses_equal_their_definitions() {
    let numbers = Labels::Numbers(vec![1.0, 2.0, 6.0]);
    let predicted = array![[2.0], [2.0], [3.0]];
    let of = |loss: Loss, p: &Array2<f64>, y: &Labels| loss.of(p, y, None).unwrap();
    assert_close(of(Loss::SquaredError, &predicted, &numbers), 10.0 / 3.0, ROUNDING);
    assert_close(of(Loss::AbsoluteError, &predicted, &numbers), 4.0 / 3.0, ROUNDING);
    assert_close(of(Loss::OneMinusR2, &predicted, &numbers), 10.0 / 14.0, ROUNDING);
    let poisson = 2.0 / 3.0 * ((0.5f64.ln() + 1.0) + 0.0 + (6.0 * 2.0f64.ln() - 3.0));
    assert_close(of(Loss::PoissonDeviance, &predicted, &numbers), poisson, ROUNDING);
    let zero = Labels::Numbers(vec![0.0, 2.0, 6.0]);
    let poisson = 2.0 / 3.0 * (2.0 + 6.0 * 2.0f64.ln() - 3.0);
    assert_close(of(Loss::PoissonDeviance, &predicted, &zero), poisson, ROUNDING);

    let three = Labels::Classes { n: 3, indices: vec![0, 2] };
    let chances = array![[0.5, 0.25, 0.25], [0.7, 0.2, 0.1]];
    assert_close(of(Loss::LogLoss, &chances, &three), -(0.5f64.ln() + 0.1f64.ln()) / 2.0, ROUNDING);
    let brier = (0.25 + 0.0625 + 0.0625 + 0.49 + 0.04 + 0.81) / 2.0;
    assert_close(of(Loss::Brier, &chances, &three), brier, ROUNDING);
    assert_close(of(Loss::ErrorRate, &chances, &three), 0.5, ROUNDING);

    let two = binary(&[0, 1, 1]);
    let (one_column, two_columns) = (array![[0.25], [0.5], [0.75]], array![[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]);
    for chances in [&one_column, &two_columns] {
        assert_close(of(Loss::LogLoss, chances, &two), -(2.0 * 0.75f64.ln() + 0.5f64.ln()) / 3.0, ROUNDING);
        assert_close(of(Loss::Brier, chances, &two), (0.0625 + 0.25 + 0.0625) / 3.0, ROUNDING);
        assert_close(of(Loss::ErrorRate, chances, &two), 1.0 / 3.0, ROUNDING);
        assert_close(of(Loss::OneMinusAuc, chances, &two), 0.0, ROUNDING);
    }
    // As scikit-learn, a certain mistake costs −ln 2⁻⁵².
    assert_close(of(Loss::LogLoss, &array![[1.0]], &binary(&[0])), 52.0 * 2.0f64.ln(), ROUNDING);
    // Margins of any size rank as well as probabilities.
    assert_close(of(Loss::OneMinusAuc, &array![[-40.0], [3.0], [3.0]], &binary(&[0, 1, 0])), 0.25, ROUNDING);
}

#[test]
fn names_read_back() {
    for loss in Loss::ALL {
        assert_eq!(Loss::from_name(loss.name()).unwrap(), loss);
    }
    assert!(matches!(Loss::from_name("accuracy"), Err(Error::Unknown { known, .. }) if known.len() == Loss::ALL.len()));
}

proptest! {
    #[test]
    fn auc_equals_the_count_of_pairs(
        samples in prop::collection::vec((0usize..2, 0u8..6, 0u8..4), 2..40),
        weighted in any::<bool>(),
    ) {
        let classes: Vec<usize> = samples.iter().map(|s| s.0).collect();
        let scores = Array2::from_shape_fn((samples.len(), 1), |(i, _)| f64::from(samples[i].1) - 2.5);
        let weights: Vec<f64> = samples.iter().map(|s| if weighted { f64::from(s.2) } else { 1.0 }).collect();
        let (mut won, mut all) = (0.0, 0.0);
        for (i, up) in samples.iter().enumerate().filter(|s| s.1.0 == 1) {
            for (j, down) in samples.iter().enumerate().filter(|s| s.1.0 == 0) {
                let pair = weights[i] * weights[j];
                all += pair;
                won += pair * match up.1.cmp(&down.1) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        match Loss::OneMinusAuc.of(&scores, &binary(&classes), weighted.then_some(&weights)) {
            Ok(loss) => prop_assert!((loss - (1.0 - won / all)).abs() < ROUNDING),
            Err(_) => prop_assert_eq!(all, 0.0),
        }
    }

    #[test]
    fn a_weight_of_three_is_a_sample_thrice(
        rows in prop::collection::vec((0usize..3, 0.1f64..5.0, 0.1f64..5.0, 0.1f64..5.0, 1usize..4), 3..12),
    ) {
        // Every class occurs, so that every loss is defined.
        let rows: Vec<_> = rows.iter().enumerate().map(|(i, r)| if i < 3 { (i, r.1, r.2, r.3, r.4) } else { *r }).collect();
        let thrice: Vec<_> = rows.iter().flat_map(|r| std::iter::repeat_n(*r, r.4)).collect();
        let weights: Vec<f64> = rows.iter().map(|r| r.4 as f64).collect();
        type Row = (usize, f64, f64, f64, usize);
        let classes = |rows: &[Row]| Labels::Classes { n: 3, indices: rows.iter().map(|r| r.0).collect() };
        let numbers = |rows: &[Row]| Labels::Numbers(rows.iter().map(|r| r.1).collect());
        let chances = |rows: &[Row]| {
            Array2::from_shape_fn((rows.len(), 3), |(i, k)| [rows[i].1, rows[i].2, rows[i].3][k] / (rows[i].1 + rows[i].2 + rows[i].3))
        };
        let predicted = |rows: &[Row]| Array2::from_shape_fn((rows.len(), 1), |(i, _)| rows[i].2);
        for loss in Loss::ALL {
            let of = |rows: &[Row], weights: Option<&[f64]>| match loss.needs() == Needs::Predictions {
                true => loss.of(&predicted(rows), &numbers(rows), weights),
                false => loss.of(&chances(rows), &classes(rows), weights),
            };
            let (weighted, repeated) = (of(&rows, Some(&weights)).unwrap(), of(&thrice, None).unwrap());
            prop_assert!((weighted - repeated).abs() <= ROUNDING * repeated.abs().max(1.0), "{}: {weighted} {repeated}", loss.name());
        }
    }
}

#[test]
fn losses_refuse_misfits_by_name() {
    let reason = |result: xai_core::Result<f64>| result.unwrap_err().to_string();
    let (numbers, classes) = (Labels::Numbers(vec![1.0, 1.0]), binary(&[0, 1]));
    let one = array![[0.5], [0.5]];
    assert!(reason(Loss::SquaredError.of(&one, &classes, None)).contains("labels are classes"));
    assert!(reason(Loss::LogLoss.of(&one, &numbers, None)).contains("labels are numbers"));
    assert!(reason(Loss::OneMinusR2.of(&one, &numbers, None)).contains("all labels are equal"));
    assert!(reason(Loss::LogLoss.of(&array![[0.5], [1.7]], &classes, None)).contains("output 0 of sample 1 is 1.7"));
    assert!(reason(Loss::Brier.of(&array![[0.5, 0.5], [0.5, 0.6]], &classes, None)).contains("sum to 1.1"));
    assert!(
        reason(Loss::ErrorRate.of(&array![[0.1, 0.1, 0.8], [0.1, 0.1, 0.8]], &classes, None)).contains("3 outputs")
    );
    assert!(reason(Loss::OneMinusAuc.of(&one, &binary(&[1, 1]), None)).contains("lack a class"));
    assert!(reason(Loss::SquaredError.of(&array![[0.5, 0.5], [0.5, 0.5]], &numbers, None)).contains("select one"));
    assert!(reason(Loss::PoissonDeviance.of(&array![[0.5], [0.0]], &numbers, None)).contains("sample 1"));
    let margin = [Output::new("approved", Scale::LogOdds)];
    assert!(Loss::LogLoss.check_outputs(&margin).unwrap_err().to_string().contains("log-odds"));
    assert!(Loss::OneMinusAuc.check_outputs(&margin).is_ok());
}

#[test]
fn labels_and_weights_are_checked() {
    let one = array![[0.5], [0.5]];
    let of = |labels: Labels, weights: Option<&[f64]>| Loss::usual(&labels).of(&one, &labels, weights).unwrap_err();
    assert!(matches!(of(Labels::Numbers(vec![1.0]), None), Error::Shape { expected, .. } if expected == [2]));
    assert!(matches!(of(Labels::Numbers(vec![1.0, f64::NAN]), None), Error::NonFinite { sample: 1, .. }));
    assert!(matches!(of(Labels::Classes { n: 2, indices: vec![0, 2] }, None), Error::Parameter { .. }));
    assert!(matches!(of(Labels::Classes { n: 1, indices: vec![0, 0] }, None), Error::Parameter { .. }));
    assert!(matches!(of(binary(&[0, 1]), Some(&[1.0])), Error::Shape { .. }));
    assert!(matches!(of(binary(&[0, 1]), Some(&[1.0, -1.0])), Error::Parameter { .. }));
    assert!(matches!(of(binary(&[0, 1]), Some(&[0.0, 0.0])), Error::Parameter { .. }));
    assert!(matches!(of(binary(&[0, 1]), Some(&[0.0, f64::NAN])), Error::NonFinite { .. }));
}

/// scikit-learn's scores, after each of its recorded permutations, through our losses.
#[test]
fn losses_equal_scikit_learn() {
    let case = golden::read("permutation_importance");
    let rows = golden::matrix(&case["rows"]);
    let numbers = Labels::Numbers(golden::numbers(&case["y"]));
    let classes = binary(&golden::indices(&case["labels"]));
    let results = case["results"].as_array().unwrap();
    let mut compared = 0;
    for result in results {
        let (loss, labels) = match result["scoring"].as_str().unwrap() {
            "neg_mean_squared_error" => (Loss::SquaredError, &numbers),
            "neg_mean_absolute_error" => (Loss::AbsoluteError, &numbers),
            "r2" => (Loss::OneMinusR2, &numbers),
            "neg_log_loss" => (Loss::LogLoss, &classes),
            "accuracy" => (Loss::ErrorRate, &classes),
            "neg_brier_score" => (Loss::Brier, &classes),
            "roc_auc" => (Loss::OneMinusAuc, &classes),
            other => panic!("{other} is recorded and not compared"),
        };
        let predict = |x: ArrayView1<f64>| {
            let score = golden::formula(x);
            if labels == &classes { 1.0 / (1.0 + (-score).exp()) } else { score }
        };
        let loss_of =
            |rows: &Array2<f64>| loss.of(&rows.map_axis(Axis(1), predict).insert_axis(Axis(1)), labels, None).unwrap();
        for (column, permutations) in results[0]["permutations"].as_array().unwrap().iter().enumerate() {
            let expected = golden::numbers(&result["importances"][column]);
            for (permutation, expected) in permutations.as_array().unwrap().iter().zip(expected) {
                let mut shuffled = rows.clone();
                for (i, from) in golden::indices(permutation).into_iter().enumerate() {
                    shuffled[[i, column]] = rows[[from, column]];
                }
                assert_close(loss_of(&shuffled) - loss_of(&rows), expected, golden::tolerance(&case));
                compared += 1;
            }
        }
    }
    assert!(compared >= 7 * 4 * 4, "{compared} compared");
}

#[test]
fn performance_shows_what_is_defined() {
    let table = performance(&array![[1.0], [3.0]], &Labels::Numbers(vec![1.0, 1.0]), None).unwrap();
    let shown: Vec<(&str, f64)> = table.measures.iter().map(|m| (m.name, m.value)).collect();
    assert_eq!(shown, [("rmse", 2.0f64.sqrt()), ("mae", 1.0)]);
    assert_eq!(table.omitted, [("r2", "all labels are equal".to_owned())]);

    let chances = array![[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.4, 0.35, 0.25], [0.1, 0.2, 0.7]];
    let labels = Labels::Classes { n: 3, indices: vec![0, 1, 1, 2] };
    let table = performance(&chances, &labels, Some(&[1.0, 1.0, 2.0, 1.0])).unwrap();
    assert_eq!(table.confusion.unwrap(), array![[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!((table.measures[0].name, table.measures[0].higher_is_better), ("accuracy", true));
    assert_close(table.measures[0].value, 0.6, ROUNDING);
    assert!(table.omitted.is_empty());

    let error = performance(&array![[1.0, 2.0]], &Labels::Numbers(vec![1.0]), None).unwrap_err();
    assert!(error.to_string().contains("select one"));
}
