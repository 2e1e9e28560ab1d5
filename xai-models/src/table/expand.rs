//! One-hot features of a model whose table still has the text.

use std::collections::HashMap;

use xai_core::{Error, Feature, FeatureKind, Result};

use super::{Column, Frame, Values};

/// The features that are levels of one text column.
pub(super) struct Expansion<'t> {
    /// The text column.
    pub column: &'t Column,
    /// The level that each feature stands for, by the feature's name.
    pub levels: HashMap<String, String>,
}

/// What may stand between the column's name and the level's.
const SEPARATORS: [char; 4] = ['=', '_', '.', ':'];

/// Which of the `absent` features are levels of a text column.
///
/// # Errors
/// [`Error::Unsupported`] when a feature could be a level of two columns (`a_b_c` beside the columns `a` and `a_b`), and
/// the categories do not decide it.
pub(super) fn expansions<'t>(frame: &'t Frame, absent: &[&Feature]) -> Result<Vec<Expansion<'t>>> {
    let mut all: Vec<Expansion> = Vec::new();
    for feature in absent {
        if !matches!(feature.kind, FeatureKind::Numeric | FeatureKind::Integer | FeatureKind::Binary) {
            continue;
        }
        let mut candidates: Vec<(&Column, &str)> =
            frame.columns().iter().filter_map(|column| Some((column, level(column, &feature.name)?))).collect();
        if candidates.len() > 1 {
            candidates.retain(|(column, level)| holds(column, level));
            if candidates.len() != 1 {
                return Err(Error::unsupported(
                    format!("finding the column behind the feature {:?}", feature.name),
                    "more than one column of text could be meant; encode the table before",
                ));
            }
        }
        let Some(&(column, level)) = candidates.first() else { continue };
        let at = all.iter().position(|e| std::ptr::eq(e.column, column)).unwrap_or_else(|| {
            all.push(Expansion { column, levels: HashMap::new() });
            all.len() - 1
        });
        all[at].levels.insert(feature.name.clone(), level.to_owned());
    }
    // A column that one feature's name begins with, and none of whose texts is the rest, has nothing to do with it.
    all.retain(|e| e.levels.len() > 1 || e.levels.values().any(|level| holds(e.column, level)));
    Ok(all)
}

/// The level of the text column that a feature called `name` would be.
fn level<'n>(column: &Column, name: &'n str) -> Option<&'n str> {
    let level = name.strip_prefix(column.name.as_str())?.strip_prefix(SEPARATORS)?;
    // A reader cannot tell a text column without any text from one of numbers.
    let text = || matches!(column.values, Values::Categorical { .. }) || column.n_missing() == column.len();
    (!level.is_empty() && text()).then_some(level)
}

fn holds(column: &Column, level: &str) -> bool {
    let Values::Categorical { categories, .. } = &column.values else { return false };
    categories.iter().any(|category| category.trim() == level.trim())
}
