//! Recorded numbers of the reference libraries.

use std::path::PathBuf;

use ndarray::Array2;
use serde_json::Value;

/// Every recorded case of a family by name, in order.
pub fn cases(family: &str) -> Vec<(String, Value)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden")).join(family);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), case)
    };
    paths.into_iter().map(read).collect()
}

/// All numbers of nested lists, in order; what is missing is NaN.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        number => vec![number.as_f64().unwrap()],
    }
}

/// A list of lists, or of numbers: then one column.
pub fn table(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    Array2::from_shape_vec((rows.len(), numbers(&rows[0]).len()), numbers(value)).unwrap()
}

/// Whether two lists of numbers agree, relative to 1 or to the recorded number if that is larger.
#[track_caller]
pub fn assert_close(what: &str, found: &[f64], recorded: &[f64], tolerance: f64) {
    assert_eq!(found.len(), recorded.len(), "{what}");
    for (k, (found, recorded)) in found.iter().zip(recorded).enumerate() {
        let gap = (found - recorded).abs() / recorded.abs().max(1.0);
        assert!(gap <= tolerance, "{what}[{k}]: {found}, recorded {recorded}");
    }
}
