//! Every faithfulness metric: what exact shares get, what random ones get, and what a batch, a budget or a second output
//! must not change.

use ndarray::{Array, Array1, Array2, Array3, ArrayRef, Axis, Dimension, RemoveAxis, Slice};
use xai_core::{Attribution, Error, Output, Run};
use xai_eval::*;

use crate::zoo::{Baseline, Function, assert_close, attribution, table};

const SLOPES: [f64; 8] = [3.0, -1.0, 0.5, 2.0, -4.0, 0.25, 1.5, -0.75];
/// Sums and correlations of some hundred numbers.
const ROUNDING: f64 = 1e-9;

type Any = Box<dyn Metric<Function>>;

/// Metrics for which exact shares of an additive model have a known, best value.
fn with_known_best() -> Vec<(Any, f64)> {
    vec![
        (Box::new(FaithfulnessCorrelation { subset_size: Some(3), n_subsets: 40 }), 1.0),
        (Box::new(FaithfulnessEstimate::default()), 1.0),
        (Box::new(FaithfulnessEstimate { step: 2 }), 1.0),
        (Box::new(MonotonicityCorrelation::default()), 1.0),
        (Box::new(SensitivityN { n_subsets: 30, ..SensitivityN::default() }), 1.0),
        (Box::new(Infidelity::default()), 0.0),
        (Box::new(Infidelity { scaled: true, ..Infidelity::default() }), 0.0),
        (Box::new(NormalisedAopc::comprehensiveness()), 1.0),
        (Box::new(NormalisedAopc { width: NormalisedAopc::EXACT, ..NormalisedAopc::sufficiency() }), 0.0),
    ]
}

fn others() -> Vec<Any> {
    let half = || vec![0.1, 0.2, 0.5];
    let mut all: Vec<Any> = vec![
        Box::new(RemovalCurve::default()),
        Box::new(RemovalCurve::insertion()),
        Box::new(RegionPerturbation::default()),
        Box::new(RegionPerturbation { least_first: true, n_regions: 5 }),
        Box::new(Irof::default()),
        Box::new(Eraser { shares: half(), ..Eraser::comprehensiveness() }),
        Box::new(Eraser { shares: half(), ..Eraser::sufficiency() }),
        Box::new(FFidelity { n_draws: 8, most: 0.3, ..FFidelity::plus() }),
        Box::new(FFidelity { n_draws: 8, most: 0.3, ..FFidelity::minus() }),
        Box::new(PredictionGap { k: Some(2), ..PredictionGap::important() }),
        Box::new(PredictionGap { k: Some(3), area: true, n_draws: 20, ..PredictionGap::important() }),
        Box::new(PredictionGap { k: Some(2), ..PredictionGap::unimportant() }),
    ];
    for (keep, sign) in
        [(true, Sign::Positive), (true, Sign::Negative), (false, Sign::Positive), (false, Sign::Negative)]
    {
        all.push(Box::new(KeepRemove { keep, sign, ..KeepRemove::default() }));
    }
    all
}

fn every() -> Vec<Any> {
    with_known_best().into_iter().map(|(metric, _)| metric).chain(others()).collect()
}

/// 20 + slopes · x for cells of −1 and 1: the exact shares are slopes · x, as large as the slopes.
fn additive() -> (Function, Array2<f64>, Attribution, Baseline) {
    let model = Function::new(1, |row| vec![20.0 + row.iter().zip(SLOPES).map(|(x, s)| x * s).sum::<f64>()]);
    let batch = table(6, 8).mapv(f64::signum);
    let mut shares = attribution(&Array2::from_shape_fn((6, 8), |(i, j)| SLOPES[j] * batch[[i, j]]));
    shares.base.fill(20.0);
    shares.scores += 20.0;
    (model, batch, shares, Baseline(Array1::zeros(8)))
}

/// An attribution that knows nothing.
fn random(seed: usize) -> Attribution {
    attribution(&Array2::from_shape_fn((6, 8), |(i, j)| ((seed * 7919 + i * 131 + j * 17) as f64 * 0.731).sin() * 3.0))
}

