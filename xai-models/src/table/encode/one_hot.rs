//! Each category as a column of its own.

use std::collections::{BTreeMap, HashSet};

use ndarray::{Array2, ArrayView1};
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Error, Feature, FeatureKind, Result};

use super::{categories, check_given, features};
use crate::table::category::{Known, numbers, unknown_category};
use crate::table::{Frame, Unknown};

/// Encodes each category as a column that is 1 where the category is and 0 elsewhere; numbers pass through.
///
/// | parameter | default | purpose |
/// |---|---|---|
/// | `drop` | [`Drop::Nothing`] | which category has no column |
/// | `separator` | `_` | stands between the column's name and the category's |
/// | `categories` | none: those found, in the order of their code points | the order of a column's categories |
/// | `unknown` | [`Unknown::Refuse`] | what becomes of categories that were not there at the fit |
///
/// The columns of one category share their [`Feature::group`], so that
/// [`Groups::of`](xai_core::Groups::of) makes them one player.
///
/// # Source
/// scikit-learn's `OneHotEncoder`; *differs:* a missing cell is NaN in all columns of its group, and no category of its
/// own unless [`Column::with_missing_as`](crate::table::Column::with_missing_as) makes it one.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Groups;
/// use xai_models::table::{Column, Frame, OneHotEncoder};
/// let frame = Frame::new(vec![
///     Column::numeric("price", vec![1.5, 2.0]),
///     Column::categorical("colour", [Some("red"), Some("blue")]),
/// ]).unwrap();
/// let encoder = OneHotEncoder::default().fit(&frame).unwrap();
/// assert_eq!(encoder.transform(&frame).unwrap(), array![[1.5, 0.0, 1.0], [2.0, 1.0, 0.0]]);
/// assert_eq!(encoder.features()[2].name, "colour_red");
/// assert_eq!(Groups::of(encoder.features()).members, [vec![0], vec![1, 2]]);
/// assert_eq!(encoder.inverse(&[2.0, 1.0, 0.0]).unwrap(), ["2", "blue"]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OneHotEncoder {
    /// Which category has no column.
    pub drop: Drop,
    /// What stands between the column's name and the category's.
    pub separator: char,
    /// The categories of a column in an order of one's own, by the column's name.
    pub categories: BTreeMap<String, Vec<String>>,
    /// What becomes of categories that were not there at the fit: with [`Unknown::Unseen`], zeros in all columns.
    pub unknown: Unknown,
}

impl Default for OneHotEncoder {
    fn default() -> Self {
        let (drop, unknown) = (Drop::default(), Unknown::default());
        OneHotEncoder { drop, separator: '_', categories: BTreeMap::new(), unknown }
    }
}

/// Which category has no column of its own, and is where all other columns are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drop {
    /// None: every category has a column.
    #[default]
    Nothing,
    /// The first.
    First,
    /// The first, if there are two.
    IfBinary,
}

/// A [`OneHotEncoder`] that knows its categories.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOneHot {
    /// The columns of the matrix.
    features: Vec<Feature>,
    /// The columns of the table.
    columns: Vec<Feature>,
    /// For each column of the table, whether its first category has no column in the matrix.
    dropped: Vec<bool>,
    unknown: Unknown,
}

impl OneHotEncoder {
    /// Learns the categories of `frame`.
    ///
    /// # Errors
    /// [`Error::Unknown`] and [`Error::Parameter`] for given categories of a column that is not there, of none, or with
    /// doubles; [`Error::Parameter`] when two encoded columns would have the same name.
    pub fn fit(&self, frame: &Frame) -> Result<FittedOneHot> {
        check_given(frame, &self.categories)?;
        let columns = features(frame, &self.categories);
        let drops = |feature: &Feature| match (self.drop, categories(feature).map_or(0, <[String]>::len)) {
            (Drop::Nothing, _) | (_, 0) => false,
            (Drop::First, _) => true,
            (Drop::IfBinary, n) => n == 2,
        };
        let dropped: Vec<bool> = columns.iter().map(drops).collect();
        let mut features = Vec::new();
        for (column, &dropped) in columns.iter().zip(&dropped) {
            match categories(column) {
                None => features.push(column.clone()),
                Some(levels) => features.extend(levels.iter().skip(usize::from(dropped)).map(|level| Feature {
                    name: format!("{}{}{level}", column.name, self.separator),
                    kind: FeatureKind::Binary,
                    group: Some(column.name.clone()),
                })),
            }
        }
        let mut seen = HashSet::new();
        if let Some(twice) = features.iter().find(|feature| !seen.insert(feature.name.as_str())) {
            let value = format!("{:?}, which names two columns {:?}", self.separator, twice.name);
            return Err(Error::parameter("separator", value, "another character"));
        }
        Ok(FittedOneHot { features, columns, dropped, unknown: self.unknown })
    }
}

