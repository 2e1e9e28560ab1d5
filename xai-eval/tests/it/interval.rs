use ndarray::{Array2, array};
use xai_eval::Interval;

use crate::zoo::assert_close;

/// Two thousand resamples place an end of the interval to about 3 % of its width.
const RESAMPLING: f64 = 0.04;
const LOW: f64 = 2.5004;
const HIGH: f64 = 4.7623;

/// scipy 1.18.1, `bootstrap(method="BCa", n_resamples=400000)` for the same numbers: the mean of three seeds.
#[test]
fn intervals_agree_with_scipy() {
    let data = Array2::from_shape_fn((25, 1), |(i, _)| {
        let value = ((37 * i + 13) as f64).sin().exp() * (1.0 + (i % 5) as f64);
        (value * 1000.0).round() / 1000.0
    });
    let found = Interval::of_mean(&data, 0.95, 3).unwrap();
    let width = HIGH - LOW;
    assert_close(found.low, LOW, RESAMPLING * width);
    assert_close(found.high, HIGH, RESAMPLING * width);
    assert_eq!(found, Interval::of_mean(&data, 0.95, 3).unwrap());
    assert_ne!(found, Interval::of_mean(&data, 0.95, 4).unwrap());
}

/// Samples from an exponential distribution, whose mean is 1: skewed, as many metrics are.
#[test]
fn intervals_cover_the_mean_as_often_as_they_say() {
    const TRIALS: u64 = 300;
    // Four standard errors of a share of 0.95, and two hundredths that forty skewed samples take.
    const SLACK: f64 = 4.0 * 0.0126 + 0.02;
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let held = (0..TRIALS)
        .filter(|seed| {
            let data = Array2::from_shape_fn((40, 1), |_| -uniform().ln());
            let interval = Interval::of_mean(&data, 0.95, *seed).unwrap();
            interval.low <= 1.0 && 1.0 <= interval.high
        })
        .count();
    assert_close(held as f64 / TRIALS as f64, 0.95, SLACK);
}

#[test]
fn intervals_of_strange_samples() {
    assert_eq!(Interval::of_mean(&array![[1.0]], 0.95, 0), None);
    assert_eq!(Interval::of_mean(&array![[1.0], [f64::NAN]], 0.95, 0), None);
    assert_eq!(Interval::of_mean(&array![[1.0], [2.0]], 1.0, 0), None);
    let same = Interval::of_mean(&array![[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]], 0.95, 0).unwrap();
    assert_close(same.low, 0.1, 1e-15);
    assert_close(same.high, 0.1, 1e-15);
    // Outputs of a sample go together: two equal outputs say no more than one.
    let one = array![[1.0], [4.0], [2.0], [7.0], [3.0]];
    let two = Array2::from_shape_fn((5, 2), |(i, _)| one[[i, 0]]);
    assert_eq!(Interval::of_mean(&one, 0.95, 5), Interval::of_mean(&two, 0.95, 5));
    // Many samples: the normal interval, known in closed form for values 0 and 1 in equal numbers.
    let many = Array2::from_shape_fn((40_000, 1), |(i, _)| (i % 2) as f64);
    let found = Interval::of_mean(&many, 0.95, 0).unwrap();
    assert_close(found.high - 0.5, 1.959963984540054 * 0.5 / 39_999f64.sqrt(), 1e-9);
}
