//! ONNX tree ensembles against ONNX Runtime and scikit-learn.

mod wire;

use ndarray::{Array2, array};
use proptest::prelude::*;
use xai_core::{Error, Link, Model, Scale, TreeStructured};
use xai_models::file::{FileKind, Loaded, load_bytes};
use xai_models::onnx::read;
use xai_models::trees::{TreeModel, has_covers, with_covers};

use crate::golden::{case, cases, expected_scores, gap};
use wire::{DOUBLE, FLOAT, Node, Value, file, inputs};

/// The golden margins are computed in f64 by a reader of another make; only the order of sums differs.
const MARGIN: f64 = 1e-13;

const ML: &str = "ai.onnx.ml";

/// The case with comparisons for equality, which are refused.
const EQUALITY: &str = "onnx/modes_by_hand";

#[test]
fn scores_are_those_of_the_file() {
    let mut checked = 0;
    for case in cases("onnx").iter().filter(|case| case.name != EQUALITY) {
        let Loaded { model, kind, .. } = load_bytes(&case.bytes()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(kind, FileKind::Onnx);
        let rows = case.table("rows");
        let margins = gap(&model.predict(&rows).unwrap(), &case.table("margins"));
        assert!(margins <= MARGIN, "{}: margins differ by {margins:e}", case.name);
        let mut predictions = model.predictions(&rows).unwrap();
        let runtime = case.table("predictions");
        if (predictions.ncols(), runtime.ncols()) == (1, 2) {
            predictions = ndarray::concatenate![ndarray::Axis(1), 1.0 - &predictions, predictions];
        }
        let difference = gap(&predictions, &runtime);
        assert!(difference <= case.tolerance("margin"), "{}: predictions differ by {difference:e}", case.name);
        if case.name != "onnx/decision_tree_missing" {
            let difference = gap(&predictions, &case.table("sklearn_predictions"));
            assert!(difference <= case.tolerance("sklearn"), "{}: scikit-learn differs by {difference:e}", case.name);
        }
        checked += 1;
    }
    assert!(checked >= 15, "{checked} cases");
}

/// Covers counted in the training rows make the expected score that path-dependent values start from.
#[test]
fn covers_are_counted_in_a_background() {
    let mut checked = 0;
    for case in cases("onnx").iter().filter(|case| case.name != EQUALITY) {
        let model = read(&case.bytes()).unwrap().model;
        assert!(!has_covers(model.trees()), "{}", case.name);
        let trees = with_covers(model.trees(), &case.table("train_rows")).unwrap();
        assert!(has_covers(&trees), "{}", case.name);
        let base = case.body["path_dependent"]["base"].as_array().unwrap();
        for (found, expected) in expected_scores(&trees).iter().zip(base) {
            let expected = expected.as_f64().unwrap();
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            assert!(difference <= case.tolerance("attribution"), "{}: {found} for {expected}", case.name);
        }
        checked += 1;
    }
    assert!(checked >= 15, "{checked} cases");
}

#[test]
fn classes_name_the_outputs() {
    let model = |name: &str| read(&case("onnx", name).bytes()).unwrap().model;
    let names = |model: &TreeModel| model.outputs().iter().map(|o| o.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&model("random_forest_binary_names")), ["yes"]);
    assert_eq!(names(&model("random_forest_multiclass")), ["0", "1", "2"]);
    assert_eq!(names(&model("random_forest_two_targets")), ["y0", "y1"]);
    let boosted = model("gradient_boosting_binary");
    assert_eq!((names(&boosted), boosted.outputs()[0].scale), (vec!["1".to_owned()], Scale::LogOdds));
    assert_eq!(model("gradient_boosting_multiclass").trees().link, Link::Softmax);
}

