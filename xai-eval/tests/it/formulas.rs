//! Metrics against their formulas, written out once more or known in closed form.

use ndarray::{Array1, Array2, Array3, Array4, ArrayView1, Axis, array};
use xai_core::{Attribution, Error, Masker, Output, Run};
use xai_eval::*;

use crate::zoo::{Baseline, Function, assert_close, attribution, table};

/// Sums of some dozen numbers.
const ROUNDING: f64 = 1e-12;

fn zero(n: usize) -> Baseline {
    Baseline(Array1::zeros(n))
}

fn score(x: &[f64]) -> f64 {
    x[0] * x[1] + 2.0 * x[2] - x[3] * x[0] + (x[4] - x[2]).tanh()
}

fn model() -> Function {
    Function::new(1, |row| vec![score(&row.to_vec())])
}

/// The score when only these players are present, over zeros.
fn kept(row: ArrayView1<f64>, present: impl Fn(usize) -> bool) -> f64 {
    score(&row.iter().enumerate().map(|(j, &x)| if present(j) { x } else { 0.0 }).collect::<Vec<f64>>())
}

#[test]
fn infidelity_equals_its_formula() {
    let (model, batch, shares) = (model(), table(3, 5), table(3, 5).mapv(|x| 2.0 * x.cos()));
    let found = Infidelity { subset_size: Some(2), n_subsets: 10, scaled: false };
    let scaled = Infidelity { scaled: true, ..found };
    let masker = zero(5);
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let values = found.measure(&case, &attribution(&shares), &Run::default()).unwrap().values;
    let best = scaled.measure(&case, &attribution(&shares), &Run::default()).unwrap().values;
    for i in 0..3 {
        let row = batch.row(i);
        let pairs: Vec<(f64, f64)> = (0..5)
            .flat_map(|a| (a + 1..5).map(move |b| (a, b)))
            .map(|(a, b)| (shares[[i, a]] + shares[[i, b]], kept(row, |_| true) - kept(row, |j| j != a && j != b)))
            .collect();
        let error = |scale: f64| pairs.iter().map(|(sum, fall)| (scale * sum - fall).powi(2)).sum::<f64>() / 10.0;
        assert_close(values[[i, 0]], error(1.0), ROUNDING);
        // No other scale is better.
        for scale in [-2.0, -0.5, 0.0, 0.3, 0.6, 1.0, 1.7] {
            assert!(best[[i, 0]] <= error(scale) + ROUNDING);
        }
    }
}

#[test]
fn gradients_of_linear_models_have_no_infidelity() {
    let slopes: &[f64] = &[1.0, -2.0, 0.5];
    let (model, batch) = (Function::linear(slopes), table(4, 3));
    let gradient = |factor: f64| attribution(&Array2::from_shape_fn((4, 3), |(_, j)| factor * slopes[j]));
    let case = Case::new(&model, &*batch);
    let metric = NoiseInfidelity { n_draws: 4000, sd: 0.5, ..NoiseInfidelity::default() };
    let value =
        |factor: f64, metric: NoiseInfidelity| metric.measure(&case, &gradient(factor), &Run::default()).unwrap();
    assert!(value(1.0, metric).values.iter().all(|v| *v < ROUNDING));
    assert!(value(3.0, NoiseInfidelity { scaled: true, ..metric }).values.iter().all(|v| *v < ROUNDING));
    // Twice the gradient errs by slopes · ε, whose variance is sd² · Σ slopes²; four standard errors of 4,000 squares.
    let expected = 0.25 * 5.25;
    let wrong = value(2.0, metric).values;
    wrong.iter().for_each(|v| assert_close(*v, expected, 4.0 * expected * (2.0f64 / 4000.0).sqrt()));
    let narrow = attribution(&table(4, 2));
    assert!(matches!(metric.measure(&case, &narrow, &Run::default()), Err(Error::Shape { .. })));
}

