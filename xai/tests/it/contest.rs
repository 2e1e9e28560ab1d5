//! Methods of the registry compete by metrics of the registry.

use ndarray::{Array1, Array2, Array4, ArrayD, ArrayRef4, array};
use xai::contest::{Arena, Contest, Entry, Fingerprint, METRICS, evenly, outputs_compared, select, with_outputs};
use xai::core::{Document, Error, Model, Output, Run, Table};
use xai::eval::Need;
use xai::metrics::{Family, Metrics};
use xai::models::function::Function;
use xai::models::network::{Convolution, Network, Op};
use xai::registry::{Registry, Subject};

use crate::schema::schema;

/// Slopes that differ, so that the order of the shares is plain.
const SLOPES: [f64; 5] = [3.0, -2.0, 1.0, 0.5, -0.25];

fn additive() -> impl Model<Batch = xai::core::Table> {
    Function::by_row(|x: &[f64]| [x.iter().zip(SLOPES).map(|(x, slope)| x * slope).sum::<f64>()])
}

fn rows(n: usize, from: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 5), |(i, j)| ((i + from) as f64 * 12.9898 + j as f64 * 78.233).sin() * 2.0)
}

fn entries(names: &[&str]) -> Vec<Entry> {
    names.iter().map(|name| Entry::new(*name)).collect()
}

/// On an additive model exact Shapley values are the truth: they beat chance on every metric of faithfulness that asks
/// for the masker, and a constant explainer (equal shares) predicts nothing.
#[test]
fn exact_shares_beat_chance_on_every_metric_of_faithfulness() {
    let known = Metrics::standard();
    let faithful: Vec<&str> = known
        .specs()
        .filter(|spec| spec.family == Family::Faithfulness && spec.needs.contains(&Need::Masker))
        .map(|spec| spec.name.as_str())
        .collect();
    assert!(faithful.len() >= 9, "{faithful:?}");
    let contest = Contest { methods: entries(&["exact-shap"]), metrics: entries(&faithful), ..Contest::default() };
    let (model, batch, background) = (additive(), rows(24, 0), Array2::zeros((1, 5)));
    let league = contest.run(Subject::opaque(&model), &batch, &background, &Run::default()).unwrap();
    let place = |name: &str| league.methods.iter().position(|m| m.name == name).unwrap();
    let (exact, random, equal) = (place("exact-shap"), place("random"), place("equal"));
    for (k, metric) in league.metrics.iter().enumerate() {
        // What a feature does to an additive model hangs on no order, so the score rises as often for any; and one
        // output decides nothing.
        if ["monotonicity", "kept-prediction"].contains(&metric.name.as_str()) {
            continue;
        }
        let mean = |m: usize| league.finding(m, k).unwrap().mean.unwrap();
        let better = if metric.higher_is_better { mean(exact) > mean(random) } else { mean(exact) < mean(random) };
        assert!(better, "{}: exact {}, random {}", metric.name, mean(exact), mean(random));
    }
    let by = |name: &str| league.metrics.iter().position(|m| m.name == name).unwrap();
    let correlation = by("faithfulness-correlation");
    assert!((league.finding(exact, correlation).unwrap().mean.unwrap() - 1.0).abs() < 1e-9);
    assert!(league.finding(exact, by("infidelity")).unwrap().mean.unwrap() < 1e-18);
    // Sums of equal shares of sets of one size are all the same: there is nothing to correlate.
    assert_eq!(league.finding(equal, correlation).unwrap().n_undefined, 24);
}

#[test]
fn a_league_of_the_registry_fits_its_schema() {
    let registry = Registry::standard();
    let model = additive();
    let subject = Subject::opaque(&model);
    let methods = Contest::fitting(&registry, &subject, 5);
    let names: Vec<&str> = methods.iter().map(|entry| entry.name.as_str()).collect();
    assert!(names.contains(&"exact-shap") && names.contains(&"lime") && !names.contains(&"tree-shap"), "{names:?}");
    assert!(!Contest::fitting(&registry, &subject, 30).iter().any(|entry| entry.name == "exact-shap"));
    let mut methods = entries(&["exact-shap", "kernel-shap", "tree-shap"]);
    methods[1].set.push("n_coalitions=20".into());
    let contest = Contest { methods, metrics: entries(&METRICS), ..Contest::default() };
    let run = Run { seed: 3, ..Run::default() };
    let league = contest.run(subject, &rows(6, 0), &rows(4, 50), &run).unwrap();
    assert_eq!(league.methods.len(), 6);
    assert!(league.methods[2].failure.as_ref().unwrap().contains("trees"), "{:?}", league.methods[2]);
    // Sparseness is shown, and counts nothing.
    assert_eq!(league.metrics.last().unwrap().weight, 0.0);
    let json = serde_json::to_value(Document::from(league.clone())).unwrap();
    if let Err(error) = schema("league").validate(&json) {
        panic!("{error} at {}", error.instance_path());
    }
    for part in ["methods", "metrics", "results", "agreement"] {
        let mut json = json.clone();
        json.as_object_mut().unwrap().remove(part);
        assert!(!schema("league").is_valid(&json), "without {part}");
    }
    let mut place = json.clone();
    place["results"][0]["place"] = 0.into();
    assert!(!schema("league").is_valid(&place));
}

