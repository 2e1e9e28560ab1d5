//! Networks described in JSON.

use std::path::PathBuf;

use ndarray::array;
use serde_json::{Value, json};
use xai_core::{Error, Model, Result, Scale};
use xai_models::file::{AnyModel, FileKind, OpenOptions, load, open, open_with};
use xai_models::network::{AnyNetwork, description};

use super::{bytes, difference, folder, golden};

fn text() -> Value {
    serde_json::from_slice(&bytes("described.net.json")).unwrap()
}

fn read(text: &Value) -> Result<AnyNetwork> {
    description::read_bytes(&serde_json::to_vec(text).unwrap(), Some(&folder()), None)
}

#[test]
fn described_networks_score_as_pytorch() {
    let case = golden("described");
    let path = folder().join("described.net.json");
    let files = [
        ("described.pt", "outputs"),
        ("described_protocol4.pt", "outputs"),
        ("described_double.pt", "outputs"),
        ("described_legacy.th", "outputs"),
        ("described_checkpoint.pth", "outputs"),
        ("described.safetensors", "outputs"),
        ("described_half.pt", "half"),
        ("described_half.safetensors", "half"),
        ("described_bfloat.pt", "bfloat"),
        ("described_bfloat.safetensors", "bfloat"),
    ];
    for (file, key) in files {
        let options = OpenOptions { weights: Some(folder().join(file)), ..OpenOptions::default() };
        let Ok(AnyModel::Network(network)) = open_with(&path, &options) else { panic!("{file}") };
        let difference = difference(&network, &case, key);
        assert!(difference <= case.tolerance("output"), "{file}: {difference:e}");
    }
    let Ok(AnyModel::Network(AnyNetwork::Images(loaded))) = open(&path) else { panic!("images") };
    assert_eq!(loaded.kind, FileKind::NetworkJson);
    assert_eq!(loaded.preparation.std, [0.2, 0.25, 0.3]);
    assert!(loaded.network.outputs().iter().map(|output| output.name.as_str()).eq(["a", "b", "c", "d", "e"]));
    let fact = |name: &str| loaded.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((fact("name"), fact("input")), (Some("a residual network"), Some("3 × 8 × 8")));
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("file::open"), "{error}");
}

/// The error of the description after a change.
fn error_of(change: impl FnOnce(&mut Value)) -> String {
    let mut text = text();
    change(&mut text);
    read(&text).unwrap_err().to_string()
}

fn says(error: &str, words: &[&str]) {
    assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
}

#[test]
fn errors_name_layer_tensor_and_shapes() {
    says(
        &error_of(|t| t["layers"][0]["strid"] = json!(2)),
        &["layer \"stem\"", "\"strid\"", "did you mean \"stride\""],
    );
    says(&error_of(|t| t["layer"] = json!([])), &["the top", "\"layer\"", "\"layers\""]);
    says(&error_of(|t| t["input"]["shap"] = json!(1)), &["input", "\"shap\"", "\"shape\""]);
    says(&error_of(|t| t["weights"]["ignored"] = json!([])), &["weights", "did you mean \"ignore\""]);
    says(&error_of(|t| t["layers"][0]["kind"] = json!("convolutional")), &["stem", "did you mean \"convolution\""]);
    says(
        &error_of(|t| t["layers"][0]["name"] = json!("stern")),
        &["layer stern", "\"stern.weight\"", "\"stem.weight\""],
    );
    says(&error_of(|t| t["layers"][0]["groups"] = json!(2)), &["layer stem", "groups"]);
    says(&error_of(|t| t["input"]["shape"] = json!([2, 8, 8])), &["mean of the input", "[2]", "[3]"]);
    let narrow = |t: &mut Value| {
        t["input"] = json!({"shape": [2, 8, 8]});
    };
    says(&error_of(narrow), &["layer stem", "\"stem.weight\"", "[4, 2, 3, 3]", "[4, 3, 3, 3]"]);
    says(&error_of(|t| drop(t["layers"][6].take())), &["layers, 6"]);
    says(
        &error_of(|t| t["layers"].as_array_mut().unwrap().truncate(8)),
        &["no layer uses", "fc.bias, fc.weight", "\"ignore\""],
    );
    says(
        &error_of(|t| t["layers"][1]["inputs"] = json!(["stern"])),
        &["layer 1", "\"stern\"", "did you mean \"stem\""],
    );
    says(&error_of(|t| t["layers"][1]["name"] = json!("stem")), &["stem", "no other layer has"]);
    says(&error_of(|t| t["layers"][0]["bias"] = json!("fc.weight")), &["\"stem.bias\"", "[4]", "[5, 8]"]);
    says(&error_of(|t| t["layers"][0]["bias"] = json!([1, [2]])), &["layer \"stem\", bias"]);
    says(&error_of(|t| t["layers"][0]["stride"] = json!([1, 2, 3])), &["stride", "a list of 3", "list of 2"]);
    says(&error_of(|t| t["schema"] = json!("xai/network/2")), &["xai/network/2", "xai/network/1"]);
    says(&error_of(|t| drop(t.as_object_mut().unwrap().remove("schema"))), &["\"schema\" is missing"]);
    says(&error_of(|t| t["outputs"] = json!(["a"])), &["names of outputs", "[5]", "[1]"]);
    says(&error_of(|t| t["weights"]["rename"] = json!({"stem.w": "stem.b", "stem.weight": "stem.bias"})), &["rename"]);
    says(&error_of(|t| t["weights"]["file"] = json!("absent.pt")), &["absent.pt"]);
    says(&error_of(|t| t["input"] = json!({"shape": [3, 8, 8, 8]})), &["stem"]);
    says(&error_of(|t| t["input"]["shape"] = json!([3, 1_000_000, 1_000_000])), &["layer stem", "more than the limit"]);
    says(&error_of(|t| t["layers"] = json!([])), &["tensors that no layer uses"]);
    let no_folder = description::read_bytes(&bytes("described.net.json"), None, None).unwrap_err().to_string();
    says(&no_folder, &["weights", "described.pt"]);
}

