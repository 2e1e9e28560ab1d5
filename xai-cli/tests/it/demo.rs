//! The main command, with no argument and on a recorded model.

use super::{Case, xai};

#[test]
fn the_demo_writes_a_report_and_prints_what_matters() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let output = xai(["demo", "--output", report.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("worst"), "the table of what matters: {printed}");
    let html = std::fs::read_to_string(report).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    for part in ["accuracy", "tree-shap", "permutation-importance", "tree-interactions", "The strongest pairs", "<svg"]
    {
        assert!(html.contains(part), "the report lacks {part}");
    }
    // Self-contained: nothing is fetched.
    for outside in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!html.contains(outside), "the report fetches {outside}");
    }
}

#[test]
fn a_report_on_a_model_file_needs_no_labels() {
    let case = Case::new("lightgbm", "binary", "txt");
    let report = case.path("report.html");
    let mut args = case.args("report");
    args.extend(["--output".to_owned(), report.to_str().unwrap().to_owned()]);
    let output = xai(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(report).unwrap().contains("<svg"));
}

#[test]
fn the_methods_are_listed() {
    let output = xai(["methods"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = [
        "tree-shap",
        "interventional-tree-shap",
        "kernel-shap",
        "permutation-shap",
        "exact-shap",
        "linear-shap",
        "lime",
        "permutation-importance",
    ];
    for name in names {
        assert!(text.contains(name), "{name}");
        let one = xai(["methods", name, "--format", "json"]);
        let spec: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
        assert_eq!(spec["name"], name);
    }
}
