//! Looking into networks: what is counted is what is there.

use ndarray::{Array1, Array2, array};
use xai::core::{Document, Explainer, LayerKind, Run, Table};
use xai::global::LookInside;
use xai::models::network::{Network, Op};

/// Four units: always alive, alive for positive inputs, never, always; then tanh and a head.
fn network() -> Network<Table> {
    let first = Op::Linear { weight: array![[0.0], [1.0], [0.0], [-1.0]], bias: Some(array![1.0, 0.0, -1.0, 5.0]) };
    let wide = Op::Linear { weight: Array2::eye(4) * 10.0, bias: Some(Array1::zeros(4)) };
    let head = Op::Linear { weight: Array2::ones((1, 4)), bias: None };
    let layers = [("first", first), ("relu", Op::Relu), ("wide", wide), ("tanh", Op::Tanh), ("head", head)];
    Network::sequence(&[1], layers).unwrap()
}

#[test]
fn dead_units_and_saturation_are_found() {
    let found = LookInside::default().explain(&network(), &array![[0.5], [2.0], [-3.0]], &Run::default()).unwrap();
    let names: Vec<&str> = found.layers.iter().map(|facts| facts.layer.name.as_str()).collect();
    assert_eq!(names, ["input", "first", "relu", "wide", "tanh", "head"]);
    assert_eq!((found.layers[2].n_dead, found.layers[2].n_units), (Some(1), 4));
    assert_eq!(found.layers[1].n_dead, None);
    // Behind the ReLU: 1; 0.5, 2, 0; 0; 4.5, 3, 8. Times ten, all that are not 0 are at a bound of tanh.
    assert_eq!(found.layers[4].layer.kind, LayerKind::Tanh);
    assert!((found.layers[4].saturated.unwrap() - 8.0 / 12.0).abs() < 1e-12);
    assert_eq!(found.provenance.evaluations, 3);
}

#[test]
fn activations_are_counted_as_they_are() {
    let found = LookInside::default().explain(&network(), &array![[0.5], [2.0], [-3.0]], &Run::default()).unwrap();
    let relu = found.layers[2].activations.as_ref().unwrap();
    let by_hand = [1.0, 0.5, 0.0, 4.5, 1.0, 2.0, 0.0, 3.0, 1.0, 0.0, 0.0, 8.0];
    let mean = by_hand.iter().sum::<f64>() / 12.0;
    let deviation = (by_hand.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 12.0).sqrt();
    assert!((relu.mean - mean).abs() < 1e-12 && (relu.deviation - deviation).abs() < 1e-12);
    assert_eq!((relu.n, relu.min, relu.max), (12, 0.0, 8.0));
    assert_eq!(relu.histogram.iter().sum::<u64>(), 12);
    // 0 (four times), and nothing else below 0.25.
    assert_eq!(relu.histogram[0], 4);
    assert_eq!(found.layers[1].n_parameters(), 8);
    let (name, weight) = &found.layers[1].parameters[0];
    assert_eq!((name.as_str(), weight.min, weight.max, weight.n), ("weight", -1.0, 1.0, 4));
}

#[test]
fn batches_at_once_change_nothing() {
    let batch = Array2::from_shape_fn((11, 1), |(i, _)| (i as f64 * 0.7).sin() * 3.0);
    let look = |samples_at_once| LookInside { samples_at_once }.explain(&network(), &batch, &Run::default()).unwrap();
    let whole = look(256);
    assert_eq!(look(1), whole);
    assert_eq!(look(4), whole);
    assert!(LookInside { samples_at_once: 0 }.explain(&network(), &batch, &Run::default()).is_err());
}

#[test]
fn without_samples_only_parameters_are_told() {
    let found = LookInside::default().explain(&network(), &Array2::zeros((0, 1)), &Run::default()).unwrap();
    assert!(found.layers.iter().all(|facts| facts.activations.is_none() && facts.n_dead.is_none()));
    assert_eq!(found.layers.iter().map(|facts| facts.n_parameters()).sum::<u64>(), 8 + 16 + 4);
}

#[test]
fn inside_reads_back_as_it_was() {
    let found = LookInside::default().explain(&network(), &array![[0.5]], &Run::default()).unwrap();
    let json = serde_json::to_value(Document::from(found.clone())).unwrap();
    assert_eq!(json["schema"], "xai/inside/1");
    assert!(super::schema::schema("inside").is_valid(&json), "{json}");
    let Document::Inside(back) = serde_json::from_value(json).unwrap() else { panic!("another kind") };
    assert_eq!(back, found);
}
