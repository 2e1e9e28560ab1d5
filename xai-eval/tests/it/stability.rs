use ndarray::{Array2, Array3, ArrayRef3, Axis, array};
use xai_core::{Attribution, Batch, Cells, Error, Explainer, Model, Result, Run};
use xai_eval::stability::{Code, Distance, Ratio, Relative, measure_together};
use xai_eval::truth::{Term, Terms};
use xai_eval::{
    AvgSensitivity, Case, Consistency, Continuity, Direction, LocalLipschitz, MaxSensitivity, Measurement, Metric,
    Neighbourhood, Noise, RelativeInputStability, RelativeOutputStability, RelativeRepresentationStability, SeedSpread,
    WorstCase,
};

use crate::net::{Constant, Gradient, Input, Net, of_cells};
use crate::zoo::{assert_close, attribution, table};

/// Sums and square roots of some ten numbers.
const ROUNDING: f64 = 1e-12;
/// Activations are f32.
const SINGLE: f64 = 1e-5;

const SLOPES: [f64; 3] = [2.0, -1.0, 0.5];

fn line() -> Terms {
    let terms = SLOPES.iter().enumerate().map(|(feature, slope)| Term::Linear { feature, slope: *slope }).collect();
    Terms::new(3, vec![(1.0, terms)]).unwrap()
}

fn offsets() -> Array2<f64> {
    array![[0.1, 0.0, -0.2], [0.3, 0.1, 0.1], [-0.05, 0.2, 0.0]]
}

fn given(same_prediction: bool) -> Neighbourhood {
    Neighbourhood { noise: Noise::Offsets(offsets()), same_prediction, ..Neighbourhood::default() }
}

