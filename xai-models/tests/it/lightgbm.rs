//! LightGBM's files against what LightGBM says of them.

use ndarray::Array2;
use xai_core::{Error, FeatureKind, Model, Scale, TreeStructured};
use xai_models::file::{LoadOptions, load, load_bytes, load_bytes_with};

use crate::golden::{case, cases, expected_scores, gap, table};

/// Both sum in f64, in the same order but for the division of random forests.
const MARGIN: f64 = 1e-12;
/// The links are computed by other routines, which differ in the last bits.
const PREDICTION: f64 = 1e-12;
/// The library sums the leaves, weighted by their rows, in another order.
const BASE: f64 = 1e-12;

const LINEAR: &str = "lightgbm/linear_tree";

#[test]
fn lightgbm_margins_and_predictions() {
    let mut read = 0;
    for case in cases("lightgbm") {
        let loaded = load(&case.models()[0]);
        if case.name == LINEAR {
            let error = loaded.unwrap_err().to_string();
            assert!(error.contains("linear_tree"), "{error}");
            continue;
        }
        let model = loaded.unwrap().model;
        let rows = case.table("rows");
        let margins = gap(&model.predict(&rows).unwrap(), &case.table("margins"));
        assert!(margins <= MARGIN, "{}: margins differ by {margins}", case.name);
        let predictions = gap(&model.predictions(&rows).unwrap(), &case.table("predictions"));
        assert!(predictions <= PREDICTION, "{}: predictions differ by {predictions}", case.name);
        read += 1;
    }
    assert!(read > 25, "{read} files");
}

/// The covers are the numbers of rows that the library's own contributions start from.
#[test]
fn lightgbm_covers_give_the_base_of_contributions() {
    let mut compared = 0;
    for case in cases("lightgbm").into_iter().filter(|case| case.name != LINEAR) {
        let Some(expected) = case.body.get("path_dependent").map(|block| &block["base"]) else { continue };
        let found = expected_scores(load(&case.models()[0]).unwrap().model.trees());
        let expected = table(&serde_json::json!([expected]));
        let gap = gap(&Array2::from_shape_vec((1, found.len()), found).unwrap(), &expected);
        assert!(gap <= BASE, "{}: {gap}", case.name);
        compared += 1;
    }
    assert!(compared > 20, "{compared} cases");
}

#[test]
fn lightgbm_names_features_and_categories() {
    let case = case("lightgbm", "categorical_pandas");
    let model = load(&case.models()[0]).unwrap().model;
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
fn lightgbm_names_outputs_by_objective() {
    let outputs = |name: &str| {
        let outputs = load(&case("lightgbm", name).models()[0]).unwrap().model.outputs().to_vec();
        outputs.into_iter().map(|output| (output.name, output.scale)).collect::<Vec<_>>()
    };
    assert_eq!(outputs("binary"), [("class 1".to_owned(), Scale::LogOdds)]);
    assert_eq!(outputs("binary_sigmoid"), [("class 1".to_owned(), Scale::Margin)]);
    assert_eq!(outputs("poisson"), [("y".to_owned(), Scale::Log)]);
    assert_eq!(outputs("multiclass")[2], ("class 2".to_owned(), Scale::Margin));
}

#[test]
fn lightgbm_keeps_the_iterations_asked_for() {
    let case = case("lightgbm", "multiclass");
    let whole = load_bytes(&case.bytes()).unwrap().model;
    let keep = |iterations| load_bytes_with(&case.bytes(), &LoadOptions { iterations: Some(iterations) });
    let n = whole.trees().n_trees() / 3;
    let rows = case.table("rows");
    let parts = keep(0..2).unwrap().model.predict(&rows).unwrap() + keep(2..n).unwrap().model.predict(&rows).unwrap();
    assert!(gap(&parts, &whole.predict(&rows).unwrap()) <= MARGIN);
    assert!(matches!(keep(0..n + 1), Err(Error::Parameter { .. })));
}

/// A file that ends among its trees or its parameters is refused, with the line.
#[test]
fn lightgbm_refuses_a_file_that_is_not_whole() {
    let text = String::from_utf8(case("lightgbm", "binary").bytes()).unwrap();
    let place = |words: &str| text.find(words).unwrap() + words.len();
    let trees = (5..place("end of trees") - 1).step_by(97);
    for end in trees.chain((place("\nparameters:\n")..place("end of parameters") - 1).step_by(97)) {
        let error = load_bytes(&text.as_bytes()[..end]).unwrap_err().to_string();
        assert!(error.contains("line "), "{end}: {error}");
    }
}

#[test]
fn lightgbm_says_what_is_wrong_and_where() {
    let text = String::from_utf8(case("lightgbm", "categorical").bytes()).unwrap();
    let change = |key: &str, value: &str| {
        let start = text.find(&format!("\n{key}=")).unwrap() + 1;
        let end = start + text[start..].find('\n').unwrap();
        let line = 1 + text[..start].matches('\n').count();
        (format!("{}{key}={value}{}", &text[..start], &text[end..]), format!("line {line}:"))
    };
    let breaks = [
        ("objective", "unheard"),
        ("num_leaves", "0"),
        ("num_leaves", "4000000000"),
        ("num_leaves", "many"),
        ("split_feature", "99"),
        ("leaf_value", "1 2"),
        ("leaf_count", "1 x"),
        ("decision_type", "64"),
        ("left_child", "7000000000"),
        ("cat_boundaries", "0 4000000000"),
        ("max_feature_idx", "4000000000"),
        ("num_tree_per_iteration", "4000000000"),
        ("feature_infos", "none"),
    ];
    for (key, value) in breaks {
        let (text, line) = change(key, value);
        let error = load_bytes(text.as_bytes()).unwrap_err();
        let words = error.to_string();
        let named = words.contains(value) || words.contains(&line);
        assert!(named, "{key}={value}: {words}");
    }
}

/// The library takes −1e-35f32 for 0 before it compares it with that very threshold (lightgbm 4.7.0: right; the number
/// before it: left).
#[test]
fn lightgbm_takes_numbers_at_its_zero_threshold_for_zero() {
    let text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n\
        objective=regression\nfeature_names=a\nfeature_infos=[-1:1]\n\nTree=0\nnum_leaves=2\nnum_cat=0\n\
        split_feature=0\nthreshold=-1.0000000180025095e-35\ndecision_type=2\nleft_child=-1\nright_child=-2\n\
        leaf_value=-1 1\nleaf_count=5 5\ninternal_count=10\n\nend of trees\n";
    let model = load_bytes(text.as_bytes()).unwrap().model;
    let zero = f64::from(1e-35_f32);
    let rows = ndarray::array![[(-zero).next_down()], [-zero], [-1e-36], [0.0], [f64::NAN]];
    assert_eq!(model.predict(&rows).unwrap(), ndarray::array![[-1.0], [1.0], [1.0], [1.0], [1.0]]);
}