/// x₀ compared with 0.5: 1 when true, 2 when false.
fn stump() -> Node {
    Node::new("TreeEnsembleRegressor", ML, "X", &["Y"])
        .with("nodes_treeids", Value::Ints(vec![0; 3]))
        .with("nodes_nodeids", Value::Ints(vec![0, 1, 2]))
        .with("nodes_featureids", Value::Ints(vec![0; 3]))
        .with("nodes_values", Value::Floats(vec![0.5, 0.0, 0.0]))
        .with("nodes_modes", Value::Texts(vec!["BRANCH_LEQ", "LEAF", "LEAF"]))
        .with("nodes_truenodeids", Value::Ints(vec![1, 0, 0]))
        .with("nodes_falsenodeids", Value::Ints(vec![2, 0, 0]))
        .with("target_treeids", Value::Ints(vec![0; 2]))
        .with("target_nodeids", Value::Ints(vec![1, 2]))
        .with("target_ids", Value::Ints(vec![0; 2]))
        .with("target_weights", Value::Floats(vec![1.0, 2.0]))
        .with("n_targets", Value::Int(1))
}

/// The same with two classes: 0.2 when true, 0.7 when false.
fn classifier() -> Node {
    let mut node = stump();
    node.operator = "TreeEnsembleClassifier";
    node.outputs = vec!["label", "probabilities"];
    node.attributes.retain(|(name, _)| !name.starts_with("target"));
    node.with("class_treeids", Value::Ints(vec![0; 2]))
        .with("class_nodeids", Value::Ints(vec![1, 2]))
        .with("class_ids", Value::Ints(vec![0; 2]))
        .with("class_weights", Value::Floats(vec![0.2, 0.7]))
        .with("classlabels_strings", Value::Texts(vec!["no", "yes"]))
}

fn scores(nodes: &[Node], rows: &Array2<f64>) -> Vec<f64> {
    let model = read(&file(nodes, FLOAT, rows.ncols() as u64)).unwrap().model;
    model.predict(rows).unwrap().into_iter().collect()
}

/// What onnxruntime 1.31.1 says of the stump in every mode, with and without `missing_value_tracks_true`.
#[test]
fn modes_compare_as_onnx_runtime_does() {
    let rows = array![[0.0], [1.0], [f64::NAN], [0.5], [f64::INFINITY], [f64::NEG_INFINITY]];
    let runtime = [
        ("BRANCH_LEQ", 0, [1.0, 2.0, 2.0, 1.0, 2.0, 1.0]),
        ("BRANCH_LEQ", 1, [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]),
        ("BRANCH_LT", 0, [1.0, 2.0, 2.0, 2.0, 2.0, 1.0]),
        ("BRANCH_LT", 1, [1.0, 2.0, 1.0, 2.0, 2.0, 1.0]),
        ("BRANCH_GTE", 0, [2.0, 1.0, 2.0, 1.0, 1.0, 2.0]),
        ("BRANCH_GTE", 1, [2.0, 1.0, 1.0, 1.0, 1.0, 2.0]),
        ("BRANCH_GT", 0, [2.0, 1.0, 2.0, 2.0, 1.0, 2.0]),
        ("BRANCH_GT", 1, [2.0, 1.0, 1.0, 2.0, 1.0, 2.0]),
    ];
    for (mode, tracks, expected) in runtime {
        let node = stump()
            .with("nodes_modes", Value::Texts(vec![mode, "LEAF", "LEAF"]))
            .with("nodes_missing_value_tracks_true", Value::Ints(vec![tracks, 0, 0]));
        assert_eq!(scores(&[node], &rows), expected, "{mode} {tracks}");
    }
}

