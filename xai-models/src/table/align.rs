//! The columns that a model needs, found in a table by their names.

use std::collections::{HashMap, HashSet};

use ndarray::{Array2, ArrayView1};
use xai_core::{Error, Feature, FeatureKind, Result};

use super::category::{Known, Unknown, cell, numbers, unknown_category};
use super::expand::{Expansion, expansions};
use super::{Column, Frame, Values};

/// How a table is fitted to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alignment {
    /// What becomes of a category that the model does not know. Default: an error. Otherwise a missing cell is NaN even
    /// where the model has a category called `?` or `NA`.
    pub unknown: Unknown,
    /// Take whole numbers in a column of named categories for their indices. Default: no, since numbers that mean
    /// something else would pass for categories.
    pub codes: bool,
}

/// A table as a model wants it, and what was done to get there.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// (row, feature), in the order of the model's features; NaN where a cell is missing.
    pub matrix: Array2<f64>,
    /// The model's features; with [`Feature::group`] where one-hot columns were made of a text column, and with the
    /// table's names where the model's are mere numbers.
    pub features: Vec<Feature>,
    /// The columns of the table that the model has no use for.
    pub ignored: Vec<String>,
    /// The text columns that became one-hot columns.
    pub expanded: Vec<String>,
    /// Columns found under another spelling: the model's name and the table's.
    pub respelt: Vec<(String, String)>,
    /// Whether columns were matched by their order, because there are no names to go by.
    pub by_position: bool,
}

/// Fits `frame` to the features of a model with the default [`Alignment`].
///
/// # Errors
/// As [`Alignment::align`].
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Feature;
/// use xai_models::table::{Column, Frame, align};
/// let frame = Frame::new(vec![
///     Column::categorical("sex", [Some("male"), Some("female")]),
///     Column::numeric("id", vec![1.0, 2.0]),
///     Column::numeric("age", vec![39.0, f64::NAN]),
/// ]).unwrap();
/// let model = [Feature::numeric("age"), Feature::categorical("sex", ["male", "female"])];
/// let aligned = align(&frame, &model).unwrap();
/// assert_eq!(aligned.matrix.column(1), array![0.0, 1.0]);
/// assert_eq!(aligned.ignored, ["id"]);
/// ```
pub fn align(frame: &Frame, features: &[Feature]) -> Result<Aligned> {
    Alignment::default().align(frame, features)
}

/// What readers take for a missing cell unless told otherwise.
pub(super) const MARKERS: [&str; 8] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"];

