//! What a file is, found from its content.

use std::fmt;

use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

/// A kind of file that a model can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileKind {
    /// XGBoost's `save_model("….json")`.
    XgboostJson,
    /// XGBoost's `save_model("….ubj")`, its default.
    XgboostUbjson,
    /// LightGBM's `save_model`.
    LightgbmText,
    /// CatBoost's `save_model(…, format="json")`.
    CatboostJson,
    /// ONNX, as the converters of scikit-learn and PyTorch write it.
    Onnx,
    /// The description of a network, a JSON file of this toolkit's own.
    NetworkJson,
}

impl FileKind {
    /// Finds the kind of a file from its content.
    ///
    /// # Cost
    /// Reads as far as the first telling key; no allocation.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a kind that is known and not read, with what to save instead;
    /// [`Error::Malformed`] for anything else.
    pub fn of(bytes: &[u8]) -> Result<FileKind> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        match (text, bytes) {
            ([b'{', b'i' | b'U' | b'I' | b'l' | b'L', ..], _) => Ok(FileKind::XgboostUbjson),
            ([b'{', ..], _) => of_json(text),
            (_, [0x08, 1..=31, next, ..]) if ONNX_FIELDS.contains(next) => Ok(FileKind::Onnx),
            _ if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") => Ok(FileKind::LightgbmText),
            _ => Err(refusal(text, bytes).unwrap_or_else(|| unknown(describe(bytes)))),
        }
    }

    /// The Cargo feature of this crate that reads it.
    pub fn feature(self) -> &'static str {
        match self {
            FileKind::XgboostJson | FileKind::XgboostUbjson => "xgboost",
            FileKind::LightgbmText => "lightgbm",
            FileKind::CatboostJson => "catboost",
            FileKind::Onnx => "onnx",
            FileKind::NetworkJson => "network",
        }
    }

    /// What readers call it.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::XgboostJson => "XGBoost JSON",
            FileKind::XgboostUbjson => "XGBoost UBJSON",
            FileKind::LightgbmText => "LightGBM text",
            FileKind::CatboostJson => "CatBoost JSON",
            FileKind::Onnx => "ONNX",
            FileKind::NetworkJson => "network description",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The fields that may follow `ir_version` in an ONNX model, as protobuf tags: `producer_name`, `producer_version`,
/// `domain`, `model_version`, `doc_string`, `graph`, `opset_import`, `metadata_props`.
const ONNX_FIELDS: [u8; 8] = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72];

/// Tells JSON files apart by the first top-level key that only one library writes.
fn of_json(text: &[u8]) -> Result<FileKind> {
    for key in top_level_keys(text) {
        match key {
            b"schema" if is_network(text) => return Ok(FileKind::NetworkJson),
            b"learner" => return Ok(FileKind::XgboostJson),
            b"oblivious_trees" | b"features_info" | b"scale_and_bias" | b"float_features_index" | b"model_info" => {
                return Ok(FileKind::CatboostJson);
            }
            b"Model" | b"Config" => return Err(refuse("an XGBoost snapshot with training state", XGBOOST)),
            b"tree_info" | b"feature_infos" | b"average_output" => {
                return Err(refuse("a LightGBM dump", LIGHTGBM));
            }
            b"nodeid" | b"children" => return Err(refuse("an XGBoost dump", XGBOOST)),
            _ => {}
        }
    }
    Err(unknown("a JSON object without a key that tells whose it is".to_owned()))
}

/// Whether the value of a key `schema` is that of a network's description. The key may stand in other files too.
fn is_network(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.windows(8).position(|window| window == b"\"schema\"") {
        rest = rest[at + 8..].trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b":") {
            return value.trim_ascii_start().starts_with(b"\"xai/network/");
        }
    }
    false
}