/// onnxruntime compares doubles with the f32 threshold as doubles, and floats after rounding.
#[test]
fn the_input_s_type_sets_the_precision() {
    let rows = array![[0.5], [0.5 + 1e-9], [0.5 - 1e-9]];
    let of = |nodes: &[Node], element_type: u64| -> Vec<f64> {
        read(&file(nodes, element_type, 1)).unwrap().model.predict(&rows).unwrap().into_iter().collect()
    };
    assert_eq!(of(&[stump()], DOUBLE), [1.0, 2.0, 1.0]);
    assert_eq!(of(&[stump()], FLOAT), [1.0, 1.0, 1.0]);
    let mut behind = stump();
    behind.inputs = vec!["cast"];
    let cast = Node::new("Cast", "", "X", &["cast"]).with("to", Value::Int(FLOAT as i64));
    assert_eq!(of(&[cast, behind], DOUBLE), [1.0, 1.0, 1.0]);
    let strict = stump().with("nodes_modes", Value::Texts(vec!["BRANCH_LT", "LEAF", "LEAF"]));
    assert_eq!(of(&[strict], DOUBLE), [2.0, 2.0, 1.0]);
    // Between two f32 numbers, < and ≤ are the same.
    let between = stump()
        .with("nodes_modes", Value::Texts(vec!["BRANCH_LT", "LEAF", "LEAF"]))
        .with("nodes_values_as_tensor", Value::DoubleTensor(vec![0.5 + 1e-12, 0.0, 0.0]));
    assert_eq!(of(&[between], FLOAT), [1.0, 1.0, 1.0]);
}

/// Two trees of version 5; the expected numbers are onnxruntime 1.31.1's.
fn newer() -> Node {
    Node::new("TreeEnsemble", ML, "X", &["Y"])
        .with("n_targets", Value::Int(2))
        .with("post_transform", Value::Int(0))
        .with("tree_roots", Value::Ints(vec![0, 2]))
        .with("nodes_featureids", Value::Ints(vec![0, 1, 1]))
        .with("nodes_modes", Value::ByteTensor(vec![0, 1, 2]))
        .with("nodes_splits", Value::FloatTensor(vec![0.5, 1.0, 0.25]))
        .with("nodes_truenodeids", Value::Ints(vec![1, 0, 3]))
        .with("nodes_trueleafs", Value::Ints(vec![0, 1, 1]))
        .with("nodes_falsenodeids", Value::Ints(vec![2, 1, 4]))
        .with("nodes_falseleafs", Value::Ints(vec![1, 1, 1]))
        .with("nodes_missing_value_tracks_true", Value::Ints(vec![0, 0, 1]))
        .with("leaf_targetids", Value::Ints(vec![0, 1, 0, 1, 0]))
        .with("leaf_weights", Value::FloatTensor(vec![1.0, 2.0, 4.0, 8.0, 16.0]))
}

#[test]
fn version_5_scores_as_onnx_runtime_does() {
    let rows = array![[0.5, 0.0], [0.5, 1.0], [0.6, 0.25], [0.0, f64::NAN], [f64::NAN, 0.2]];
    let sum = [17.0, 0.0, 0.0, 10.0, 4.0, 8.0, 0.0, 10.0, 20.0, 0.0];
    assert_eq!(scores(&[newer()], &rows), sum);
    assert_eq!(scores(&[newer().with("aggregate_function", Value::Int(1))], &rows), sum);
    assert_eq!(scores(&[newer().with("aggregate_function", Value::Int(0))], &rows), sum.map(|x| x / 2.0));
}

/// With base 0.25, as onnxruntime 1.31.1 has it.
#[test]
fn averages_come_before_the_base() {
    let doubled = |name: &str, value: &Value| match value {
        Value::Ints(all) if name.ends_with("treeids") => Value::Ints([all.clone(), vec![5; all.len()]].concat()),
        Value::Ints(all) => Value::Ints(all.repeat(2)),
        Value::Floats(all) if name == "target_weights" => Value::Floats([all.clone(), vec![3.0, 5.0]].concat()),
        Value::Floats(all) => Value::Floats(all.repeat(2)),
        Value::Texts(all) => Value::Texts(all.repeat(2)),
        other => other.clone(),
    };
    let mut two = stump();
    two.attributes.iter_mut().for_each(|(name, value)| *value = doubled(name, value));
    let two = two.with("base_values", Value::Floats(vec![0.25]));
    let rows = array![[0.0], [1.0]];
    assert_eq!(scores(std::slice::from_ref(&two), &rows), [4.25, 7.25]);
    assert_eq!(scores(&[two.with("aggregate_function", Value::Text("AVERAGE"))], &rows), [2.25, 3.75]);
}