#[test]
fn exact_shares_of_additive_models_are_the_best() {
    let (model, batch, exact, baseline) = additive();
    let labels: Vec<f64> = exact.scores.column(0).to_vec();
    let case = Case::new(&model, &*batch).with_masker(&baseline).with_labels(&labels);
    let run = Run { seed: 3, ..Run::default() };
    for (metric, best) in with_known_best() {
        for value in metric.measure(&case, &exact, &run).unwrap().values {
            assert!((value - best).abs() < ROUNDING, "{}: {value}, best {best}", metric.name());
        }
    }
    let absolute = [true, false].map(|keep| KeepRemove { keep, sign: Sign::Absolute, ..KeepRemove::default() });
    let absolute = absolute.map(|metric| -> Any { Box::new(metric) });
    for metric in every().into_iter().chain(absolute) {
        let mean = |shares: &Attribution| metric.measure(&case, shares, &run).unwrap().mean.unwrap();
        let best = mean(&exact);
        let rivals: Vec<f64> = (0..12).map(|seed| mean(&random(seed))).collect();
        let typical = rivals.iter().sum::<f64>() / rivals.len() as f64;
        let (name, better) = (metric.name(), metric.direction());
        assert!(better.prefers(best, typical), "{name}: exact {best}, random {typical}");
        assert!(
            !rivals.iter().any(|&rival| better.prefers(rival, best + sign_of(better) * ROUNDING)),
            "{name}: {rivals:?}"
        );
    }
}

/// A step towards better.
fn sign_of(direction: Direction) -> f64 {
    if direction == Direction::Higher { 1.0 } else { -1.0 }
}

/// Over all orders of four players, the mean deletion area of an additive model is halfway between all and none.
#[test]
fn random_orders_get_the_expected_area() {
    let model = Function::linear(&[1.0, -2.0, 3.0, 0.5]);
    let (batch, baseline) = (table(1, 4), Baseline(Array1::zeros(4)));
    let case = Case::new(&model, &*batch).with_masker(&baseline);
    let score: f64 = batch.row(0).iter().zip([1.0, -2.0, 3.0, 0.5]).map(|(x, s)| x * s).sum();
    let mut areas = Vec::new();
    for order in 0..24usize {
        let mut left = vec![1.0, 2.0, 3.0, 4.0];
        let places: Vec<f64> =
            [6, 2, 1, 1].iter().zip([4, 3, 2, 1]).map(|(by, n)| left.remove(order / by % n)).collect();
        let shares = attribution(&Array2::from_shape_vec((1, 4), places).unwrap());
        areas.push(RemovalCurve::default().measure(&case, &shares, &Run::default()).unwrap().values[[0, 0]]);
    }
    assert_close(areas.iter().sum::<f64>() / 24.0, score / 2.0, ROUNDING);
}

