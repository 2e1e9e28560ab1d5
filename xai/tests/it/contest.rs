//! Methods of the registry compete by metrics of the registry.

use ndarray::{Array2, array};
use xai::contest::{Contest, Entry, Fingerprint, METRICS};
use xai::core::{Document, Error, Model, Run};
use xai::eval::Need;
use xai::metrics::{Family, Metrics};
use xai::models::function::Function;
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
