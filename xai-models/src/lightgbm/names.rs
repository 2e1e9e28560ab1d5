//! What LightGBM's files say about the features.

use serde_json::Value;
use xai_core::{Feature, FeatureKind, Result};

use super::malformed;
use super::text::Text;
use crate::file::Limit;

/// The features by name and kind. `largest` holds, for each, 1 + the largest category that a split names.
pub(super) fn features(names: &[&str], text: &Text, mut largest: Vec<u64>, limit: &mut Limit) -> Result<Vec<Feature>> {
    seen_in_training(text, &mut largest)?;
    let categorical: Vec<usize> = (0..names.len()).filter(|&feature| largest[feature] > 0).collect();
    let mut known = pandas_categories(text)?;
    // Ordered columns are in this list, too, and are not split by category: then nothing tells whose list is whose.
    if known.len() != categorical.len() {
        known.clear();
    }
    let mut features: Vec<Feature> = names.iter().map(|name| Feature::numeric(*name)).collect();
    for (place, &feature) in categorical.iter().enumerate() {
        let mut categories = known.get_mut(place).map(std::mem::take).unwrap_or_default();
        let unnamed = largest[feature].saturating_sub(categories.len() as u64);
        limit.take(usize::try_from(unnamed.saturating_mul(16)).unwrap_or(usize::MAX))?;
        categories.extend((categories.len() as u64..largest[feature]).map(|code| code.to_string()));
        features[feature].kind = FeatureKind::Categorical { categories };
    }
    Ok(features)
}

/// Raises `largest` to the categories that training has seen: `feature_infos` has `-1:0:2:1` for them, where −1 stands
/// for missing, and `[0.1:3.5]` or `none` for numbers.
fn seen_in_training(text: &Text, largest: &mut [u64]) -> Result<()> {
    let Some((line, infos)) = text.header.get("feature_infos") else { return Ok(()) };
    let infos: Vec<&str> = infos.split_whitespace().collect();
    if infos.len() != largest.len() {
        return Err(malformed(line, format!("{} feature_infos for {} features", infos.len(), largest.len())));
    }
    for (info, largest) in infos.iter().zip(largest) {
        if info.starts_with('[') || *info == "none" {
            continue;
        }
        for code in info.split(':') {
            let code: i64 = code.parse().map_err(|_| malformed(line, format!("{info:?} in feature_infos")))?;
            let end = u64::try_from(code.saturating_add(1)).unwrap_or(0);
            *largest = end.max(*largest);
        }
    }
    Ok(())
}

/// The categories of the pandas columns of that type, column by column.
fn pandas_categories(text: &Text) -> Result<Vec<Vec<String>>> {
    let Some((line, json)) = text.pandas else { return Ok(Vec::new()) };
    let lists: Option<Vec<Vec<Value>>> =
        serde_json::from_str(json).map_err(|error| malformed(line, format!("pandas_categorical: {error}")))?;
    let name = |value: Value| match value {
        Value::String(name) => name,
        other => other.to_string(),
    };
    Ok(lists.unwrap_or_default().into_iter().map(|list| list.into_iter().map(name).collect()).collect())
}
