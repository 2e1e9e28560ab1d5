//! Methods of networks by name: all run on tables, series and images, and write what their schema says.

use std::collections::BTreeSet;

use ndarray::{Array, Array1, Array4, ArrayD, ArrayRef3, ArrayRef4, Dimension, ShapeBuilder};
use xai::core::{Cells, Document, Error, Explanation, Result, Run, Table};
use xai::models::network::{Convolution, Network, Op};
use xai::registry::{ArrayInputs, Arrays, Form, Inputs, Method, Need, Registry, Settings, Subject};

/// Weights that look random and are the same everywhere.
fn weights<D: Dimension>(shape: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut i = 0u32;
    Array::from_shape_simple_fn(shape, || {
        i += 1;
        (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 32_768.0 - 1.0
    })
}

fn linear(outputs: usize, inputs: usize) -> Op {
    Op::Linear { weight: weights((outputs, inputs)), bias: Some(Array1::from_elem(outputs, 0.1)) }
}

/// A convolution, a curve, and a linear head over all that is left.
fn convolved<B: Cells + ?Sized>(shape: &[usize]) -> Network<B> {
    let spatial = shape.len() - 1;
    let mut kernel = vec![4, shape[0]];
    kernel.extend(vec![3; spatial]);
    let convolution = Convolution { padding: vec![[1, 1]; spatial], ..Convolution::new(weights(kernel), None) };
    let places: usize = shape[1..].iter().product();
    let nodes = [
        ("conv", Op::Convolution(convolution)),
        ("relu", Op::Relu),
        ("flat", Op::Flatten),
        ("scores", linear(2, 4 * places)),
    ];
    Network::sequence(shape, nodes).unwrap()
}

/// What a method needs to be set, and enough for it to be quick.
fn settings(method: &dyn Method, layer: &str, neuron: &str) -> Settings {
    let spec = method.spec();
    let wanted = [
        ("layer", layer),
        ("neuron", neuron),
        ("n_masks", "20"),
        ("n_draws", "40"),
        ("n_coalitions", "20"),
        ("segments", "patches"),
        ("patch", "4"),
    ];
    let known = |name: &str| spec.parameters.iter().any(|parameter| parameter.name == name);
    let pairs = wanted.iter().filter(|(name, _)| known(name)).map(|(name, value)| format!("{name}={value}"));
    Settings::from_pairs(spec, pairs).unwrap()
}

fn checked(method: &dyn Method, document: Result<Document>) {
    let name = &method.spec().name;
    let document = document.unwrap_or_else(|error| panic!("{name}: {error}"));
    let json = serde_json::to_value(&document).unwrap();
    let schema = json["schema"].as_str().unwrap().split('/').nth(1).unwrap().to_owned();
    assert!(super::schema::schema(&schema).is_valid(&json), "{name}");
    let Document::Attribution(a) = &document else { panic!("{name}: no attribution") };
    assert!(a.values.iter().any(|v| *v != 0.0), "{name}: nothing but zeros");
    assert!(name != "guided-grad-cam" || a.provenance.method == *name, "{}", a.provenance.method);
    let promised = ["integrated-gradients", "deep-lift", "deep-shap", "segment-shap"];
    if promised.contains(&name.as_str()) {
        // One in a hundred is the tolerance of integrated gradients; the others are exact up to f32.
        let difference = &a.scores - &a.base;
        let residual = a.completeness_residual();
        let worst = residual.iter().zip(&difference).map(|(r, d)| r.abs() / (d.abs() + 1.0));
        assert!(worst.fold(0.0, f64::max) < 0.01, "{name} is not complete");
    }
}

#[test]
fn every_method_of_networks_runs_on_every_form_that_it_names() {
    let registry = Registry::standard();
    let run = Run { seed: 3, ..Run::default() };
    let table: Network<Table> =
        Network::sequence(&[5], [("hidden", linear(6, 5)), ("relu", Op::Relu), ("scores", linear(2, 6))]).unwrap();
    let series: Network<ArrayRef3<f32>> = convolved(&[2, 12]);
    let images: Network<ArrayRef4<f32>> = convolved(&[3, 8, 8]);
    let rows = weights((2, 5)).mapv(f64::from);
    let (steps, pixels) = (weights((2, 2, 12)), weights((2, 3, 8, 8)));
    let mut seen = BTreeSet::new();
    for method in registry.methods() {
        let spec = method.spec();
        let arrays = spec.forms.iter().any(|form| *form != Form::Table);
        if !arrays && !spec.needs.contains(&Need::Network) {
            continue;
        }
        seen.insert(spec.name.clone());
        if spec.forms.contains(&Form::Table) {
            let inputs = Inputs {
                subject: Subject::of_network(&table),
                batch: &rows,
                background: Some(&rows),
                background_weights: None,
                labels: None,
                groups: None,
                run: &run,
            };
            checked(method, method.explain(&inputs, &settings(method, "hidden", "1")));
        }
        let background = |shape: &[usize]| -> ArrayD<f64> { weights(shape).mapv(f64::from) };
        for (arrays, background) in [
            (Arrays::Series(&series, &steps), background(&[3, 2, 12])),
            (Arrays::Images(&images, &pixels), background(&[3, 3, 8, 8])),
        ] {
            let inputs = ArrayInputs { arrays, background: Some(&background), run: &run };
            let neuron = if arrays.form() == Form::Series { "1,2" } else { "3,2,3" };
            let found = method.explain_arrays(&inputs, &settings(method, "conv", neuron));
            if spec.forms.contains(&arrays.form()) {
                checked(method, found);
            } else {
                assert!(matches!(found, Err(Error::Unsupported { .. })), "{}", spec.name);
            }
        }
    }
    assert!(seen.len() >= 27, "{seen:?}");
}

#[test]
fn methods_of_tables_refuse_images_by_name() {
    let images: Network<ArrayRef4<f32>> = convolved(&[3, 8, 8]);
    let pixels: Array4<f32> = weights((1, 3, 8, 8));
    let run = Run::default();
    let inputs = ArrayInputs { arrays: Arrays::Images(&images, &pixels), background: None, run: &run };
    let registry = Registry::standard();
    for name in ["tree-shap", "kernel-shap", "partial-dependence"] {
        let method = registry.get(name).unwrap();
        let error = method.explain_arrays(&inputs, &Settings::default_of(method.spec())).unwrap_err();
        assert!(error.to_string().contains("images"), "{error}");
    }
}

#[test]
fn what_is_not_set_or_not_there_is_named() {
    let images: Network<ArrayRef4<f32>> = convolved(&[3, 8, 8]);
    let pixels: Array4<f32> = weights((1, 3, 8, 8));
    let run = Run::default();
    let inputs = ArrayInputs { arrays: Arrays::Images(&images, &pixels), background: None, run: &run };
    let registry = Registry::standard();
    let ask = |name: &str, pairs: &[&str]| {
        let method = registry.get(name).unwrap();
        let settings = Settings::from_pairs(method.spec(), pairs).unwrap();
        method.explain_arrays(&inputs, &settings).unwrap_err().to_string()
    };
    assert!(ask("layer-activation", &[]).contains("layer"));
    assert!(ask("grad-cam", &["layer=nowhere"]).contains("\"conv\""));
    assert!(ask("integrated-gradients", &["baseline=mean"]).contains("background"));
    assert!(ask("expected-gradients", &[]).contains("background"));
}

/// Values of one method by name are those of the explainer itself.
#[test]
fn settings_reach_the_method() {
    use xai::core::Explainer;
    use xai::local::perturbation::Occlusion;
    let images: Network<ArrayRef4<f32>> = convolved(&[3, 8, 8]);
    let pixels: Array4<f32> = weights((1, 3, 8, 8));
    let run = Run::default();
    let inputs = ArrayInputs { arrays: Arrays::Images(&images, &pixels), background: None, run: &run };
    let registry = Registry::standard();
    let method = registry.get("occlusion").unwrap();
    let settings = Settings::from_pairs(method.spec(), ["window=3", "stride=2", "fill=0.5"]).unwrap();
    let Document::Attribution(by_name) = method.explain_arrays(&inputs, &settings).unwrap() else { panic!() };
    let by_hand = Occlusion { window: vec![3, 3, 3], strides: vec![3, 2, 2], fill: 0.5 };
    assert_eq!(by_name.values, by_hand.explain(&images, &*pixels, &run).unwrap().values);
}

#[test]
fn every_estimator_of_regions_is_called_by_its_name() {
    let images: Network<ArrayRef4<f32>> = convolved(&[3, 8, 8]);
    let pixels: Array4<f32> = weights((1, 3, 8, 8));
    let run = Run::default();
    let registry = Registry::standard();
    let method = registry.get("segment-shap").unwrap();
    for estimator in ["auto", "kernel", "leverage", "permutation", "owen"] {
        for rule in [None, Some("relative_error=0.5"), Some("top_k=1")] {
            let pairs = [format!("estimator={estimator}"), "segments=patches".into(), "patch=4".into()];
            let pairs = pairs.into_iter().chain(rule.map(str::to_owned));
            let settings = Settings::from_pairs(method.spec(), pairs).unwrap();
            let inputs = ArrayInputs { arrays: Arrays::Images(&images, &pixels), background: None, run: &run };
            let found = method.explain_arrays(&inputs, &settings).unwrap();
            let notes = &found.provenance().notes;
            let stopped = notes.iter().any(|note| note.contains("stopped at "));
            assert_eq!(stopped, rule.is_some(), "{estimator}: {notes:?}");
            checked(method, Ok(found));
        }
    }
}
