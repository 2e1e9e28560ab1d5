//! What is written fits the schemas that are published, and what does not fit is refused by them.

use ndarray::{Array2, Array3, array};
use serde_json::Value;
use xai::core::{
    Attribution, Curve, Distribution, Document, Effects, Feature, FeatureKind, Importance, InteractionIndex,
    Interactions, Output, Prediction, Provenance, Run, Scale,
};

pub fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{}/../docs/schema/{name}-1.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn documents() -> [(&'static str, Document); 5] {
    let provenance = Provenance::new("test", &Run::default()).with("list", vec![1i64, 2]).with("x", 0.5).note("n");
    let group = FeatureKind::Group { members: vec!["a".into(), "b".into()] };
    let features = vec![
        Feature { name: "g".into(), kind: group, group: None },
        Feature { name: "c=x".into(), kind: FeatureKind::Binary, group: Some("c".into()) },
        Feature::categorical("d", ["u", "v"]),
    ];
    let outputs = vec![Output::new("risk", Scale::LogOdds)];
    let values = Array3::zeros((1, 3, 1));
    let attribution = Attribution {
        provenance: provenance.clone(),
        features: features.clone(),
        outputs: outputs.clone(),
        base: array![[0.5]],
        scores: array![[0.5]],
        standard_error: Some(values.clone()),
        values,
        data: Some(array![[f64::NAN, f64::INFINITY, 1.0]]),
        fidelity: Some(array![[0.9]]),
        shape: None,
    };
    let pairs = Array3::zeros((1, 2, 1));
    let interactions = Interactions {
        provenance: provenance.clone(),
        index: InteractionIndex::KSii,
        order: 2,
        features: features.clone(),
        outputs: outputs.clone(),
        terms: vec![vec![0], vec![0, 2]],
        base: array![[0.5]],
        scores: array![[0.5]],
        standard_error: Some(pairs.clone()),
        values: pairs,
        data: Some(array![[f64::NAN, f64::INFINITY, 1.0]]),
    };
    let importance = Importance {
        provenance: provenance.clone(),
        features: features.clone(),
        outputs: outputs.clone(),
        values: Array2::zeros((3, 1)),
        spread: Some(Array2::zeros((3, 1))),
        repeats: Some(Array3::zeros((3, 1, 2))),
        base: Some(array![0.1]),
    };
    let curve = Curve {
        features: features[..2].to_vec(),
        grid: vec![vec![0.0, 1.0], vec![f64::NEG_INFINITY]],
        values: array![[1.0], [2.0]],
        standard_error: Some(array![[f64::NAN], [0.1]]),
        individual: Some(Array3::zeros((1, 2, 1))),
        distribution: vec![Distribution { edges: vec![0.0, 1.0], counts: vec![4], missing: 0 }],
    };
    let effects = Effects { provenance: provenance.clone(), outputs: outputs.clone(), curves: vec![curve] };
    let scores = array![[0.25]];
    let prediction = Prediction { provenance, outputs, predictions: scores.clone(), scores };
    [
        ("attribution", attribution.into()),
        ("interactions", interactions.into()),
        ("importance", importance.into()),
        ("effects", effects.into()),
        ("prediction", prediction.into()),
    ]
}

#[test]
fn every_kind_of_document_fits_its_schema() {
    for (name, document) in documents() {
        let json = serde_json::to_value(&document).unwrap();
        if let Err(error) = schema(name).validate(&json) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
    }
}

#[test]
fn a_document_that_lacks_a_part_or_has_a_text_for_a_number_is_refused() {
    for (name, document) in documents() {
        let whole = serde_json::to_value(&document).unwrap();
        let validator = schema(name);
        for part in ["schema", "provenance", "outputs"] {
            let mut json = whole.clone();
            json.as_object_mut().unwrap().remove(part);
            assert!(!validator.is_valid(&json), "{name} without {part}");
        }
        let mut json = whole.clone();
        json["schema"] = Value::from("xai/other/1");
        assert!(!validator.is_valid(&json), "{name}");
    }
    let mut json = serde_json::to_value(&documents()[0].1).unwrap();
    json["values"][0][0][0] = Value::Null;
    assert!(!schema("attribution").is_valid(&json), "a value may not be missing");
    let whole = serde_json::to_value(&documents()[1].1).unwrap();
    for (wrong, why) in [
        (serde_json::json!([[0], []]), "the empty set"),
        (serde_json::json!([[0], [0]]), "a set twice"),
        (serde_json::json!([[0], [2, 2]]), "a player twice"),
        (serde_json::json!([[0], ["a"]]), "a name"),
    ] {
        let mut json = whole.clone();
        json["terms"] = wrong;
        assert!(!schema("interactions").is_valid(&json), "{why}");
    }
}
