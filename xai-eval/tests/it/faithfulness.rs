use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ndarray::{Array2, array};
use xai_core::{Attribution, Error, Run};
use xai_eval::{Case, FaithfulnessCorrelation, Measurement, Metric};

use crate::zoo::{Baseline, Function, assert_close, attribution, exact, table};

const SLOPES: [f64; 6] = [3.0, -1.0, 0.5, 2.0, -4.0, 0.25];
/// A correlation of a hundred sums.
const ROUNDING: f64 = 1e-12;

fn measure(
    metric: FaithfulnessCorrelation,
    model: &Function,
    batch: &Array2<f64>,
    attribution: &Attribution,
    seed: u64,
) -> xai_core::Result<Measurement> {
    let baseline = Baseline(ndarray::Array1::zeros(batch.ncols()));
    metric.measure(&Case::new(model, batch).with_masker(&baseline), attribution, &Run { seed, ..Run::default() })
}

fn of(subset_size: usize, n_subsets: usize) -> FaithfulnessCorrelation {
    FaithfulnessCorrelation { subset_size: Some(subset_size), n_subsets }
}

#[test]
fn faithfulness_of_exact_shares_is_one() {
    let (model, batch) = (Function::linear(&SLOPES), table(5, 6));
    let right = exact(&SLOPES, &batch, &Baseline(ndarray::Array1::zeros(6)));
    let wrong = attribution(&right.values.index_axis(ndarray::Axis(2), 0).mapv(|v| -2.0 * v));
    for metric in [FaithfulnessCorrelation::default(), of(1, 100), of(5, 100), of(3, 7)] {
        for value in measure(metric, &model, &batch, &right, 3).unwrap().values {
            assert_close(value, 1.0, ROUNDING);
        }
        for value in measure(metric, &model, &batch, &wrong, 3).unwrap().values {
            assert_close(value, -1.0, ROUNDING);
        }
    }
}

/// One feature at a time, all three of them: the correlation of three pairs of numbers, by hand.
#[test]
fn faithfulness_equals_its_formula() {
    let model = Function::new(2, |x| vec![x[0] * x[1] + x[2], x[2]]);
    let batch = array![[1.0, 2.0, 4.0]];
    let mut shares = attribution(&array![[1.0, 2.0, 3.0]]);
    shares.outputs = xai_core::Output::unnamed(2);
    shares.values = ndarray::Array3::from_shape_fn((1, 3, 2), |(_, j, k)| if k == 0 { j as f64 + 1.0 } else { 1.0 });
    shares.scores = array![[6.0, 4.0]];
    shares.base = Array2::zeros((1, 2));
    let found = measure(of(1, 10), &model, &batch, &shares, 0).unwrap();
    // Falls 2, 2, 4 beside sums 1, 2, 3: covariance 2, variances 8/3 and 2.
    assert_close(found.values[[0, 0]], 2.0 / (8.0f64 / 3.0 * 2.0).sqrt(), ROUNDING);
    assert!(found.values[[0, 1]].is_nan(), "equal sums");
}

#[test]
fn faithfulness_counts_its_evaluations() {
    let (model, batch) = (Function::linear(&SLOPES), table(4, 6));
    let right = exact(&SLOPES, &batch, &Baseline(ndarray::Array1::zeros(6)));
    let found = measure(of(3, 100), &model, &batch, &right, 0).unwrap();
    assert_eq!((found.evaluations, model.n_seen()), (4 * 21, 4 * 21), "all 20 subsets of 3 of 6, and the whole");
    let found = measure(of(3, 19), &model, &batch, &right, 0).unwrap();
    assert_eq!(found.evaluations, 4 * 20);
    let baseline = Baseline(ndarray::Array1::zeros(6));
    let short = Run { max_evaluations: Some(79), ..Run::default() };
    let seen = model.n_seen();
    let error = of(3, 19).measure(&Case::new(&model, &*batch).with_masker(&baseline), &right, &short).unwrap_err();
    assert!(matches!(error, Error::Budget { budget: 79, needed: 80 }));
    assert_eq!(model.n_seen(), seen);
}

