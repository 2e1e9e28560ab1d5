//! The JSON form reads back bit for bit, and refuses what is not its own.

use ndarray::{Array2, Array3, array};
use proptest::prelude::*;
use xai_core::{
    Attribution, Curve, Distribution, Document, Effects, Error, Feature, Importance, InteractionIndex, Interactions,
    Output, Prediction, Provenance, Run, Scale,
};

fn provenance() -> Provenance {
    Provenance::new("test", &Run::default())
        .with("n", 3usize)
        .with("rate", 0.1)
        .with("names", vec!["a", "b"])
        .note("a note")
}

fn attribution(numbers: &[f64], cell: f64) -> Attribution {
    let values = Array3::from_shape_fn((2, 3, 1), |(i, j, _)| numbers[3 * i + j]);
    Attribution {
        provenance: provenance(),
        features: vec![Feature::numeric("a"), Feature::categorical("b", ["x", "y"]), Feature::numeric("ć\"<")],
        outputs: vec![Output::new("risk", Scale::LogOdds)],
        base: array![[numbers[6]], [numbers[7]]],
        scores: array![[1.0], [-0.0]],
        standard_error: Some(values.clone()),
        values,
        data: Some(array![[cell, 0.0, 1.0], [2.0, 1.0, f64::NAN]]),
        fidelity: None,
        shape: None,
    }
}

fn bits(attribution: &Attribution) -> Vec<u64> {
    let arrays = [&attribution.base, &attribution.scores, attribution.data.as_ref().unwrap()];
    let flat = arrays.into_iter().flatten().chain(&attribution.values);
    // Every NaN is the same missing cell.
    flat.map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
}

/// Three players, all sets of up to two but the last.
fn interactions(numbers: &[f64]) -> Interactions {
    let values = Array3::from_shape_fn((1, 5, 1), |(_, t, _)| numbers[t]);
    Interactions {
        provenance: provenance(),
        index: InteractionIndex::Stii,
        order: 2,
        features: Feature::unnamed(3),
        outputs: vec![Output::new("risk", Scale::LogOdds)],
        terms: vec![vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2]],
        base: array![[numbers[5]]],
        scores: array![[numbers[6]]],
        standard_error: Some(values.mapv(f64::abs)),
        values,
        data: Some(array![[1.0, numbers[7], 0.5]]),
    }
}

proptest! {
    #[test]
    fn interactions_read_back_bit_for_bit(
        numbers in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 8),
        index in prop::sample::select(InteractionIndex::ALL.to_vec()),
    ) {
        let before = Interactions { index, ..interactions(&numbers) }.checked().unwrap();
        let json = serde_json::to_string(&Document::from(before.clone())).unwrap();
        let said = format!("\"index\":\"{index}\"");
        prop_assert!(json.contains(&said));
        let Document::Interactions(after) = serde_json::from_str(&json).unwrap() else { panic!("another kind") };
        let bits = |i: &Interactions| {
            let arrays = [&i.base, &i.scores, i.data.as_ref().unwrap()];
            let errors = i.standard_error.as_ref().unwrap();
            arrays.into_iter().flatten().chain(&i.values).chain(errors).map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        prop_assert_eq!(bits(&before), bits(&after));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn json_reads_back_bit_for_bit(
        numbers in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 8),
        cell in prop::num::f64::ANY,
    ) {
        let before = attribution(&numbers, cell);
        let json = serde_json::to_string(&Document::from(before.clone())).unwrap();
        let Document::Attribution(after) = serde_json::from_str(&json).unwrap() else { panic!("another kind") };
        prop_assert_eq!(bits(&before), bits(&after));
        prop_assert_eq!(&before.provenance, &after.provenance);
        prop_assert_eq!(&before.features, &after.features);
        prop_assert_eq!(&before.outputs, &after.outputs);
    }
}

