//! ONNX files of PyTorch and scikit-learn.

use serde_json::Value;
use xai_core::{Error, LayerKind, Layered, Model, Scale};
use xai_models::file::{AnyModel, FileKind, open};
use xai_models::network::AnyNetwork;
use xai_models::onnx::{read, read_any};

use super::{bytes, difference, folder, golden};
use crate::golden::cases;

fn network(name: &str) -> AnyNetwork {
    match open(&folder().join(name)) {
        Ok(AnyModel::Network(network)) => network,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn onnx_networks_score_as_their_makers() {
    let mut checked = 0;
    for case in cases("network-files") {
        let Some(file) = case.body["model"].as_str().filter(|file| file.ends_with(".onnx")) else { continue };
        let difference = difference(&network(file), &case, "outputs");
        assert!(difference <= case.tolerance("output"), "{}: {difference:e}", case.name);
        checked += 1;
    }
    assert!(checked >= 13, "{checked} cases");
}

fn kinds(name: &str) -> Vec<LayerKind> {
    let kinds = |layers: &[xai_core::Layer]| layers.iter().skip(1).map(|layer| layer.kind).collect();
    match network(name) {
        AnyNetwork::Table(loaded) => kinds(loaded.network.layers()),
        AnyNetwork::Series(loaded) => kinds(loaded.network.layers()),
        AnyNetwork::Images(loaded) => kinds(loaded.network.layers()),
        other => panic!("{other:?}"),
    }
}

/// What exporters write out is one layer again: rules of relevance go by kinds.
#[test]
fn formulas_become_layers() {
    use LayerKind::*;
    assert_eq!(kinds("torch_mlp.onnx"), [Linear, Gelu, Linear, Softmax]);
    assert_eq!(kinds("torch_gelu.onnx"), [Linear, Gelu, Linear, Gelu]);
    assert_eq!(kinds("torch_written_out.onnx")[..3], [Linear, Gelu, Linear]);
    assert_eq!(kinds("sklearn_binary.onnx")[..5], [Linear, Relu, Linear, Relu, Linear]);
    let cnn = kinds("torch_cnn.onnx");
    assert_eq!(cnn[..4], [Convolution, BatchNorm, Relu, MaxPool]);
    assert_eq!(kinds("torch_cnn_folded.onnx")[..3], [Convolution, Relu, MaxPool]);
    // A convolution without a bias, to which a number is added, has a bias.
    assert_eq!(kinds("torch_series.onnx")[..4], [Convolution, Elu, Convolution, LeakyRelu]);
    assert!(kinds("torch_residual.onnx").contains(&Rearrange));
}

#[test]
fn classes_name_the_outputs() {
    for case in cases("network-files").iter().filter(|case| case.name.contains("sklearn")) {
        let AnyNetwork::Table(loaded) = network(case.body["model"].as_str().unwrap()) else { panic!("a table") };
        assert_eq!(loaded.kind, FileKind::Onnx);
        let classes: Vec<&str> = case.body["classes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        let outputs = loaded.network.outputs();
        if classes.is_empty() {
            assert_eq!((outputs[0].name.as_str(), outputs[0].scale), ("y", Scale::Natural));
        } else {
            assert!(outputs.iter().map(|output| output.name.as_str()).eq(classes), "{}", case.name);
        }
    }
    let AnyNetwork::Table(three) = network("sklearn_three.onnx") else { panic!("a table") };
    assert!(three.network.outputs().iter().all(|output| output.scale == Scale::Probability));
    let fact = |name: &str| three.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((fact("file"), fact("input"), fact("outputs")), (Some("ONNX"), Some("4"), Some("3")));
    assert!(fact("made by").unwrap().starts_with("skl2onnx"));
}

#[test]
fn what_cannot_be_served_is_refused_with_its_name() {
    let cases = golden("refused");
    for (at, case) in cases.body["cases"].as_array().unwrap().iter().enumerate() {
        let hex = case["bytes"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let error = match read_any(&bytes, None) {
            Err(error) => error.to_string(),
            Ok(model) => panic!("{at}, {}: {model:?}", case["words"]),
        };
        for word in case["words"].as_array().unwrap().iter().filter_map(Value::as_str) {
            assert!(error.contains(word), "{at}, {word}: {error}");
        }
    }
}

#[test]
fn tensors_outside_need_the_folder() {
    let error = read_any(&bytes("torch_outside.onnx"), None).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let elsewhere = read_any(&bytes("torch_outside.onnx"), Some(std::env::temp_dir().as_path())).unwrap_err();
    assert!(matches!(elsewhere, Error::Io { .. }), "{elsewhere}");
    let moved = String::from_utf8_lossy(&bytes("torch_outside.onnx")).contains("torch_outside.onnx.data");
    assert!(moved);
    let mut away = bytes("torch_outside.onnx");
    let name = b"torch_outside.onnx.data";
    let at: Vec<usize> = (0..away.len() - name.len()).filter(|&at| away[at..].starts_with(name)).collect();
    for at in at {
        away[at..at + 6].copy_from_slice(b"../../");
    }
    let error = read_any(&away, Some(&folder())).unwrap_err().to_string();
    assert!(error.contains("does not lie in the model's folder"), "{error}");
}

#[test]
fn trees_stay_trees() {
    let trees = crate::golden::case("onnx", "gradient_boosting_binary");
    assert!(matches!(open(&trees.models()[0]), Ok(AnyModel::Trees(_))));
    let error = read(&bytes("sklearn_three.onnx")).unwrap_err().to_string();
    assert!(error.contains("without a tree ensemble"), "{error}");
}
