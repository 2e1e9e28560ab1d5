//! TreeSHAP of models from the files of XGBoost, LightGBM, CatBoost and scikit-learn (ONNX), against what those
//! libraries and enumerations of all coalitions say.

use std::path::PathBuf;

use ndarray::{Array2, Array3};
use serde_json::Value;
use xai_core::{Attribution, Explainer, Model, Run, TreeStructured};
use xai_local::tree::{InterventionalTreeShap, Nonlinear, OutputScale, TreeShap};
use xai_models::catboost::read_with_categories;
use xai_models::file::load;
use xai_models::trees::{TreeModel, with_covers};

/// Sums of some hundred terms in another order; relative to the largest value of a block, or 1.
const DOUBLE: f64 = 1e-12;
/// XGBoost holds covers and leaves in `f32` and sums contributions there.
const SINGLE: f64 = 1e-6;
/// The enumerations for XGBoost read the decimals of the file as `f64`; the library, and so we, round them to `f32`.
const SINGLE_INPUTS: f64 = 1e-7;
/// Margins near 40 made of leaves near 10⁸, which the library sums in `f32`.
const SATURATED: f64 = 1e-5;

/// Files that the loaders refuse by name, as their own tests show.
const REFUSED: [&str; 5] =
    ["xgboost/expectile", "xgboost/gblinear", "lightgbm/linear_tree", "catboost/ctr", "onnx/modes_by_hand"];

/// A recorded model and what is known of it.
pub struct Case {
    pub name: String,
    single: bool,
    pub model: TreeModel,
    pub rows: Array2<f64>,
    pub golden: Value,
}

/// All cases whose file holds a block called `key`.
pub fn cases(key: &str) -> Vec<Case> {
    let mut found = Vec::new();
    for folder in folders() {
        let golden = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden")).join(folder);
        let mut files: Vec<_> = std::fs::read_dir(&golden).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| {
            let name = file.file_name().unwrap().to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".model.json")
        }) {
            let value: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let name = format!("{folder}/{}", file.file_stem().unwrap().to_string_lossy());
            if value.get(key).is_none() || REFUSED.contains(&name.as_str()) {
                continue;
            }
            let path = golden.join(value["model"].as_str().unwrap());
            // CatBoost's files hold hashes of names; the recorded case holds the names.
            let loaded = match value["categories"].as_object() {
                Some(names) if folder == "catboost" => {
                    let names: Vec<_> = names.iter().map(|(column, names)| (column.clone(), words(names))).collect();
                    read_with_categories(&std::fs::read(&path).unwrap(), &names)
                }
                _ => load(&path),
            };
            let mut model = loaded.unwrap_or_else(|error| panic!("{name}: {error}")).model;
            // Files without covers come with the rows that were counted.
            if let Some(rows) = value.get("train_rows") {
                let trees = with_covers(model.trees(), &matrix(rows)).unwrap();
                model = TreeModel::new(trees, model.features().to_vec(), model.outputs().to_vec()).unwrap();
            }
            let single = folder.starts_with("xgboost");
            found.push(Case { name, single, model, rows: matrix(&value["rows"]), golden: value });
        }
    }
    found
}

/// The folders whose files this build can read.
fn folders() -> Vec<&'static str> {
    let mut all = vec!["xgboost", "xgboost-1.7", "xgboost-2.1", "lightgbm", "catboost"];
    if cfg!(feature = "onnx") {
        all.push("onnx");
    }
    all
}

pub fn number(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap(),
    }
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

pub fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> =
        value.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(number).collect()).collect();
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn cube(value: &Value) -> Array3<f64> {
    let planes: Vec<Array2<f64>> = value.as_array().unwrap().iter().map(matrix).collect();
    let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
    ndarray::stack(ndarray::Axis(0), &views).unwrap()
}