#[test]
fn every_kind_names_its_schema_and_reads_back() {
    let outputs = vec![Output::new("y", Scale::Natural)];
    let importance = Importance {
        provenance: provenance(),
        features: Feature::unnamed(2),
        outputs: outputs.clone(),
        values: array![[0.5], [0.25]],
        spread: None,
        repeats: Some(Array3::zeros((2, 1, 2))),
        base: Some(array![1.0]),
    };
    let curve = Curve {
        features: Feature::unnamed(1),
        grid: vec![vec![0.0, 1.5]],
        values: array![[1.0], [2.0]],
        standard_error: None,
        individual: None,
        distribution: vec![Distribution { edges: vec![0.0, 1.0], counts: vec![3], missing: 1 }],
    };
    let effects = Effects { provenance: provenance(), outputs: outputs.clone(), curves: vec![curve] };
    let scores = Array2::zeros((2, 1));
    let prediction = Prediction { provenance: provenance(), outputs, scores: scores.clone(), predictions: scores };
    let documents = [
        ("xai/attribution/1", Document::from(attribution(&[0.5; 8], 1.0))),
        ("xai/interactions/1", Document::from(interactions(&[0.5; 8]))),
        ("xai/importance/1", Document::from(importance)),
        ("xai/effects/1", Document::from(effects)),
        ("xai/prediction/1", Document::from(prediction)),
    ];
    for (schema, document) in documents {
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(json["schema"], schema);
        let mut again: Document = serde_json::from_value(json.clone()).unwrap();
        if let (Document::Attribution(a), Document::Attribution(b)) = (&document, &mut again) {
            assert_eq!(bits(a), bits(b));
            b.data.clone_from(&a.data);
            assert!(a.data.as_ref().unwrap()[[1, 2]].is_nan());
            continue;
        }
        assert_eq!(document, again, "{schema}");
    }
}

#[test]
fn ragged_lists_and_unknown_schemas_are_refused() {
    let mut json = serde_json::to_value(Document::from(attribution(&[0.5; 8], 1.0))).unwrap();
    json["scores"] = serde_json::json!([[1.0], []]);
    let error = serde_json::from_value::<Document>(json.clone()).unwrap_err();
    assert!(error.to_string().contains("unequal length"), "{error}");
    json["schema"] = "xai/attribution/2".into();
    assert!(serde_json::from_value::<Document>(json).is_err());
}

#[test]
fn interactions_that_contradict_themselves_are_refused() {
    type Break = fn(&mut Interactions);
    let broken: [(&str, Break); 5] = [
        ("twice", |i| i.terms[4] = vec![0, 1]),
        ("descending", |i| i.terms[4] = vec![2, 0]),
        ("empty", |i| i.terms[4] = vec![]),
        ("unknown player", |i| i.terms[4] = vec![0, 3]),
        ("the same player twice", |i| i.terms[4] = vec![1, 1]),
    ];
    for (what, break_it) in broken {
        let mut i = interactions(&[0.5; 8]);
        break_it(&mut i);
        let error = i.checked().unwrap_err();
        assert!(matches!(&error, Error::Malformed { at, .. } if at == "term 4"), "{what}: {error}");
    }
    let mut i = interactions(&[0.5; 8]);
    i.terms.pop();
    assert!(matches!(i.checked(), Err(Error::Shape { .. })));
    let mut i = interactions(&[0.5; 8]);
    i.values[[0, 3, 0]] = f64::NAN;
    assert!(matches!(i.checked(), Err(Error::NonFinite { sample: 0, column: 3, .. })));
}

#[test]
fn a_matrix_holds_half_of_each_pair_on_either_side() {
    let i = interactions(&[1.0, 2.0, 3.0, 4.0, 5.0, 0.5, 15.5, 0.0]);
    assert_eq!(i.matrix(0, 0), array![[1.0, 2.0, 2.5], [2.0, 2.0, 0.0], [2.5, 0.0, 3.0]]);
    assert_eq!(i.completeness_residual(), array![[0.0]]);
    assert_eq!((i.place(&[0, 2]), i.place(&[1, 2])), (Some(4), None));
}
