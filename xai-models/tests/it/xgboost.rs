//! XGBoost's files against what XGBoost says of them.

use ndarray::{Array2, Axis, array};
use xai_core::trees::Comparison;
use xai_core::{Error, FeatureKind, Model, Scale, TreeEnsemble, TreeStructured};
use xai_models::file::{FileKind, LoadOptions, load, load_bytes, load_bytes_with};

use crate::golden::{Case, case, cases, expected_scores, gap, table};

/// What the loader refuses, and what the refusal must name.
const REFUSED: [(&str, &str); 2] =
    [("xgboost/gblinear", "booster gblinear"), ("xgboost/expectile", "reg:expectileerror at several levels")];

fn all_cases() -> Vec<Case> {
    ["xgboost", "xgboost-1.7", "xgboost-2.1"].into_iter().flat_map(cases).collect()
}

fn refusal(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, words)| *words)
}

/// Margins and predictions equal the library's, to what its sums in f32 leave (the tolerance of each file).
#[test]
fn xgboost_margins_and_predictions() {
    let mut read = 0;
    for case in all_cases() {
        for path in case.models() {
            let loaded = load(&path);
            if let Some(words) = refusal(&case.name) {
                let error = loaded.unwrap_err().to_string();
                assert!(error.contains(words), "{}: {error}", case.name);
                continue;
            }
            let model = loaded.unwrap().model;
            let (rows, tolerance) = (case.table("rows"), case.tolerance("margin"));
            let margins = gap(&model.predict(&rows).unwrap(), &case.table("margins"));
            assert!(margins <= tolerance, "{}: margins differ by {margins}", path.display());

            let predictions = model.predictions(&rows).unwrap();
            let expected = case.table("predictions");
            let predictions = if expected.ncols() < predictions.ncols() { top(&predictions) } else { predictions };
            let predictions = gap(&predictions, &expected);
            assert!(predictions <= tolerance, "{}: predictions differ by {predictions}", path.display());
            read += 1;
        }
    }
    assert!(read > 50, "{read} files");
}

/// The output with the largest score, which `multi:softmax` predicts.
fn top(scores: &Array2<f64>) -> Array2<f64> {
    let top = |row: ndarray::ArrayView1<f64>| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as f64;
    scores.map_axis(Axis(1), top).insert_axis(Axis(1))
}

/// The covers are those that the library's own contributions start from: the base of its path-dependent values.
#[test]
fn xgboost_covers_give_the_base_of_contributions() {
    let mut compared = 0;
    for case in all_cases() {
        let Some(expected) = case.body.get("path_dependent").map(|block| &block["base"]) else { continue };
        if refusal(&case.name).is_some() {
            continue;
        }
        let model = load(&case.models()[0]).unwrap().model;
        let found = expected_scores(model.trees());
        let expected = table(&serde_json::json!([expected]));
        let gap = gap(&Array2::from_shape_vec((1, found.len()), found).unwrap(), &expected);
        assert!(gap <= case.tolerance("attribution"), "{}: {gap}", case.name);
        compared += 1;
    }
    assert!(compared > 30, "{compared} cases");
}

/// The same model in both forms is the same, to the last bit.
#[test]
fn xgboost_json_and_ubjson_agree() {
    let mut compared = 0;
    for case in all_cases() {
        let [json, ubjson] = &case.models()[..] else { continue };
        let (json, ubjson) = (load(json).unwrap(), load(ubjson).unwrap());
        assert_eq!((json.kind, ubjson.kind), (FileKind::XgboostJson, FileKind::XgboostUbjson));
        assert_eq!(json.model, ubjson.model, "{}", case.name);
        compared += 1;
    }
    assert!(compared >= 5, "{compared} pairs");
}

/// Rows on the cuts of a histogram go the way that f32 sends them; as many as the library says go astray in f64.
#[test]
fn xgboost_routes_rows_on_cuts_in_single_precision() {
    let case = case("xgboost", "histogram_cuts");
    let trees = load(&case.models()[0]).unwrap().model.trees().clone();
    let rows = case.table("rows");
    let mut parts = trees.clone().into_parts();
    parts.comparison = Comparison::DOUBLE_LESS;
    let double = TreeEnsemble::new(parts).unwrap();
    let astray = |row: &ndarray::ArrayView1<f64>| {
        let row = row.to_vec();
        (0..trees.n_trees()).any(|tree| trees.leaf_of(tree, &row) != double.leaf_of(tree, &row))
    };
    let astray: Vec<usize> = (0..rows.nrows()).filter(|&i| astray(&rows.row(i))).collect();
    let recorded = &case.body["rows_misrouted_by_an_f64_comparison"];
    let expected = recorded.as_u64().or_else(|| recorded.as_array().map(|rows| rows.len() as u64)).unwrap();
    assert_eq!(astray.len() as u64, expected);
}