fn measure<M>(
    metric: &dyn Metric<M>,
    model: &M,
    batch: &M::Batch,
    explainer: &dyn Explainer<M, Explanation = Attribution>,
    run: &Run,
) -> Result<Measurement>
where
    M: Model,
{
    let explained = explainer.explain(model, batch, run)?;
    metric.measure(&Case::new(model, batch).with_explainer(explainer), &explained, run)
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn sensitivity_of_a_line_is_its_noise() {
    let (model, batch, product) = (line(), array![[1.0, 2.0, -1.0], [0.5, 0.1, 3.0]], Gradient { times_input: true });
    let of = |metric: &dyn Metric<Terms>| measure(metric, &model, &batch, &product, &Run::default()).unwrap();
    let (largest, mean) =
        (of(&MaxSensitivity { neighbourhood: given(false) }), of(&AvgSensitivity { neighbourhood: given(false) }));
    for (sample, row) in batch.outer_iter().enumerate() {
        let size = norm(row.iter().zip(SLOPES).map(|(x, s)| x * s));
        let changes: Vec<f64> =
            offsets().outer_iter().map(|by| norm(by.iter().zip(SLOPES).map(|(d, s)| d * s)) / size).collect();
        assert_close(largest.values[[sample, 0]], changes.iter().copied().fold(0.0, f64::max), ROUNDING);
        assert_close(mean.values[[sample, 0]], changes.iter().sum::<f64>() / 3.0, ROUNDING);
    }
    assert_eq!((largest.evaluations, largest.direction), (6, Direction::Lower));
}

#[test]
fn lipschitz_of_a_line_is_its_slope() {
    let terms = (0..3).map(|feature| Term::Linear { feature, slope: -3.0 }).collect();
    let model = Terms::new(3, vec![(0.0, terms)]).unwrap();
    let product = Gradient { times_input: true };
    let found = measure(&LocalLipschitz::default(), &model, &table(4, 3), &product, &Run::default()).unwrap();
    found.values.iter().for_each(|value| assert_close(*value, 3.0, 1e-9));
    let still = Neighbourhood { noise: Noise::Offsets(Array2::zeros((2, 3))), ..Neighbourhood::default() };
    let metric = LocalLipschitz { neighbourhood: still };
    let found = measure(&metric, &model, &table(4, 3), &product, &Run::default()).unwrap();
    assert_eq!((found.mean, found.failures[0].reason.as_str()), (None, "no neighbour differs"));
}

/// The formulas of Agarwal et al., neighbour by neighbour.
#[test]
fn relative_stability_equals_its_formula() {
    const LEAST: f64 = 1e-6;
    let (model, product) = (Net::new(3, 4, 2, true), Gradient { times_input: true });
    let mut batch = table(8, 3);
    batch[[1, 2]] = 0.0;
    let relative = Relative::Cells;
    let explain = |batch: &Array2<f64>| product.explain(&model, batch, &Run::default()).unwrap();
    let of = |metric: &dyn Metric<Net>| measure(metric, &model, &batch, &product, &Run::default()).unwrap().values;
    let input = of(&RelativeInputStability { neighbourhood: given(true), relative });
    let output = of(&RelativeOutputStability { neighbourhood: given(true), relative });
    let representation = of(&RelativeRepresentationStability { neighbourhood: given(true), layer: None, relative });
    let named = RelativeRepresentationStability { neighbourhood: given(true), layer: Some("hidden".into()), relative };
    assert_eq!(of(&named), representation);
    let part = |a: f64, b: f64| (a - b) / if a == 0.0 { LEAST } else { a };
    let mut left_out = 0;
    for sample in 0..8 {
        let x = batch.samples(sample..sample + 1);
        let e = explain(&x);
        let mut expected = [[f64::NAN; 2]; 3];
        for by in offsets().outer_iter() {
            let moved = &x + &by;
            let f = explain(&moved);
            let first = |scores: &Array2<f64>| usize::from(scores[[0, 1]] > scores[[0, 0]]);
            if first(&e.scores) != first(&f.scores) {
                left_out += 1;
                continue;
            }
            let hidden = (model.hidden(&x), model.hidden(&moved));
            let divisors = [
                norm(x.iter().zip(&moved).map(|(a, b)| part(*a, *b))),
                norm(e.scores.iter().zip(&f.scores).map(|(a, b)| a - b)),
                norm(hidden.0.iter().zip(&hidden.1).map(|(a, b)| part(*a, *b))),
            ];
            for (kind, divisor) in divisors.into_iter().enumerate() {
                for (k, largest) in expected[kind].iter_mut().enumerate() {
                    let change = norm((0..3).map(|j| part(e.values[[0, j, k]], f.values[[0, j, k]])));
                    *largest = largest.max(change / divisor.max(LEAST));
                }
            }
        }
        for k in 0..2 {
            for (found, expected) in [&input, &output].into_iter().zip(expected) {
                assert_close(found[[sample, k]] / expected[k], 1.0, ROUNDING);
            }
            assert_close(representation[[sample, k]] / expected[2][k], 1.0, SINGLE);
        }
    }
    assert!((1..12).contains(&left_out), "{left_out} neighbours with another prediction: a test that tells nothing");
}

#[test]
fn neighbours_that_do_not_count_leave_no_value() {
    let (model, batch) = (Net::new(3, 4, 2, true), table(1, 3));
    let flipped = model.predict(&batch.mapv(|x| -5.0 * x)).unwrap();
    let scores = model.predict(&batch).unwrap();
    assert_ne!(flipped[[0, 0]] > flipped[[0, 1]], scores[[0, 0]] > scores[[0, 1]], "the test needs another prediction");
    let noise = Noise::Offsets(batch.mapv(|x| -6.0 * x));
    let neighbourhood = Neighbourhood { noise, same_prediction: true, ..Neighbourhood::default() };
    let metric = RelativeInputStability { neighbourhood, ..RelativeInputStability::default() };
    let found = measure(&metric, &model, &batch, &Gradient { times_input: true }, &Run::default()).unwrap();
    assert_eq!((found.mean, found.failures[0].reason.as_str()), (None, "no neighbour counts"));
    let zero = Terms::new(3, vec![(1.0, vec![])]).unwrap();
    let found =
        measure(&MaxSensitivity::default(), &zero, &batch, &Gradient { times_input: true }, &Run::default()).unwrap();
    assert_eq!(found.failures[0].reason, "all shares are zero");
}

/// A model of series (sample, channel, step) with two outputs.
struct Series;

impl Model for Series {
    type Batch = ArrayRef3<f64>;
    fn n_outputs(&self) -> usize {
        2
    }
    fn predict(&self, batch: &ArrayRef3<f64>) -> Result<Array2<f64>> {
        Ok(Array2::from_shape_fn((batch.n_samples(), 2), |(i, k)| {
            batch.index_axis(Axis(0), i).sum() * (k as f64 - 0.3)
        }))
    }
}

/// Squares of cells, the output's number times.
struct Squares;

impl Explainer<Series> for Squares {
    type Explanation = Attribution;
    fn explain(&self, model: &Series, batch: &ArrayRef3<f64>, run: &Run) -> Result<Attribution> {
        let (channels, steps) = (batch.dim().1, batch.dim().2);
        let values = Array3::from_shape_fn((batch.dim().0, channels * steps, 2), |(i, j, k)| {
            batch[[i, j / steps, j % steps]].powi(2) * (k as f64 + 1.0)
        });
        of_cells(model, batch, values, run)
    }
}

#[test]
fn continuity_equals_its_formula() {
    let batch = Array3::from_shape_fn((3, 2, 5), |(i, j, k)| ((i * 31 + j * 17 + k * 7) as f64).sin());
    let metric = Continuity { step: 2, furthest: Some(4) };
    let found = measure(&metric, &Series, &batch, &Squares, &Run::default()).unwrap();
    assert_eq!(found.evaluations, 4 * 3);
    for (sample, x) in batch.outer_iter().enumerate() {
        let least = x.iter().copied().fold(f64::INFINITY, f64::min);
        let mut largest = [0.0f64; 2];
        for shift in [-4isize, -2, 2, 4] {
            let moved = Array2::from_shape_fn((2, 5), |(j, k)| {
                let from = k as isize - shift;
                if (0..5).contains(&from) { x[[j, from as usize]] } else { least }
            });
            let distance = norm(x.iter().zip(&moved).map(|(a, b)| a - b));
            for (k, largest) in largest.iter_mut().enumerate() {
                let change: f64 = x.iter().zip(&moved).map(|(a, b)| (a * a - b * b).abs() * (k as f64 + 1.0)).sum();
                *largest = largest.max(change / distance);
            }
        }
        for (k, expected) in largest.into_iter().enumerate() {
            assert_close(found.values[[sample, k]], expected, ROUNDING);
        }
    }
    for (step, furthest) in [(0, Some(4)), (5, Some(4)), (1, Some(6)), (1, Some(0))] {
        let refused = measure(&Continuity { step, furthest }, &Series, &batch, &Squares, &Run::default());
        assert!(matches!(refused, Err(Error::Parameter { .. })));
    }
    let rows = measure(&Continuity::default(), &line(), &table(2, 3), &Constant, &Run::default());
    assert!(matches!(rows, Err(Error::Unsupported { .. })));
}

#[test]
fn consistency_counts_pairs() {
    // Codes by signs: ++ ++ ++ +- +- --; predictions: 0 0 1 1 1 0.
    let signs = array![[1.0, 2.0], [3.0, 1.0], [0.5, 0.1], [1.0, -1.0], [2.0, -0.1], [-1.0, -1.0]];
    let model = Net::new(2, 2, 2, true);
    let mut explained = attribution(&signs);
    explained.outputs = xai_core::Output::unnamed(2);
    explained.values = Array3::from_shape_fn((6, 2, 2), |(i, j, k)| signs[[i, j]] * (1.0 + k as f64));
    explained.scores = array![[2.0, 1.0], [2.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 3.0], [1.0, 0.0]];
    explained.base = Array2::zeros((6, 2));
    let of = |code| Consistency { code }.measure(&Case::new(&model, &*signs), &explained, &Run::default());
    let found = of(Code::Signs).unwrap();
    for (sample, expected) in [0.5, 0.5, 0.0, 1.0, 1.0].into_iter().enumerate() {
        assert_eq!(found.values.row(sample).to_vec(), [expected, expected]);
    }
    assert_eq!(
        (found.n_undefined(), found.failures[0].reason.as_str()),
        (2, "no other sample has the same explanation")
    );
    // Orders: feature 1 first in sample 0 alone; of equals (sample 5) feature 0.
    assert_eq!(of(Code::Order).unwrap().values[[1, 0]], 1.0 / 4.0);
    assert_eq!(of(Code::Top(1)).unwrap().values[[3, 0]], 1.0 / 3.0 + 1.0 / 3.0);
    assert_eq!(of(Code::Rounded(0)).unwrap().n_undefined(), 12);
    assert!(matches!(of(Code::Top(0)), Err(Error::Parameter { .. })));
    let single = attribution(&signs);
    let refused =
        Consistency::default().measure(&Case::new(&line(), &*table(6, 3)), &attribution(&table(6, 3)), &Run::default());
    assert!(matches!(refused, Err(Error::Unsupported { .. })) && single.n_samples() == 6);
}

#[test]
fn seeds_that_change_nothing_have_no_spread() {
    let (model, batch) = (Net::new(3, 4, 2, true), table(5, 3));
    let of = |noise| measure(&SeedSpread::default(), &model, &batch, &Input { noise }, &Run::default()).unwrap();
    assert_eq!((of(0.0).mean, of(0.0).evaluations), (Some(0.0), 25));
    assert!(of(0.1).mean.unwrap() > 0.01);
    let once = measure(&SeedSpread { n_seeds: 1 }, &model, &batch, &Constant, &Run::default());
    assert!(matches!(once, Err(Error::Parameter { .. })));
    // Noise of standard deviation 1/√12 around ½ on an input of zeros: the ratio is 1/√3.
    let metric = SeedSpread { n_seeds: 400 };
    let found = measure(&metric, &model, &Array2::zeros((20, 3)), &Input { noise: 1.0 }, &Run::default()).unwrap();
    assert_close(found.mean.unwrap(), 1.0 / 3f64.sqrt(), 0.02);
}

#[test]
fn the_worst_case_of_a_line_is_found() {
    let (model, batch, product) = (line(), table(5, 3), Gradient { times_input: true });
    let metric = WorstCase { distance: Distance::Relative, score_tolerance: Some(10.0), ..WorstCase::default() };
    let found = measure(&metric, &model, &batch, &product, &Run::default()).unwrap();
    for (sample, row) in batch.outer_iter().enumerate() {
        let expected = 0.1 * norm(SLOPES.into_iter()) / norm(row.iter().zip(SLOPES).map(|(x, s)| x * s));
        assert_close(found.values[[sample, 0]], expected, ROUNDING);
    }
    assert_eq!(found.evaluations, 5 * 10 * 8);
}

#[test]
fn the_worst_case_is_within_bounds() {
    let (model, batch, product) = (Net::new(6, 5, 3, true), table(7, 6), Gradient { times_input: true });
    let explained = product.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch).with_explainer(&product);
    let scales = vec![1.0, 1.0, 0.0, 0.5, 1.0, 1.0];
    for (distance, score_tolerance) in
        [(Distance::Ranks, None), (Distance::Top(2), Some(0.02)), (Distance::Relative, None)]
    {
        let metric = WorstCase { distance, score_tolerance, scales: Some(scales.clone()), ..WorstCase::default() };
        let worst = metric.search(&case, &explained, &Run::default()).unwrap();
        for ((sample, cell), x) in worst.batch.indexed_iter() {
            assert!((x - batch[[sample, cell]]).abs() <= 0.1 * scales[cell] + ROUNDING);
        }
        // What is returned is what the model and the explainer say of it.
        let again = product.explain(&model, &worst.batch, &Run::default()).unwrap();
        assert_eq!((&again.values, &again.scores), (&worst.values, &worst.scores));
        if let Some(tolerance) = score_tolerance {
            assert!((&worst.scores - &explained.scores).iter().all(|gap| gap.abs() <= tolerance));
        }
        assert!(worst.measurement.mean.unwrap() > 0.0, "{distance:?}");
    }
    let more = |n_rounds| {
        let metric = WorstCase { distance: Distance::Relative, n_rounds, radius: 0.5, ..WorstCase::default() };
        metric.search(&case, &explained, &Run::default()).unwrap().measurement.mean.unwrap()
    };
    assert!(more(30) > more(1));
    let refused = [
        WorstCase { radius: 0.0, ..WorstCase::default() },
        WorstCase { n_rounds: 0, ..WorstCase::default() },
        WorstCase { distance: Distance::Top(7), ..WorstCase::default() },
        WorstCase { scales: Some(vec![-1.0; 6]), ..WorstCase::default() },
    ];
    for metric in refused {
        assert!(matches!(metric.search(&case, &explained, &Run::default()), Err(Error::Parameter { .. })));
    }
    let single = measure(&WorstCase::default(), &line(), &table(2, 3), &product, &Run::default());
    assert!(matches!(single, Err(Error::Parameter { .. })));
}