/// The keys of the outermost object of a JSON text, as far as it can be followed.
fn top_level_keys(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut at, mut depth) = (0, 0_usize);
    std::iter::from_fn(move || {
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let start = at;
                    while let Some(&byte) = text.get(at) {
                        at += if byte == b'\\' { 2 } else { 1 };
                        if byte == b'"' {
                            break;
                        }
                    }
                    let is_key = || text.get(at..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"));
                    if depth == 1 && is_key() {
                        return text.get(start..at - 1);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

const XGBOOST: &str = "in Python, `booster.save_model(\"model.ubj\")` or `\"model.json\"` writes a file that is read";
const LIGHTGBM: &str = "in Python, `booster.save_model(\"model.txt\")` writes a file that is read";
const CATBOOST: &str = "in Python, `model.save_model(\"model.json\", format=\"json\")` writes a file that is read";
const PICKLED: &str = "it holds code of its library and can run anything when it is opened. Open it where it was made \
     and save the model in its library's own format: XGBoost `save_model(\"model.ubj\")`, LightGBM \
     `booster_.save_model(\"model.txt\")`, CatBoost `save_model(\"model.json\", format=\"json\")`, scikit-learn \
     `skl2onnx.to_onnx`";

const WEIGHTS: &str = "it holds no layers: describe the network in a JSON file that names it (the page *Networks from \
     files* shows how), or export the model to ONNX";

/// Files that are recognised only to say what to save instead.
fn refusal(text: &[u8], bytes: &[u8]) -> Option<Error> {
    let (what, reason) = match bytes {
        _ if is_weights(bytes) => ("a file of weights", WEIGHTS),
        [0x80, 2..=5, ..] => ("a Python pickle or joblib file", PICKLED),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => ("a compressed joblib file", PICKLED),
        [b'C', b'B', b'M', b'1', ..] => ("CatBoost's binary format", CATBOOST),
        [b'b', b'i', b'n', b'f', ..] | [b'b', b's', b'6', b'4', ..] => ("XGBoost's old binary format", XGBOOST),
        [0x1f, 0x8b, ..] => ("a gzip file", "unpack it first"),
        [b'P', b'K', 3, 4, ..] => ("a zip archive", "unpack it first"),
        [0x89, b'H', b'D', b'F', ..] => ("an HDF5 file", "only tree ensembles are read"),
        _ if is_old_xgboost(bytes) => ("XGBoost's old binary format", XGBOOST),
        _ if text.starts_with(b"[") => ("a JSON list, such as XGBoost's dump,", XGBOOST),
        _ if text.starts_with(b"booster[0]") => ("XGBoost's text dump", XGBOOST),
        _ => return None,
    };
    Some(refuse(what, reason))
}

/// Weights of a network, which say nothing about its layers.
#[cfg(feature = "network")]
fn is_weights(bytes: &[u8]) -> bool {
    crate::weights::WeightsFormat::of(bytes).is_some()
}

#[cfg(not(feature = "network"))]
fn is_weights(_bytes: &[u8]) -> bool {
    false
}

/// XGBoost's binary format begins with 136 bytes of parameters, after which comes the objective's name with its length.
fn is_old_xgboost(bytes: &[u8]) -> bool {
    let (Some(length), Some(name)) = (bytes.get(136..144), bytes.get(144..)) else { return false };
    let length = length.iter().rev().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    let name = usize::try_from(length).ok().filter(|&length| length <= 64).and_then(|length| name.get(..length));
    name.is_some_and(|name| name.contains(&b':') && name.iter().all(|b| b.is_ascii_graphic()))
}

fn refuse(what: &str, reason: &str) -> Error {
    Error::unsupported(what, reason)
}

fn unknown(found: String) -> Error {
    let wanted = "XGBoost JSON (a key \"learner\") or UBJSON, LightGBM text (\"tree\"), CatBoost JSON (a key \
         \"features_info\"), ONNX (protobuf), a network (a key \"schema\")";
    Error::Malformed {
        format: "model",
        at: "the beginning".to_owned(),
        problem: format!("found {found}; looked for {wanted}"),
    }
}

fn describe(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    match bytes {
        [] => "nothing".to_owned(),
        _ => format!("{:?}", bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string()),
    }
}
