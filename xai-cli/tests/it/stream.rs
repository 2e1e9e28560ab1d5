//! Rows explained batch by batch: the same numbers, the same text, and whole files or none.

use super::{Case, json, with, xai};

/// Rows enough for several batches, from a recorded model.
fn case() -> Case {
    let case = Case::new("lightgbm", "binary", "txt");
    case.write_csv("background.csv", &case.record["rows"]);
    case
}

fn text(case: &Case, name: &str) -> String {
    case.path(name).to_str().unwrap().to_owned()
}

fn run(case: &Case, more: &[&str]) -> String {
    let output = xai(with(case.args("explain"), more));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_stream_writes_what_a_whole_run_writes() {
    let case = case();
    let background = text(&case, "background.csv");
    let sampled = ["--method", "permutation-shap", "--set", "n_permutations=2", "--seed", "3", "--background"];
    let sampled = [&sampled[..], &[&background]].concat();
    for method in [&["--method", "tree-shap"][..], &sampled] {
        for rows in ["0..", "2..9"] {
            for format in ["csv", "jsonl"] {
                let args = [method, &["--format", format, "--rows", rows]].concat();
                let whole = run(&case, &args);
                for (batch, threads) in [("1", "1"), ("3", "2"), ("1000", "1")] {
                    let streamed = ["--stream", "--batch-rows", batch, "--threads", threads];
                    assert_eq!(run(&case, &[&args[..], &streamed].concat()), whole, "{batch} rows, {threads} threads");
                }
            }
        }
    }
}

#[test]
fn streamed_parquet_reads_back() {
    let case = case();
    let target = text(&case, "out.parquet");
    run(&case, &["--method", "tree-shap", "--stream", "--batch-rows", "4", "--output", &target]);
    let options = xai::models::table::ParquetOptions::default();
    let found = xai::models::table::read_parquet(&target, &options).unwrap();
    let csv = run(&case, &["--method", "tree-shap", "--format", "csv"]);
    let expected = xai::models::table::parse_csv(csv.as_bytes(), &xai::models::table::CsvOptions::default()).unwrap();
    assert_eq!(found, expected);
    // It is a table like any other: a file that was streamed can be streamed.
    let streamed = ["--stream", "--batch-rows", "3", "--format", "csv", "--method", "tree-shap"];
    let rows = text(&case, "rows.csv");
    assert_eq!(run(&case, &streamed), csv, "{rows}");
}

#[test]
fn summaries_of_shards_merge_into_that_of_the_whole() {
    let case = case();
    let shard = |name: &str, rows: &str, batch: &str| {
        let path = text(&case, name);
        let args = ["--method", "tree-shap", "--stream", "--rows", rows, "--batch-rows", batch, "--summary", &path];
        assert_eq!(run(&case, &args), "", "only the summary is written");
        path
    };
    let whole = shard("whole.json", "0..", "1000");
    let (a, b) = (shard("a.json", "0..5", "2"), shard("b.json", "5..", "3"));
    let merged = text(&case, "merged.json");
    let table = xai(["merge", &b, &a, "--summary", &merged]);
    assert!(table.status.success() && String::from_utf8_lossy(&table.stdout).starts_with("feature"));
    assert_eq!(std::fs::read(&merged).unwrap(), std::fs::read(&whole).unwrap(), "byte for byte");
    let found = json(&xai(["merge", &a, &b, "--format", "json"]));
    let args =
        with(case.args("importance"), &["--method", "mean-absolute-attribution", "--set", "explainer=tree-shap"]);
    let expected = json(&xai(args));
    assert_eq!(found["schema"], "xai/importance/1");
    // A handful of sums of a few numbers.
    assert!(super::agree(&super::flat(&found["values"]), &super::flat(&expected["values"]), 1e-14));
    assert!(super::agree(&super::flat(&found["spread"]), &super::flat(&expected["spread"]), 1e-13));
    let twice = xai(["merge", &a, &a]);
    assert_eq!(twice.status.code(), Some(2));
    let rows = xai(["merge", &text(&case, "rows.csv")]);
    assert!(String::from_utf8_lossy(&rows.stderr).contains("not a valid summary"));
}

#[test]
fn the_top_features_and_the_rest_are_the_whole() {
    let case = case();
    let all = run(&case, &["--method", "tree-shap", "--stream"]);
    let top = run(&case, &["--method", "tree-shap", "--stream", "--top", "2"]);
    let object = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    for (all, top) in all.lines().map(object).zip(top.lines().map(object)) {
        assert_eq!((&all["sample"], &all["score"]), (&top["sample"], &top["score"]));
        let name = top["feature 1"].as_str().unwrap();
        assert_eq!(all[name], top["value 1"]);
        let number = |key: &str| top[key].as_f64().unwrap();
        assert!(number("value 1").abs() >= number("value 2").abs());
        let sum = number("base") + number("value 1") + number("value 2") + number("rest");
        assert!((sum - number("score")).abs() < 1e-12, "{top}");
    }
}

#[test]
fn a_stream_that_fails_leaves_no_file() {
    let case = case();
    let target = text(&case, "out.csv");
    let rows = std::fs::read_to_string(case.path("rows.csv")).unwrap();
    let lines: Vec<&str> = rows.lines().collect();
    let stream = ["--method", "tree-shap", "--stream", "--batch-rows", "2", "--output", &target];
    let before = std::fs::read_dir(case.folder.path()).unwrap().count();
    let fails = |broken: String, words: &[&str]| {
        std::fs::write(case.path("rows.csv"), broken).unwrap();
        let output = xai(with(case.args("explain"), &stream));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(words.iter().all(|word| errors.contains(word)) && !errors.contains("panicked"), "{errors}");
        assert_eq!(std::fs::read_dir(case.folder.path()).unwrap().count(), before);
    };
    let with_line = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        lines.join("\n")
    };
    // The sixth row: a cell too few, and a text where the model needs a number.
    fails(with_line(6, "1"), &["line 7", "1 cell"]);
    let bad = format!("many{}", &lines[6][lines[6].find(',').unwrap()..]);
    fails(with_line(6, &bad), &["row 6", "many"]);
    fails(lines[0].to_owned(), &["without rows"]);
}

#[test]
fn what_a_stream_cannot_do_is_told() {
    let case = case();
    for (more, words) in [
        (&["--format", "json"][..], "can grow"),
        (&["--target", "x0"], "--target"),
        (&["--batch-rows", "0"], "batch-rows"),
        (&["--rows", "5..9999"], "rows"),
    ] {
        let output = xai(with(case.args("explain"), &[&["--method", "tree-shap", "--stream"], more].concat()));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(words), "{errors}");
    }
    let piped =
        ["explain", "--model", case.model.to_str().unwrap(), "--data", "-", "--method", "tree-shap", "--stream"];
    assert!(String::from_utf8_lossy(&xai(piped).stderr).contains("read twice"));
    let alone = xai(with(case.args("explain"), &["--method", "tree-shap", "--top", "3"]));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--stream"));
    // A budget is that of the whole stream.
    let background = text(&case, "background.csv");
    let budget = ["--method", "exact-shap", "--stream", "--batch-rows", "1", "--max-evaluations", "3000"];
    let output = xai(with(case.args("explain"), &[&budget[..], &["--background", &background]].concat()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("budget of 3000"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let case = case();
    for format in ["csv", "jsonl", "parquet"] {
        let full = ["--method", "tree-shap", "--stream", "--format", format, "--output", "/dev/full"];
        let output = xai(with(case.args("explain"), &full));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && errors.contains("/dev/full"), "{errors}");
        assert!(errors.contains("No space left"), "{errors}");
    }
}
