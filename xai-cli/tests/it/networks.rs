//! Networks from their files to numbers and pictures.

use std::path::PathBuf;

use super::{json, xai};

/// A folder with descriptions of networks and samples for them.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Scores an image of 4 by 4 pixels by the sum of its red and of its green cells.
    fn images(&self) -> String {
        let row = |channel: usize| {
            let weights = (0..48).map(|i| if i / 16 == channel { "1" } else { "0" });
            format!("[{}]", weights.collect::<Vec<_>>().join(","))
        };
        self.write(
            "images.json",
            format!(
                r#"{{"schema": "xai/network/1", "input": {{"shape": [3, 4, 4]}}, "outputs": ["red", "green"], "layers": [
                {{"name": "relu", "kind": "relu"}}, {{"name": "flat", "kind": "flatten"}},
                {{"name": "scores", "kind": "linear", "weight": [{}, {}]}}]}}"#,
                row(0),
                row(1)
            ),
        )
    }

    /// A bitmap of 4 by 4 pixels: the upper half red, the lower half green.
    fn picture(&self, name: &str) -> String {
        let mut bytes = b"BM".to_vec();
        for number in [54u32 + 48, 0, 54, 40, 4, 4, 1 | 24 << 16, 0, 48, 0, 0, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        // From the lowest row up, each pixel as blue, green, red.
        bytes.extend([[0, 255, 0]; 8].concat());
        bytes.extend([[0, 0, 255]; 8].concat());
        self.write(name, bytes)
    }
}

fn args<'a>(list: &[&'a str]) -> Vec<&'a str> {
    list.to_vec()
}

#[test]
fn an_image_is_scored_and_explained() {
    let folder = Folder::new();
    let (model, data) = (folder.images(), folder.picture("image.bmp"));
    let scores = json(&xai(args(&["predict", "--model", &model, "--data", &data])));
    assert_eq!(scores["scores"], serde_json::json!([[8.0, 8.0]]));
    let method = ["explain", "--model", &model, "--data", &data, "--method", "integrated-gradients"];
    let found = json(&xai(args(&method)));
    assert_eq!(found["shape"], serde_json::json!([3, 4, 4]));
    let value = |cell: usize, output: usize| found["values"][0][cell][output].as_f64().unwrap();
    // A red pixel above, a green one below; nothing that is blue.
    assert!((value(0, 0) - 1.0).abs() < 1e-6 && (value(16 + 15, 1) - 1.0).abs() < 1e-6);
    assert!((0..16).all(|cell| value(32 + cell, 0) == 0.0));
}

