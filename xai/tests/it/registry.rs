//! Methods by name: all run, all write what their schema says, a user's own among them.

use ndarray::{Array2, array};
use xai::core::trees::{Comparison, Missing};
use xai::core::{
    Attribution, Document, Error, Explainer, Explanation, Feature, Link, Output, Provenance, Result, Run, Scale, Table,
};
use xai::global::Labels;
use xai::models::linear::Linear;
use xai::models::trees::{Split, TreeBuilder, TreeModel};
use xai::registry::{Form, Inputs, Need, Registry, Settings, Spec, Subject, TableModel};

fn trees() -> TreeModel {
    let mut builder = TreeBuilder::new(2, vec![0.1], Link::LOGISTIC, Comparison::SINGLE_LESS);
    for feature in 0..2 {
        builder.start_tree(Some(0));
        let split = Split { feature, left: 1, right: 2, default_left: true, missing: Missing::Nan };
        builder.number_split(split, 0.5, 10.0);
        builder.leaf(&[-1.0], 4.0);
        builder.leaf(&[1.0 + f64::from(feature)], 6.0);
    }
    let outputs = vec![Output::new("class 1", Scale::LogOdds)];
    TreeModel::new(builder.finish().unwrap(), Feature::unnamed(2), outputs).unwrap()
}

fn rows() -> Array2<f64> {
    Array2::from_shape_fn((12, 2), |(i, j)| ((i * 7 + j * 5) % 12) as f64 / 12.0)
}