/// The categories of a data frame come with the model.
#[test]
fn xgboost_names_features_and_categories() {
    let case = case("xgboost", "categorical_pandas");
    let model = load(&case.models()[0]).unwrap().model;
    let names: Vec<&str> = model.features().iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(serde_json::json!(names), case.body["features"]);
    let mut named = 0;
    for feature in model.features() {
        let expected = &case.body["categories"][&feature.name];
        match &feature.kind {
            FeatureKind::Categorical { categories } => {
                assert_eq!(serde_json::json!(categories), *expected);
                named += 1;
            }
            _ => assert!(expected.is_null(), "{}: {expected}", feature.name),
        }
    }
    assert_eq!(named, 2);
}

#[test]
fn xgboost_cuts_to_the_best_iteration_when_asked() {
    let case = case("xgboost", "early_stopping");
    let whole = load_bytes(&case.bytes()).unwrap();
    let best: usize = whole.fact("best iteration").unwrap().parse().unwrap();
    assert_eq!(best as u64, case.body["best_iteration"].as_u64().unwrap());
    let cut = load_bytes_with(&case.bytes(), &LoadOptions { iterations: Some(0..best + 1) }).unwrap();
    assert_eq!(cut.model.trees().n_trees(), best + 1);
    let margins = cut.model.predict(&case.table("rows")).unwrap();
    assert!(gap(&margins, &case.table("margins_to_best_iteration")) <= case.tolerance("margin"));
    let beyond = load_bytes_with(&case.bytes(), &LoadOptions { iterations: Some(0..1000) });
    assert!(matches!(beyond, Err(Error::Parameter { .. })));
}

#[test]
fn xgboost_names_outputs_by_objective() {
    let outputs = |name: &str| {
        let outputs = load(&case("xgboost", name).models()[0]).unwrap().model.outputs().to_vec();
        outputs.into_iter().map(|output| (output.name, output.scale)).collect::<Vec<_>>()
    };
    let named = |names: &[&str], scale| names.iter().map(|name| (name.to_string(), scale)).collect::<Vec<_>>();
    assert_eq!(outputs("binary"), named(&["class 1"], Scale::LogOdds));
    assert_eq!(outputs("logitraw"), named(&["class 1"], Scale::LogOdds));
    assert_eq!(outputs("multiclass"), named(&["class 0", "class 1", "class 2"], Scale::Margin));
    assert_eq!(outputs("quantile"), named(&["quantile 0.1", "quantile 0.5", "quantile 0.9"], Scale::Natural));
    assert_eq!(outputs("poisson"), named(&["y"], Scale::Log));
    assert_eq!(outputs("ranking_ndcg"), named(&["relevance"], Scale::Margin));
    assert_eq!(outputs("multi_label"), named(&["label 0", "label 1", "label 2"], Scale::LogOdds));
}

#[test]
fn xgboost_tells_what_a_model_card_says() {
    let loaded = load(&case("xgboost", "dart").models()[0]).unwrap();
    let facts = ["library", "version", "booster", "objective"].map(|name| loaded.fact(name).unwrap());
    assert_eq!(facts, ["XGBoost", "3.4.1", "dart", "reg:squarederror"]);
    assert_eq!(loaded.fact("trees").unwrap(), loaded.model.trees().n_trees().to_string());
    assert_eq!(loaded.fact("features"), Some("6"));
}

/// A file with one tree of three nodes, where `change` may break or extend it.
fn small(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let mut file = serde_json::json!({"learner": {
        "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2", "num_target": "1"},
        "objective": {"name": "reg:squarederror"},
        "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [{
            "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
            "split_conditions": [0.5, -1.0, 1.0], "default_left": [0, 0, 0], "sum_hessian": [2.0, 1.0, 1.0],
            "tree_param": {"num_deleted": "0", "size_leaf_vector": "1"}
        }]}}
    }});
    change(&mut file);
    serde_json::to_vec(&file).unwrap()
}

fn tree(file: &mut serde_json::Value) -> &mut serde_json::Value {
    &mut file["learner"]["gradient_booster"]["model"]["trees"][0]
}

