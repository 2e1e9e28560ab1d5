//! What goes wrong is said in one paragraph, with the right exit code, and leaves nothing behind.

use std::process::Output;

use super::{Case, with, xai};

fn failed(output: &Output, code: i32, words: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(output.stdout.is_empty(), "nothing goes to standard output on failure");
    for word in words {
        assert!(errors.contains(word), "{word:?} is not in: {errors}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn wrong_use_is_told_with_the_nearest_right_one() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let explain = |more: &[&str]| xai(with(case.args("explain"), more));
    failed(&explain(&["--method", "tree-shp"]), 2, &["tree-shp", "did you mean \"tree-shap\""]);
    let unknown_key = ["--method", "kernel-shap", "--set", "n_coalition=5"];
    failed(&explain(&unknown_key), 2, &["n_coalition", "n_coalitions"]);
    let wrong_value = ["--method", "kernel-shap", "--set", "n_coalitions=many"];
    failed(&explain(&wrong_value), 2, &["n_coalitions", "many", "whole number"]);
    failed(&explain(&["--method", "permutation-importance"]), 2, &["xai importance"]);
    failed(&explain(&["--method", "tree-shap", "--rows", "5..2"]), 2, &["5..2"]);
    failed(&explain(&["--method", "tree-shap", "--rows", "0..100000"]), 2, &["rows"]);
    failed(&xai(["explain"]), 2, &["--model"]);
}

#[test]
fn what_a_method_lacks_is_named() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let explain = |method: &str| xai(with(case.args("explain"), &["--method", method]));
    failed(&explain("interventional-tree-shap"), 2, &["background", "--background"]);
    failed(&explain("linear-shap"), 2, &["linear", "--background"]);
    failed(&xai(with(case.args("importance"), &["--method", "permutation-importance"])), 2, &["--target"]);
    let background = case.path("rows.csv");
    let loss = ["--set", "scale=log-loss", "--background", background.to_str().unwrap()];
    let loss = with(with(case.args("explain"), &["--method", "interventional-tree-shap"]), &loss);
    failed(&xai(loss), 2, &["--target"]);
    failed(&xai(with(case.args("predict"), &["--target", "colour"])), 2, &["--target", "colour", "rows.csv"]);
}

#[test]
fn tables_that_do_not_fit_are_told_with_row_and_column() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let text = std::fs::read_to_string(case.path("rows.csv")).unwrap();
    let column = text.lines().next().unwrap().split(',').next().unwrap().to_owned();
    let without: String = text.lines().map(|line| format!("{}\n", line.split_once(',').unwrap().1)).collect();
    std::fs::write(case.path("rows.csv"), without).unwrap();
    failed(&xai(case.args("predict")), 1, &["rows.csv", &column]);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[3] = format!("abc,{}", lines[3].split_once(',').unwrap().1);
    std::fs::write(case.path("rows.csv"), lines.join("\n")).unwrap();
    failed(&xai(case.args("predict")), 1, &["rows.csv", &column, "abc", "3"]);
}

#[test]
fn files_that_are_no_model_are_refused() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let path = case.path("model");
    for content in [&b"hello"[..], b"", b"{}", b"\x80\x04\x95pickle", b"{\"learner\": {}}"] {
        std::fs::write(&path, content).unwrap();
        let data = case.path("rows.csv");
        let args = ["predict", "--model", path.to_str().unwrap(), "--data", data.to_str().unwrap()];
        failed(&xai(args), 1, &["model"]);
    }
    let missing = case.path("nowhere.json");
    let args = ["predict", "--model", missing.to_str().unwrap(), "--data", missing.to_str().unwrap()];
    failed(&xai(args), 1, &["nowhere.json"]);
}

#[test]
fn a_failed_run_leaves_the_old_file_alone() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let target = case.path("out.json");
    std::fs::write(&target, "old").unwrap();
    let target = target.to_str().unwrap();
    let budget = ["--method", "permutation-shap", "--max-evaluations", "3", "--output", target, "--background"];
    let rows = case.path("rows.csv");
    let args = with(with(case.args("explain"), &budget), &[rows.to_str().unwrap()]);
    failed(&xai(args), 1, &["budget"]);
    assert_eq!(std::fs::read_to_string(target).unwrap(), "old");
    // Nor does it leave a half-written one beside it: the rows, the old file, nothing else.
    assert_eq!(std::fs::read_dir(case.folder.path()).unwrap().count(), 2);
}

#[test]
fn what_is_read_is_not_written_over() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let rows = case.path("rows.csv");
    let before = std::fs::read(&rows).unwrap();
    failed(&xai(with(case.args("predict"), &["--output", rows.to_str().unwrap()])), 2, &["overwrite", "rows.csv"]);
    assert_eq!(std::fs::read(rows).unwrap(), before);
}

#[test]
fn parameters_beyond_all_memory_are_refused() {
    let case = Case::new("xgboost", "histogram_cuts", "json");
    let rows = case.path("rows.csv");
    for (method, setting) in [("lime", "n_draws"), ("permutation-shap", "n_permutations")] {
        let setting = format!("{setting}=1000000000000");
        let more = ["--method", method, "--set", &setting, "--rows", "..1", "--background", rows.to_str().unwrap()];
        failed(&xai(with(case.args("explain"), &more)), 1, &["more than the limit"]);
    }
}