fn all() -> Vec<Box<dyn Metric<Net>>> {
    vec![
        Box::new(MaxSensitivity::default()),
        Box::new(AvgSensitivity::default()),
        Box::new(LocalLipschitz::default()),
        Box::new(RelativeInputStability::default()),
        Box::new(RelativeOutputStability::default()),
        Box::new(RelativeRepresentationStability::default()),
        Box::new(SeedSpread::default()),
        Box::new(WorstCase::default()),
    ]
}

#[test]
fn a_constant_explainer_is_stable() {
    let (model, batch) = (Net::new(3, 4, 2, true), table(5, 3));
    for metric in all() {
        let found = measure(&*metric, &model, &batch, &Constant, &Run::default()).unwrap();
        let mean = found.mean.unwrap();
        // A rank correlation of 1 is rounded.
        assert!((0.0..1e-15).contains(&mean), "{} {mean}", metric.name());
    }
    let series = Array3::from_shape_fn((3, 2, 5), |(i, j, k)| ((i * 31 + j * 17 + k * 7) as f64).sin());
    struct Same;
    impl Explainer<Series> for Same {
        type Explanation = Attribution;
        fn explain(&self, model: &Series, batch: &ArrayRef3<f64>, run: &Run) -> Result<Attribution> {
            of_cells(model, batch, Array3::ones((batch.dim().0, 10, 2)), run)
        }
    }
    let found = measure(&Continuity::default(), &Series, &series, &Same, &Run::default()).unwrap();
    assert_eq!((found.mean, series.sample_shape().len()), (Some(0.0), 2));
}