/// Where a feature's cells come from.
enum Source<'a> {
    Column(&'a Column),
    Level(&'a Column, String),
}

impl Alignment {
    /// Fits `frame` to the features of a model.
    ///
    /// A feature is found under its name; else under its name with `_` for spaces and signs, as LightGBM writes
    /// names; else as one level of a text column: `colour=red` and `colour_red` come from the column `colour`. When no
    /// name matches, there are as many columns as features, and one side's names are mere numbers (`f0`, `Column_0`,
    /// `x0`), columns are taken in their order. Without `features` all columns are.
    ///
    /// # Errors
    /// [`Error::MissingColumns`]; [`Error::Cell`] with row and column for text where the model needs a number, for a
    /// category that it does not know, and for a missing cell where it has a category called `?`, `NA` or the like;
    /// [`Error::Unsupported`] when two columns could be meant.
    pub fn align(&self, frame: &Frame, features: &[Feature]) -> Result<Aligned> {
        if let Some(twice) = first_duplicate(features) {
            let reason = format!("two are called {twice:?}; rename them");
            return Err(Error::unsupported("matching features that share a name", reason));
        }
        let named: HashMap<&str, &Column> = frame.columns().iter().map(|c| (c.name.as_str(), c)).collect();
        let mut sources: Vec<Option<Source>> =
            features.iter().map(|feature| named.get(feature.name.as_str()).map(|c| Source::Column(c))).collect();
        let respelt = respell(frame, features, &mut sources);
        let absent: Vec<&Feature> = lacking(features, &sources);
        let mut expanded: Vec<Expansion> = expansions(frame, &absent)?;
        for (feature, source) in features.iter().zip(&mut sources).filter(|(_, source)| source.is_none()) {
            let mut levels = expanded.iter_mut().filter_map(|e| Some((e.column, e.levels.remove(&feature.name)?)));
            *source = levels.next().map(|(column, level)| Source::Level(column, level));
        }
        let mut features = features.to_vec();
        let by_position = sources.iter().all(Option::is_none) && may_go_by_position(frame, &features);
        if by_position {
            if features.is_empty() || generic(features.iter().map(|f| f.name.as_str())) {
                features.resize(frame.columns().len(), Feature::numeric(""));
                features.iter_mut().zip(frame.columns()).for_each(|(f, column)| f.name.clone_from(&column.name));
            }
            sources = frame.columns().iter().map(|column| Some(Source::Column(column))).collect();
        }
        let missing = lacking(&features, &sources);
        if !missing.is_empty() {
            return Err(Error::MissingColumns {
                columns: missing.into_iter().map(|feature| feature.name.clone()).collect(),
                present: frame.names().into_iter().map(str::to_owned).collect(),
            });
        }
        self.fill(frame, features, sources.into_iter().flatten().collect(), respelt, by_position)
    }

    fn fill(
        &self,
        frame: &Frame,
        mut features: Vec<Feature>,
        sources: Vec<Source>,
        respelt: Vec<(String, String)>,
        by_position: bool,
    ) -> Result<Aligned> {
        let mut matrix = Array2::zeros((frame.n_rows(), features.len()));
        let mut levels: HashMap<&str, Vec<(usize, String)>> = HashMap::new();
        let mut used = HashSet::new();
        let mut expanded = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            match source {
                Source::Column(column) => {
                    used.insert(column.name.as_str());
                    let values = self.convert(column, &features[place])?;
                    matrix.column_mut(place).assign(&ArrayView1::from(&values));
                }
                Source::Level(column, level) => {
                    used.insert(column.name.as_str());
                    features[place].kind = FeatureKind::Binary;
                    features[place].group = Some(column.name.clone());
                    let group = levels.entry(&column.name).or_default();
                    if group.is_empty() {
                        expanded.push(column.name.clone());
                    }
                    group.push((place, level.clone()));
                }
            }
        }
        for name in &expanded {
            self.fill_one_hot(&mut matrix, frame.column(name)?, &levels[name.as_str()])?;
        }
        let unused = frame.names().into_iter().filter(|name| !used.contains(name));
        let ignored = unused.map(str::to_owned).collect();
        Ok(Aligned { matrix, features, ignored, expanded, respelt, by_position })
    }

    fn convert(&self, column: &Column, feature: &Feature) -> Result<Vec<f64>> {
        let categories = match &feature.kind {
            FeatureKind::Numeric | FeatureKind::Integer | FeatureKind::Binary => return numbers(column),
            FeatureKind::Group { .. } => {
                let reason = "it stands for several columns; give the columns themselves";
                return Err(Error::unsupported(format!("a group as an input ({})", feature.name), reason));
            }
            // The model knows its categories by number only.
            FeatureKind::Categorical { categories } if categories.is_empty() => return numbers(column),
            FeatureKind::Categorical { categories } => categories,
        };
        let known = Known::new(categories);
        if self.codes
            && !known.all_numbers()
            && let Values::Numeric(values) = &column.values
        {
            return self.codes(column, values, categories);
        }
        // A reader takes "?" for a missing cell; where it is a category of the model, NaN would be another value.
        let marker = categories.iter().find(|text| MARKERS.contains(&text.trim()));
        let index = |(row, found): (usize, Option<std::result::Result<usize, ()>>)| match (found, self.unknown) {
            (None, Unknown::Refuse) if marker.is_some() => {
                let name = marker.map_or("", String::as_str);
                let expected =
                    format!("a category, since the model has one called {name:?}; do not read it as missing");
                Err(cell(column, row, expected))
            }
            (None, _) => Ok(f64::NAN),
            (Some(Ok(index)), _) => Ok(index as f64),
            (Some(Err(())), Unknown::Refuse) => Err(unknown_category(column, row, categories)),
            (Some(Err(())), Unknown::Missing) => Ok(f64::NAN),
            (Some(Err(())), Unknown::Unseen) => Ok(categories.len() as f64),
        };
        known.find_all(column).into_iter().enumerate().map(index).collect()
    }

    fn codes(&self, column: &Column, values: &[f64], categories: &[String]) -> Result<Vec<f64>> {
        let n = categories.len();
        let code = |(row, &value): (usize, &f64)| match self.unknown {
            _ if value.is_nan() => Ok(value),
            _ if value >= 0.0 && value.fract() == 0.0 && value < n as f64 => Ok(value),
            Unknown::Refuse => Err(cell(column, row, format!("the code of a category, from 0 to {}", n - 1))),
            Unknown::Missing => Ok(f64::NAN),
            Unknown::Unseen => Ok(n as f64),
        };
        values.iter().enumerate().map(code).collect()
    }

    fn fill_one_hot(&self, matrix: &mut Array2<f64>, column: &Column, levels: &[(usize, String)]) -> Result<()> {
        let names: Vec<String> = levels.iter().map(|(_, level)| level.clone()).collect();
        for (row, found) in Known::new(&names).find_all(column).into_iter().enumerate() {
            match (found, self.unknown) {
                (Some(Ok(level)), _) => matrix[[row, levels[level].0]] = 1.0,
                (_, Unknown::Refuse) => return Err(unknown_category(column, row, &names)),
                (_, Unknown::Missing) => levels.iter().for_each(|(place, _)| matrix[[row, *place]] = f64::NAN),
                (_, Unknown::Unseen) => {}
            }
        }
        Ok(())
    }
}

