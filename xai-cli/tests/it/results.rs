//! Numbers of the command against those that the libraries recorded.

use super::{Case, agree, flat, json, with, xai};

/// XGBoost sums and attributes in f32.
const SINGLE: f64 = 1e-6;
/// LightGBM works in f64.
const DOUBLE: f64 = 1e-10;

#[test]
fn tree_shap_gives_the_librarys_own_contributions() {
    for (library, name, extension, tolerance) in [
        ("xgboost", "regression_nan", "json", SINGLE),
        ("xgboost", "multiclass", "ubj", SINGLE),
        ("lightgbm", "binary", "txt", DOUBLE),
    ] {
        let case = Case::new(library, name, extension);
        let found = json(&xai(with(case.args("explain"), &["--method", "tree-shap"])));
        assert_eq!(found["schema"], "xai/attribution/1");
        assert_eq!(found["provenance"]["method"], "tree-shap");
        let recorded = &case.record["path_dependent"];
        // Columns of the file come in another order; features of the result are the model's.
        assert!(agree(&flat(&found["values"]), &flat(&recorded["values"]), tolerance), "{library}/{name}");
        assert!(agree(&flat(&found["scores"]), &flat(&case.record["margins"]), tolerance), "{library}/{name}");
    }
}

#[test]
fn interventional_tree_shap_uses_the_background_file() {
    let case = Case::new("xgboost", "binary", "json");
    let recorded = &case.record["interventional"];
    case.write_csv("background.csv", &recorded["background"]);
    let background = case.path("background.csv");
    let args = with(case.args("explain"), &["--method", "interventional-tree-shap", "--background"]);
    let found = json(&xai(with(args, &[background.to_str().unwrap()])));
    assert!(agree(&flat(&found["values"]), &flat(&recorded["values"]), SINGLE));
}

#[test]
fn predict_gives_margins_and_predictions() {
    let case = Case::new("xgboost", "binary", "json");
    let found = json(&xai(case.args("predict")));
    assert_eq!(found["schema"], "xai/prediction/1");
    assert!(agree(&flat(&found["scores"]), &flat(&case.record["margins"]), SINGLE));
    assert!(agree(&flat(&found["predictions"]), &flat(&case.record["predictions"]), SINGLE));
}

#[test]
fn rows_cut_from_the_whole_get_the_same_numbers() {
    let case = Case::new("lightgbm", "binary", "txt");
    case.write_csv("background.csv", &case.record["rows"]);
    let background = case.path("background.csv");
    let explain = |rows: &str| {
        let args = with(case.args("explain"), &["--method", "permutation-shap", "--rows", rows, "--seed", "5"]);
        let args = with(args, &["--set", "n_permutations=2", "--set", "n_background=3", "--background"]);
        json(&xai(with(args, &[background.to_str().unwrap()])))
    };
    let (whole, part) = (explain("0..4"), explain("2..4"));
    assert_eq!(whole["values"].as_array().unwrap()[2..], part["values"].as_array().unwrap()[..]);
}

#[test]
fn grouped_columns_are_one_player() {
    let case = Case::new("xgboost", "binary", "json");
    let background = case.path("rows.csv");
    let explain = |method: &str, more: &[&str]| {
        let args = with(case.args("explain"), &["--method", method, "--group", "pair=x0,x2", "--background"]);
        json(&xai(with(with(args, &[background.to_str().unwrap()]), more)))
    };
    let fast = explain("interventional-tree-shap", &[]);
    let slow = explain("exact-shap", &[]);
    assert_eq!(fast["features"][0]["name"], "pair");
    assert_eq!(fast["features"].as_array().unwrap().len(), case.record["features"].as_array().unwrap().len() - 1);
    // Enumeration of all coalitions of groups agrees with the walk through the trees.
    assert!(agree(&flat(&fast["values"]), &flat(&slow["values"]), DOUBLE));
}

#[test]
fn every_form_of_output_holds_the_same_numbers() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let args = |more: &[&str]| with(with(case.args("explain"), &["--method", "tree-shap"]), more);
    let whole = json(&xai(args(&[])));
    let csv = String::from_utf8(xai(args(&["--format", "csv"])).stdout).unwrap();
    let cells: Vec<f64> = csv.lines().nth(1).unwrap().split(',').skip(4).map(|cell| cell.parse().unwrap()).collect();
    // To the last bit: the same text stands in both.
    assert_eq!(cells, flat(&whole["values"][0]));
    let table = String::from_utf8(xai(args(&["--format", "table"])).stdout).unwrap();
    assert_eq!(table.lines().count(), 1 + whole["scores"].as_array().unwrap().len());
    let path = case.path("out.parquet");
    let output = xai(args(&["--format", "parquet", "--output", path.to_str().unwrap()]));
    assert!(output.status.success() && output.stdout.is_empty());
    let bytes = std::fs::read(path).unwrap();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
}

#[test]
fn a_saved_explanation_is_drawn() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let saved = case.path("explanation.json");
    let saved = saved.to_str().unwrap();
    assert!(xai(with(case.args("explain"), &["--method", "tree-shap", "--output", saved])).status.success());
    for kind in ["waterfall", "force", "bar", "beeswarm", "dependence", "heatmap", "decision"] {
        let picture = case.path(&format!("{kind}.svg"));
        let output = xai(["plot", "--input", saved, "--kind", kind, "--output", picture.to_str().unwrap()]);
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read_to_string(picture).unwrap().starts_with("<svg"), "{kind}");
    }
    let terminal = xai(["plot", "--input", saved, "--kind", "waterfall"]);
    assert!(terminal.status.success() && terminal.stdout.len() > 100);
}