#[test]
fn what_changes_no_score_may_stand_around() {
    let mut trees = classifier();
    trees.inputs = vec!["same"];
    let shares = |norm| {
        let before = Node::new("Identity", "", "X", &["same"]);
        let label = Node::new("Cast", "", "label", &["out_label"]).with("to", Value::Int(7));
        let normal = Node::new("Normalizer", ML, "probabilities", &["normal"]).with("norm", Value::Text(norm));
        let map = Node::new("ZipMap", ML, "normal", &["out"]);
        [before, trees.clone(), label, normal, map]
    };
    let found = scores(&shares("L1"), &array![[0.0], [1.0]]);
    assert_eq!(found, [f64::from(0.2_f32), f64::from(0.7_f32)]);
    let error = read(&file(&shares("L2"), FLOAT, 1)).unwrap_err().to_string();
    assert!(error.contains("Normalizer"), "{error}");
    // Scores above 1 would be changed by it.
    let mut large = shares("L1");
    large[1] = large[1].clone().with("class_weights", Value::Floats(vec![0.2, 1.7]));
    assert!(read(&file(&large, FLOAT, 1)).unwrap_err().to_string().contains("Normalizer"));
}

#[test]
fn what_cannot_be_served_is_refused_by_name() {
    let refused = |nodes: &[Node], word: &str| {
        let error = read(&file(nodes, FLOAT, 1)).unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    };
    let mode = |name| stump().with("nodes_modes", Value::Texts(vec![name, "LEAF", "LEAF"]));
    refused(&[mode("BRANCH_EQ")], "BRANCH_EQ");
    refused(&[mode("BRANCH_NEQ")], "BRANCH_NEQ");
    refused(&[mode("BRANCH_MEMBER")], "BRANCH_MEMBER");
    refused(&[stump().with("post_transform", Value::Text("LOGISTIC"))], "LOGISTIC");
    refused(&[classifier().with("post_transform", Value::Text("PROBIT"))], "PROBIT");
    refused(&[classifier().with("post_transform", Value::Text("SOFTMAX_ZERO"))], "SOFTMAX_ZERO");
    refused(&[classifier().with("class_ids", Value::Ints(vec![1, 1]))], "class_ids");
    refused(&[classifier().with("base_values", Value::Floats(vec![0.1, 0.2]))], "two base_values");
    refused(&[stump().with("aggregate_function", Value::Text("MIN"))], "MIN");
    refused(&[newer().with("aggregate_function", Value::Int(3))], "MAX");
    refused(&[newer().with("nodes_modes", Value::ByteTensor(vec![0, 4, 2]))], "BRANCH_EQ");
    refused(&[newer().with("nodes_modes", Value::ByteTensor(vec![0, 9, 2]))], "mode 9");
    refused(&[Node::new("LinearRegressor", ML, "X", &["Y"])], "LinearRegressor");
    refused(&[stump(), stump()], "several tree ensembles");
    let mut behind = stump();
    behind.inputs = vec!["scaled"];
    refused(&[Node::new("Scaler", ML, "X", &["scaled"]), behind.clone()], "Scaler");
    refused(&[stump(), Node::new("Exp", "", "Y", &["Z"])], "Exp");
    refused(&[stump(), Node::new("Cast", "", "Y", &["Z"]).with("to", Value::Int(7))], "Cast");
    let circle = Node::new("Identity", "", "scaled", &["scaled"]);
    refused(&[circle, behind], "circle");
    let several = read(&inputs(&[stump()], &["X", "Z"], FLOAT, 1)).unwrap_err();
    assert!(matches!(several, Error::Unsupported { .. }), "{several}");
    let bytes = read(&file(&[stump()], 2, 1)).unwrap_err();
    assert!(matches!(bytes, Error::Unsupported { .. }), "{bytes}");
    let golden = read(&case("onnx", "modes_by_hand").bytes()).unwrap_err();
    assert!(golden.to_string().contains("BRANCH_EQ"), "{golden}");
}

