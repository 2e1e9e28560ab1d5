use ndarray::{Array3, array};
use xai_core::Error;
use xai_eval::completeness;

use crate::zoo::{Baseline, assert_close, attribution, exact, table};

#[test]
fn completeness_finds_what_is_missing() {
    let mut attribution = attribution(&array![[1.0, 2.0], [3.0, -4.0]]);
    let whole = completeness(&attribution).unwrap();
    assert_eq!((whole.largest, whole.relative, whole.worst), (0.0, 0.0, None));
    attribution.scores[[1, 0]] += 0.5;
    attribution.scores[[0, 0]] -= 0.25;
    let found = completeness(&attribution).unwrap();
    assert_eq!(found.residual, array![[-0.25], [0.5]]);
    assert_eq!((found.largest, found.worst), (0.5, Some((1, 0))));
    // |residual| / (|score| + |base| + Σ |share|): 0.25 / (2.75 + 3) and 0.5 / (0.5 + 7).
    assert_close(found.relative, 0.5 / 7.5, 1e-15);
    attribution.base[[1, 0]] = 0.5;
    assert_eq!(completeness(&attribution).unwrap().worst, Some((0, 0)));
}

#[test]
fn completeness_of_a_sum_is_rounding() {
    let baseline = Baseline(table(1, 50).row(0).to_owned());
    let slopes: Vec<f64> = (0..50).map(|j| 1.0 / f64::from(j + 1)).collect();
    let batch = table(20, 50);
    let mut attribution = exact(&slopes, &batch, &baseline);
    let score = |row: ndarray::ArrayView1<f64>| row.iter().zip(&slopes).map(|(x, s)| x * s).sum::<f64>();
    attribution.base.fill(score(baseline.0.view()));
    attribution.scores.column_mut(0).assign(&batch.map_axis(ndarray::Axis(1), score));
    let found = completeness(&attribution).unwrap();
    assert!(found.largest > 0.0 && found.relative < 50.0 * f64::EPSILON, "{found:?}");
}

#[test]
fn completeness_refuses_parts_that_do_not_fit() {
    let mut attribution = attribution(&array![[1.0, 2.0]]);
    attribution.values[[0, 1, 0]] = f64::INFINITY;
    assert!(matches!(completeness(&attribution), Err(Error::NonFinite { sample: 0, column: 1, .. })));
    attribution.values = Array3::zeros((1, 3, 1));
    assert!(matches!(completeness(&attribution), Err(Error::Shape { .. })));
}