/// The largest error of values and base, relative to the largest number there, or 1.
fn gap(found: &Attribution, block: &Value) -> f64 {
    let values = cube(&block["values"]);
    assert_eq!(values.dim(), found.values.dim());
    let base = block["base"].as_array().unwrap();
    let base = if base.first().is_some_and(Value::is_array) {
        matrix(&block["base"])
    } else {
        let one: Vec<f64> = base.iter().map(number).collect();
        Array2::from_shape_fn(found.base.dim(), |(_, output)| one[output])
    };
    let size = values.iter().chain(&base).fold(1.0f64, |most, v| most.max(v.abs()));
    let wrong =
        (&found.values - &values).iter().chain(&(&found.base - &base)).fold(0.0f64, |most, v| most.max(v.abs()));
    wrong / size
}

/// Every case that holds `key` agrees with what `explain` makes of it; prints the error of each.
fn agree(key: &str, tolerance: impl Fn(&Case) -> f64, explain: impl Fn(&Case, &Value) -> Attribution) {
    let cases = cases(key);
    assert!(!cases.is_empty(), "no case holds {key}");
    let mut wrong = Vec::new();
    for case in &cases {
        let block = &case.golden[key];
        let found = explain(case, block);
        let gap = gap(&found, block);
        println!("{key:22} {:40} {gap:.1e}", case.name);
        let left = found.completeness_residual().iter().fold(0.0f64, |most, r| most.max(r.abs()));
        let size = found.scores.iter().fold(1.0f64, |most, v| most.max(v.abs()));
        assert!(left <= DOUBLE * size, "{}: values and base miss the score by {left}", case.name);
        if gap.is_nan() || gap > tolerance(case) {
            wrong.push(format!("{} differs by {gap:.1e} in {key}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn explain(method: &impl Explainer<TreeModel, Explanation = Attribution>, case: &Case) -> Attribution {
    method.explain(&case.model, &case.rows, &Run::default()).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn against(case: &Case, scale: OutputScale, nonlinear: Nonlinear) -> Attribution {
    let background = matrix(&case.golden["interventional"]["background"]);
    explain(&InterventionalTreeShap { scale, nonlinear, ..InterventionalTreeShap::new(background) }, case)
}

/// How near the enumerations of a case are.
fn exact(case: &Case) -> f64 {
    if case.single { SINGLE_INPUTS } else { DOUBLE }
}

/// How near the library's own numbers are.
fn library(case: &Case) -> f64 {
    if case.single { SINGLE } else { DOUBLE }
}

fn loss(block: &Value) -> OutputScale {
    OutputScale::Loss { labels: block["labels"].as_array().unwrap().iter().map(number).collect() }
}

#[test]
fn path_dependent_equals_the_library() {
    agree("path_dependent", library, |case, _| explain(&TreeShap::default(), case));
}

#[test]
fn path_dependent_equals_enumeration() {
    agree("path_dependent_exact", exact, |case, _| explain(&TreeShap::default(), case));
}

#[test]
fn interventional_equals_enumeration() {
    agree("interventional", exact, |case, _| against(case, OutputScale::Margin, Nonlinear::Rescale));
}

#[test]
fn probability_is_rescaled_as_shap_does() {
    agree("probability", exact, |case, _| against(case, OutputScale::Prediction, Nonlinear::Rescale));
}

#[test]
fn exact_probability_equals_enumeration() {
    agree("probability_exact", exact, |case, _| against(case, OutputScale::Prediction, Nonlinear::Exact));
}

#[test]
fn loss_is_rescaled_as_shap_does() {
    agree("log_loss", exact, |case, block| against(case, loss(block), Nonlinear::Rescale));
}

#[test]
fn exact_loss_equals_enumeration() {
    agree("log_loss_exact", exact, |case, block| against(case, loss(block), Nonlinear::Exact));
}

/// Rows that lie on thresholds, one float beside them, and 10⁻¹⁰ beside them: what is explained is the library's
/// own score, not merely ours.
#[test]
fn the_explained_score_is_the_library_s() {
    for case in cases("margins") {
        let margins = matrix(&case.golden["margins"]);
        let found = explain(&TreeShap::default(), &case);
        let size = margins.iter().fold(1.0f64, |most, v| most.max(v.abs()));
        let wrong = (&found.scores - &margins).iter().fold(0.0f64, |most, v| most.max(v.abs()));
        let tolerance = if case.name == "xgboost/zero_cover_saturated" { SATURATED } else { library(&case) };
        assert!(wrong <= tolerance * size, "{}: {wrong}", case.name);
    }
}