/// What the model is asked: the whole, and subsets of the right size, all different when all are taken.
#[test]
fn subsets_are_what_they_should_be() {
    let masks = Arc::new(Mutex::new(Vec::new()));
    let log = masks.clone();
    let model = Function::new(1, move |x| {
        log.lock().unwrap().push(x.iter().map(|v| *v != 0.0).collect::<Vec<bool>>());
        vec![0.0]
    });
    let ones = Array2::ones((1, 7));
    for (n_subsets, expected) in [(35, 35), (34, 34)] {
        masks.lock().unwrap().clear();
        measure(of(3, n_subsets), &model, &ones, &attribution(&ones), 5).unwrap();
        let seen = masks.lock().unwrap().clone();
        assert_eq!(seen[0], [true; 7]);
        assert!(seen[1..].iter().all(|mask| mask.iter().filter(|present| !**present).count() == 3));
        assert_eq!(seen.len() - 1, expected);
        let different: HashSet<Vec<bool>> = seen[1..].iter().cloned().collect();
        if n_subsets == 35 {
            assert_eq!(different.len(), 35);
        } else {
            // 34 draws from 35: about 22 different ones, and every player goes now and then.
            assert!((12..34).contains(&different.len()), "{}", different.len());
            assert!((0..7).all(|player| seen[1..].iter().any(|mask| !mask[player])));
        }
    }
}

#[test]
fn random_subsets_follow_from_the_seed_and_the_sample() {
    let model = Function::new(1, |x| vec![x.iter().product::<f64>() + x[0] - x[7]]);
    let batch = table(4, 20).mapv(|x| x + 2.0);
    let shares = attribution(&table(4, 20));
    let metric = FaithfulnessCorrelation { n_subsets: 30, ..Default::default() };
    let first = measure(metric, &model, &batch, &shares, 1).unwrap();
    assert_eq!(first, measure(metric, &model, &batch, &shares, 1).unwrap());
    assert_ne!(first, measure(metric, &model, &batch, &shares, 2).unwrap());
    // The last two samples as a batch of their own.
    let part = |a: &Array2<f64>| a.slice_axis(ndarray::Axis(0), ndarray::Slice::from(2..4)).to_owned();
    let baseline = Baseline(ndarray::Array1::zeros(20));
    let run = Run { seed: 1, first_sample: 2, ..Run::default() };
    let last = part(&batch);
    let case = Case::new(&model, &*last).with_masker(&baseline);
    let rest = metric.measure(&case, &attribution(&part(&table(4, 20))), &run).unwrap();
    assert_eq!(rest.values, part(&first.values));
}

#[test]
fn subsets_that_cannot_be_are_refused() {
    let (model, batch) = (Function::linear(&SLOPES), table(2, 6));
    let right = attribution(&batch);
    for metric in [of(0, 10), of(6, 10), of(3, 1), of(3, usize::MAX)] {
        assert!(matches!(measure(metric, &model, &batch, &right, 0), Err(Error::Parameter { .. })));
    }
    let other = attribution(&table(2, 5));
    assert!(matches!(measure(of(3, 10), &model, &batch, &other, 0), Err(Error::Shape { .. })));
    let other = attribution(&table(3, 6));
    assert!(matches!(measure(of(3, 10), &model, &batch, &other, 0), Err(Error::Shape { .. })));
    let alone = attribution(&array![[1.0]]);
    let metric = FaithfulnessCorrelation::default();
    assert!(matches!(measure(metric, &model, &array![[1.0]], &alone, 0), Err(Error::Parameter { .. })));
    let at_baseline = measure(metric, &model, &Array2::zeros((1, 6)), &attribution(&Array2::zeros((1, 6))), 0).unwrap();
    assert_eq!((at_baseline.n_undefined(), at_baseline.mean), (1, None));
}
