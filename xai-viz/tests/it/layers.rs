//! The map of a network's layers.

use xai_core::{Error, Inside, Layer, LayerFacts, LayerKind, Provenance, Run, Spread};
use xai_viz::{LayerMap, Mark};

use crate::checks::{apart, sound};

fn spread(n: u64) -> Spread {
    Spread { n, mean: 0.1, deviation: 1.0, min: -2.0, max: 3.0, histogram: (0..32).map(|i| i % 7).collect() }
}

fn layer(name: &str, kind: LayerKind, inputs: &[usize]) -> LayerFacts {
    LayerFacts {
        layer: Layer { name: name.into(), kind, inputs: inputs.to_vec(), shape: vec![16, 8, 8] },
        parameters: Vec::new(),
        activations: Some(spread(1000)),
        n_units: 16,
        n_dead: None,
        saturated: None,
    }
}

fn residual() -> Inside {
    let convolution = |name, inputs| LayerFacts {
        parameters: vec![("weight".into(), spread(2304)), ("bias".into(), spread(16))],
        ..layer(name, LayerKind::Convolution, inputs)
    };
    let relu = LayerFacts { n_dead: Some(3), ..layer("relu <1>", LayerKind::Relu, &[1]) };
    let softmax = LayerFacts { saturated: Some(0.75), ..layer("softmax", LayerKind::Softmax, &[4]) };
    let layers = vec![
        layer("input", LayerKind::Input, &[]),
        convolution("conv", &[0]),
        relu,
        convolution("conv 2", &[2]),
        layer("add", LayerKind::Add, &[3, 1]),
        softmax,
    ];
    Inside { provenance: Provenance::new("look-inside", &Run::default()), n_samples: 10, layers }
}

#[test]
fn every_layer_has_a_row_and_every_input_a_line() {
    let scene = LayerMap { title: Some("ResNet".into()), ..LayerMap::default() }.scene(&residual()).unwrap();
    sound(&scene);
    apart(&scene, "label");
    assert_eq!(scene.of_class("node").count(), 6);
    assert_eq!(scene.of_class("edge").count(), 6);
    let texts = scene.texts();
    for words in ["relu <1>", "16 × 8 × 8", "3 of 16 dead", "75 % saturated", "2\u{2009}320"] {
        assert!(texts.iter().any(|text| text == words), "{words} in {texts:?}");
    }
    assert!(texts.iter().any(|text| text.starts_with("4\u{2009}640 parameters")), "{texts:?}");
}

#[test]
fn bins_are_within_their_box() {
    let scene = LayerMap::default().scene(&residual()).unwrap();
    let height = |mark: &Mark| match mark.shape {
        xai_viz::Shape::Rect { height, .. } => height,
        _ => panic!("no box"),
    };
    let most = scene.of_class("back").map(height).fold(0.0, f64::max);
    assert!(scene.of_class("bin").all(|mark| height(mark) <= most + 1e-9));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let empty = Inside { layers: Vec::new(), ..residual() };
    assert!(matches!(LayerMap::default().scene(&empty), Err(Error::Parameter { .. })));
    let mut knot = residual();
    knot.layers[1].layer.inputs = vec![1];
    assert!(matches!(LayerMap::default().scene(&knot), Err(Error::Malformed { .. })));
    assert!(matches!(
        LayerMap { width: f64::NAN, ..LayerMap::default() }.scene(&residual()),
        Err(Error::Parameter { .. })
    ));
}