fn lacking<'f>(features: &'f [Feature], sources: &[Option<Source>]) -> Vec<&'f Feature> {
    features.iter().zip(sources).filter(|(_, source)| source.is_none()).map(|(feature, _)| feature).collect()
}

fn first_duplicate(features: &[Feature]) -> Option<&str> {
    let mut seen = HashSet::new();
    features.iter().map(|feature| feature.name.as_str()).find(|name| !seen.insert(*name))
}

/// Finds columns that differ from a feature's name only by signs, where one column and one feature are so alike.
fn respell<'t>(frame: &'t Frame, features: &[Feature], sources: &mut [Option<Source<'t>>]) -> Vec<(String, String)> {
    let plain = |text: &str| -> String { text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect() };
    let mut columns: HashMap<String, Vec<&Column>> = HashMap::new();
    frame.columns().iter().for_each(|column| columns.entry(plain(&column.name)).or_default().push(column));
    let mut n_alike: HashMap<String, usize> = HashMap::new();
    features.iter().for_each(|feature| *n_alike.entry(plain(&feature.name)).or_default() += 1);
    let mut respelt = Vec::new();
    for (feature, source) in features.iter().zip(sources).filter(|(_, source)| source.is_none()) {
        let name = plain(&feature.name);
        if let (Some([column]), Some(1)) = (columns.get(&name).map(Vec::as_slice), n_alike.get(&name)) {
            respelt.push((feature.name.clone(), column.name.clone()));
            *source = Some(Source::Column(column));
        }
    }
    respelt
}

fn may_go_by_position(frame: &Frame, features: &[Feature]) -> bool {
    features.is_empty()
        || features.len() == frame.columns().len()
            && (generic(features.iter().map(|feature| feature.name.as_str())) || generic(frame.names()))
}

/// Whether names are the same letters with numbers that count up from 0 or 1: `f0`, `f1`, … or `Column_0`, ….
fn generic<'n>(names: impl IntoIterator<Item = &'n str>) -> bool {
    let mut parts = names.into_iter().map(|name| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem, name[stem.len()..].parse::<usize>().ok())
    });
    let Some((stem, Some(first @ (0 | 1)))) = parts.next() else { return false };
    let known = ["f", "x", "Column_", "Column", "column_", "feature_", "feature", "Feature", "V", ""];
    known.contains(&stem) && parts.zip(first + 1..).all(|(part, number)| part == (stem, Some(number)))
}