/// The last four samples as a batch of their own get the same numbers, to the last bit, also of a method that draws.
#[test]
fn a_batch_may_be_cut() {
    let (model, batch) = (Net::new(3, 4, 2, true), table(6, 3));
    for metric in all() {
        for explainer in
            [&Gradient { times_input: true } as &dyn Explainer<Net, Explanation = Attribution>, &Input { noise: 0.3 }]
        {
            let whole = measure(&*metric, &model, &batch, explainer, &Run { seed: 9, ..Run::default() }).unwrap();
            let run = Run { seed: 9, first_sample: 2, ..Run::default() };
            let rest = measure(&*metric, &model, &batch.samples(2..6), explainer, &run).unwrap();
            assert_eq!(whole.values.samples(2..6), rest.values, "{}", metric.name());
            let other = measure(&*metric, &model, &batch, explainer, &Run { seed: 10, ..Run::default() }).unwrap();
            assert!(
                other.values != whole.values || metric.name() == "seed-spread",
                "{} ignores the seed",
                metric.name()
            );
        }
    }
}

#[test]
fn ratios_together_are_those_alone() {
    let (model, batch, product) = (Net::new(3, 4, 2, true), table(5, 3), Gradient { times_input: true });
    let explained = product.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch).with_explainer(&product);
    let near = Neighbourhood { n_draws: 7, same_prediction: true, ..Neighbourhood::default() };
    let all = [
        Ratio::MaxSensitivity,
        Ratio::AvgSensitivity,
        Ratio::LocalLipschitz,
        Ratio::RelativeInput(Relative::Cells),
        Ratio::RelativeOutput(Relative::Norms),
    ];
    let together = measure_together(&all, &near, &case, &explained, &Run::default()).unwrap();
    let alone: [Box<dyn Metric<Net>>; 5] = [
        Box::new(MaxSensitivity { neighbourhood: near.clone() }),
        Box::new(AvgSensitivity { neighbourhood: near.clone() }),
        Box::new(LocalLipschitz { neighbourhood: near.clone() }),
        Box::new(RelativeInputStability { neighbourhood: near.clone(), relative: Relative::Cells }),
        Box::new(RelativeOutputStability { neighbourhood: near, relative: Relative::Norms }),
    ];
    for (together, alone) in together.iter().zip(alone) {
        assert_eq!(*together, alone.measure(&case, &explained, &Run::default()).unwrap());
        assert_eq!(together.evaluations, 35);
    }
}

