//! CatBoost's JSON files against what the library says of them.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use serde_json::{Value, json};
use xai_core::{Error, FeatureKind, Model, TreeStructured};
use xai_models::catboost::{category_hash, read, read_with_categories};
use xai_models::file::{FileKind, Loaded};
use xai_models::trees::has_covers;

use crate::golden::{case, cases, expected_scores, gap};

/// Links are computed in f64 here and there, the last bits by different routines.
const PREDICTION: f64 = 1e-14;

fn categories(body: &Value) -> Vec<(String, Vec<String>)> {
    let Some(columns) = body["categories"].as_object() else { return Vec::new() };
    let names = |list: &Value| list.as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect();
    columns.iter().map(|(column, list)| (column.clone(), names(list))).collect()
}

#[test]
fn margins_and_predictions_are_the_library_s() {
    let mut checked = 0;
    for case in cases("catboost").iter().filter(|case| case.name != "catboost/ctr") {
        let loaded = read_with_categories(&case.bytes(), &categories(&case.body));
        let Loaded { model, kind, .. } = loaded.unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(kind, FileKind::CatboostJson);
        let rows = case.table("rows");
        let margins = gap(&model.predict(&rows).unwrap(), &case.table("margins"));
        assert!(margins <= case.tolerance("margin"), "{}: margins differ by {margins:e}", case.name);
        // `Tweedie` was recorded raw, although the library's regressor would give its exponential.
        let raw = case.body["prediction_type"] == "RawFormulaVal";
        let mut predictions = if raw { model.predict(&rows) } else { model.predictions(&rows) }.unwrap();
        let expected = case.table("predictions");
        if (predictions.ncols(), expected.ncols()) == (1, 2) {
            predictions = ndarray::concatenate![Axis(1), 1.0 - &predictions, predictions];
        }
        let predictions = gap(&predictions, &expected);
        let tolerance = case.tolerance("margin").max(PREDICTION);
        assert!(predictions <= tolerance, "{}: predictions differ by {predictions:e}", case.name);
        let names: Vec<&str> = model.features().iter().map(|f| f.name.as_str()).collect();
        let expected: Vec<&str> =
            case.body["features"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert_eq!(names, expected, "{}", case.name);
        checked += 1;
    }
    assert!(checked >= 20, "{checked} cases");
}

/// Covers and the order of the splits make the expected score that the library's own attributions start from.
#[test]
fn covers_give_the_library_s_base() {
    let mut checked = 0;
    for case in cases("catboost") {
        let Some(base) = case.body["path_dependent"]["base"].as_array() else { continue };
        let base: Vec<f64> = base.iter().map(|b| b.as_f64().unwrap()).collect();
        let model = read_with_categories(&case.bytes(), &categories(&case.body)).unwrap().model;
        assert!(has_covers(model.trees()), "{}", case.name);
        for (found, expected) in expected_scores(model.trees()).iter().zip(&base) {
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            assert!(difference <= case.tolerance("attribution"), "{}: {found} for {expected}", case.name);
        }
        checked += 1;
    }
    assert!(checked >= 15, "{checked} cases");
}

#[test]
fn classes_name_the_outputs() {
    let outputs = |name: &str| {
        let model = read(&case("catboost", name).bytes()).unwrap().model;
        model.outputs().iter().map(|o| o.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(outputs("binary_names"), ["yes"]);
    assert_eq!(outputs("binary"), ["1"]);
    assert_eq!(outputs("multiclass"), ["high", "low", "mid"]);
    assert_eq!(outputs("poisson"), ["y"]);
}

#[test]
fn target_statistics_are_refused_by_name() {
    let error = read(&case("catboost", "ctr").bytes()).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { what, .. } if what.contains("OnlineCtr")), "{error}");
}

#[test]
fn one_hot_splits_without_names_are_refused_with_advice() {
    let error = read(&case("catboost", "one_hot").bytes()).unwrap_err();
    assert!(error.to_string().contains("pool="), "{error}");
    let unknown = [("price".to_owned(), vec!["low".to_owned()])];
    assert!(matches!(read_with_categories(&case("catboost", "one_hot").bytes(), &unknown), Err(Error::Unknown { .. })));
}

/// A file saved with `pool=` holds the names; with them it needs none given, and says the same.
#[test]
fn names_in_the_file_serve_as_categories() {
    let case = case("catboost", "one_hot");
    let mut file: Value = serde_json::from_slice(&case.bytes()).unwrap();
    let lists = categories(&case.body);
    let names: Vec<Value> = lists
        .iter()
        .flat_map(|(_, names)| names)
        .map(|name| json!({"hash": category_hash(name), "value": name}))
        .collect();
    file["features_info"]["cat_features_hash"] = Value::Array(names);
    let named = read(&serde_json::to_vec(&file).unwrap()).unwrap().model;
    let mut rows = case.table("rows");
    for (column, feature) in named.features().iter().enumerate() {
        let FeatureKind::Categorical { categories } = &feature.kind else { continue };
        let given = &lists.iter().find(|(name, _)| *name == feature.name).unwrap().1;
        for code in rows.column_mut(column) {
            *code = categories.iter().position(|c| *c == given[*code as usize]).unwrap() as f64;
        }
    }
    assert!(gap(&named.predict(&rows).unwrap(), &case.table("margins")) <= case.tolerance("margin"));
}

/// What catboost 1.2.10 writes into `cat_features_hash` for the first n
/// letters of "abcdefghijabcdefghij…".
#[test]
fn category_hashes_are_the_library_s() {
    const HASHES: [(usize, u32); 38] = [
        (0, 797982799),
        (1, 3489901818),
        (2, 4090249022),
        (3, 978243121),
        (4, 345588365),
        (5, 2452793224),
        (6, 3381796794),
        (7, 163411706),
        (8, 4270775063),
        (9, 3019552977),
        (10, 2354850436),
        (11, 2026622902),
        (12, 3323458953),
        (13, 3094089947),
        (14, 230253683),
        (15, 2182423274),
        (16, 1119135214),
        (17, 1357746779),
        (18, 2374253058),
        (19, 1252544987),
        (24, 1524898878),
        (31, 3483497429),
        (32, 1456696876),
        (33, 1519759389),
        (40, 3042115790),
        (50, 3488677253),
        (63, 1792311046),
        (64, 1846877586),
        (65, 1037480648),
        (70, 3392967921),
        (100, 1635935142),
        (127, 1856199993),
        (128, 881785306),
        (129, 439720440),
        (150, 151112714),
        (192, 66216123),
        (193, 2508630061),
        (200, 1734888256),
    ];
    let letters = "abcdefghij".repeat(20);
    for (length, hash) in HASHES {
        assert_eq!(category_hash(&letters[..length]), hash, "{length} bytes");
    }
}

fn symmetric() -> Value {
    json!({
        "features_info": {"float_features": [
            {"feature_index": 0, "flat_feature_index": 0, "nan_value_treatment": "AsTrue"},
            {"feature_index": 1, "flat_feature_index": 1, "nan_value_treatment": "AsIs"}]},
        "oblivious_trees": [{
            "splits": [{"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5},
                       {"split_type": "FloatFeature", "float_feature_index": 1, "border": 1.5}],
            "leaf_values": [1.0, 2.0, 3.0, 4.0], "leaf_weights": [10, 20, 0, 5]}],
        "scale_and_bias": [2.0, [0.25]],
        "model_info": {"params": {"loss_function": {"type": "RMSE"}}}
    })
}

fn loaded(file: &Value) -> xai_core::Result<Loaded> {
    read(&serde_json::to_vec(file).unwrap())
}

/// By hand: leaf = [x0 > 0.5] + 2·[x1 > 1.5]; the last split stands at the root.
#[test]
fn a_symmetric_tree_unfolds() {
    let model = loaded(&symmetric()).unwrap().model;
    let rows = ndarray::array![[0.5, 1.5], [0.6, 1.5], [0.5, 1.6], [0.6, 1.6], [f64::NAN, 0.0], [0.0, f64::NAN]];
    let scores = model.predict(&rows).unwrap();
    assert_eq!(scores.column(0).to_vec(), [2.25, 4.25, 6.25, 8.25, 4.25, 2.25]);
    let trees = model.trees();
    assert_eq!(trees.feature[0], 1);
    assert_eq!(trees.cover, [35.0, 30.0, 5.0, 10.0, 20.0, 0.0, 5.0]);
}

#[test]
fn trees_without_weights_have_no_covers() {
    let mut file = symmetric();
    file["oblivious_trees"][0].as_object_mut().unwrap().remove("leaf_weights");
    let loaded = loaded(&file).unwrap();
    assert!(!has_covers(loaded.model.trees()));
    assert!(loaded.fact("covers").is_some());
}

#[test]
fn what_cannot_be_served_is_refused() {
    let refused = |edit: &dyn Fn(&mut Value), word: &str| {
        let mut file = symmetric();
        edit(&mut file);
        let error = loaded(&file).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    let split = |file: &mut Value, key: &str, value: Value| file["oblivious_trees"][0]["splits"][0][key] = value;
    refused(&|f| f["features_info"]["text_features"] = json!([{}]), "text");
    refused(&|f| f["features_info"]["embedding_features"] = json!([{}]), "embedding");
    refused(&|f| f["model_info"]["params"]["loss_function"]["type"] = json!("RMSEWithUncertainty"), "RMSEWith");
    refused(&|f| split(f, "split_type", json!("Quaint")), "Quaint");
    refused(&|f| split(f, "float_feature_index", json!(7)), "feature 7");
    refused(&|f| split(f, "border", json!(null)), "fields");
    refused(&|f| f["features_info"]["float_features"][1]["flat_feature_index"] = json!(0), "flat_feature_index 0");
    refused(&|f| f["features_info"]["float_features"][1]["flat_feature_index"] = json!(1_u64 << 40), "limit");
    refused(&|f| f["features_info"]["float_features"][0]["nan_value_treatment"] = json!("AsYouLike"), "AsYouLike");
    refused(&|f| f["oblivious_trees"][0]["leaf_values"] = json!([1.0, 2.0, 3.0]), "3 leaf values");
    refused(&|f| f["oblivious_trees"][0]["leaf_weights"] = json!([1.0]), "1 leaf weights");
    refused(&|f| f["oblivious_trees"][0]["splits"] = json!(vec![json!({}); 17]), "17");
    refused(&|f| f["trees"] = json!([{"value": 1.0, "weight": 2.0}]), "both");
    refused(&|f| f["oblivious_trees"] = json!(null), "neither");
    refused(&|f| f["scale_and_bias"] = json!([1.0, [0.0, 0.0]]), "2 biases");
    refused(&|f| f["features_info"] = json!(null), "null");
}

/// Objects nested without end must not exhaust the stack.
#[test]
fn deep_nesting_is_an_error() {
    let mut text = r#"{"features_info":{},"trees":["#.to_owned();
    text.push_str(&r#"{"left":"#.repeat(100_000));
    assert!(matches!(read(text.as_bytes()), Err(Error::Malformed { .. })));
}

proptest! {
    /// A file with some bytes changed is an error or another model; it is never a panic.
    #[test]
    fn mutated_bytes_never_panic(
        name in prop::sample::select(vec!["binary", "depthwise", "lossguide_multiclass", "one_hot", "single_leaf"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let case = case("catboost", name);
        // The training parameters are long and play no part; changes there would test nothing.
        let mut file: Value = serde_json::from_slice(&case.bytes()).unwrap();
        file["model_info"] = json!({"params": {"loss_function": file["model_info"]["params"]["loss_function"]}});
        let mut model = serde_json::to_vec(&file).unwrap();
        for (place, byte) in edits {
            let place = place.index(model.len());
            model[place] = byte;
        }
        if let Some(cut) = cut {
            model.truncate(cut.index(model.len()));
        }
        if let Ok(loaded) = read_with_categories(&model, &categories(&case.body)) {
            let rows = Array2::from_elem((2, loaded.model.trees().n_features), 0.5);
            prop_assert!(loaded.model.predict(&rows).is_ok());
        }
    }

    /// A number somewhere in the file replaced by another.
    #[test]
    fn mutated_numbers_never_panic(
        name in prop::sample::select(vec!["multiclass", "lossguide", "one_hot"]),
        place in any::<prop::sample::Index>(),
        number in prop::sample::select(vec!["-1", "0", "1", "4294967295", "1e300", "-1e300", "18446744073709551615", "null", "[]"]),
    ) {
        let case = case("catboost", name);
        let text = String::from_utf8(case.bytes()).unwrap();
        let start = text.find("\"features_info\"").unwrap();
        let numbers: Vec<(usize, usize)> = numbers(&text[start..]).map(|(a, b)| (start + a, start + b)).collect();
        let (from, to) = numbers[place.index(numbers.len())];
        let edited = format!("{}{number}{}", &text[..from], &text[to..]);
        if let Ok(loaded) = read_with_categories(edited.as_bytes(), &categories(&case.body)) {
            let rows = Array2::from_elem((2, loaded.model.trees().n_features), f64::NAN);
            prop_assert!(loaded.model.predict(&rows).is_ok());
        }
    }
}

/// The spans of the numbers of a JSON text.
fn numbers(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.char_indices().filter_map(move |(at, c)| {
        let starts = (c.is_ascii_digit() || c == '-') && text[..at].ends_with([':', ',', '[']);
        starts.then(|| (at, at + text[at..].find(|c| !is_part(c)).unwrap_or(text.len() - at)))
    })
}