#[test]
fn a_folder_of_images_becomes_one_picture() {
    let folder = Folder::new();
    let model = folder.images();
    std::fs::create_dir(folder.path("all")).unwrap();
    folder.picture("all/b.bmp");
    folder.picture("all/a.BMP");
    folder.write("all/notes.txt", "not an image");
    let (data, output) = (folder.path("all"), folder.path("map.svg"));
    let (data, output) = (data.to_str().unwrap(), output.to_str().unwrap());
    for style in ["over", "alone", "masked", "outlined"] {
        let method = ["explain", "--model", &model, "--data", data, "--method", "occlusion", "--set", "window=2"];
        let drawn = ["--class", "red,1", "--style", style, "--output", output];
        let done = xai([&method[..], &drawn[..]].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let svg = std::fs::read_to_string(output).unwrap();
        assert!(svg.contains("sample 1") && svg.matches("red, 8.000").count() >= 2, "{style}");
    }
    let png = folder.path("map.png");
    let method = ["explain", "--model", &model, "--data", data, "--method", "saliency", "--output"];
    assert!(xai([&method[..], &[png.to_str().unwrap()][..]].concat()).status.success());
    assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_table_is_explained_by_methods_of_networks_and_of_tables() {
    let folder = Folder::new();
    let model = folder.write(
        "table.json",
        r#"{"schema": "xai/network/1", "input": {"shape": [2], "names": ["age", "income"]}, "outputs": ["repaid"],
            "layers": [{"name": "score", "kind": "linear", "weight": [[2, 3]], "bias": [1]}]}"#,
    );
    // Names decide, not places.
    let data = folder.write("rows.csv", "income,age\n10,1\n20,2\n");
    let zero = folder.write("zero.csv", "age,income\n0,0\n");
    for (method, with) in [("deep-lift", None), ("kernel-shap", Some(&zero))] {
        let mut all = vec!["explain", "--model", &model, "--data", &data, "--method", method];
        all.extend(with.into_iter().flat_map(|path| ["--background", path]));
        let found = json(&xai(all));
        let value = |row: usize, cell: usize| found["values"][row][cell][0].as_f64().unwrap();
        assert!((value(1, 0) - 4.0).abs() < 1e-5 && (value(1, 1) - 60.0).abs() < 1e-5, "{method}: {found}");
        assert_eq!(found["features"][0]["name"], "age");
    }
}

#[test]
fn a_series_is_drawn() {
    let folder = Folder::new();
    let model = folder.write("series.json", SERIES);
    let data = folder.write("series.csv", "a,b\n1,2\n3,4\n5,6\n");
    let output = folder.path("series.svg");
    let method = ["explain", "--model", &model, "--data", &data, "--method", "input-times-gradient"];
    let found = json(&xai(args(&method)));
    // Channel 0, step 0 is 1; channel 1, step 2 is 6 with weight 2.
    assert_eq!(found["values"], serde_json::json!([[[1.0], [0.0], [0.0], [0.0], [0.0], [12.0]]]));
    let done = xai([&method[..], &["--output", output.to_str().unwrap()][..]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(std::fs::read_to_string(output).unwrap().contains("<image"));
}

/// Channels a and b over three steps; the score is a at the first plus twice b at the last.
const SERIES: &str = r#"{"schema": "xai/network/1", "input": {"shape": [2, 3]}, "layers": [
    {"name": "flat", "kind": "flatten"}, {"name": "score", "kind": "linear", "weight": [[1, 0, 0, 0, 0, 2]]}]}"#;

#[test]
fn several_series_come_from_a_folder() {
    let folder = Folder::new();
    let model = folder.write("series.json", SERIES);
    std::fs::create_dir(folder.path("all")).unwrap();
    folder.write("all/two.csv", "a,b\n0,0\n0,0\n0,5\n");
    folder.write("all/one.csv", "a,b\n1,2\n3,4\n5,6\n");
    let data = folder.path("all");
    let method = ["explain", "--model", &model, "--data", data.to_str().unwrap(), "--method", "input-times-gradient"];
    let found = json(&xai(args(&method)));
    assert_eq!(found["scores"], serde_json::json!([[13.0], [10.0]]));
    assert_eq!(found["values"][1][5], serde_json::json!([10.0]));
    let output = folder.path("series.svg");
    let drawn = xai([&method[..], &["--output", output.to_str().unwrap()][..]].concat());
    assert!(String::from_utf8_lossy(&drawn.stderr).contains("a picture shows one series"));
    // One that is shorter is named.
    folder.write("all/three.csv", "a,b\n1,2\n");
    let refused = xai(args(&method));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("three.csv"));
}

#[test]
fn a_neuron_is_explained() {
    let folder = Folder::new();
    let model = folder.write("series.json", SERIES);
    let data = folder.write("one.csv", "a,b\n1,2\n3,4\n5,6\n");
    let method = ["explain", "--model", &model, "--data", &data, "--method", "neuron-gradient", "--set", "layer=flat"];
    let found = json(&xai([&method[..], &["--set", "neuron=4;0"][..]].concat()));
    assert_eq!(
        found["values"],
        serde_json::json!([[[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]])
    );
    assert_eq!(found["scores"], serde_json::json!([[4.0, 1.0]]));
    for wrong in ["neuron=6", "neuron=1,1", "neuron=first"] {
        let refused = xai([&method[..], &["--set", wrong][..]].concat());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("neuron"), "{wrong}");
    }
}