#[test]
fn every_standard_method_runs_and_fits_its_schema() {
    let registry = Registry::standard();
    let (trees, rows, run) = (trees(), rows(), Run::default());
    let linear = Linear::new(array![[1.0], [2.0]], array![0.5]).unwrap();
    let labels = Labels::Classes { n: 2, indices: (0..12).map(|i| i % 2).collect() };
    let mut count = 0;
    // Those of networks have a test of their own.
    let of_tables = |spec: &Spec| spec.forms.contains(&Form::Table) && !spec.needs.contains(&Need::Network);
    for method in registry.methods().filter(|method| of_tables(method.spec())) {
        let spec = method.spec();
        let subject =
            if spec.needs.contains(&Need::Linear) { Subject::of_linear(&linear) } else { Subject::of_trees(&trees) };
        let inputs = Inputs {
            subject,
            batch: &rows,
            background: Some(&rows),
            background_weights: None,
            labels: Some(&labels),
            groups: None,
            run: &run,
        };
        let document =
            method.explain(&inputs, &Settings::default_of(spec)).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        if spec.name != "mean-absolute-attribution" {
            assert_eq!(document.provenance().method, spec.name);
        }
        let json = serde_json::to_value(&document).unwrap();
        let name = json["schema"].as_str().unwrap().split('/').nth(1).unwrap().to_owned();
        let validator = super::schema::schema(&name);
        assert!(validator.is_valid(&json), "{}: {json}", spec.name);
        if let Document::Attribution(a) = &document
            && spec.name != "lime"
        {
            let worst = a.completeness_residual().iter().fold(0.0f64, |most, x| most.max(x.abs()));
            // Sums of a dozen numbers near 1 in f64.
            assert!(worst < 1e-12, "{}: {worst}", spec.name);
        }
        if let Document::Interactions(i) = &document {
            assert_eq!((i.index, i.order), (xai::core::InteractionIndex::KSii, 2), "{}", spec.name);
            assert!(i.terms.len() >= 2, "{}", spec.name);
            let worst = i.completeness_residual().iter().fold(0.0f64, |most, x| most.max(x.abs()));
            assert!(worst < 1e-12, "{}: {worst}", spec.name);
        }
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

#[test]
fn what_a_method_needs_and_does_not_get_is_named() {
    let (rows, run) = (rows(), Run::default());
    let linear = Linear::new(array![[1.0], [2.0]], array![0.5]).unwrap();
    let opaque = Subject::opaque(&linear);
    let inputs = Inputs {
        subject: opaque,
        batch: &rows,
        background: None,
        background_weights: None,
        labels: None,
        groups: None,
        run: &run,
    };
    for method in Registry::standard().methods().filter(|method| !method.spec().needs.is_empty()) {
        let error = method.explain(&inputs, &Settings::default_of(method.spec())).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{}: {error}", method.spec().name);
    }
}

/// Gives the first feature everything.
struct FirstTakesAll;

impl Explainer<TableModel<'_>> for FirstTakesAll {
    type Explanation = Attribution;
    fn explain(&self, model: &TableModel, batch: &Table, run: &Run) -> Result<Attribution> {
        let scores = model.predict(batch)?;
        let mut values = ndarray::Array3::zeros((batch.nrows(), batch.ncols(), model.n_outputs()));
        values.index_axis_mut(ndarray::Axis(1), 0).assign(&scores);
        let base = Array2::zeros(scores.dim());
        Attribution::of_table(model, batch, values, base, scores, Provenance::new("first-takes-all", run))
    }
}

#[test]
fn a_users_explainer_is_called_by_its_name() {
    let mut registry = Registry::standard();
    registry.add_explainer("first-takes-all", "gives the first feature everything", FirstTakesAll);
    let (trees, rows, run) = (trees(), rows(), Run::default());
    let inputs = Inputs {
        subject: Subject::of_trees(&trees),
        batch: &rows,
        background: None,
        background_weights: None,
        labels: None,
        groups: None,
        run: &run,
    };
    let method = registry.get("first-takes-all").unwrap();
    let Document::Attribution(found) = method.explain(&inputs, &Settings::default()).unwrap() else { panic!() };
    assert_eq!(found.values.index_axis(ndarray::Axis(1), 0), found.scores);
}

#[test]
fn settings_are_checked_against_the_spec() {
    let registry = Registry::standard();
    let spec = registry.get("permutation-shap").unwrap().spec();
    let read = |pairs: &[&str]| Settings::from_pairs(spec, pairs);
    let settings = read(&["n_permutations=4", "antithetic=false"]).unwrap();
    assert_eq!((settings.count("n_permutations"), settings.flag("antithetic")), (Some(4), false));
    // A dash for an underscore is forgiven.
    assert_eq!(read(&["n-permutations=4"]).unwrap().count("n_permutations"), Some(4));
    let json = serde_json::json!({"n_permutations": 4, "antithetic": false});
    assert_eq!(Settings::from_json(spec, json.as_object().unwrap()).unwrap(), settings);
    for wrong in [&["n_permutations=0"][..], &["n_permutations=4.5"], &["antithetic=maybe"], &["n_permutations"]] {
        assert!(matches!(read(wrong), Err(Error::Parameter { .. })), "{wrong:?}");
    }
    assert!(matches!(read(&["n_permutations=2", "n_permutations=4"]), Err(Error::Parameter { .. })));
    let error = read(&["n_permutation=4"]).unwrap_err();
    assert!(matches!(&error, Error::Unknown { nearest: Some(n), .. } if n == "n_permutations"), "{error}");
}

#[test]
fn every_masker_is_called_by_its_name() {
    let registry = Registry::standard();
    let (trees, rows, run) = (trees(), rows(), Run::default());
    let subject = Subject::of_trees(&trees);
    let inputs = Inputs {
        subject,
        batch: &rows,
        background: Some(&rows),
        background_weights: None,
        labels: None,
        groups: None,
        run: &run,
    };
    let mut described = std::collections::BTreeSet::new();
    for method in ["kernel-shap", "exact-interactions"] {
        let method = registry.get(method).unwrap();
        for word in ["background", "gaussian", "copula", "neighbours", "tree"] {
            let settings = [format!("masker={word}"), "n_background=10".into()];
            let settings = Settings::from_pairs(method.spec(), settings).unwrap();
            let document = method.explain(&inputs, &settings).unwrap_or_else(|e| panic!("{word}: {e}"));
            described.insert(document.provenance().parameters["masker"].to_string());
            let residual = match &document {
                Document::Attribution(a) => a.completeness_residual(),
                Document::Interactions(i) => i.completeness_residual(),
                other => panic!("{other:?}"),
            };
            // Sums of a few numbers near 1 in f64.
            assert!(residual.iter().all(|r| r.abs() < 1e-12), "{word}");
        }
        let settings = Settings::from_pairs(method.spec(), ["masker=tree", "summary=kmeans"]).unwrap();
        assert!(matches!(method.explain(&inputs, &settings), Err(Error::Parameter { .. })));
    }
    assert_eq!(described.len(), 5, "{described:?}");
}

#[test]
fn a_rule_to_stop_and_parts_can_be_named() {
    let registry = Registry::standard();
    let (trees, rows, run) = (trees(), rows(), Run::default());
    let groups = xai::core::Groups { players: vec![Feature::numeric("both")], members: vec![vec![0, 1]] };
    let subject = Subject::of_trees(&trees);
    let inputs = Inputs {
        subject,
        batch: &rows,
        background: Some(&rows),
        background_weights: None,
        labels: None,
        groups: Some(&groups),
        run: &run,
    };
    let explain = |name: &str, pairs: &[&str]| {
        let method = registry.get(name).unwrap();
        method.explain(&inputs, &Settings::from_pairs(method.spec(), pairs).unwrap()).unwrap()
    };
    let document = explain("leverage-shap", &["relative_error=0.5", "n_coalitions=100"]);
    assert!(document.provenance().parameters.contains_key("relative_error"));
    // A group is one player of a game, but a part of the players for Owen values.
    let Document::Attribution(one) = document else { panic!() };
    let Document::Attribution(two) = explain("owen-shap", &[]) else { panic!() };
    assert_eq!((one.features.len(), two.features.len()), (1, 2));
}

#[test]
fn every_estimator_takes_a_rule_to_stop() {
    let registry = Registry::standard();
    let (trees, rows, run) = (trees(), rows(), Run::default());
    let (subject, groups) = (Subject::of_trees(&trees), None);
    let inputs = Inputs {
        subject,
        batch: &rows,
        background: Some(&rows),
        background_weights: None,
        labels: None,
        groups,
        run: &run,
    };
    let budgeted = |spec: &Spec| spec.parameters.iter().any(|p| p.name == "n_coalitions");
    let mut count = 0;
    for method in registry.methods().filter(|m| m.spec().scope == xai::registry::Scope::Local) {
        let spec = method.spec();
        // Estimators of regions of arrays take a budget only.
        if !spec.forms.contains(&Form::Table) || !budgeted(spec) && spec.name != "permutation-shap" {
            continue;
        }
        let settings = Settings::from_pairs(spec, ["relative_error=0.5", "top_k=1"]).unwrap();
        let document = method.explain(&inputs, &settings).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let provenance = document.provenance();
        assert!(provenance.parameters.contains_key("top_k"), "{}", spec.name);
        assert!(provenance.notes.iter().any(|note| note.contains("stopped at ")), "{}: {provenance:?}", spec.name);
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn orders_that_are_asked_for_end_a_run_that_may_stop() {
    let registry = Registry::standard();
    let model = xai::models::function::Function::by_row(|x: &[f64]| {
        // Rugged: no rule holds early.
        [x.iter().enumerate().map(|(i, v)| v * (i as f64 + 1.0)).sum::<f64>().sin()]
    });
    let background = Array2::zeros((1, 12));
    let (batch, run) = (Array2::ones((1, 12)), Run::default());
    let method = registry.get("permutation-shap").unwrap();
    let evaluations = |pairs: &[&str]| {
        let inputs = Inputs {
            subject: Subject::opaque(&model),
            batch: &batch,
            background: Some(&background),
            background_weights: None,
            labels: None,
            groups: None,
            run: &run,
        };
        let settings = Settings::from_pairs(method.spec(), pairs).unwrap();
        method.explain(&inputs, &settings).unwrap().provenance().evaluations
    };
    // An order of 12 players has 11 coalitions besides the ends.
    let most = 2 + 20 * 11;
    assert!(evaluations(&["relative_error=1e-9", "n_permutations=20"]) <= most);
    assert!(evaluations(&["relative_error=1e-9"]) > most);
}