#[test]
fn stability_measures_noise_in_the_spread_of_each_feature() {
    let contest = Contest {
        methods: entries(&["exact-shap"]),
        metrics: entries(&["max-sensitivity", "seed-spread"]),
        ..Contest::default()
    };
    let model = additive();
    let mut background = rows(8, 50);
    background.column_mut(0).fill(1.0);
    let run = Run::default();
    let small = contest.run(Subject::opaque(&model), &rows(4, 0), &background, &run).unwrap();
    // A background that is spread ten times as wide makes neighbours that lie ten times as far.
    let wide = contest.run(Subject::opaque(&model), &rows(4, 0), &(&background * 10.0), &run).unwrap();
    let mean = |league: &xai::core::League| league.finding(0, 0).unwrap().mean.unwrap();
    assert!(mean(&small) > 0.0 && mean(&wide) != mean(&small));
    assert_eq!(small.finding(0, 1).unwrap().mean, Some(0.0), "exact values do not hang on the seed");
}

/// Shares of a linear model beside a row of zeros are slope · cell: cell by cell they change as the sample does, whatever
/// the slopes; by norms only if all slopes are the same.
#[test]
fn relative_changes_are_of_cells_or_of_norms() {
    let same = Function::by_row(|x: &[f64]| [x.iter().sum::<f64>()]);
    let mean = |subject: Subject, relative: &str| {
        let mut metrics = entries(&["relative-input-stability"]);
        metrics[0].set.push(format!("relative={relative}"));
        let contest = Contest { methods: entries(&["exact-shap"]), metrics, ..Contest::default() };
        let league = contest.run(subject, &rows(4, 1), &Array2::zeros((1, 5)), &Run::default()).unwrap();
        league.finding(0, 0).unwrap().mean.unwrap()
    };
    let model = additive();
    for relative in ["cells", "norms"] {
        assert!((mean(Subject::opaque(&same), relative) - 1.0).abs() < 1e-9, "{relative}");
    }
    let cells = mean(Subject::opaque(&model), "cells");
    assert!((cells - 1.0).abs() < 1e-9, "{cells}");
    let norms = mean(Subject::opaque(&model), "norms");
    assert!((norms - 1.0).abs() > 1e-3, "{norms}");
}

#[test]
fn names_and_parameters_are_checked() {
    let model = additive();
    let run =
        |contest: Contest| contest.run(Subject::opaque(&model), &rows(3, 0), &rows(2, 9), &Run::default()).unwrap_err();
    let of = |method: &str, metric: &str| Contest {
        methods: entries(&[method]),
        metrics: entries(&[metric]),
        ..Contest::default()
    };
    assert!(matches!(run(of("exact-shp", "deletion")), Error::Unknown { .. }));
    assert!(matches!(run(of("exact-shap", "delition")), Error::Unknown { .. }));
    assert!(matches!(run(of("random", "deletion")), Error::Parameter { .. }));
    let mut wrong = of("exact-shap", "deletion");
    wrong.metrics[0].set.push("n_steps=0".into());
    assert!(matches!(run(wrong), Error::Parameter { .. }));
}

#[test]
fn a_fingerprint_names_what_differs() {
    let model = additive();
    let contest = Contest { methods: entries(&["lime"]), metrics: entries(&["deletion"]), ..Contest::default() };
    let (batch, background) = (rows(3, 0), rows(2, 9));
    let of = |contest: &Contest, seed| Fingerprint::new(contest, &model, &batch, &background, seed, None).unwrap();
    let begun = of(&contest, 0);
    assert!(begun.goes_on_as(&of(&contest, 0)).is_ok());
    let differs = |now: &Fingerprint| begun.goes_on_as(now).unwrap_err().to_string();
    assert!(differs(&of(&contest, 1)).contains("another seed"));
    let mut more = contest.clone();
    more.methods.push(Entry::new("kernel-shap"));
    assert!(begun.goes_on_as(&of(&more, 0)).is_ok(), "what is done of lime stands");
    more.methods[0].set.push("n_draws=7".into());
    assert!(differs(&of(&more, 0)).contains("parameters of a method"));
    let other = Function::by_row(|x: &[f64]| [x[0]]);
    let now = Fingerprint::new(&contest, &other, &batch, &background, 0, None).unwrap();
    assert!(differs(&now).contains("another model"));
    assert_ne!(
        xai::contest::digest(&[1, 2], array![1.0, 2.0].into_iter()),
        xai::contest::digest(&[2, 1], array![1.0, 2.0].into_iter())
    );
}