#[test]
fn networks_have_a_report() {
    let folder = Folder::new();
    let output = folder.path("report.html");
    let page = |model: &str, data: &str, more: &[&str]| {
        let asked = ["report", "--model", model, "--data", data, "--output", output.to_str().unwrap()];
        let done = xai([&asked[..], more].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::read_to_string(&output).unwrap()
    };
    let (images, image) = (folder.images(), folder.picture("image.bmp"));
    let html = page(&images, &image, &[]);
    for words in
        ["What is inside", "1 of 3 dead", "What speaks for red", "integrated-gradients", "<image", "Score of green"]
    {
        assert!(html.contains(words), "{words}");
    }
    let html = page(&images, &image, &["--methods", "saliency,rise"]);
    assert!(html.contains("saliency") && html.contains("rise") && !html.contains("deep-lift"));
    let series = folder.write("series.json", SERIES);
    let data = folder.write("one.csv", "a,b\n1,2\n3,4\n5,6\n");
    assert!(page(&series, &data, &[]).contains("hires-cam is left out"));
    let table = folder.write(
        "table.json",
        r#"{"schema": "xai/network/1", "input": {"shape": [2], "names": ["age", "income"]}, "outputs": ["repaid"], "layers": [
            {"name": "hidden", "kind": "linear", "weight": [[2, 3], [-1, 0]]}, {"name": "relu", "kind": "relu"},
            {"name": "score", "kind": "linear", "weight": [[1, 1]]}]}"#,
    );
    let data = folder.write("rows.csv", "age,income\n1,10\n2,20\n5,3\n");
    let html = page(&table, &data, &[]);
    for words in ["What is inside", "deep-shap", "income", "Single predictions"] {
        assert!(html.contains(words), "{words}");
    }
    let asked = ["report", "--model", &table, "--data", &data, "--target", "age"];
    assert!(String::from_utf8_lossy(&xai(args(&asked)).stderr).contains("--target"));
}

#[test]
fn layers_are_told_as_text_json_and_picture() {
    let folder = Folder::new();
    let (model, data) = (folder.images(), folder.picture("image.bmp"));
    let told = xai(args(&["layers", "--model", &model, "--data", &data]));
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("1 of 3 dead") && text.contains("96 parameters, 1 samples"), "{text}");
    let output = folder.path("layers.json");
    let asked = ["layers", "--model", &model, "--output", output.to_str().unwrap()];
    assert!(xai(args(&asked)).status.success());
    let found: serde_json::Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
    assert_eq!((&found["schema"], &found["n_samples"]), (&"xai/inside/1".into(), &0.into()));
    let picture = folder.path("layers.svg");
    let asked = ["layers", "--model", &model, "--data", &data, "--output", picture.to_str().unwrap()];
    assert!(xai(args(&asked)).status.success());
    assert!(std::fs::read_to_string(picture).unwrap().contains("1 of 3 dead"));
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = Folder::new();
    let (model, data) = (folder.images(), folder.picture("image.bmp"));
    let refused = |list: &[&str], words: &str| {
        let done = xai(args(list));
        let text = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && text.contains(words), "{text}");
    };
    let explain = |method: &'static str| ["explain", "--model", &model, "--data", &data, "--method", method];
    refused(&explain("tree-shap"), "images");
    refused(&explain("expected-gradients"), "--background");
    refused(&[&explain("saliency")[..], &["--class", "blue", "--output", "x.svg"][..]].concat(), "blue");
    refused(&[&explain("saliency")[..], &["--scale", "prediction"][..]].concat(), "--scale");
    let text = folder.write("no.png", "not an image");
    refused(&["explain", "--model", &model, "--data", &text, "--method", "saliency"], "no.png");
    refused(&["importance", "--model", &model, "--data", &data], "images");
    let empty = folder.path("empty");
    std::fs::create_dir(&empty).unwrap();
    refused(
        &["predict", "--model", &model, "--data", empty.to_str().unwrap()],
        "no png, jpg, jpeg, bmp in this folder",
    );
    assert!(!std::path::Path::new("x.svg").exists());
}

/// A file whose operators cannot be differentiated is explained by methods that ask for scores, if it can be run at all.
#[test]
fn an_onnx_file_that_is_only_run() {
    let model = super::golden("onnx-any/table.onnx");
    let folder = Folder::new();
    let data = folder.write("rows.csv", "a,b,c,d\n1,0,2,-1\n0,1,0.5,3\n");
    let zero = folder.write("zero.csv", "a,b,c,d\n0,0,0,0\n");
    let explain = |method: &str| {
        let model = model.to_str().unwrap();
        xai(args(&["explain", "--model", model, "--data", &data, "--background", &zero, "--method", method]))
    };
    if cfg!(feature = "onnx-any") {
        let found = json(&explain("kernel-shap"));
        let sum = super::flat(&found["base"])[1] + (0..4).map(|f| super::flat(&found["values"][0][f])[1]).sum::<f64>();
        assert!((sum - super::flat(&found["scores"])[1]).abs() < 1e-9, "{found}");
        assert!(String::from_utf8_lossy(&explain("saliency").stderr).contains("a network"));
    } else {
        let refused = explain("kernel-shap");
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("MatMul"));
    }
}
