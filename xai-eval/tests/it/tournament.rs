//! Contests: statistics against scipy, standings that must be so, interruptions, and what fails.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, Array4, ArrayRef4, Axis, array};
use xai_core::{
    Attribution, Document, Error, Explainer, League, Meter, Model, Observer, Provenance, Result, Run, Table,
};
use xai_eval::tournament::{InputSize, Places, RandomShares, Step, Tournament, by_place, friedman};
use xai_eval::{Case, Direction, FaithfulnessCorrelation, RankCorrelation, RemovalCurve, Sparseness};

use crate::zoo::{Baseline, Function, assert_close, exact, table};

/// What scipy 1.18.1 says: friedmanchisquare, studentized_range.ppf(0.95, k, inf), chi2.sf.
#[test]
fn friedman_agrees_with_scipy() {
    let values = array![
        [0.9, 0.7, 0.7, 0.1],
        [0.8, 0.85, 0.6, 0.2],
        [0.95, 0.5, 0.65, 0.3],
        [0.7, 0.7, 0.7, 0.4],
        [0.99, 0.8, 0.3, 0.35]
    ];
    let (ranks, test) = friedman(&values, Direction::Higher).unwrap();
    assert_close(test.statistic, 10.33333333333333, 1e-12);
    assert_close(test.p_value, 0.01593518114812485, 1e-12);
    assert_eq!((test.n_blocks, test.n_methods), (5, 4));
    assert_eq!(ranks, [(1.0 + 2.0 + 1.0 + 2.0 + 1.0) / 5.0, (2.5 + 1.0 + 3.0 + 2.0 + 2.0) / 5.0, 2.7, 3.8]);
    let (lower, mirrored) = friedman(&values, Direction::Lower).unwrap();
    assert_close(mirrored.statistic, test.statistic, 1e-12);
    assert!(lower.iter().zip(&ranks).all(|(a, b)| (a + b - 5.0).abs() < 1e-12));
}

#[test]
fn critical_differences_are_those_of_scipy() {
    for (k, quantile) in [
        (2, 2.771807648699355),
        (3, 3.314493155398122),
        (5, 3.857655510378623),
        (10, 4.474124221725907),
        (20, 5.0116887941184425),
    ] {
        let values = Array2::from_shape_fn((4, k), |(i, j)| ((i * 7 + j * 3) % 5) as f64);
        let (_, test) = friedman(&values, Direction::Lower).unwrap();
        let k = k as f64;
        assert_close(test.critical_difference, quantile / 2f64.sqrt() * (k * (k + 1.0) / 24.0).sqrt(), 1e-8);
    }
}

#[test]
fn tails_of_chi_squared_are_those_of_scipy() {
    // Two methods: one degree of freedom. A block a method wins gives χ² = n.
    let (_, test) = friedman(&Array2::from_shape_fn((3, 2), |(_, j)| j as f64), Direction::Higher).unwrap();
    assert_close(test.statistic, 3.0, 1e-12);
    assert_close(test.p_value, 0.08326451666355042, 1e-12);
    // Three methods in the same order in three blocks: χ² = 6 with two degrees.
    let (_, test) = friedman(&Array2::from_shape_fn((3, 3), |(_, j)| j as f64), Direction::Higher).unwrap();
    assert_close(test.p_value, (-3.0f64).exp(), 1e-12);
    // No difference at all.
    let (ranks, test) = friedman(&Array2::zeros((4, 3)), Direction::Higher).unwrap();
    assert_eq!((ranks, test.p_value), (vec![2.0; 3], 1.0));
    assert!(friedman(&Array2::zeros((1, 3)), Direction::Higher).is_none());
    assert!(friedman(&Array2::zeros((3, 1)), Direction::Higher).is_none());
}

const SLOPES: [f64; 6] = [3.0, -2.0, 1.0, 0.5, -0.25, 0.0];

/// The exact shares of the linear model; counts how often it is asked.
struct Exact(AtomicU64);

impl Explainer<Function> for Exact {
    type Explanation = Attribution;
    fn explain(&self, _model: &Function, batch: &Table, run: &Run) -> Result<Attribution> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let found = exact(&SLOPES, &batch.to_owned(), &zero());
        Ok(Attribution { provenance: Provenance::new("exact", run), ..found })
    }
}

/// The same with the two greatest mixed up.
struct Muddled;

impl Explainer<Function> for Muddled {
    type Explanation = Attribution;
    fn explain(&self, _model: &Function, batch: &Table, run: &Run) -> Result<Attribution> {
        let found = exact(&[-2.0, 3.0, 1.0, 0.5, -0.25, 0.0], &batch.to_owned(), &zero());
        Ok(Attribution { provenance: Provenance::new("muddled", run), ..found })
    }
}