#[test]
fn budgets_hold_for_the_whole_run() {
    let (model, batch) = (Net::new(3, 4, 2, true), table(5, 3));
    let explained = Constant.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch);
    /// Keeps the budget that it is given.
    struct Thrifty;
    impl Explainer<Net> for Thrifty {
        type Explanation = Attribution;
        fn explain(&self, model: &Net, batch: &xai_core::Table, run: &Run) -> Result<Attribution> {
            xai_core::Meter::planned(run, batch.n_samples() as u64)?;
            Constant.explain(model, batch, run)
        }
    }
    let metric = SeedSpread { n_seeds: 3 };
    for metric in [&metric as &dyn Metric<Net>, &MaxSensitivity::default()] {
        let absent = metric.measure(&case, &explained, &Run::default()).unwrap_err();
        assert!(matches!(absent, Error::Unsupported { .. }));
    }
    let case = case.with_explainer(&Thrifty);
    let run = |budget| Run { max_evaluations: Some(budget), ..Run::default() };
    assert_eq!(metric.measure(&case, &explained, &run(15)).unwrap().evaluations, 15);
    let error = metric.measure(&case, &explained, &run(14)).unwrap_err();
    assert!(matches!(error, Error::Budget { budget: 14, needed: 15 }), "{error}");
}

