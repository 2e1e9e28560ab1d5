//! Files that are broken in every way that chance finds: an error or a model, never a panic, a hang or a full memory.

use std::sync::OnceLock;

use ndarray::Array2;
use proptest::prelude::*;
use xai_core::{Error, Model, TreeStructured};
use xai_models::file::load_bytes;

use crate::golden::case;

/// Small files of every form and with every kind of split.
const FILES: [(&str, &str); 16] = [
    ("xgboost", "categorical_pandas"),
    ("xgboost", "binary"),
    ("xgboost", "dart"),
    ("xgboost", "vector_leaf"),
    ("xgboost", "multi_label"),
    ("xgboost-1.7", "dart"),
    ("xgboost-2.1", "categorical"),
    ("lightgbm", "categorical_pandas"),
    ("lightgbm", "multiclassova"),
    ("lightgbm", "zero_as_missing"),
    ("lightgbm", "rf"),
    ("catboost", "binary_names"),
    ("catboost", "lossguide"),
    ("catboost", "multiclass"),
    ("catboost", "one_hot"),
    ("onnx", "gradient_boosting_binary"),
];

fn files() -> &'static [Vec<u8>] {
    static FILES_READ: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES_READ.get_or_init(|| {
        let paths = FILES.iter().flat_map(|(library, name)| case(library, name).models());
        paths.map(|path| std::fs::read(path).unwrap()).collect()
    })
}

/// Whatever the bytes are: a model that predicts, or an error that says something.
fn survives(bytes: &[u8]) {
    match load_bytes(bytes) {
        Err(error) => assert!(error.to_string().len() > 10),
        Ok(loaded) => {
            let model = loaded.model;
            let mut rows = Array2::zeros((3, model.features().len()));
            rows.row_mut(1).fill(f64::NAN);
            rows.row_mut(2).fill(-1e300);
            let scores = model.predict(&rows).unwrap();
            assert_eq!(scores.ncols(), model.trees().n_outputs);
            model.predictions(&rows).unwrap();
        }
    }
}

/// What numbers are replaced by.
const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "-0",
    "2",
    "31",
    "65536",
    "16777215",
    "16777216",
    "2147483647",
    "-2147483648",
    "4294967295",
    "99999999999999999999",
    "1e400",
    "NaN",
    "Infinity",
];

/// The places of the runs of digits.
fn numbers(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let digit = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..bytes.len()).filter(|&at| digit(&bytes[at])) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn flipped_bytes(file: prop::sample::Index, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = file.get(files()).clone();
        for (at, byte) in flips {
            *at.get_mut(&mut bytes[..]) = byte;
        }
        survives(&bytes);
    }

    #[test]
    fn cut_files(file: prop::sample::Index, at: prop::sample::Index) {
        let bytes = file.get(files());
        survives(&bytes[..at.index(bytes.len())]);
    }

    #[test]
    fn replaced_numbers(file: prop::sample::Index, at in prop::collection::vec(any::<prop::sample::Index>(), 1..4), by in prop::collection::vec(0..NUMBERS.len(), 4)) {
        let mut bytes = file.get(files()).clone();
        for (at, by) in at.iter().zip(by) {
            let runs = numbers(&bytes);
            prop_assume!(!runs.is_empty());
            bytes.splice(at.get(&runs).clone(), NUMBERS[by].bytes());
        }
        survives(&bytes);
    }

    /// A part of the file once more in another place, or taken away.
    #[test]
    fn moved_parts(file: prop::sample::Index, from: prop::sample::Index, length in 1..400_usize, to: prop::sample::Index, copy: bool) {
        let mut bytes = file.get(files()).clone();
        let from = from.index(bytes.len());
        let part = bytes[from..(from + length).min(bytes.len())].to_vec();
        if copy {
            let to = to.index(bytes.len());
            bytes.splice(to..to, part);
        } else {
            bytes.drain(from..from + part.len());
        }
        survives(&bytes);
    }

    #[test]
    fn any_bytes(start in 0..6_usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let start: &[u8] = [&b""[..], b"{L", b"tree\n", b"{\"learner\":", b"\x08\x0a\x12", b"{\"features_info\":"][start];
        survives(&[start, &bytes].concat());
    }
}