struct Broken;

impl Explainer<Function> for Broken {
    type Explanation = Attribution;
    fn explain(&self, _: &Function, _: &Table, _: &Run) -> Result<Attribution> {
        Err(Error::unsupported("this model", "for the sake of the test"))
    }
}

fn zero() -> Baseline {
    Baseline(ndarray::Array1::zeros(6))
}

fn contest<'a>(exact: &'a Exact) -> Tournament<'a, Function> {
    struct Lent<'a>(&'a Exact);
    impl Explainer<Function> for Lent<'_> {
        type Explanation = Attribution;
        fn explain(&self, model: &Function, batch: &Table, run: &Run) -> Result<Attribution> {
            self.0.explain(model, batch, run)
        }
    }
    let mut contest = Tournament::new();
    contest.method("exact", Lent(exact)).method("muddled", Muddled).method("broken", Broken);
    contest.metric(FaithfulnessCorrelation::default()).metric(RemovalCurve::default());
    contest
}

fn held(
    contest: &Tournament<Function>,
    done: Vec<Step>,
    record: &mut dyn FnMut(&Step) -> Result<()>,
) -> Result<League> {
    let (model, batch, masker) = (Function::linear(&SLOPES), table(24, 6), zero());
    contest.resume(&Case::new(&model, &*batch).with_masker(&masker), &Run::default(), done, record)
}

#[test]
fn exact_shares_beat_noise_beyond_chance() {
    let exact = Exact(AtomicU64::new(0));
    let mut contest = contest(&exact);
    contest.metric(RankCorrelation);
    let (model, batch, masker) = (Function::linear(&SLOPES), table(24, 6), zero());
    let shares = batch.outer_iter().flat_map(|row| row.iter().zip(SLOPES).map(|(x, s)| x * s).collect::<Vec<_>>());
    let shares = Array3::from_shape_vec((24, 6, 1), shares.collect()).unwrap();
    let (base, scores) = (Array2::zeros((24, 1)), model.predict(&batch).unwrap());
    let made = Provenance::new("truth", &Run::default());
    let truth = Attribution::of_table(&model, &batch, shares, base, scores, made).unwrap();
    let case = Case::new(&model, &*batch).with_masker(&masker).with_truth(&truth);
    let league = contest.run(&case, &Run::default()).unwrap();
    assert_eq!(league.standing()[0], 0, "{:?}", league.methods);
    assert_close(league.finding(0, 0).unwrap().mean.unwrap(), 1.0, 1e-9);
    assert_eq!(league.finding(0, 0).unwrap().place, Some(1));
    let random = league.methods.iter().position(|m| m.name == "random").unwrap();
    assert!(league.methods[random].is_baseline);
    for metric in 0..2 {
        let test = league.metrics[metric].test.unwrap();
        assert!(test.p_value < 1e-3, "{test:?}");
        assert!(league.finding(random, metric).unwrap().place > Some(1));
    }
    assert_eq!(league.n_samples, 24);
    // Columns without names have the same ones for all, so that chance is set beside a truth, too.
    assert!(league.finding(random, 2).unwrap().mean.is_some(), "{:?}", league.finding(random, 2));
    assert_close(league.agreement[[0, 0]], 1.0, 1e-12);
    assert!(league.agreement[[0, 1]] < 1.0);
}

#[test]
fn the_mean_rank_is_the_weighted_mean_of_its_parts() {
    let exact = Exact(AtomicU64::new(0));
    let mut contest = contest(&exact);
    contest.weighted(Sparseness, 3.0);
    let league = held(&contest, Vec::new(), &mut |_| Ok(())).unwrap();
    for (m, method) in league.methods.iter().enumerate().filter(|(_, method)| method.failure.is_none()) {
        let parts: Vec<(f64, f64)> =
            (0..3).filter_map(|k| Some((league.finding(m, k)?.rank?, league.metrics[k].weight))).collect();
        let mean = parts.iter().map(|(r, w)| r * w).sum::<f64>() / parts.iter().map(|(_, w)| w).sum::<f64>();
        assert_close(method.mean_rank.unwrap(), mean, 1e-12);
        assert_eq!(method.n_ranked, parts.len());
    }
}

#[test]
fn what_fails_says_why_and_stops_nobody() {
    let exact = Exact(AtomicU64::new(0));
    let league = held(&contest(&exact), Vec::new(), &mut |_| Ok(())).unwrap();
    let broken = &league.methods[2];
    assert!(broken.failure.as_ref().unwrap().contains("for the sake of the test"));
    assert_eq!(broken.mean_rank, None);
    assert!(league.finding(2, 0).unwrap().failure.is_some());
    // Equal shares predict nothing: the metric has no value for them, and says so.
    let equal = league.methods.iter().position(|m| m.name == "equal").unwrap();
    assert!(league.finding(equal, 0).unwrap().n_undefined > 0);
}