/// Pruning leaves nodes that no path leads to; the file counts them.
#[test]
fn xgboost_skips_pruned_nodes() {
    let pruned = |deleted: &'static str| {
        small(move |file| {
            let tree = tree(file);
            for key in ["left_children", "right_children"] {
                tree[key] = serde_json::json!([if key == "left_children" { 3 } else { 4 }, -1, -1, -1, -1]);
            }
            for key in ["split_indices", "default_left", "sum_hessian"] {
                tree[key] = serde_json::json!([0, 0, 0, 0, 0]);
            }
            tree["split_conditions"] = serde_json::json!([0.5, 7.0, 7.0, -1.0, 1.0]);
            tree["tree_param"]["num_deleted"] = deleted.into();
        })
    };
    let model = load_bytes(&pruned("2")).unwrap().model;
    assert_eq!(model.predict(&array![[0.0, 0.0], [1.0, 0.0]]).unwrap(), array![[-0.5], [1.5]]);
    assert!(load_bytes(&pruned("0")).unwrap_err().to_string().contains("2 nodes that no path leads to"));
}

/// XGBoost 2.0 to 3.0 keep vector leaves by node in `base_weights`; 2.x without covers.
#[test]
fn xgboost_reads_vector_leaves_of_version_2() {
    let file = small(|file| {
        file["learner"]["learner_model_param"]["num_target"] = "2".into();
        tree(file)["tree_param"]["size_leaf_vector"] = "2".into();
        tree(file).as_object_mut().unwrap().remove("sum_hessian");
        tree(file)["base_weights"] = serde_json::json!([9.0, 9.0, 1.0, 2.0, 3.0, 4.0]);
    });
    let model = load_bytes(&file).unwrap().model;
    assert_eq!(model.predict(&array![[0.0, 0.0], [1.0, 0.0]]).unwrap(), array![[1.5, 2.5], [3.5, 4.5]]);
    assert_eq!(model.trees().cover, [0.0; 3]);
}

/// Hessians that rounding left below zero count as zero; NaN does not.
#[test]
fn xgboost_takes_a_hessian_below_zero_as_zero() {
    let file = small(|file| tree(file)["sum_hessian"] = serde_json::json!([1.0, -1e-9, 1.0]));
    assert_eq!(load_bytes(&file).unwrap().model.trees().cover[1], 0.0);
    let text = String::from_utf8(small(|_| {})).unwrap().replace("[2.0,1.0,1.0]", "[NaN,1.0,1.0]");
    assert!(load_bytes(text.as_bytes()).unwrap_err().to_string().contains("cover of NaN"));
}

/// Each break is refused with words that point at it.
#[test]
fn xgboost_says_what_is_wrong_and_where() {
    type Break = (&'static str, fn(&mut serde_json::Value));
    let breaks: [Break; 12] = [
        ("reg:unheard", |f| f["learner"]["objective"]["name"] = "reg:unheard".into()),
        ("gbforest", |f| f["learner"]["gradient_booster"]["name"] = "gbforest".into()),
        ("base_score", |f| f["learner"]["learner_model_param"]["base_score"] = "[1,2,3]".into()),
        ("base_score", |f| f["learner"]["learner_model_param"]["base_score"] = "half".into()),
        ("num_feature", |f| f["learner"]["learner_model_param"]["num_feature"] = "-3".into()),
        ("features", |f| f["learner"]["learner_model_param"]["num_feature"] = "4000000000".into()),
        ("outputs", |f| f["learner"]["learner_model_param"]["num_class"] = "4000000000".into()),
        ("trees[0].sum_hessian", |f| tree(f)["sum_hessian"] = serde_json::json!([1.0])),
        ("trees[0], node 0: feature 2 of 2", |f| tree(f)["split_indices"] = serde_json::json!([2, 0, 0])),
        ("trees[0], node 1: it has two parents", |f| tree(f)["right_children"] = serde_json::json!([1, -1, -1])),
        ("trees[0], node 9: there are 3 nodes", |f| tree(f)["right_children"] = serde_json::json!([9, -1, -1])),
        ("split by category without a set", |f| tree(f)["split_type"] = serde_json::json!([1, 0, 0])),
    ];
    for (words, change) in breaks {
        let error = load_bytes(&small(change)).unwrap_err().to_string().replace(", at ", " ");
        assert!(error.contains(words), "{words}: {error}");
    }
}
