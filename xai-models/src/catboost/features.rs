//! Which column a split asks, and what it asks.

use std::collections::HashMap;

use xai_core::trees::Missing;
use xai_core::{Error, Feature, FeatureKind, Result};

use super::schema::{CategoricalFeature, FeaturesInfo, FloatFeature, Split};
use super::{category_hash, malformed};
use crate::file::Limit;
use crate::trees::{Split as Branch, TreeBuilder};

/// The columns of a file, by the indices that its splits use.
pub(super) struct Columns {
    features: Vec<Feature>,
    floats: HashMap<usize, Float>,
    categories: HashMap<usize, Categories>,
}

struct Float {
    column: usize,
    /// Whether a missing value counts as greater than every border.
    missing_is_greater: bool,
}

struct Categories {
    column: usize,
    /// The code of each hash; `None` when the names are not known.
    codes: Option<HashMap<u32, usize>>,
}

/// What a split asks; the true side is the right one in the file.
pub(super) enum Question {
    Greater {
        column: u32,
        border: f64,
        missing: bool,
    },
    /// `code` is `None` for a category that no sample can have.
    Is {
        column: u32,
        code: Option<usize>,
    },
}

impl Columns {
    /// # Errors
    /// As [`super::read_with_categories`].
    pub fn of(info: &FeaturesInfo, given: &[(String, Vec<String>)], limit: &Limit) -> Result<Self> {
        for (kind, present) in [("text", &info.text_features), ("embedding", &info.embedding_features)] {
            if present.as_ref().is_some_and(|features| !features.is_empty()) {
                let reason = format!("splits on features of kind {kind} need CatBoost's own feature calculators");
                return Err(Error::unsupported(format!("CatBoost: {kind} features"), reason));
            }
        }
        let floats = info.float_features.as_deref().unwrap_or_default();
        let categorical = info.categorical_features.as_deref().unwrap_or_default();
        let flat = || {
            let numbers = floats.iter().map(|f| (f.flat_feature_index, &f.feature_id));
            numbers.chain(categorical.iter().map(|f| (f.flat_feature_index, &f.feature_id)))
        };
        // Every feature is listed, used or not; an index far beyond their number is no column.
        let n_columns = flat().map(|(column, _)| column.saturating_add(1)).max().unwrap_or(0);
        limit.count("features", n_columns as u64)?;
        let mut features = Feature::unnamed(n_columns);
        let mut seen = vec![false; n_columns];
        for (column, name) in flat() {
            if std::mem::replace(&mut seen[column], true) {
                return Err(malformed("features_info", format!("two features with flat_feature_index {column}")));
            }
            if !name.is_empty() {
                features[column].name = name.clone();
            }
        }
        let mut columns = Columns { features, floats: HashMap::new(), categories: HashMap::new() };
        for float in floats {
            columns.add_float(float)?;
        }
        for feature in categorical {
            columns.add_categorical(feature, info, given)?;
        }
        columns.all_used(given)?;
        Ok(columns)
    }

    pub fn len(&self) -> usize {
        self.features.len()
    }

    pub fn into_features(self) -> Vec<Feature> {
        self.features
    }

    fn add_float(&mut self, float: &FloatFeature) -> Result<()> {
        let missing_is_greater = match float.nan_value_treatment.as_deref() {
            // `AsIs`: no value was missing in training; the comparison with NaN is false.
            None | Some("AsIs" | "AsFalse") => false,
            Some("AsTrue") => true,
            Some(other) => {
                let problem = format!("nan_value_treatment {other:?}");
                return Err(malformed(format!("float feature {}", float.feature_index), problem));
            }
        };
        let column = float.flat_feature_index;
        match self.floats.insert(float.feature_index, Float { column, missing_is_greater }) {
            None => Ok(()),
            Some(_) => Err(malformed("float_features", format!("feature_index {} twice", float.feature_index))),
        }
    }

    fn add_categorical(
        &mut self,
        feature: &CategoricalFeature,
        info: &FeaturesInfo,
        given: &[(String, Vec<String>)],
    ) -> Result<()> {
        let column = feature.flat_feature_index;
        let name = &self.features[column].name;
        let named = match given.iter().find(|(column, _)| column == name) {
            Some((_, names)) => Some(names.iter().map(|n| (category_hash(n), n.clone())).collect()),
            None => names_in_file(feature, info),
        };
        let (categories, codes) = match named {
            None => (Vec::new(), None),
            Some(named) => {
                let codes = named.iter().enumerate().map(|(code, (hash, _))| (*hash, code)).collect();
                (named.into_iter().map(|(_, name)| name).collect(), Some(codes))
            }
        };
        self.features[column].kind = FeatureKind::Categorical { categories };
        match self.categories.insert(feature.feature_index, Categories { column, codes }) {
            None => Ok(()),
            Some(_) => Err(malformed("categorical_features", format!("feature_index {} twice", feature.feature_index))),
        }
    }