#[test]
fn an_interrupted_contest_goes_on_and_ends_the_same() {
    let exact = Exact(AtomicU64::new(0));
    let contest = contest(&exact);
    let whole = held(&contest, Vec::new(), &mut |_| Ok(())).unwrap();
    assert_eq!(exact.0.load(Ordering::Relaxed), 1);
    let untimed = |league: &League| {
        let mut json = serde_json::to_value(league).unwrap();
        for list in ["methods", "results"] {
            json[list].as_array_mut().unwrap().iter_mut().for_each(|entry| entry["seconds"] = 0.into());
        }
        json
    };
    for stop_after in 0..12 {
        // The lines of a file, as a program that was killed leaves them.
        let lines = RefCell::new(Vec::new());
        let mut record = |step: &Step| {
            if lines.borrow().len() == stop_after {
                return Err(Error::Cancelled { done: stop_after as u64, total: 12 });
            }
            lines.borrow_mut().push(serde_json::to_string(step).unwrap());
            Ok(())
        };
        assert!(matches!(held(&contest, Vec::new(), &mut record), Err(Error::Cancelled { .. })));
        let done = lines.borrow().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let asked = exact.0.load(Ordering::Relaxed);
        let resumed = held(&contest, done, &mut |_| Ok(())).unwrap();
        assert_eq!(untimed(&resumed), untimed(&whole));
        // Those that know nothing come first.
        assert_eq!(exact.0.load(Ordering::Relaxed) - asked, u64::from(stop_after <= 3));
    }
}

#[test]
fn without_time_nothing_is_begun_and_all_is_named() {
    let exact = Exact(AtomicU64::new(0));
    let mut contest = contest(&exact);
    contest.time = Some(Duration::ZERO);
    let league = held(&contest, Vec::new(), &mut |_| panic!("nothing is done")).unwrap();
    assert!(league.methods.iter().all(|m| m.failure.as_deref() == Some("left out: the time was up")));
    assert_eq!(exact.0.load(Ordering::Relaxed), 0);
}

/// Asks the model until somebody stops it.
struct Endless;

impl Explainer<Function> for Endless {
    type Explanation = Attribution;
    fn explain(&self, model: &Function, batch: &Table, run: &Run) -> Result<Attribution> {
        let meter = Meter::new(run, u64::MAX);
        loop {
            meter.predict(model, batch)?;
        }
    }
}

/// A step that takes too long ends within itself, is named, is not recorded, and leaves time for all others.
#[test]
fn the_time_ends_a_step_from_within() {
    let exact = Exact(AtomicU64::new(0));
    let mut contest = contest(&exact);
    contest.method("endless", Endless);
    contest.time = Some(Duration::from_secs(4));
    let (begun, mut recorded) = (Instant::now(), Vec::new());
    let mut record = |step: &Step| {
        recorded.push(step.clone());
        Ok(())
    };
    let league = held(&contest, Vec::new(), &mut record).unwrap();
    // An endless method would not come back at all; a minute is long for the rest on any machine.
    assert!(begun.elapsed() < Duration::from_secs(60));
    let endless = &league.methods[3];
    assert!(endless.failure.as_ref().unwrap().starts_with("cut off after"), "{endless:?}");
    assert!(endless.seconds > 0.0 && endless.mean_rank.is_none());
    assert!(league.finding(0, 0).unwrap().mean.is_some(), "{:?}", league.finding(0, 0));
    let of_endless = |step: &Step| matches!(step, Step::Explained { method, .. } | Step::Measured { method, .. } if method == "endless");
    assert!(!recorded.is_empty() && !recorded.iter().any(of_endless), "another run may have more time");
    // Whoever watches stops the whole contest, time or no time.
    struct Stop;
    impl Observer for Stop {
        fn progress(&self, _: u64, _: u64) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    let (model, batch, masker) = (Function::linear(&SLOPES), table(4, 6), zero());
    let run = Run { observer: &Stop, ..Run::default() };
    let found = contest.run(&Case::new(&model, &*batch).with_masker(&masker), &run);
    assert!(matches!(found, Err(Error::Cancelled { .. })));
}

/// The sum of all cells of an image.
struct Bright;

impl Model for Bright {
    type Batch = ArrayRef4<f32>;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
        Ok(Array2::from_shape_fn((batch.dim().0, 1), |(i, _)| f64::from(batch.index_axis(Axis(0), i).sum())))
    }
}