#[test]
fn tensors_may_be_renamed_ignored_and_named() {
    let mut text = text();
    text["weights"] =
        json!({"file": "described.pt", "rename": {"fc.": "head.", "fc.w": "out.w"}, "ignore": ["norm.*", "head.bias"]});
    let layers = text["layers"].as_array_mut().unwrap();
    layers.truncate(7);
    layers.push(json!({"name": "last", "kind": "linear", "weight": "out.weight", "bias": false}));
    let network = read(&text).unwrap();
    let rows = super::scores(&network, &vec![0.5; 3 * 64]).unwrap();
    text["layers"][7]["bias"] = json!("head.bias");
    text["weights"]["ignore"] = json!(["norm.*"]);
    let shifted = super::scores(&read(&text).unwrap(), &vec![0.5; 3 * 64]).unwrap();
    let bias = &xai_models::weights::Weights::of_bytes(&bytes("described.pt"), None).unwrap().tensors["fc.bias"];
    for ((before, after), bias) in rows.iter().zip(&shifted).zip(bias) {
        assert!((after - before - f64::from(*bias)).abs() < 1e-5, "{before} + {bias} is {after}");
    }
}

#[test]
fn tables_are_normalised_by_a_layer() {
    let mut text = json!({
        "schema": "xai/network/1",
        "input": {"shape": [2], "names": ["age", "income"]},
        "outputs": ["yes"],
        "layers": [
            {"kind": "normalize", "mean": [40, 1000], "std": [10, 500]},
            {"name": "score", "kind": "linear", "weight": [[2, 4]], "bias": [0.5]},
            {"kind": "sigmoid"}
        ]
    });
    let loaded = read(&text).unwrap().table().unwrap();
    assert_eq!(loaded.network.features()[1].name, "income");
    assert_eq!(
        (loaded.network.outputs()[0].name.as_str(), loaded.network.outputs()[0].scale),
        ("yes", Scale::Probability)
    );
    let score = loaded.network.predict(&array![[50.0, 1250.0]]).unwrap()[[0, 0]];
    // 2·1 + 4·0.5 + 0.5 = 4.5, in f32.
    assert!((score - 1.0 / (1.0 + (-4.5_f64).exp())).abs() < 1e-6, "{score}");
    assert!(matches!(read(&text).unwrap().images(), Err(Error::Unsupported { .. })));
    text["input"]["mean"] = json!([0, 0]);
    says(&read(&text).unwrap_err().to_string(), &["normalize"]);
    text["input"]["mean"] = Value::Null;
    text["layers"][0]["std"] = json!([10, 0]);
    says(&read(&text).unwrap_err().to_string(), &["std", "positive"]);
}

/// Blocks in blocks, layers that read several by name, and an end that is no new layer.
#[test]
fn layers_read_others_by_name() {
    let mut text = json!({
        "schema": "xai/network/1", "input": {"shape": [2]},
        "layers": [
            {"name": "a", "kind": "sequence", "layers": [
                {"name": "double", "kind": "linear", "weight": [[2, 0], [0, 2]]},
                {"name": "square", "kind": "multiply", "inputs": ["double", "double"]},
                {"name": "again", "kind": "residual", "layers": [{"kind": "relu"}, {"kind": "tanh", "inputs": ["a.again.0"]}]}
            ]},
            {"name": "both", "kind": "concatenate", "inputs": ["a", "a.double", "input"]},
            {"name": "tail", "kind": "slice", "start": 2}
        ]
    });
    let network = read(&text).unwrap().table().unwrap().network;
    assert_eq!(network.predict(&array![[1.0, -3.0]]).unwrap(), array![[2.0, -6.0, 1.0, -3.0]]);
    text["layers"][2]["start"] = json!(0);
    text["layers"][2]["end"] = json!(2);
    let network = read(&text).unwrap().table().unwrap().network;
    let (four, thirty_six) = (4.0 + 4.0_f64.tanh(), 36.0 + 36.0_f64.tanh());
    let found = network.predict(&array![[1.0, -3.0]]).unwrap();
    assert!((found[[0, 0]] - four).abs() < 1e-5 && (found[[0, 1]] - thirty_six).abs() < 1e-5, "{found}");
    text["layers"][1]["inputs"] = json!(["a", "tail"]);
    says(&read(&text).unwrap_err().to_string(), &["both", "\"tail\"", "earlier"]);
}

#[test]
fn the_published_schema_knows_every_kind() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/network-1.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let listed: Vec<&str> = schema["$defs"]["layer"]["properties"]["kind"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let wrong = json!({"schema": "xai/network/1", "input": {"shape": [2]}, "layers": [{"kind": "none"}]});
    let Error::InLayer { source, .. } = read(&wrong).unwrap_err() else { panic!("in a layer") };
    let Error::Unknown { known, .. } = *source else { panic!("unknown") };
    assert_eq!(known, listed);
}