#[test]
fn eraser_equals_its_formula() {
    let (model, batch, masker) = (model(), table(2, 5), zero(5));
    let shares = array![[0.5, 0.1, 0.4, -0.9, 0.2], [0.1, 0.2, 0.3, 0.4, 0.5]];
    // By their shares: 0, 2, 4, 1, 3 and 4, 3, 2, 1, 0; 20 % is one player, 50 % are three.
    let first = [[vec![0], vec![0, 2, 4]], [vec![4], vec![4, 3, 2]]];
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let of = |metric: Eraser| {
        let metric = Eraser { shares: vec![0.2, 0.5], ..metric };
        metric.measure(&case, &attribution(&shares), &Run::default()).unwrap().values
    };
    let (comprehensiveness, sufficiency) = (of(Eraser::comprehensiveness()), of(Eraser::sufficiency()));
    for i in 0..2 {
        let row = batch.row(i);
        let mean = |stay: bool| {
            let fall = |set: &Vec<usize>| kept(row, |_| true) - kept(row, |j| set.contains(&j) == stay);
            first[i].iter().map(fall).sum::<f64>() / 2.0
        };
        assert_close(comprehensiveness[[i, 0]], mean(false), ROUNDING);
        assert_close(sufficiency[[i, 0]], mean(true), ROUNDING);
    }
}

/// All 120 orders of five players.
#[test]
fn normalised_aopc_is_what_brute_force_says() {
    let (model, batch, masker, shares) = (model(), table(3, 5), zero(5), table(3, 5).mapv(|x| (9.0 * x).sin()));
    let case = Case::new(&model, &*batch).with_masker(&masker);
    for metric in [NormalisedAopc::comprehensiveness(), NormalisedAopc::sufficiency()] {
        let exact = NormalisedAopc { width: NormalisedAopc::EXACT, ..metric };
        let found = exact.measure(&case, &attribution(&shares), &Run::default()).unwrap();
        assert!(found.evaluations <= 3 * 32, "no set twice: {}", found.evaluations);
        for i in 0..3 {
            let aopc = |order: &[usize]| {
                let fall = |n: usize| kept(batch.row(i), |_| true) - kept(batch.row(i), |j| !order[..n].contains(&j));
                (1..=5).map(fall).sum::<f64>() / 5.0
            };
            let all: Vec<f64> = (0..120).map(|number| aopc(&order(number, 5))).collect();
            let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(l, m), v| (l.min(*v), m.max(*v)));
            let mut own: Vec<usize> = (0..5).collect();
            let sign = if metric.sufficiency { -1.0 } else { 1.0 };
            own.sort_by(|&a, &b| (sign * shares[[i, b]]).total_cmp(&(sign * shares[[i, a]])));
            assert_close(found.values[[i, 0]], (aopc(&own) - least) / (most - least), ROUNDING);
        }
    }
    let wide = table(1, 40);
    let (many, masker) = (Function::new(1, |row| vec![row.sum()]), zero(40));
    let case = Case::new(&many, &*wide).with_masker(&masker);
    let error = NormalisedAopc { width: NormalisedAopc::EXACT, ..NormalisedAopc::default() }
        .measure(&case, &attribution(&wide), &Run::default())
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }));
    let flat = Function::new(1, |_| vec![1.0]);
    let found = NormalisedAopc::default()
        .measure(&Case::new(&flat, &*wide).with_masker(&masker), &attribution(&wide), &Run::default())
        .unwrap();
    assert_eq!((found.mean, found.failures.len()), (None, 1));
}

fn order(mut number: usize, n: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..n).collect();
    (1..=n).rev().map(|k| (left.remove(number % k), number /= k).0).collect()
}

