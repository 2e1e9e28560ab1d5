//! The JSON form. XGBoost writes NaN and Infinity, which JSON does not have.

use std::borrow::Cow;

use xai_core::{Error, Result};

use super::schema::File;

/// Reads the fields.
pub(super) fn read(bytes: &[u8]) -> Result<File> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(&strict(text)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let problem = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Error::Malformed { format: "XGBoost JSON", at: format!("line {line}, column {column}"), problem }
    })
}

/// The numbers that JSON does not have, and texts of the same length that stand for them.
const SPECIAL: [(&[u8], &[u8], f32); 3] = [
    (b"NaN", b"\"\" ", f32::NAN),
    (b"-Infinity", b"\"-\"      ", f32::NEG_INFINITY),
    (b"Infinity", b"\"+\"     ", f32::INFINITY),
];

/// The number that a text of [`SPECIAL`] stands for.
pub(super) fn special(text: &str) -> Option<f32> {
    match text {
        "" => Some(f32::NAN),
        "-" => Some(f32::NEG_INFINITY),
        "+" => Some(f32::INFINITY),
        _ => None,
    }
}

/// The text with [`SPECIAL`] replaced outside of strings, place by place so that errors still point rightly.
fn strict(text: &[u8]) -> Cow<'_, [u8]> {
    let mut strict = Cow::Borrowed(text);
    let (mut at, mut in_string) = (0, false);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'N' | b'I' | b'-' if !in_string => {
                let found = SPECIAL.iter().find(|(name, ..)| text[at..].starts_with(name));
                if let Some((name, stand_in, _)) = found {
                    strict.to_mut()[at..at + name.len()].copy_from_slice(stand_in);
                    at += name.len() - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    strict
}