/// Two scores of images of 3 channels and 6 x 6 places: what a convolution finds on the left, and on the right.
fn sides() -> Network<ArrayRef4<f32>> {
    let kernel = ArrayD::from_shape_fn(vec![2, 3, 3, 3], |i| ((i[0] * 5 + i[1] * 7 + i[2] * 3 + i[3]) as f32).sin());
    let found = Op::Convolution(Convolution::new(kernel, Some(Array1::from_elem(2, 0.1))));
    let half = |k: usize, cell: usize| if (cell % 4 < 2) == (k == 0) { 1.0 } else { 0.0 };
    let weight = Array2::from_shape_fn((2, 32), |(k, cell)| half(k, cell));
    let layers =
        [("found", found), ("relu", Op::Relu), ("flat", Op::Flatten), ("sides", Op::Linear { weight, bias: None })];
    let outputs =
        ["left", "right"].map(|name| Output::unnamed(1).into_iter().map(|o| Output { name: name.into(), ..o }));
    Network::sequence(&[3, 6, 6], layers).unwrap().named(Vec::new(), outputs.into_iter().flatten().collect()).unwrap()
}

fn images(n: usize) -> Array4<f32> {
    Array4::from_shape_fn((n, 3, 6, 6), |(i, c, y, x)| (((i * 131 + c * 37 + y * 11 + x * 5) as f32).sin() + 1.0) / 2.0)
}

#[test]
fn images_are_compared_place_by_place() {
    let (network, batch) = (sides(), images(5));
    let arena = Arena { network: &network, batch: &*batch, background: None };
    let fitting = Contest::fitting_network(&Registry::standard(), &arena);
    let names: Vec<&str> = fitting.iter().map(|entry| entry.name.as_str()).collect();
    for fits in ["integrated-gradients", "grad-cam", "occlusion", "segment-shap", "edge-detector"] {
        assert!(names.contains(&fits), "{fits}: {names:?}");
    }
    for not in ["random", "layer-conductance", "expected-gradients", "kernel-shap", "tree-shap"] {
        assert!(!names.contains(&not), "{not}: {names:?}");
    }
    let metrics = [
        "faithfulness-correlation",
        "relevance-mass-accuracy",
        "feature-agreement",
        "max-sensitivity",
        "mprt",
        "efficient-mprt",
        "random-logit",
        "relative-representation-stability",
        "road",
    ];
    let truth = {
        use xai::core::Explainer;
        xai::local::gradient::IntegratedGradients::default().explain(&network, &*batch, &Run::default()).unwrap()
    };
    let contest = Contest {
        methods: entries(&["integrated-gradients", "grad-cam", "saliency"]),
        metrics: entries(&metrics),
        // The left score's evidence: what its two columns of windows see.
        masks: Some(Array2::from_shape_fn((5, 36), |(_, place)| place % 6 < 4)),
        truth: Some(truth),
        ..Contest::default()
    };
    let league = contest.run_network(&arena, &Run::default()).unwrap();
    for (m, method) in league.methods.iter().enumerate() {
        assert!(method.failure.is_none(), "{method:?}");
        for (k, metric) in metrics.iter().enumerate().filter(|_| !method.is_baseline) {
            let finding = league.finding(m, k).unwrap();
            assert!(finding.mean.is_some(), "{}, {metric}: {finding:?}", method.name);
        }
    }
    let mean = |m: usize, metric: &str| {
        league.finding(m, metrics.iter().position(|name| *name == metric).unwrap()).unwrap().mean.unwrap()
    };
    assert!((mean(0, "feature-agreement") - 1.0).abs() < 1e-12, "the truth agrees with itself");
    assert!(mean(0, "mprt") < 1.0);
    let random = league.methods.iter().position(|method| method.name == "random").unwrap();
    assert!(mean(0, "faithfulness-correlation") > 0.3 + mean(random, "faithfulness-correlation"));
    // What looks at the input alone is the same for every model and output.
    let size = league.methods.iter().position(|method| method.name == "input-size").unwrap();
    assert!((mean(size, "mprt") - 1.0).abs() < 1e-9 && (mean(size, "random-logit") - 1.0).abs() < 1e-9);
}