/// Of the m most important players of an additive model, r random ones take r/m of their shares with them.
#[test]
fn f_fidelity_of_additive_models_has_its_expected_value() {
    let slopes: &[f64] = &[5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.25, 0.1];
    let (model, batch, masker) = (Function::linear(slopes), Array2::ones((1, 8)), zero(8));
    let shares = attribution(&Array2::from_shape_fn((1, 8), |(_, j)| slopes[j]));
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let metric = FFidelity { sizes: vec![0.25, 0.75], most: 0.25, n_draws: 4000, ..FFidelity::plus() };
    // Two important ones: one of 5 and 4 goes. Six: three would go, but no more than two of eight may.
    let expected = (4.5 + 2.0 * 15.5 / 6.0) / 2.0;
    let found = metric.measure(&case, &shares, &Run::default()).unwrap();
    // Draws spread by less than 2.
    let error = 4.0 * 2.0 / 8000f64.sqrt();
    assert_close(found.values[[0, 0]], expected, error);
    assert_eq!(found.evaluations, 1 + 8000);
    // The rest: six, of which two go; two, of which one goes.
    let found = FFidelity { minus: true, ..metric.clone() }.measure(&case, &shares, &Run::default()).unwrap();
    assert_close(found.values[[0, 0]], (2.0 * 6.85 / 6.0 + 0.35 / 2.0) / 2.0, error);
    for wrong in [
        FFidelity { share: 0.0, ..metric.clone() },
        FFidelity { most: 1.5, ..metric.clone() },
        FFidelity { n_draws: 0, ..metric.clone() },
        FFidelity { sizes: vec![0.5, 0.5], ..metric.clone() },
        FFidelity { sizes: vec![1.0], ..FFidelity::minus() },
    ] {
        assert!(matches!(wrong.measure(&case, &shares, &Run::default()), Err(Error::Parameter { .. })));
    }
}

/// Noise on some features of a linear model moves its score by a normal number: E|N(0, s²)| = s·√(2/π).
#[test]
fn prediction_gaps_of_linear_models_are_known() {
    const DRAWS: usize = 4000;
    let slopes: &[f64] = &[4.0, -3.0, 2.0, 1.0];
    let (model, batch) = (Function::linear(slopes), table(2, 4));
    let case = Case::new(&model, &*batch);
    let shares = attribution(&Array2::from_shape_fn((2, 4), |(_, j)| slopes[j]));
    let expected = |features: &[usize], scales: &[f64]| {
        let variance: f64 = features.iter().map(|&j| (0.2 * scales[j] * slopes[j]).powi(2)).sum();
        variance.sqrt() * (2.0 / std::f64::consts::PI).sqrt()
    };
    let ones = [1.0; 4];
    let units = [0.5, 2.0, 0.0, 3.0];
    let base = PredictionGap { k: Some(2), sd: 0.2, n_draws: DRAWS, ..PredictionGap::important() };
    let area = (expected(&[0], &ones) + 2.0 * expected(&[0, 1], &ones) + expected(&[0, 1, 2], &ones)) / 4.0;
    for (metric, expected) in [
        (base.clone(), expected(&[0, 1], &ones)),
        (PredictionGap { unimportant: true, ..base.clone() }, expected(&[2, 3], &ones)),
        (PredictionGap { scales: units.to_vec(), ..base.clone() }, expected(&[0, 1], &units)),
        (PredictionGap { k: Some(3), area: true, ..base.clone() }, area),
        (PredictionGap { k: None, ..base.clone() }, expected(&[0], &ones)),
    ] {
        let found = metric.measure(&case, &shares, &Run::default()).unwrap();
        // |N| spreads by √(π/2 − 1) = 0.76 of its mean.
        found.values.iter().for_each(|v| assert_close(*v, expected, 4.0 * 0.76 * expected / (DRAWS as f64).sqrt()));
    }
    for wrong in [
        PredictionGap { k: Some(5), ..base.clone() },
        PredictionGap { sd: -1.0, ..base.clone() },
        PredictionGap { n_draws: 0, ..base.clone() },
        PredictionGap { scales: vec![f64::NAN; 4], ..base.clone() },
    ] {
        assert!(matches!(wrong.measure(&case, &shares, &Run::default()), Err(Error::Parameter { .. })));
    }
    let wrong = PredictionGap { scales: vec![1.0; 3], ..base };
    assert!(matches!(wrong.measure(&case, &shares, &Run::default()), Err(Error::Shape { .. })));
}

