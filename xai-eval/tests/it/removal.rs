use ndarray::{Array1, Array2, array};
use xai_core::{Error, Run};
use xai_eval::{Case, Direction, Metric, RemovalCurve, RemovalOrder};

use crate::zoo::{Baseline, Function, assert_close, attribution, exact, table};

/// Sums of a dozen numbers.
const ROUNDING: f64 = 1e-13;

fn zero(n: usize) -> Baseline {
    Baseline(Array1::zeros(n))
}

#[test]
fn removal_of_a_linear_model_follows_its_terms() {
    let model = Function::linear(&[1.0, 1.0, 1.0]);
    let batch = array![[2.0, -1.0, 5.0]];
    let shares = exact(&[1.0, 1.0, 1.0], &batch, &zero(3));
    let of = |curve: RemovalCurve| {
        curve.curves(&Case::new(&model, &*batch).with_masker(&zero(3)), &shares, &Run::default()).unwrap()
    };
    let scores = |curve: RemovalCurve| of(curve).scores.iter().copied().collect::<Vec<f64>>();
    let absolute = RemovalOrder::Absolute;
    assert_eq!(scores(RemovalCurve::default()), [6.0, 1.0, -1.0, 0.0]);
    assert_eq!(scores(RemovalCurve::insertion()), [0.0, 5.0, 7.0, 6.0]);
    let mixed = array![[2.0, -3.0, 5.0]];
    let shares = exact(&[1.0, 1.0, 1.0], &mixed, &zero(3));
    let found = RemovalCurve { order: absolute, ..RemovalCurve::default() }
        .curves(&Case::new(&model, &*mixed).with_masker(&zero(3)), &shares, &Run::default())
        .unwrap();
    assert_eq!(found.scores.iter().copied().collect::<Vec<f64>>(), [4.0, -1.0, 2.0, 0.0]);
    let deletion = of(RemovalCurve::default());
    assert_eq!(deletion.shares, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
    assert_close(deletion.area.values[[0, 0]], (6.0 / 2.0 + 1.0 - 1.0 + 0.0) / 3.0, ROUNDING);
    assert_eq!((deletion.area.metric.as_str(), deletion.area.direction), ("deletion", Direction::Lower));
    let insertion = of(RemovalCurve::insertion());
    assert_close(insertion.area.values[[0, 0]], (5.0 + 7.0 + 6.0 / 2.0) / 3.0, ROUNDING);
    assert_eq!((insertion.area.metric.as_str(), insertion.area.direction), ("insertion", Direction::Higher));
    let coarse = of(RemovalCurve { n_steps: 2, ..RemovalCurve::default() });
    assert_eq!((coarse.shares.len(), coarse.scores.iter().copied().collect::<Vec<_>>()), (3, vec![6.0, 1.0, 0.0]));
}

/// No order of the features of a linear model has a lower deletion area than that of their terms.
#[test]
fn removal_in_exact_order_is_the_best() {
    const SLOPES: [f64; 4] = [1.0, -2.0, 3.0, 0.5];
    let (model, batch) = (Function::linear(&SLOPES), table(3, 4));
    let right = exact(&SLOPES, &batch, &zero(4));
    let area = |shares: &xai_core::Attribution, curve: RemovalCurve| {
        curve.measure(&Case::new(&model, &*batch).with_masker(&zero(4)), shares, &Run::default()).unwrap().values
    };
    let best = [area(&right, RemovalCurve::default()), area(&right, RemovalCurve::insertion())];
    for order in 0..24usize {
        let mut left: Vec<f64> = vec![1.0, 2.0, 3.0, 4.0];
        let places: Vec<f64> =
            [6, 2, 1, 1].iter().zip([4, 3, 2, 1]).map(|(by, n)| left.remove(order / by % n)).collect();
        let other = attribution(&Array2::from_shape_fn((3, 4), |(_, j)| places[j]));
        let deletion = area(&other, RemovalCurve::default());
        let insertion = area(&other, RemovalCurve::insertion());
        for i in 0..3 {
            assert!(deletion[[i, 0]] >= best[0][[i, 0]] - ROUNDING, "{places:?}");
            assert!(insertion[[i, 0]] <= best[1][[i, 0]] + ROUNDING, "{places:?}");
        }
    }
}

#[test]
fn removal_counts_its_evaluations() {
    let model = Function::new(2, |x| vec![x[0], x[1] - x[2]]);
    let batch = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let mut shares = attribution(&batch);
    shares.outputs = xai_core::Output::unnamed(2);
    shares.values = ndarray::Array3::from_shape_fn((2, 3, 2), |(i, j, k)| [[i, j], [j, i]][k][0] as f64);
    (shares.scores, shares.base) = (Array2::zeros((2, 2)), Array2::zeros((2, 2)));
    // The samples, two orders of two steps each between all and none, and none.
    let needed = 2 * (1 + 2 * 2 + 1);
    let none_is = zero(3);
    let case = Case::new(&model, &*batch).with_masker(&none_is);
    let run = |n| Run { max_evaluations: Some(n), ..Run::default() };
    let error = RemovalCurve::default().curves(&case, &shares, &run(needed - 1)).unwrap_err();
    assert!(matches!(error, Error::Budget { needed: 12, .. }));
    assert_eq!(model.n_seen(), 0);
    let found = RemovalCurve::default().curves(&case, &shares, &run(needed)).unwrap();
    assert_eq!((found.area.evaluations, model.n_seen() as u64), (needed, needed));
    // Output 1 ranks by its own shares: feature 2 first, then 1, then 0.
    assert_eq!(found.scores.index_axis(ndarray::Axis(2), 1).row(1).to_vec(), [5.0 - 6.0, 5.0, 0.0, 0.0]);
    let none = RemovalCurve { n_steps: 0, ..RemovalCurve::default() };
    let error = none.curves(&case, &shares, &Run::default()).unwrap_err();
    assert!(matches!(error, Error::Parameter { .. }));
    let other = attribution(&batch);
    let error = RemovalCurve::default().curves(&case, &other, &Run::default()).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }));
}