/// Shares drawn at random correlate with nothing: 0 within four standard errors.
#[test]
fn random_shares_have_no_correlation_on_average() {
    const RIVALS: usize = 60;
    let (model, batch, _, baseline) = additive();
    let case = Case::new(&model, &*batch).with_masker(&baseline);
    let correlations: [Any; 3] = [
        Box::new(FaithfulnessCorrelation { subset_size: Some(3), n_subsets: 56 }),
        Box::new(FaithfulnessEstimate::default()),
        Box::new(SensitivityN { sizes: vec![1, 4], n_subsets: 70 }),
    ];
    for metric in correlations {
        let found: Vec<f64> = (0..RIVALS)
            .flat_map(|seed| metric.measure(&case, &random(seed + 100), &Run::default()).unwrap().values)
            .collect();
        let (n, mean) = (found.len() as f64, found.iter().sum::<f64>() / found.len() as f64);
        let error = (found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
        // Samples share a random attribution's pattern: they count for less than they are.
        assert!(mean.abs() < 4.0 * 2.0 * error, "{}: {mean} ± {error}", metric.name());
    }
}

fn last_two<D: Dimension + RemoveAxis>(all: &ArrayRef<f64, D>) -> Array<f64, D> {
    all.slice_axis(Axis(0), Slice::from(4..)).to_owned()
}

/// The last samples as a batch of their own get the values that they have in the whole.
#[test]
fn a_cut_of_the_batch_changes_nothing() {
    let (model, batch, exact, baseline) = additive();
    let whole = random(5);
    let mut last = whole.clone();
    last.values = last_two(&whole.values);
    last.base = last_two(&exact.base);
    last.scores = last_two(&exact.scores);
    let rest = last_two(&batch);
    for metric in every() {
        let case = Case::new(&model, &*batch).with_masker(&baseline);
        let all = metric.measure(&case, &whole, &Run { seed: 9, ..Run::default() }).unwrap();
        let again = metric.measure(&case, &whole, &Run { seed: 9, ..Run::default() }).unwrap();
        assert_eq!(all, again, "{}", metric.name());
        let case = Case::new(&model, &*rest).with_masker(&baseline);
        let run = Run { seed: 9, first_sample: 4, ..Run::default() };
        let found = metric.measure(&case, &last, &run).unwrap();
        assert_eq!(found.values, last_two(&all.values), "{}", metric.name());
    }
}

#[test]
fn evaluations_are_counted_and_never_more_than_allowed() {
    let (model, batch, exact, baseline) = additive();
    let case = Case::new(&model, &*batch).with_masker(&baseline);
    for metric in every() {
        let before = model.n_seen();
        let found = metric.measure(&case, &exact, &Run::default()).unwrap();
        assert_eq!(found.evaluations, (model.n_seen() - before) as u64, "{}", metric.name());
        let enough = Run { max_evaluations: Some(found.evaluations), ..Run::default() };
        assert!(metric.measure(&case, &exact, &enough).is_ok(), "{}", metric.name());
        let short = Run { max_evaluations: Some(found.evaluations - 1), ..Run::default() };
        let before = model.n_seen();
        let error = metric.measure(&case, &exact, &short).unwrap_err();
        assert!(matches!(error, Error::Budget { .. }), "{}: {error}", metric.name());
        // How much a search asks for is not known before.
        let searches = metric.name().starts_with("normalised");
        assert!(searches || model.n_seen() == before, "{}", metric.name());
    }
}

/// Every output of a model of two gets the value that it has alone.
#[test]
fn outputs_are_measured_as_if_alone() {
    let score = |k: usize, row: ndarray::ArrayView1<f64>| match k {
        0 => 20.0 + row[0] * row[1] + 2.0 * row[2] - row[3],
        _ => 20.0 + row.iter().zip(SLOPES).map(|(x, s)| x * s).sum::<f64>() + row[6] * row[7] * row[0],
    };
    let both = Function::new(2, move |row| vec![score(0, row), score(1, row)]);
    let (batch, baseline) = (table(3, 8), Baseline(Array1::zeros(8)));
    let mut shares = attribution(&table(3, 8));
    shares.outputs = Output::unnamed(2);
    shares.values = Array3::from_shape_fn((3, 8, 2), |(i, j, k)| ((i * 29 + j * 5 + k * 11) as f64).cos());
    (shares.base, shares.scores) = (Array2::zeros((3, 2)), Array2::zeros((3, 2)));
    for metric in every() {
        let run = Run { seed: 4, ..Run::default() };
        let case = Case::new(&both, &*batch).with_masker(&baseline);
        let found = metric.measure(&case, &shares, &run).unwrap();
        for k in 0..2 {
            let one = Function::new(1, move |row| vec![score(k, row)]);
            let alone = attribution(&shares.values.index_axis(Axis(2), k).to_owned());
            let alone = metric.measure(&Case::new(&one, &*batch).with_masker(&baseline), &alone, &run).unwrap();
            for i in 0..3 {
                assert_close(found.values[[i, k]], alone.values[[i, 0]], ROUNDING);
            }
        }
    }
}
