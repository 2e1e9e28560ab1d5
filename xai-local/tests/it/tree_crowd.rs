//! Values against many background rows in trees whose paths hold too many players for tables.

use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use xai_core::{Explainer, Run};
use xai_local::tree::{InterventionalTreeShap, Nonlinear, OutputScale};

use crate::tree_oracle::{check_values, shares_of};
use crate::tree_zoo::{Forest, Rule, Wood, ensembles, forest, lengthen, margins, pass_spare, tables};

/// Sums of some dozen terms of size 1 to 10, of each of some hundred rows, in another order.
const ROUNDING: f64 = 1e-12;
const COLUMNS: usize = 11;

/// A tree with all its columns on most paths, one path with a column twice, and leaves at all depths.
fn deep() -> Forest {
    fn grow(depth: usize, seed: &mut u64) -> Wood {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let draw = *seed >> 33;
        if depth == COLUMNS || depth > 3 && draw.is_multiple_of(16) {
            return Wood::leaf(draw as f64 / 2f64.powi(31) - 0.5, 1.0);
        }
        let column = if draw % 11 == 1 { draw as usize % (depth + 1) } else { depth };
        let rule = Rule::below(column, (draw / 64 % 9) as f64 / 4.0 - 1.0);
        let left = grow(depth + 1, seed);
        Wood::split(rule, left, grow(depth + 1, seed))
    }
    let mut seed = 3;
    forest(COLUMNS, &[grow(0, &mut seed)])
}

fn cells(rows: usize, shift: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, COLUMNS), |(i, j)| {
        ((i * 37 + (j + shift) * (i % 7 * 5 + 11)) % 29) as f64 / 12.0 - 1.2
    })
}

fn values(model: &Forest, rows: &Array2<f64>, method: &InterventionalTreeShap) -> Array3<f64> {
    method.explain(model, rows, &Run::default()).unwrap().values
}

#[test]
fn a_deep_tree_equals_enumeration() {
    let (model, rows, background) = (deep(), cells(3, 2), cells(5, 0));
    let weights = vec![0.5, 3.0, 0.0, 1.0, 2.5];
    let method = InterventionalTreeShap { weights: Some(weights.clone()), ..InterventionalTreeShap::new(background) };
    let found = values(&model, &rows, &method);
    check_values(&model, &found, &rows, &method.background, &shares_of(&weights));
}

/// However many rows walk together, the values are the mean of those against each row alone.
#[test]
fn many_rows_are_the_mean_of_single_rows() {
    let (model, rows, all) = (deep(), cells(2, 2), cells(600, 0));
    let alone: Vec<Array3<f64>> = all
        .axis_chunks_iter(Axis(0), 1)
        .map(|row| values(&model, &rows, &InterventionalTreeShap::new(row.to_owned())))
        .collect();
    for n in [2, 64, 65, 129, 257, 512, 600] {
        let weights: Vec<f64> = (0..n).map(|row| (row % 5) as f64 + 0.25).collect();
        let background = all.slice_axis(Axis(0), (..n).into()).to_owned();
        let method =
            InterventionalTreeShap { weights: Some(weights.clone()), ..InterventionalTreeShap::new(background) };
        let found = values(&model, &rows, &method);
        let mut wanted = Array3::<f64>::zeros(found.dim());
        shares_of(&weights).iter().zip(&alone).for_each(|(&share, alone)| wanted.scaled_add(share, alone));
        let worst = (&found - &wanted).iter().fold(0.0f64, |most, v| most.max(v.abs()));
        assert!(worst <= ROUNDING, "{n} rows: {worst}");
        assert!(found.iter().any(|v| v.abs() > 1e-3));
    }
}

/// Every case explains against some hundred rows one by one.
const CASES: u32 = 16;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Splits of every kind, leaves with several outputs, missing cells: margins and rescaled predictions.
    #[test]
    fn any_split_takes_many_rows(
        model in ensembles(16),
        rows in tables(1..=2, 16 * 5),
        seeds in tables(1..=4, 16 * 5),
        n in 60usize..200,
    ) {
        let (rows, seeds) = (pass_spare(rows, 16), pass_spare(seeds, 16));
        let model = lengthen(&model, 16);
        let mix = |(row, column): (usize, usize)| seeds[[(row * (column / 16 + 3) + row / 7) % seeds.nrows(), column]];
        let background = Array2::from_shape_fn((n, 16 * 5), mix);
        for scale in [OutputScale::Margin, OutputScale::Prediction] {
            // Rescaled softmax probabilities are refused.
            if scale == OutputScale::Prediction && model.0.link == xai_core::Link::Softmax {
                continue;
            }
            let method = |background| InterventionalTreeShap {
                scale: scale.clone(),
                nonlinear: Nonlinear::Rescale,
                ..InterventionalTreeShap::new(background)
            };
            let found = values(&model, &rows, &method(background.clone()));
            let mut wanted = Array3::<f64>::zeros(found.dim());
            for row in background.axis_chunks_iter(Axis(0), 1) {
                wanted.scaled_add(1.0 / n as f64, &values(&model, &rows, &method(row.to_owned())));
            }
            let largest = wanted.iter().fold(1.0f64, |most, v| most.max(v.abs()));
            let largest = margins(&model.0, &rows.row(0).to_vec()).iter().fold(largest, |most, v| most.max(v.abs()));
            for (found, wanted) in found.iter().zip(&wanted) {
                prop_assert!((found - wanted).abs() <= ROUNDING * largest, "{found} for {wanted}");
            }
        }
    }
}