    /// Whether each of the given lists of categories belongs to a column.
    fn all_used(&self, given: &[(String, Vec<String>)]) -> Result<()> {
        let known = || self.categories.values().map(|c| &self.features[c.column].name);
        match given.iter().find(|(name, _)| !known().any(|k| k == name)) {
            None => Ok(()),
            Some((name, _)) => {
                let mut known: Vec<String> = known().cloned().collect();
                known.sort();
                Err(Error::Unknown { kind: "categorical feature".into(), name: name.clone(), nearest: None, known })
            }
        }
    }

    /// What a split asks; `at` says where it stands.
    pub fn question(&self, split: &Split, at: impl Fn() -> String) -> Result<Question> {
        let kind = split.split_type.as_deref().unwrap_or("FloatFeature");
        match (kind, split.float_feature_index, split.border, split.cat_feature_index, split.value) {
            ("FloatFeature", Some(index), Some(border), _, _) => {
                let float = self.floats.get(&index);
                let float = float.ok_or_else(|| malformed(at(), format!("float feature {index} is not listed")))?;
                // The library holds borders in f32; the file prints them in decimal.
                let border = f64::from(border as f32);
                Ok(Question::Greater { column: float.column as u32, border, missing: float.missing_is_greater })
            }
            ("OneHotFeature", _, _, Some(index), Some(value)) => {
                let known = self.categories.get(&index);
                let known =
                    known.ok_or_else(|| malformed(at(), format!("categorical feature {index} is not listed")))?;
                let codes = known.codes.as_ref().ok_or_else(|| self.nameless(known.column))?;
                Ok(Question::Is { column: known.column as u32, code: codes.get(&low_half(value)).copied() })
            }
            ("OnlineCtr", ..) => Err(Error::unsupported(
                "CatBoost: splits of type OnlineCtr (statistics of the target by category)",
                "they cannot be expressed as splits of a column; train with one_hot_max_size above the number of \
                 categories, or encode the categories before training",
            )),
            ("FloatFeature" | "OneHotFeature", ..) => {
                Err(malformed(at(), format!("a split of type {kind} without all of its fields")))
            }
            (other, ..) => Err(Error::unsupported(
                format!("CatBoost: splits of type {other}"),
                format!("at {}: only numbers and one-hot categories can be read", at()),
            )),
        }
    }

    fn nameless(&self, column: usize) -> Error {
        let name = &self.features[column].name;
        Error::unsupported(
            format!("CatBoost: the one-hot splits on {name:?}"),
            "the file knows the categories only by hashes; save the model with pool=<training pool>, or give the \
             names of the categories when loading",
        )
    }
}

/// The categories of a feature by hash and name: those that splits ask for first, then every other name in the file,
/// which splits of this feature cannot tell apart. `None` when a hash that a split may ask for has no name.
fn names_in_file(feature: &CategoricalFeature, info: &FeaturesInfo) -> Option<Vec<(u32, String)>> {
    let listed = info.cat_features_hash.as_deref()?;
    let names: HashMap<u32, &String> = listed.iter().map(|c| (low_half(c.hash), &c.value)).collect();
    let mut named = Vec::new();
    let mut taken = std::collections::HashSet::new();
    for &value in feature.values.as_deref().unwrap_or_default() {
        let hash = low_half(value);
        let name = *names.get(&hash)?;
        if taken.insert(hash) {
            named.push((hash, name.clone()));
        }
    }
    for category in listed {
        let hash = low_half(category.hash);
        if taken.insert(hash) {
            named.push((hash, category.value.clone()));
        }
    }
    Some(named)
}

/// Hashes are 32 bits, signed in one part of the file and unsigned in another.
fn low_half(hash: i64) -> u32 {
    hash as u32
}

impl Question {
    /// Adds the node that asks, with its children by the answer.
    pub fn push(&self, no: u32, yes: u32, cover: f64, limit: &mut Limit, builder: &mut TreeBuilder) -> Result<()> {
        match *self {
            Question::Greater { column, border, missing } => {
                let branch =
                    Branch { feature: column, left: no, right: yes, default_left: !missing, missing: Missing::Nan };
                builder.number_split(branch, border, cover);
            }
            // A set goes left: the node's left child is the side of the category.
            Question::Is { column, code } => {
                let branch =
                    Branch { feature: column, left: yes, right: no, default_left: false, missing: Missing::Nan };
                let mut words = vec![0_u32; code.map_or(0, |code| code / 32 + 1)];
                limit.take(words.len() + 1)?;
                if let (Some(word), Some(code)) = (words.last_mut(), code) {
                    *word = 1 << (code % 32);
                }
                builder.category_split(branch, words, cover);
            }
        }
        Ok(())
    }
}
