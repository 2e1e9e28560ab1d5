//! What absent players are replaced by.

use ndarray::{Array2, array};
use proptest::prelude::*;
use xai_core::{Error, Feature, Groups, Masker};
use xai_local::masker::{Background, Baseline};

proptest! {
    #[test]
    fn mask_takes_present_columns_from_the_sample(bits in prop::collection::vec(any::<bool>(), 12), owner in prop::collection::vec(0usize..3, 5)) {
        let groups = Groups {
            players: Feature::unnamed(3),
            members: (0..3).map(|p| (0..5).filter(|&c| owner[c] == p).collect()).collect(),
        };
        let rows = Array2::from_shape_fn((3, 5), |(r, c)| (10 * r + c) as f64);
        let masker = Background::new(rows.clone()).unwrap().grouped(groups).unwrap();
        let batch = Array2::from_shape_fn((2, 5), |(s, c)| -((10 * s + c) as f64) - 1.0);
        let coalitions = Array2::from_shape_vec((4, 3), bits).unwrap();
        let masked = masker.mask(&batch, 1, &coalitions).unwrap();
        prop_assert_eq!(masked.dim(), (12, 5));
        for ((row, column), &cell) in masked.indexed_iter() {
            let present = coalitions[[row / 3, owner[column]]];
            prop_assert_eq!(cell, if present { batch[[1, column]] } else { rows[[row % 3, column]] });
        }
    }

    #[test]
    fn kmeans_rows_hold_values_of_the_data(seed: u64, k in 1usize..12) {
        let data = Array2::from_shape_fn((30, 2), |(r, c)| ((r * (7 + c)) % 13) as f64 * 1.7);
        let summary = Background::kmeans(&data, k, seed).unwrap();
        prop_assert!(summary.rows().nrows() <= k);
        prop_assert!((summary.row_weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for ((_, column), value) in summary.rows().indexed_iter() {
            prop_assert!(data.column(column).iter().any(|v| v == value));
        }
        prop_assert_eq!(&summary, &Background::kmeans(&data, k, seed).unwrap());
    }
}

#[test]
fn missing_cells_stay_missing() {
    let masker = Background::new(array![[f64::NAN, 1.0]]).unwrap();
    let masked = masker.mask(&array![[2.0, f64::NAN]], 0, &array![[false, true], [true, false]]).unwrap();
    assert!(masked[[0, 0]].is_nan() && masked[[0, 1]].is_nan());
    assert_eq!([masked[[1, 0]], masked[[1, 1]]], [2.0, 1.0]);
}

#[test]
fn kmeans_finds_clusters_and_weighs_them() {
    let data = array![[0.0, 0.1], [0.2, 0.0], [0.1, 0.2], [9.0, 9.0], [9.3, 9.2], [f64::NAN, -50.0]];
    for seed in 0..20 {
        let summary = Background::kmeans(&data, 3, seed).unwrap();
        let mut found: Vec<(f64, f64)> =
            summary.rows().column(1).iter().copied().zip(summary.row_weights().iter().copied()).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(found, [(-50.0, 1.0 / 6.0), (0.1, 0.5), (9.0, 1.0 / 3.0)]);
        assert!(summary.rows().iter().all(|v| v.is_finite()));
    }
    let same = Background::kmeans(&Array2::ones((8, 2)), 3, 0).unwrap();
    assert_eq!(same.rows().nrows(), 1);
}

#[test]
fn samples_are_different_rows_in_order() {
    let data = Array2::from_shape_fn((50, 1), |(r, _)| r as f64);
    let drawn: Vec<f64> = Background::sample(&data, 20, 4).unwrap().rows().iter().copied().collect();
    assert_eq!(drawn.len(), 20);
    assert!(drawn.windows(2).all(|w| w[0] < w[1]));
    assert_ne!(Background::sample(&data, 20, 5).unwrap().rows(), Background::sample(&data, 20, 4).unwrap().rows());
    assert_eq!(Background::sample(&data, 99, 4).unwrap().rows(), &data);
}

#[test]
fn backgrounds_that_mean_nothing_are_errors() {
    let rows = array![[1.0], [2.0]];
    assert!(matches!(Background::new(Array2::zeros((0, 3))), Err(Error::Parameter { .. })));
    assert!(matches!(Background::weighted(rows.clone(), vec![1.0]), Err(Error::Shape { .. })));
    assert!(matches!(Background::weighted(rows.clone(), vec![1.0, -1.0]), Err(Error::Parameter { .. })));
    assert!(matches!(Background::weighted(rows.clone(), vec![0.0, 0.0]), Err(Error::Parameter { .. })));
    assert!(matches!(Background::weighted(rows.clone(), vec![f64::NAN, 1.0]), Err(Error::Parameter { .. })));
    assert!(matches!(Background::kmeans(&rows, 0, 0), Err(Error::Parameter { .. })));
    assert!(matches!(Background::sample(&rows, 0, 0), Err(Error::Parameter { .. })));
    assert!(matches!(Background::kmeans(&array![[f64::INFINITY]], 1, 0), Err(Error::NonFinite { .. })));
    let groups = Groups { players: Feature::unnamed(1), members: vec![vec![3]] };
    assert!(matches!(Baseline::new(array![1.0]).grouped(groups), Err(Error::Parameter { .. })));
}

#[test]
fn descriptions_say_kind_and_size() {
    let rows = array![[1.0], [2.0]];
    assert_eq!(Background::new(rows.clone()).unwrap().describe(), "background of 2 rows");
    assert_eq!(Background::kmeans(&rows, 2, 0).unwrap().describe(), "k-means background of 2 rows");
    assert_eq!(Baseline::new(array![1.0]).describe(), "baseline of 1 row");
}

#[test]
fn a_weighted_sample_takes_the_rows_of_a_sample_with_their_weights() {
    let rows = Array2::from_shape_fn((20, 1), |(row, _)| row as f64);
    let weights: Vec<f64> = (0..20).map(|row| f64::from(row) + 1.0).collect();
    let (plain, weighted) =
        (Background::sample(&rows, 5, 3).unwrap(), Background::sample_weighted(&rows, &weights, 5, 3).unwrap());
    assert_eq!(plain.rows(), weighted.rows());
    let total: f64 = plain.rows().iter().map(|row| row + 1.0).sum();
    for (row, weight) in plain.rows().iter().zip(weighted.row_weights()) {
        assert!((weight - (row + 1.0) / total).abs() < 1e-15);
    }
    assert!(Background::sample_weighted(&rows, &weights[1..], 5, 3).is_err());
    assert!(Background::sample_weighted(&rows, &[0.0; 20], 5, 3).is_err());
}