#[test]
fn neighbourhoods_that_cannot_be_are_refused() {
    let near = |noise, n_draws, scales| Neighbourhood { noise, n_draws, scales, same_prediction: false };
    let cases = [
        near(Noise::Uniform(0.0), 5, None),
        near(Noise::Normal(f64::NAN), 5, None),
        near(Noise::Uniform(0.1), 0, None),
        near(Noise::Offsets(Array2::zeros((2, 4))), 5, None),
        near(Noise::Uniform(0.1), 5, Some(vec![1.0])),
        near(Noise::Uniform(0.1), 5, Some(vec![1.0, f64::NAN, 1.0])),
    ];
    for neighbourhood in cases {
        let shown = format!("{neighbourhood:?}");
        let refused = measure(&MaxSensitivity { neighbourhood }, &line(), &table(2, 3), &Constant, &Run::default());
        assert!(matches!(refused, Err(Error::Parameter { .. } | Error::Shape { .. })), "{shown}");
    }
    // A scale of zero keeps a cell: only the first moves.
    let neighbourhood = near(Noise::Uniform(0.5), 5, Some(vec![1.0, 0.0, 0.0]));
    let found = measure(
        &LocalLipschitz { neighbourhood },
        &line(),
        &table(2, 3),
        &Gradient { times_input: true },
        &Run::default(),
    );
    found.unwrap().values.iter().for_each(|value| assert_close(*value, 2.0, 1e-9));
}

#[test]
fn no_samples_have_no_values() {
    let (model, none) = (Net::new(3, 4, 2, true), Array2::zeros((0, 3)));
    for metric in all() {
        let found = measure(&*metric, &model, &none, &Constant, &Run::default()).unwrap();
        assert_eq!((found.values.dim(), found.mean, found.evaluations), ((0, 2), None, 0), "{}", metric.name());
    }
}