#[test]
fn broken_trees_are_malformed() {
    let broken = |node: Node| {
        let error = read(&file(&[node], FLOAT, 1)).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    };
    let ints = |all: &[i64]| Value::Ints(all.to_vec());
    // A circle, a node with two parents, a node that is not there, one that is there twice, a leaf that nobody reaches.
    broken(stump().with("nodes_truenodeids", ints(&[0, 0, 0])));
    broken(stump().with("nodes_truenodeids", ints(&[2, 0, 0])));
    broken(stump().with("nodes_truenodeids", ints(&[9, 0, 0])));
    broken(stump().with("nodes_nodeids", ints(&[0, 1, 1])));
    broken(stump().with("nodes_treeids", ints(&[0, 0, 1])));
    broken(stump().with("nodes_featureids", ints(&[-1, 0, 0])));
    broken(stump().with("nodes_featureids", ints(&[1, 0, 0])));
    broken(stump().with("nodes_values", Value::Floats(vec![f32::NAN, 0.0, 0.0])));
    broken(stump().with("nodes_values", Value::Floats(vec![0.5])));
    broken(stump().with("target_nodeids", ints(&[0, 2])));
    broken(stump().with("target_ids", ints(&[0, 1])));
    broken(stump().with("target_weights", Value::Floats(vec![f32::INFINITY, 0.0])));
    broken(stump().with("n_targets", Value::Int(-1)));
    broken(stump().with("base_values", Value::Floats(vec![1.0, 2.0])));
    broken(newer().with("nodes_truenodeids", ints(&[0, 0, 3])));
    broken(newer().with("tree_roots", ints(&[0, 0])));
    broken(newer().with("tree_roots", ints(&[7])));
    broken(newer().with("leaf_targetids", ints(&[0, 1, 0, 1, 2])));
    broken(newer().with("nodes_splits", Value::FloatTensor(vec![0.5])));
}

#[test]
fn large_numbers_allocate_nothing() {
    let error = read(&file(&[stump().with("n_targets", Value::Int(1 << 40))], FLOAT, 1)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = read(&file(&[stump()], FLOAT, 1 << 40)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

proptest! {
    /// A file with some bytes changed is an error or another model; it is never a panic.
    #[test]
    fn mutated_bytes_never_panic(
        name in prop::sample::select(vec!["random_forest_multiclass", "random_forest_double", "gradient_boosting_binary"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = case("onnx", name).bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(loaded) = read(&bytes) {
            let rows = Array2::from_elem((2, loaded.model.trees().n_features), 0.5);
            prop_assert!(loaded.model.predict(&rows).is_ok());
        }
    }

    /// An attribute of small trees filled with any numbers.
    #[test]
    fn mutated_attributes_never_panic(
        newer_form in any::<bool>(),
        attribute in any::<prop::sample::Index>(),
        ints in prop::collection::vec(-3_i64..4, 0..6),
        floats in prop::collection::vec(any::<f32>(), 0..6),
    ) {
        let mut node = if newer_form { newer() } else { stump() };
        let place = attribute.index(node.attributes.len());
        let value = &mut node.attributes[place].1;
        *value = match value.clone() {
            Value::Int(_) => Value::Int(ints.first().copied().unwrap_or(i64::MIN)),
            Value::Ints(_) => Value::Ints(ints),
            Value::Floats(_) => Value::Floats(floats),
            Value::FloatTensor(_) => Value::FloatTensor(floats),
            Value::ByteTensor(_) => Value::ByteTensor(ints.iter().map(|&i| i as u8).collect()),
            other => other,
        };
        if let Ok(loaded) = read(&file(&[node], FLOAT, 2)) {
            prop_assert!(loaded.model.predict(&array![[0.5, f64::NAN]]).is_ok());
        }
    }
}
