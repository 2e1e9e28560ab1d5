//! Categories as numbers: fitted to one table, applied to others by the columns' names.

mod one_hot;
mod ordinal;

use std::collections::BTreeMap;

use xai_core::{Feature, FeatureKind};

use super::{Column, Frame};

pub use one_hot::{Drop, FittedOneHot, OneHotEncoder};
pub use ordinal::{FittedOrdinal, OrdinalEncoder};

/// The columns as features, with the categories `given` in place of those found.
fn features(frame: &Frame, given: &BTreeMap<String, Vec<String>>) -> Vec<Feature> {
    let feature = |column: &Column| match given.get(&column.name) {
        Some(categories) => Feature::categorical(&column.name, categories),
        None => column.feature(),
    };
    frame.columns().iter().map(feature).collect()
}

/// The columns' names, for those who were given categories.
fn check_given(frame: &Frame, given: &BTreeMap<String, Vec<String>>) -> xai_core::Result<()> {
    for (name, categories) in given {
        frame.column(name)?;
        let distinct: std::collections::HashSet<&String> = categories.iter().collect();
        if categories.is_empty() || distinct.len() < categories.len() {
            let value = format!("{} for {name:?}, {} of them different", categories.len(), distinct.len());
            return Err(xai_core::Error::parameter("categories", value, "at least one, all different"));
        }
    }
    Ok(())
}

/// The categories of a feature that has names for them.
fn categories(feature: &Feature) -> Option<&[String]> {
    match &feature.kind {
        FeatureKind::Categorical { categories } => Some(categories),
        _ => None,
    }
}
