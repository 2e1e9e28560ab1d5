//! Reads the recorded numbers of the reference libraries.

use ndarray::Array2;
use serde_json::Value;

/// The recorded case `name`.
pub fn read(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden/global/");
    let text = std::fs::read_to_string(format!("{folder}{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

pub fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

pub fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    let width = rows[0].len();
    Array2::from_shape_vec((rows.len(), width), rows.concat()).unwrap()
}

/// The tolerance that the file names.
pub fn tolerance(case: &Value) -> f64 {
    case["about"]["tolerance"]["value"].as_f64().unwrap()
}

/// The model of all recorded cases.
pub fn formula(x: ndarray::ArrayView1<f64>) -> f64 {
    1.5 * x[0] + x[1] * x[2] + (2.0 * x[3]).sin() + 0.5 * x[0] * x[3]
}