#[test]
fn shares_of_places_are_sums_over_channels() {
    let images = Array4::from_shape_fn((2, 3, 2, 2), |(i, c, y, x)| (i * 100 + c * 10 + y * 2 + x) as f32);
    let found = Places(InputSize).explain(&Bright, &images, &Run::default()).unwrap();
    assert_eq!(found.shape.as_deref(), Some(&[1, 2, 2][..]));
    let expected = Array3::from_shape_fn((2, 4, 1), |(i, place, _)| {
        (0..3).map(|c| (i * 100 + c * 10 + place) as f64).sum::<f64>()
    });
    assert_eq!(found.values, expected);
    assert_eq!(found.features.len(), 4);
    // What has one channel, or none, has places already.
    let grey = images.slice_axis(Axis(1), ndarray::Slice::from(0..1)).to_owned();
    let cells = InputSize.explain(&Bright, &grey, &Run::default()).unwrap();
    assert_eq!(by_place(cells.clone(), &[1, 2, 2]).unwrap(), cells);
    let map = Attribution { shape: Some(vec![2, 2]), ..found.clone() };
    let map = Attribution { features: xai_core::Feature::cells(&[2, 2]), ..map };
    let map = by_place(map, &[3, 2, 2]).unwrap();
    assert_eq!((map.shape.as_deref(), &map.features), (Some(&[1, 2, 2][..]), &found.features));
    // Methods that know nothing speak of places, too.
    let mut contest: Tournament<Bright> = Tournament::of_places();
    contest.method("mine", InputSize).metric(Sparseness);
    let league = contest.run(&Case::new(&Bright, &images), &Run::default()).unwrap();
    assert!(league.methods.iter().all(|method| method.failure.is_none()));
    assert!(league.agreement.iter().filter(|v| v.is_finite()).count() >= 4, "{}", league.agreement);
}

#[test]
fn noise_is_noise() {
    let (model, many) = (Function::linear(&SLOPES), Array2::zeros((1000, 6)));
    let found = RandomShares.explain(&model, &many, &Run::default()).unwrap().values;
    let n = found.len() as f64;
    let (mean, variance) = (found.sum() / n, found.mapv(|x| x * x).sum() / n);
    // Six standard errors of a mean and of a variance.
    assert!(mean.abs() < 6.0 / n.sqrt() && (variance - 1.0).abs() < 6.0 * (2.0 / n).sqrt());
    let other = RandomShares.explain(&model, &many, &Run { seed: 1, ..Run::default() }).unwrap().values;
    assert_ne!(found, other);
    // A batch that is cut gets the same numbers.
    let run = Run { first_sample: 400, ..Run::default() };
    let part = RandomShares.explain(&model, &Array2::zeros((3, 6)), &run).unwrap().values;
    assert_eq!(part, found.slice_axis(Axis(0), ndarray::Slice::from(400..403)));
}

#[test]
fn names_and_weights_are_checked() {
    let mut twice = Tournament::new();
    twice.method("mine", Broken).method("mine", Broken);
    assert!(matches!(held(&twice, Vec::new(), &mut |_| Ok(())), Err(Error::Parameter { .. })));
    let mut taken = Tournament::new();
    taken.method("random", Broken);
    assert!(matches!(held(&taken, Vec::new(), &mut |_| Ok(())), Err(Error::Parameter { .. })));
    let mut weight = Tournament::new();
    weight.weighted(Sparseness, f64::NAN);
    assert!(matches!(held(&weight, Vec::new(), &mut |_| Ok(())), Err(Error::Parameter { .. })));
}

#[test]
fn an_observer_stops_the_contest() {
    struct Stop;
    impl Observer for Stop {
        fn progress(&self, _: u64, _: u64) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    let exact = Exact(AtomicU64::new(0));
    let (model, batch, masker) = (Function::linear(&SLOPES), table(4, 6), zero());
    let run = Run { observer: &Stop, ..Run::default() };
    let found = contest(&exact).run(&Case::new(&model, &*batch).with_masker(&masker), &run);
    assert!(matches!(found, Err(Error::Cancelled { .. })));
}

#[test]
fn a_league_reads_back_as_it_was() {
    let exact = Exact(AtomicU64::new(0));
    let league = held(&contest(&exact), Vec::new(), &mut |_| Ok(())).unwrap();
    let json = serde_json::to_string(&Document::from(league.clone())).unwrap();
    assert!(json.starts_with(r#"{"schema":"xai/league/1""#));
    let Document::League(back) = serde_json::from_str(&json).unwrap() else { panic!("another kind") };
    // NaN is not equal to itself.
    assert_eq!(serde_json::to_string(&Document::from(back)).unwrap(), json);
    assert!(league.agreement.index_axis(Axis(0), 2).iter().all(|v| v.is_nan()));
    assert_eq!(Model::n_outputs(&Function::linear(&SLOPES)), 1);
}
