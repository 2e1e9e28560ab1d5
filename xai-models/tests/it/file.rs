//! What a file is, whatever it is called.

use xai_core::Error;
use xai_models::file::{FileKind, load, load_bytes};

#[test]
fn kinds_are_found_from_the_content() {
    let kinds: [(&[u8], FileKind); 8] = [
        (b"{\"learner\":{}}", FileKind::XgboostJson),
        (b"\xef\xbb\xbf \n{ \"version\" : [3,4,1], \"learner\": {} }", FileKind::XgboostJson),
        (b"{L\0\0\0\0\0\0\0\x07learner{}}", FileKind::XgboostUbjson),
        (b"tree\nversion=v4\n", FileKind::LightgbmText),
        (b"tree\r\nversion=v4\r\n", FileKind::LightgbmText),
        (b"{\"class_params\": {\"learner\": 1, \"a\\\"\": 2}, \"oblivious_trees\": []}", FileKind::CatboostJson),
        (b"\x08\x0a\x12\x08skl2onnx", FileKind::Onnx),
        (b"\x08\x08\x3a\x05graph", FileKind::Onnx),
    ];
    for (bytes, kind) in kinds {
        assert_eq!(FileKind::of(bytes).unwrap(), kind, "{}", bytes.escape_ascii());
    }
}

#[test]
fn files_of_no_use_are_refused_with_advice() {
    let mut old_xgboost = vec![0; 136];
    old_xgboost.extend(16_u64.to_le_bytes());
    old_xgboost.extend(b"reg:squarederror");
    let refused: [(&[u8], &str, &str); 10] = [
        (b"\x80\x04\x95", "pickle", "save_model"),
        (b"\x78\x9c\x00", "joblib", "save_model"),
        (b"CBM1\x00\x00", "CatBoost's binary format", "format=\"json\""),
        (b"binf\x00\x00", "old binary format", "save_model"),
        (&old_xgboost, "old binary format", "save_model"),
        (b"[{\"nodeid\": 0}]", "dump", "save_model"),
        (b"{\"name\":\"tree\",\"version\":\"v4\",\"feature_infos\":{}}", "LightGBM dump", "model.txt"),
        (b"{\"Config\":{},\"Model\":{}}", "snapshot", "save_model"),
        (b"\x1f\x8b\x08", "gzip", "unpack"),
        (b"PK\x03\x04", "zip", "unpack"),
    ];
    for (bytes, what, advice) in refused {
        let error = load_bytes(bytes).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains(what) && words.contains(advice), "{words}");
    }
}

#[test]
fn unknown_content_is_told_what_was_looked_for() {
    for bytes in [&b""[..], b"hello", b"{}", b"{\"a\": 1}", b"\xff\xfe\x00", b"tree", b"{\"unended"] {
        let error = load_bytes(bytes).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
        let words = error.to_string();
        assert!(["XGBoost", "LightGBM", "CatBoost", "ONNX"].iter().all(|name| words.contains(name)), "{words}");
    }
}

#[test]
fn errors_name_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hello").unwrap();
    let error = load(file.path()).unwrap_err();
    assert!(matches!(&error, Error::InFile { path, .. } if path == file.path()));
    let absent = load(std::path::Path::new("no/such/model.json")).unwrap_err();
    assert!(matches!(absent, Error::Io { .. }));
}

/// Every library's file is read whatever it is called.
#[test]
#[cfg(all(feature = "xgboost", feature = "lightgbm", feature = "catboost"))]
fn kinds_are_loaded_under_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        ("xgboost", FileKind::XgboostJson),
        ("lightgbm", FileKind::LightgbmText),
        ("catboost", FileKind::CatboostJson),
    ];
    for (library, kind) in kinds {
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, crate::golden::case(library, "poisson").bytes()).unwrap();
        assert_eq!(load(&path).unwrap().kind, kind);
    }
}
