//! What XGBoost's files say about the features.

use xai_core::{Feature, FeatureKind, Result};

use super::malformed;
use super::schema::{Categories, Encoding};
use crate::file::Limit;

/// The features by name and kind. `largest` holds, for each, 1 + the largest category that a split names.
pub(super) fn features(
    n: usize,
    names: &[String],
    types: &[String],
    categories: Option<&Categories>,
    largest: &[u32],
    limit: &mut Limit,
) -> Result<Vec<Feature>> {
    let fits = |what: &str, found: usize| match found {
        0 => Ok(()),
        found if found == n => Ok(()),
        found => Err(malformed(what, format!("{found} entries for {n} features"))),
    };
    let encodings = categories.map_or(&[][..], |categories| &categories.enc);
    fits("feature_names", names.len())?;
    fits("feature_types", types.len())?;
    fits("cats.enc", encodings.len())?;
    let mut features = Feature::unnamed(n);
    for (i, feature) in features.iter_mut().enumerate() {
        if let Some(name) = names.get(i) {
            feature.name.clone_from(name);
        }
        let known = encodings.get(i).filter(|encoding| !encoding.values.is_empty());
        feature.kind = match types.get(i).map(String::as_str) {
            _ if known.is_some() || largest[i] > 0 => kind(i, known, largest[i], limit)?,
            Some("c" | "categorical") => kind(i, known, largest[i], limit)?,
            Some("int") => FeatureKind::Integer,
            Some("i" | "indicator") => FeatureKind::Binary,
            _ => FeatureKind::Numeric,
        };
    }
    Ok(features)
}

/// A categorical feature; categories without a name are called by number.
fn kind(feature: usize, known: Option<&Encoding>, largest: u32, limit: &mut Limit) -> Result<FeatureKind> {
    let mut categories = known.map_or(Ok(Vec::new()), |encoding| decode(feature, encoding))?;
    let named = categories.len();
    if (largest as usize) > named {
        limit.take(16 * (largest as usize - named))?;
        categories.extend((named..largest as usize).map(|code| code.to_string()));
    }
    Ok(FeatureKind::Categorical { categories })
}

/// The names of a feature's categories.
fn decode(feature: usize, encoding: &Encoding) -> Result<Vec<String>> {
    let bad = |problem: &str| malformed(&format!("cats.enc[{feature}]"), problem.to_owned());
    let Some(offsets) = &encoding.offsets else {
        return encoding.values.iter().map(|&value| number(value, encoding.kind).ok_or_else(|| bad("type"))).collect();
    };
    // Bytes are written as signed numbers.
    let byte = |&value: &i64| u8::try_from(value).or_else(|_| i8::try_from(value).map(|v| v as u8)).ok();
    let bytes: Vec<u8> = encoding.values.iter().map(byte).collect::<Option<_>>().ok_or_else(|| bad("no byte"))?;
    let text = |ends: &[usize]| -> Result<String> {
        let part = bytes.get(ends[0]..ends[1]).ok_or_else(|| bad("offsets outside of the text"))?;
        String::from_utf8(part.to_vec()).map_err(|_| bad("a category that is not UTF-8"))
    };
    offsets.windows(2).map(text).collect()
}

/// A category that is a number. UBJSON has no wide unsigned numbers, so they come as signed ones of the same width.
fn number(value: i64, kind: Option<i64>) -> Option<String> {
    let bits = match kind? {
        9 | 11 | 13 | 15 => return Some(value.to_string()),
        10 => 8,
        12 => 16,
        14 => 32,
        16 => 64,
        _ => return None,
    };
    let value = i128::from(value);
    Some(if value < 0 { value + (1_i128 << bits) } else { value }.to_string())
}
