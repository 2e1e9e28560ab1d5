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

#[test]
fn interactions_are_computed_flattened_and_drawn() {
    let case = Case::new("xgboost", "binary", "json");
    let explain = |more: &[&str]| xai(with(with(case.args("explain"), &["--method", "tree-interactions"]), more));
    let found = json(&explain(&[]));
    assert_eq!(found["schema"], "xai/interactions/1");
    let recorded = &case.record["interactions_exact"];
    let n = recorded["n_rows"].as_u64().unwrap() as usize;
    let terms = found["terms"].as_array().unwrap();
    // The file holds main effects on the diagonal and half of each pair on either side: (row, feature, feature, output).
    for row in 0..n {
        for (place, term) in terms.iter().enumerate() {
            let at = flat(term);
            let (i, j) = (at[0] as usize, at[at.len() - 1] as usize);
            let value = flat(&found["values"][row][place]);
            let halves: Vec<f64> =
                flat(&recorded["values"][row][i][j]).iter().map(|half| half * at.len() as f64).collect();
            // The enumeration reads the decimals of the file as f64, the library as f32.
            assert!(agree(&value, &halves, SINGLE), "row {row}, {term}: {value:?}, recorded {halves:?}");
        }
    }
    let csv = String::from_utf8(explain(&["--format", "csv", "--rows", "1..3"]).stdout).unwrap();
    assert_eq!(csv.lines().next(), Some("sample,output,base,score,size,features,value"));
    assert_eq!(csv.lines().count(), 1 + 2 * terms.len());
    assert!(csv.lines().nth(1).unwrap().starts_with("1,"), "rows keep their numbers");
    assert!(csv.contains(" × "));
    let saved = case.path("pairs.json");
    let saved = saved.to_str().unwrap();
    assert!(explain(&["--output", saved, "--rows", "..4"]).status.success());
    for kind in ["matrix", "bar"] {
        let picture = case.path(&format!("{kind}.svg"));
        let output =
            xai(["plot", "--input", saved, "--kind", kind, "--sample", "1", "--output", picture.to_str().unwrap()]);
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read_to_string(picture).unwrap().starts_with("<svg"), "{kind}");
        let terminal = xai(["plot", "--input", saved, "--kind", kind]);
        assert!(terminal.status.success() && terminal.stdout.len() > 100, "{kind}");
    }
}

#[test]
fn interactions_of_any_model_are_those_of_the_trees() {
    let case = Case::new("xgboost", "binary", "json");
    let background = case.path("rows.csv");
    let explain = |method: &str| {
        let args = with(case.args("explain"), &["--method", method, "--set", "index=stii", "--rows", "..2"]);
        let args = with(args, &["--group", "pair=x0,x2", "--background", background.to_str().unwrap()]);
        json(&xai(args))
    };
    let (fast, slow) = (explain("interventional-tree-interactions"), explain("exact-interactions"));
    let value = |found: &serde_json::Value, row: usize, term: &serde_json::Value| {
        let place = found["terms"].as_array().unwrap().iter().position(|t| t == term);
        place.map_or(vec![0.0], |place| flat(&found["values"][row][place]))
    };
    for row in 0..2 {
        for term in slow["terms"].as_array().unwrap() {
            assert!(agree(&value(&fast, row, term), &value(&slow, row, term), SINGLE), "row {row}, {term}");
        }
    }
}

#[test]
fn a_column_says_how_much_each_row_of_the_background_counts() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let text = std::fs::read_to_string(case.path("rows.csv")).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().take(3).collect();
    let weighted = format!("{head},often\n{},3\n{},0\n{},1.0\n", rows[0], rows[1], rows[2]);
    let repeated = format!("{head}\n{0}\n{0}\n{0}\n{1}\n", rows[0], rows[2]);
    std::fs::write(case.path("weighted.csv"), weighted).unwrap();
    std::fs::write(case.path("repeated.csv"), repeated).unwrap();
    let explain = |method: &str, background: &str, more: &[&str]| {
        let background = case.path(background);
        let args = ["--method", method, "--rows", "..5", "--background", background.to_str().unwrap()];
        xai(with(with(case.args("explain"), &args), more))
    };
    let weights = ["--background-weights", "often"];
    for method in ["interventional-tree-shap", "kernel-shap", "interventional-tree-interactions"] {
        let (a, b) = (json(&explain(method, "weighted.csv", &weights)), json(&explain(method, "repeated.csv", &[])));
        for part in ["base", "values", "scores"] {
            // Sums of the same numbers in another order.
            assert!(agree(&flat(&a[part]), &flat(&b[part]), 1e-12), "{method}: {part}");
        }
    }
    // The same row by row, batch by batch.
    let streamed = explain("kernel-shap", "weighted.csv", &[&weights[..], &["--stream", "--batch-rows", "2"]].concat());
    assert!(streamed.status.success(), "{}", String::from_utf8_lossy(&streamed.stderr));
    let whole = explain("kernel-shap", "weighted.csv", &[&weights[..], &["--format", "jsonl"]].concat());
    assert_eq!(streamed.stdout, whole.stdout);
}