#[test]
fn monotonicity_of_known_models() {
    let (model, masker) = (Function::new(1, |x| vec![x[0] + x[1] - x[2]]), zero(3));
    let batch = array![[1.0, 2.0, -3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]];
    let case = Case::new(&model, &*batch).with_masker(&masker);
    // The falling feature comes last: the score falls; it comes first: the curve starts after it.
    let shares = attribution(&array![[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, -3.0]]);
    let found = Monotonicity::default().measure(&case, &shares, &Run::default()).unwrap();
    assert_eq!(found.values.column(0).to_vec(), [1.0, 0.0, 1.0]);
    let together = Monotonicity { step: 2, ..Monotonicity::default() };
    assert_eq!(together.measure(&case, &shares, &Run::default()).unwrap().values.column(0).to_vec(), [1.0, 0.0, 1.0]);
    let lenient = Monotonicity { slack: 3.0, ..Monotonicity::default() };
    assert_eq!(lenient.measure(&case, &shares, &Run::default()).unwrap().mean, Some(1.0));
}

fn two_outputs(values: &Array2<f64>) -> Attribution {
    let (n, p) = values.dim();
    let mut shares = attribution(values);
    shares.outputs = Output::unnamed(2);
    shares.values = Array3::from_shape_fn((n, p, 2), |(i, j, k)| if k == 0 { values[[i, j]] } else { -values[[i, j]] });
    (shares.base, shares.scores) = (Array2::zeros((n, 2)), Array2::zeros((n, 2)));
    shares
}

#[test]
fn global_sufficiency_of_known_decisions() {
    let model = Function::new(2, |x| vec![x[0], -x[0]]);
    let batch = array![[1.0], [2.0], [-1.0], [1.0], [5.0]];
    // Distances of the attributions: 0, 0.1 and 0.2 are alike for 0.05 of the largest; 10 is like none.
    let shares = two_outputs(&array![[0.0], [0.1], [0.2], [9.9], [10.0]]);
    let metric = GlobalSufficiency { threshold: 0.025 };
    let found = metric.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap();
    assert_eq!(found.evaluations, 5);
    for k in 0..2 {
        assert_eq!(found.values.column(k).to_vec(), [0.5, 0.5, 0.0, 1.0, 1.0]);
    }
    let lonely = GlobalSufficiency { threshold: 0.001 };
    let found = lonely.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap();
    assert_eq!((found.n_undefined(), found.failures.len()), (10, 1));
    let one = Function::linear(&[1.0]);
    let error = metric.measure(&Case::new(&one, &*batch), &attribution(&batch), &Run::default()).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }));
}

#[test]
fn kept_predictions_of_known_decisions() {
    // Output 0 wins by feature 0, output 1 by feature 3.
    let model = Function::new(2, |x| vec![x[0] + 0.1 * x[1], x[3] + 0.1 * x[2] + 0.05]);
    let masker = zero(4);
    let batch = array![[1.0, 0.0, 0.0, 0.5], [0.5, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.5]];
    let case = Case::new(&model, &*batch).with_masker(&masker);
    // Signed by output 0; output 1's are the negatives. Right, right, and wrong in the first place.
    let shares = two_outputs(&array![[4.0, 1.0, 2.0, 3.0], [4.0, 1.0, 2.0, -3.0], [1.0, 2.0, 3.0, 4.0]]);
    let found = KeptPrediction { shares: vec![0.25], ..KeptPrediction::default() };
    let found = found.measure(&case, &shares, &Run::default()).unwrap();
    assert_eq!(found.values.column(0).to_vec(), [1.0, 1.0, 0.0]);
    let both = KeptPrediction { shares: vec![0.25, 1.0], ..KeptPrediction::default() };
    let found = both.measure(&case, &shares, &Run::default()).unwrap();
    assert_eq!((found.values.column(0).to_vec(), found.evaluations), (vec![1.0, 1.0, 0.5], 3 + 3));
}

