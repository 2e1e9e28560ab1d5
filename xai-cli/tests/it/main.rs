//! The command, run as its users run it.

mod bench;
mod demo;
mod failures;
mod networks;
mod results;
mod stream;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of the recorded models and tables.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/reference/golden").join(name)
}

/// Runs `xai` with these arguments, without a terminal.
fn xai<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xai")).args(args).output().unwrap()
}

/// A recorded case as files that a user would have: the model, and its rows as CSV.
struct Case {
    folder: tempfile::TempDir,
    model: PathBuf,
    record: serde_json::Value,
}

impl Case {
    fn new(library: &str, case: &str, extension: &str) -> Self {
        let text = std::fs::read_to_string(golden(&format!("{library}/{case}.json"))).unwrap();
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let case = Case { model: golden(&format!("{library}/{case}.model.{extension}")), folder, record };
        case.write_csv("rows.csv", &case.record["rows"]);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes rows under the features' names, last feature first: names decide, not places.
    fn write_csv(&self, name: &str, rows: &serde_json::Value) {
        let features = self.record["features"].as_array().unwrap();
        let mut text = String::new();
        for (i, feature) in features.iter().enumerate().rev() {
            text.push_str(feature.as_str().unwrap());
            text.push(if i == 0 { '\n' } else { ',' });
        }
        for row in rows.as_array().unwrap() {
            for (i, cell) in row.as_array().unwrap().iter().enumerate().rev() {
                text.push_str(&cell.as_f64().map(|x| x.to_string()).unwrap_or_default());
                text.push(if i == 0 { '\n' } else { ',' });
            }
        }
        std::fs::write(self.path(name), text).unwrap();
    }

    fn args(&self, command: &str) -> Vec<String> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let data = text(&self.path("rows.csv"));
        vec![command.into(), "--model".into(), text(&self.model), "--data".into(), data]
    }
}

fn with(mut args: Vec<String>, more: &[&str]) -> Vec<String> {
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    args
}

fn json(output: &Output) -> serde_json::Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Nested lists of numbers as one list.
fn flat(value: &serde_json::Value) -> Vec<f64> {
    match value {
        serde_json::Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// Whether all numbers agree to `tolerance` of the largest.
fn agree(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let largest = b.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= tolerance * largest)
}