#[test]
fn networks_of_tables_are_asked_for_their_parameters() {
    let weight = array![[3.0, -2.0, 1.0], [0.5, 1.0, -1.0]];
    let second = array![[1.0, -1.0]];
    let linear = |weight: Array2<f32>| Op::Linear { weight, bias: None };
    let layers = [("first", linear(weight)), ("relu", Op::Relu), ("second", linear(second))];
    let network: Network<Table> = Network::sequence(&[3], layers).unwrap();
    let (batch, rows) = (rows(6, 0).select(ndarray::Axis(1), &[0, 1, 2]), Array2::zeros((1, 3)).into_dyn());
    let arena = Arena { network: &network, batch: &*batch, background: Some(&rows) };
    let contest = Contest {
        methods: entries(&["exact-shap", "integrated-gradients"]),
        metrics: entries(&["faithfulness-correlation", "mprt", "prediction-gap-important", "completeness-gap"]),
        ..Contest::default()
    };
    let league = contest.run_network(&arena, &Run::default()).unwrap();
    for m in 0..2 {
        assert!((0..4).all(|k| league.finding(m, k).unwrap().mean.is_some()), "{:?}", league.methods[m]);
    }
    // One background row has no spread: that of the samples makes the noise.
    assert!(league.finding(0, 2).unwrap().mean > Some(0.0));
    let json = serde_json::to_value(Document::from(league)).unwrap();
    assert!(schema("league").is_valid(&json));
    let without = Arena { background: None, ..arena };
    assert!(matches!(contest.run_network(&without, &Run::default()), Err(Error::Unsupported { .. })));
}

#[test]
fn what_does_not_fit_is_named() {
    let model = additive();
    let contest =
        |metric: &str| Contest { methods: entries(&["exact-shap"]), metrics: entries(&[metric]), ..Contest::default() };
    let on_table = |metric: &str| {
        let found = contest(metric).run(Subject::opaque(&model), &rows(3, 0), &rows(2, 9), &Run::default());
        found.map(|league| league.finding(0, 0).unwrap().failure.clone()).map_err(|error| error.to_string())
    };
    let error = on_table("mprt").unwrap_err();
    assert!(error.contains("mprt with this model") && error.contains("parameters of the model"), "{error}");
    assert!(on_table("road").is_err());
    let failure = on_table("pointing-game").unwrap().unwrap();
    assert!(failure.contains("masks"), "{failure}");
    let (network, batch) = (sides(), images(3));
    let series: Result<_, _> = Metrics::standard().make_for::<Table, &str>("road", [], &[]);
    assert!(series.err().unwrap().to_string().contains("images"));
    let arena = Arena { network: &network, batch: &*batch, background: None };
    let narrow = Contest { masks: Some(Array2::default((3, 5))), ..contest("pointing-game") };
    let narrow = Contest { methods: entries(&["saliency"]), ..narrow };
    let league = narrow.run_network(&arena, &Run::default()).unwrap();
    assert!(league.finding(0, 0).unwrap().failure.as_ref().unwrap().contains("masks of the evidence"));
}

#[test]
fn outputs_and_samples_are_picked() {
    let (network, batch) = (sides(), images(4));
    let scores = network.predict(&batch).unwrap();
    let right = with_outputs(&network, &[1]).unwrap();
    assert_eq!(right.predict(&batch).unwrap().column(0), scores.column(1));
    assert_eq!(right.outputs()[0].name, "right");
    let turned = with_outputs(&network, &[1, 0]).unwrap();
    assert_eq!(turned.predict(&batch).unwrap(), scores.select(ndarray::Axis(1), &[1, 0]));
    assert!(with_outputs(&network, &[2]).is_err() && with_outputs(&network, &[]).is_err());
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let of = |named: &[&str]| outputs_compared(network.outputs(), &scores, &names(named));
    assert_eq!(of(&["right"]).unwrap(), [1]);
    assert_eq!(of(&["1", "left"]).unwrap(), [1, 0]);
    assert_eq!(of(&[]).unwrap(), [0, 1]);
    assert!(of(&["rigth"]).unwrap_err().to_string().contains("right"));
    // Of many outputs, those that some sample scores highest.
    let many = Array2::from_shape_fn((3, 50), |(i, k)| f64::from(u8::from(k == 40 - 20 * (i % 2))));
    assert_eq!(outputs_compared(&Output::unnamed(50), &many, &[]).unwrap(), [20, 40]);
    assert_eq!(evenly(10, 4), [0, 2, 5, 7]);
    assert_eq!(select(&*batch, &[2]).unwrap(), batch.select(ndarray::Axis(0), &[2]));
    assert!(select(&*batch, &[4]).is_err());
}