#[test]
fn pooled_shares_are_sums_or_means() {
    let shares = attribution(&array![[1.0, 2.0, 3.0, 5.0], [1.0, 1.0, 1.0, 1.0]]);
    let own = array![[0, 0, 1, 1], [1, 0, 1, 1]];
    let sum = pooled(&shares, &own, 3, Pool::Sum).unwrap();
    assert_eq!(sum.values.index_axis(Axis(2), 0), array![[3.0, 8.0, 0.0], [1.0, 3.0, 0.0]]);
    let mean = pooled(&shares, &array![[0, 0, 1, 1]], 2, Pool::Mean).unwrap();
    assert_eq!(mean.values.index_axis(Axis(2), 0), array![[1.5, 4.0], [1.0, 1.0]]);
    assert!(mean.checked().is_ok());
    assert!(matches!(pooled(&shares, &own, 1, Pool::Sum), Err(Error::Parameter { .. })));
    assert!(matches!(pooled(&shares, &array![[0, 1]], 2, Pool::Sum), Err(Error::Shape { .. })));
}

#[test]
fn sensitivity_n_of_one_size_is_faithfulness_correlation() {
    let (model, batch, masker, shares) = (model(), table(3, 5), zero(5), attribution(&table(3, 5).mapv(f64::cos)));
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let curve = SensitivityN { sizes: vec![1, 2, 4], n_subsets: 10 }.curve(&case, &shares, &Run::default()).unwrap();
    for (s, size) in [1, 2, 4].into_iter().enumerate() {
        let one = FaithfulnessCorrelation { subset_size: Some(size), n_subsets: 10 };
        let one = one.measure(&case, &shares, &Run::default()).unwrap().values;
        assert_eq!(curve.correlations.index_axis(Axis(1), s), one);
    }
    assert_eq!(curve.mean.evaluations, 3 * (1 + 5 + 10 + 5));
}

/// Every absent pixel is the weighted mean of its neighbours, and every present one stays.
#[test]
fn noisy_linear_imputation_solves_its_equations() {
    let image = Array4::from_shape_fn((1, 2, 5, 7), |(_, c, y, x)| ((c * 31 + y * 7 + x * 3) as f64).sin());
    let present = Array2::from_shape_fn((3, 35), |(i, j)| (i * 5 + j * j) % (i + 3) == 0);
    let exact = NoisyLinear { noise: 0.0, seed: 0 };
    let filled = exact.mask(&image, 0, &present).unwrap();
    for (i, present) in present.outer_iter().enumerate() {
        for (c, y, x) in ndarray::indices((2, 5, 7)) {
            let value = filled[[i, c, y, x]];
            if present[y * 7 + x] {
                assert_eq!(value, image[[0, c, y, x]]);
                continue;
            }
            let (mut sum, mut weights) = (0.0, 0.0);
            for (b, a) in ndarray::indices((5, 7)) {
                let weight = match (b.abs_diff(y), a.abs_diff(x)) {
                    (1, 1) => 1.0 / 12.0,
                    (0, 1) | (1, 0) => 1.0 / 6.0,
                    _ => 0.0,
                };
                (sum, weights) = (sum + weight * filled[[i, c, b, a]], weights + weight);
            }
            assert_close(value, sum / weights, 1e-11);
        }
    }
    let nothing = exact.mask(&image, 0, &Array2::from_elem((1, 35), false)).unwrap();
    let mean = image.index_axis(Axis(1), 1).mean().unwrap();
    assert_close(nothing[[0, 1, 2, 3]], mean, 1e-12);
    // Noise follows from the seed and the absent pixels, and has its size.
    let noisy = NoisyLinear { noise: 0.1, seed: 4 };
    let single = image.mapv(|v| v as f32);
    let some = |masker: NoisyLinear, rows: &Array2<bool>| masker.mask(&single, 0, rows).unwrap();
    let (all, last) = (some(noisy, &present), some(noisy, &present.select(Axis(0), &[2])));
    assert_eq!(all.index_axis(Axis(0), 2), last.index_axis(Axis(0), 0));
    assert_ne!(all, some(NoisyLinear { seed: 5, ..noisy }, &present));
    let gap: Vec<f64> = all.iter().zip(&filled).map(|(a, b)| f64::from(*a) - b).filter(|g| g.abs() > 1e-6).collect();
    let spread = (gap.iter().map(|g| g * g).sum::<f64>() / gap.len() as f64).sqrt();
    // A standard deviation of some 150 draws: within four of its errors.
    assert_close(spread, 0.1, 4.0 * 0.1 / (2.0 * gap.len() as f64).sqrt());
}
