//! Rows of the background that count differently: as often as their weights say, or not at all.

use ndarray::{Array1, Array2, Axis, array};
use xai::core::trees::{Comparison, Missing};
use xai::core::{Document, Error, Explanation, Feature, Link, Output, Run, Scale};
use xai::global::Labels;
use xai::models::linear::Linear;
use xai::models::trees::{Split, TreeBuilder, TreeModel};
use xai::registry::{Form, Inputs, Need, Registry, Settings, Spec, Subject};

/// Sums of a few numbers near 1 in f64, in another order.
const ROUNDING: f64 = 1e-12;

/// Three features, all in one path.
fn trees() -> TreeModel {
    let mut builder = TreeBuilder::new(3, vec![0.1], Link::LOGISTIC, Comparison::SINGLE_LESS);
    builder.start_tree(Some(0));
    for (feature, cover) in [(0, 10.0), (1, 6.0), (2, 3.0)] {
        let (left, right) = (2 * feature + 1, 2 * feature + 2);
        let split = Split { feature, left, right, default_left: true, missing: Missing::Nan };
        builder.number_split(split, 0.5, cover);
        builder.leaf(&[feature as f64 - 2.0], cover / 2.0);
    }
    builder.leaf(&[3.0], 1.5);
    let outputs = vec![Output::new("class 1", Scale::LogOdds)];
    TreeModel::new(builder.finish().unwrap(), Feature::unnamed(3), outputs).unwrap()
}

fn numbers(document: &Document) -> (Vec<f64>, Vec<f64>) {
    let all = |base: &Array2<f64>, values: &ndarray::Array3<f64>| {
        (base.iter().copied().collect(), values.iter().copied().collect())
    };
    match document {
        Document::Attribution(a) => all(&a.base, &a.values),
        Document::Interactions(i) => all(&i.base, &i.values),
        other => panic!("{other:?}"),
    }
}

fn local(spec: &Spec) -> bool {
    spec.forms.contains(&Form::Table) && spec.needs.contains(&Need::Background) && !spec.needs.contains(&Need::Network)
}

#[test]
fn weights_count_as_rows_that_are_repeated_or_are_refused() {
    let registry = Registry::standard();
    let (trees, run) = (trees(), Run::default());
    let linear = Linear::new(array![[1.0], [2.0], [-1.0]], array![0.5]).unwrap();
    let few = array![[0.0, 0.9, 0.2], [1.0, 0.1, 0.7], [0.3, 0.4, 0.9]];
    let weights = [6.0, 0.0, 2.0];
    let repeated = few.select(Axis(0), &[0, 0, 0, 2]);
    let batch = array![[0.9, 0.8, 0.1], [0.7, 0.6, 0.8]];
    let labels = Labels::Classes { n: 2, indices: vec![0, 1] };
    let (mut weighed, mut refused) = (Vec::new(), Vec::new());
    for method in registry.methods().filter(|method| local(method.spec())) {
        let spec = method.spec();
        let subject =
            if spec.needs.contains(&Need::Linear) { Subject::of_linear(&linear) } else { Subject::of_trees(&trees) };
        let explain = |rows: &Array2<f64>, weights: Option<&[f64]>| {
            // Which rows vary together decides the parts of Owen values, where no groups do.
            let groups = xai::core::Groups {
                players: vec![Feature::numeric("two"), Feature::numeric("one")],
                members: vec![vec![0, 2], vec![1]],
            };
            let inputs = Inputs {
                subject,
                batch: &batch,
                background: Some(rows),
                background_weights: weights,
                labels: Some(&labels),
                groups: Some(&groups).filter(|_| spec.groups),
                run: &run,
            };
            method.explain(&inputs, &Settings::default_of(spec))
        };
        if !spec.weights {
            assert!(matches!(explain(&few, Some(&weights)), Err(Error::Unsupported { .. })), "{}", spec.name);
            refused.push(spec.name.as_str());
            continue;
        }
        let (base, values) = numbers(&explain(&few, Some(&weights)).unwrap());
        let (other_base, other) = numbers(&explain(&repeated, None).unwrap());
        for (a, b) in base.iter().chain(&values).zip(other_base.iter().chain(&other)) {
            assert!((a - b).abs() < ROUNDING, "{}: {a} {b}", spec.name);
        }
        assert!(values.iter().any(|value| value.abs() > 0.01), "{}", spec.name);
        assert!(explain(&few, Some(&weights[..2])).is_err(), "{}", spec.name);
        assert!(explain(&few, Some(&[0.0; 3])).is_err(), "{}", spec.name);
        assert!(explain(&few, Some(&[1.0, -1.0, 1.0])).is_err(), "{}", spec.name);
        weighed.push(spec.name.as_str());
    }
    for name in ["interventional-tree-shap", "interventional-tree-interactions", "linear-shap", "owen-shap"] {
        assert!(weighed.contains(&name), "{name} is not among {weighed:?}");
    }
    assert!(refused.contains(&"lime"), "{refused:?}");
}

#[test]
fn a_sample_of_rows_keeps_weights_and_what_ignores_them_is_refused() {
    let registry = Registry::standard();
    let (trees, run) = (trees(), Run::default());
    let rows = Array2::from_shape_fn((12, 3), |(i, j)| ((i * 7 + j * 5) % 12) as f64 / 12.0);
    let weights = Array1::from_iter((0..12).map(|i| if i < 6 { 1.0 } else { 0.0 })).to_vec();
    let method = registry.get("exact-shap").unwrap();
    let explain = |pairs: &[&str]| {
        let inputs = Inputs {
            subject: Subject::of_trees(&trees),
            batch: &rows,
            background: Some(&rows),
            background_weights: Some(&weights),
            labels: None,
            groups: None,
            run: &run,
        };
        method.explain(&inputs, &Settings::from_pairs(method.spec(), pairs).unwrap())
    };
    for masker in ["gaussian", "copula", "neighbours", "tree"] {
        let error = explain(&[&format!("masker={masker}")]).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { .. }), "{error}");
    }
    assert!(matches!(explain(&["summary=kmeans", "n_background=3"]), Err(Error::Parameter { .. })));
    let (all, _) = numbers(&explain(&[]).unwrap());
    let document = explain(&["n_background=11"]).unwrap();
    let (drawn, _) = numbers(&document);
    assert!(document.provenance().notes.iter().any(|note| note.contains("11 background rows")));
    // The base is a weighted mean of scores of rows that weigh something: of all six, or of five or six of them.
    let scores: Vec<f64> = xai::core::Model::predict(&trees, &rows).unwrap().iter().take(6).copied().collect();
    let mean = scores.iter().sum::<f64>() / 6.0;
    assert!((all[0] - mean).abs() < ROUNDING);
    let without = |row: usize| (6.0 * mean - scores[row]) / 5.0;
    assert!((0..6).map(without).chain([mean]).any(|base| (base - drawn[0]).abs() < ROUNDING));
}