/// A text so deep that a reader that calls itself for each level would leave its stack.
#[test]
fn deep_nesting_is_refused() {
    const DEEP: usize = 1_000_000;
    let mut ubjson = b"{L\0\0\0\0\0\0\0\x07learner".to_vec();
    let json = [&b"{\"learner\":"[..], &b"[".repeat(DEEP)].concat();
    let unknown = [&b"{\"learner\":{\"other\":"[..], &b"{\"a\":".repeat(DEEP)].concat();
    for unit in [&b"["[..], b"{L\0\0\0\0\0\0\0\x01a", b"[#i\x01"] {
        ubjson.truncate(17);
        ubjson.extend(unit.repeat(DEEP));
        assert!(matches!(load_bytes(&ubjson), Err(Error::Malformed { .. })));
    }
    assert!(matches!(load_bytes(&json), Err(Error::Malformed { .. })));
    assert!(matches!(load_bytes(&unknown), Err(Error::Malformed { .. })));
    let lightgbm = [&b"tree\nend of trees\npandas_categorical:"[..], &b"[".repeat(DEEP)].concat();
    assert!(matches!(load_bytes(&lightgbm), Err(Error::Malformed { .. })));
}

/// Lengths that the file does not have are refused before anything is allocated for them.
#[test]
fn huge_lengths_are_refused() {
    for marker in [&b""[..], b"$d", b"$U", b"$L", b"$Z", b"$T"] {
        let head = [&b"{L\0\0\0\0\0\0\0\x07learner["[..], marker, b"#L\x7f\xff\xff\xff\xff\xff\xff\xff"].concat();
        assert!(matches!(load_bytes(&head), Err(Error::Malformed { .. })), "{}", head.escape_ascii());
    }
    let text = b"{L\0\0\0\0\0\0\0\x07learnerSL\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec();
    assert!(matches!(load_bytes(&text), Err(Error::Malformed { .. })));
}

/// Many splits that each name the last category would need two megabytes of bits each.
#[test]
fn sets_of_far_categories_are_bounded() {
    let n = 2000;
    let list = |f: &dyn Fn(usize) -> i64| (0..2 * n + 1).map(f).collect::<Vec<_>>();
    let sets = |f: &dyn Fn(i64) -> i64| (0..n as i64).map(f).collect::<Vec<_>>();
    // Node i < n splits into the leaf n + i and the node i + 1; the last one into two leaves.
    let file = serde_json::json!({"learner": {
        "learner_model_param": {"base_score": "0", "num_class": "0", "num_feature": "1"},
        "objective": {"name": "reg:squarederror"},
        "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [{
            "left_children": list(&|i| if i < n { (n + i) as i64 } else { -1 }),
            "right_children": list(&|i| if i + 1 < n { i as i64 + 1 } else if i < n { 2 * n as i64 } else { -1 }),
            "split_indices": list(&|_| 0), "split_conditions": list(&|_| 0), "default_left": list(&|_| 0),
            "sum_hessian": list(&|_| 1), "split_type": list(&|i| i64::from(i < n)),
            "categories_nodes": sets(&|i| i), "categories_segments": sets(&|i| i), "categories_sizes": sets(&|_| 1),
            "categories": sets(&|_| (1 << 24) - 1)
        }]}}
    }});
    let bytes = serde_json::to_vec(&file).unwrap();
    assert!(matches!(load_bytes(&bytes), Err(Error::TooLarge { .. })));
    let near = serde_json::to_string(&file).unwrap().replace(&((1 << 24) - 1).to_string(), "99");
    survives(near.as_bytes());
    assert_eq!(load_bytes(near.as_bytes()).unwrap().fact("deepest tree"), Some("2000"));
}