impl FittedOneHot {
    /// The columns of the matrix; those of one category share their group.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The table as numbers: (row, feature). Columns are found by name; others are ignored. A missing cell is NaN in all
    /// columns of its group.
    ///
    /// # Errors
    /// [`Error::MissingColumns`]; [`Error::Cell`] for a text among numbers, or a category that is not known.
    pub fn transform(&self, frame: &Frame) -> Result<Array2<f64>> {
        let names = frame.names();
        let absent = self.columns.iter().filter(|column| !names.contains(&column.name.as_str()));
        let absent: Vec<String> = absent.map(|column| column.name.clone()).collect();
        if !absent.is_empty() {
            let present = names.into_iter().map(str::to_owned).collect();
            return Err(Error::MissingColumns { columns: absent, present });
        }
        let mut matrix = Array2::zeros((frame.n_rows(), self.features.len()));
        for (feature, dropped, range) in self.parts() {
            let column = frame.column(&feature.name)?;
            let Some(levels) = categories(feature) else {
                matrix.column_mut(range.start).assign(&ArrayView1::from(&numbers(column)?));
                continue;
            };
            for (row, found) in Known::new(levels).find_all(column).into_iter().enumerate() {
                let mut cells = matrix.row_mut(row);
                match (found, self.unknown) {
                    (Some(Ok(level)), _) => {
                        if let Some(place) = level.checked_sub(dropped) {
                            cells[range.start + place] = 1.0;
                        }
                    }
                    (Some(Err(())), Unknown::Refuse) => return Err(unknown_category(column, row, levels)),
                    (Some(Err(())), Unknown::Unseen) => {}
                    (None, _) | (Some(Err(())), Unknown::Missing) => {
                        range.clone().for_each(|place| cells[place] = f64::NAN);
                    }
                }
            }
        }
        Ok(matrix)
    }

    /// What the numbers of a row mean, column by column of the table: the category whose column is not zero, the dropped
    /// one where all are, `unknown` where that says nothing, `missing` where one is NaN.
    ///
    /// # Errors
    /// [`Error::Shape`] for a row of another length.
    pub fn inverse(&self, row: &[f64]) -> Result<Vec<String>> {
        same_shape("encoded row (feature)", &[self.features.len()], &[row.len()])?;
        let text = |(feature, dropped, range): (&Feature, usize, std::ops::Range<usize>)| {
            let Some(levels) = categories(feature) else { return feature.display(row[range.start]) };
            let cells = &row[range];
            let mut hot = (0..cells.len()).filter(|&place| cells[place] != 0.0);
            match (hot.next(), hot.next()) {
                _ if cells.iter().any(|cell| cell.is_nan()) => "missing".to_owned(),
                (Some(place), None) => levels[place + dropped].clone(),
                (None, _) if dropped > 0 => levels[0].clone(),
                _ => "unknown".to_owned(),
            }
        };
        Ok(self.parts().map(text).collect())
    }

    /// Each column of the table, how many categories it drops, and its columns in the matrix.
    fn parts(&self) -> impl Iterator<Item = (&Feature, usize, std::ops::Range<usize>)> {
        let mut start = 0;
        self.columns.iter().zip(&self.dropped).map(move |(feature, &dropped)| {
            let dropped = usize::from(dropped);
            let width = categories(feature).map_or(1, |levels| levels.len() - dropped);
            let range = start..start + width;
            start += width;
            (feature, dropped, range)
        })
    }
}