#[test]
fn a_target_that_the_model_uses_is_refused() {
    let case = Case::new("xgboost", "regression_nan", "json");
    failed(&xai(with(case.args("predict"), &["--target", "x0"])), 2, &["x0", "feature of the model"]);
}

#[test]
fn options_that_nothing_uses_are_told() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let rows = case.path("rows.csv");
    let explain = |more: &[&str]| xai(with(case.args("explain"), more));
    let output = explain(&["--method", "tree-shap", "--background", rows.to_str().unwrap()]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no use of --background"));
    let lime = ["--method", "lime", "--group", "pair=x0,x1", "--background", rows.to_str().unwrap()];
    failed(&explain(&lime), 2, &["lime", "--group"]);
    failed(&xai(["report", "--title", "Nothing"]), 2, &["--model"]);
    failed(&xai(["report", "--group-one-hot"]), 2, &["--model"]);
    let saved = case.path("saved.json");
    let saved = saved.to_str().unwrap();
    assert!(explain(&["--method", "tree-shap", "--output", saved]).status.success());
    for (kind, option) in [("beeswarm", "--sample"), ("waterfall", "--feature"), ("dependence", "--most")] {
        let output = xai(["plot", "--input", saved, "--kind", kind, option, "1", "--output", "never.svg"]);
        failed(&output, 2, &[option, kind]);
    }
}

#[test]
fn rows_without_a_label_are_left_out_where_labels_count() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let text = std::fs::read_to_string(case.path("rows.csv")).unwrap();
    let n = text.lines().count() - 1;
    let labelled: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            0 => format!("{line},y\n"),
            2 => format!("{line},\n"),
            i => format!("{line},{i}.5\n"),
        })
        .collect();
    std::fs::write(case.path("rows.csv"), labelled).unwrap();
    let told = format!("1 of {n} rows have no label");
    let output = xai(with(case.args("importance"), &["--target", "y"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&told));
    let report = case.path("report.html");
    let output = xai(with(case.args("report"), &["--target", "y", "--output", report.to_str().unwrap()]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(report).unwrap().contains(&told));
    // Where rows have results of their own none is left out.
    let found = super::json(&xai(with(case.args("predict"), &["--target", "y"])));
    assert_eq!(found["scores"].as_array().unwrap().len(), n);
}

#[test]
fn weights_of_the_background_that_make_no_sense_are_told() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let text = std::fs::read_to_string(case.path("rows.csv")).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let feature = head.split(',').next().unwrap();
    let rows: Vec<&str> = rows.lines().take(2).collect();
    let explain = |method: &str, weights: [&str; 2], column: &str, more: &[&str]| {
        let background = format!("{head},often\n{},{}\n{},{}\n", rows[0], weights[0], rows[1], weights[1]);
        std::fs::write(case.path("background.csv"), background).unwrap();
        let path = case.path("background.csv");
        let args = ["--method", method, "--background", path.to_str().unwrap(), "--background-weights", column];
        xai(with(with(case.args("explain"), &args), more))
    };
    let shap = "interventional-tree-shap";
    failed(&explain(shap, ["1", "-2"], "often", &[]), 1, &["background.csv", "row 2", "often", "-2"]);
    failed(&explain(shap, ["1", ""], "often", &[]), 1, &["row 2", "often", "weight"]);
    failed(&explain(shap, ["inf", "1"], "often", &[]), 1, &["row 1", "often", "weight"]);
    failed(&explain(shap, ["1", "many"], "often", &[]), 1, &["row 2", "often", "many"]);
    failed(&explain(shap, ["0", "0"], "often", &[]), 1, &["background.csv", "often", "sum of 0"]);
    failed(&explain(shap, ["1", "2"], "oftn", &[]), 2, &["--background-weights", "oftn", "often"]);
    failed(&explain(shap, ["1", "2"], feature, &[]), 2, &["--background-weights", feature, "feature"]);
    failed(&explain("tree-shap", ["1", "2"], "often", &[]), 2, &["tree-shap", "--background-weights"]);
    failed(&explain("lime", ["1", "2"], "often", &[]), 2, &["lime", "--background-weights"]);
    failed(&explain("kernel-shap", ["1", "2"], "often", &["--set", "masker=tree"]), 1, &["masker tree", "weights"]);
    let alone = ["--method", "tree-shap", "--background-weights", "often"];
    failed(&xai(with(case.args("explain"), &alone)), 2, &["--background"]);
}

#[test]
fn a_group_with_the_name_of_another_feature_is_told() {
    let case = Case::new("xgboost", "regression_nan", "json");
    let features: Vec<&str> =
        case.record["features"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let group = |name: &str| {
        let group = format!("{name}={},{}", features[0], features[1]);
        xai(with(case.args("explain"), &["--method", "tree-shap", "--group", &group]))
    };
    failed(&group(features[2]), 2, &["--group", features[2]]);
    assert!(group(features[0]).status.success());
}
