//! Methods compete, from the command line.

use super::{Case, json, with, xai};

/// Few methods, few subsets: the command is on trial, not the methods.
const SMALL: [&str; 10] = [
    "--methods",
    "tree-shap,kernel-shap",
    "--metrics",
    "faithfulness-correlation,sparseness=0.5",
    "--set",
    "faithfulness-correlation.n_subsets=10",
    "--set",
    "kernel-shap.n_coalitions=20",
    "--rows",
    "..6",
];

#[test]
fn a_league_is_written_as_table_json_page_and_picture() {
    let case = Case::new("lightgbm", "binary", "txt");
    let output = xai(with(case.args("bench"), &SMALL));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for what in
        ["tree-shap", "kernel-shap", "random", "equal", "input-size", "faithfulness-correlation", "sparseness ×0.5"]
    {
        assert!(text.contains(what), "{what}: {text}");
    }
    let steps = case.path("steps.jsonl");
    for (name, begins) in [("league.json", "{\"schema\":\"xai/league/1\""), ("l.html", "<!DOCTYPE"), ("l.svg", "<svg ")]
    {
        let path = case.path(name);
        let mut args = with(case.args("bench"), &SMALL);
        args.extend(["--output".into(), path.to_str().unwrap().into()]);
        args.extend(["--resume".into(), steps.to_str().unwrap().into()]);
        let output = xai(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read_to_string(path).unwrap().starts_with(begins), "{name}");
    }
    // What was stored is drawn again.
    let league = case.path("league.json");
    let plot = |more: &[&str]| xai(["plot", "--input", league.to_str().unwrap()].iter().chain(more));
    assert!(String::from_utf8_lossy(&plot(&[]).stdout).contains("mean rank of:"));
    for kind in ["league", "cost", "agreement"] {
        let picture = case.path("p.svg");
        let output = plot(&["--kind", kind, "--output", picture.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(plot(&["--kind", "waterfall", "--output", case.path("w.svg").to_str().unwrap()]).status.code(), Some(2));
}

/// A run that was killed while it wrote goes on, ends the same, and does nothing twice.
#[test]
fn a_killed_run_goes_on_from_its_steps() {
    let case = Case::new("lightgbm", "binary", "txt");
    let steps = case.path("steps.jsonl");
    let whole = case.path("whole.json");
    let args = |seed: &str, output: &std::path::Path| {
        let mut args = with(case.args("bench"), &SMALL);
        for path in [("--resume", &*steps), ("--output", output)] {
            args.extend([path.0.to_owned(), path.1.to_str().unwrap().to_owned()]);
        }
        with(args, &["--seed", seed])
    };
    assert!(xai(args("4", &whole)).status.success());
    let text = std::fs::read_to_string(&steps).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 5 + 5 * 2);
    // Cut in the middle of the eighth line.
    std::fs::write(&steps, format!("{}\n{}", lines[..7].join("\n"), &lines[7][..20])).unwrap();
    let again = case.path("again.json");
    let output = xai(args("4", &again));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("6 steps are done already"), "{said}");
    let untimed = |path: &std::path::Path| {
        let mut json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for list in ["methods", "results"] {
            json[list].as_array_mut().unwrap().iter_mut().for_each(|entry| entry["seconds"] = 0.into());
        }
        json
    };
    assert_eq!(untimed(&whole), untimed(&again));
    assert_eq!(std::fs::read_to_string(&steps).unwrap().lines().count(), lines.len());
    let other = xai(args("5", &again));
    assert!(!other.status.success());
    assert!(String::from_utf8_lossy(&other.stderr).contains("another seed"));
}

#[test]
fn wrong_names_are_answered_and_what_fails_is_named() {
    let case = Case::new("lightgbm", "binary", "txt");
    let said = |more: &[&str]| {
        let output = xai(with(case.args("bench"), more));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = said(&["--methods", "tree-shp"]);
    assert!(code == Some(2) && text.contains("did you mean \"tree-shap\"?"), "{text}");
    assert!(said(&["--metrics", "delition"]).1.contains("did you mean \"deletion\"?"));
    assert_eq!(said(&["--metrics", "deletion=-1"]).0, Some(2));
    assert_eq!(said(&["--methods", "tree-shap", "--set", "kernel-shap.n_coalitions=3"]).0, Some(2));
    assert_eq!(said(&["--output", "league.txt"]).0, Some(2));
    // A method that the model does not suit takes part, and the league says why it has no value.
    let mut args = case.args("bench");
    let path = case.path("l.json");
    args.extend(["--output".into(), path.to_str().unwrap().into()]);
    let args = with(args, &["--methods", "linear-shap", "--metrics", "sparseness", "--rows", "..3"]);
    assert!(xai(args).status.success());
    let league = json(&std::process::Output {
        status: std::process::ExitStatus::default(),
        stdout: std::fs::read(path).unwrap(),
        stderr: Vec::new(),
    });
    assert!(league["methods"][0]["failure"].as_str().unwrap().contains("linear"), "{}", league["methods"][0]);
}
