//! One column of a table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use xai_core::{Feature, FeatureKind};

/// The code of a missing cell in [`Values::Categorical`].
pub const MISSING: u32 = u32::MAX;

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its cells: (row).
    pub values: Values,
}

/// The cells of a column, all of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN where a cell is missing.
    Numeric(Vec<f64>),
    /// True or false; `None` where a cell is missing.
    Boolean(Vec<Option<bool>>),
    /// Texts, each as its place among the distinct ones.
    Categorical {
        /// An index into `categories`, or [`MISSING`]: (row).
        codes: Vec<u32>,
        /// The distinct texts; the readers sort them by their code points.
        categories: Vec<String>,
    },
}

impl Column {
    /// A column of numbers, NaN where missing.
    pub fn numeric(name: impl Into<String>, values: Vec<f64>) -> Self {
        Column { name: name.into(), values: Values::Numeric(values) }
    }

    /// A column of texts, `None` where missing, with the categories in the order of their code points.
    ///
    /// # Example
    /// ```
    /// use xai_models::table::{Column, Values};
    /// let column = Column::categorical("colour", [Some("red"), None, Some("blue"), Some("red")]);
    /// let Values::Categorical { codes, categories } = &column.values else { panic!() };
    /// assert_eq!(categories, &["blue", "red"]);
    /// assert_eq!(codes[0], 1);
    /// assert_eq!(column.text(1), None);
    /// ```
    pub fn categorical<S: AsRef<str>>(
        name: impl Into<String>,
        texts: impl IntoIterator<Item = Option<S>, IntoIter: Clone>,
    ) -> Self {
        let texts = texts.into_iter();
        let distinct: BTreeSet<String> = texts.clone().flatten().map(|text| text.as_ref().to_owned()).collect();
        let categories: Vec<String> = distinct.into_iter().collect();
        let code = |text: S| {
            let place = categories.binary_search_by(|known| known.as_str().cmp(text.as_ref()));
            place.map_or(MISSING, |place| place as u32)
        };
        let codes = texts.map(|text| text.map_or(MISSING, code)).collect();
        Column { name: name.into(), values: Values::Categorical { codes, categories } }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Numeric(values) => values.len(),
            Values::Boolean(values) => values.len(),
            Values::Categorical { codes, .. } => codes.len(),
        }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell as text; `None` when it is missing or there is no such row.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match &self.values {
            Values::Numeric(values) => {
                let value = *values.get(row)?;
                (!value.is_nan()).then(|| Cow::Owned(value.to_string()))
            }
            Values::Boolean(values) => Some(Cow::Borrowed(if (*values.get(row)?)? { "true" } else { "false" })),
            Values::Categorical { codes, categories } => {
                categories.get(*codes.get(row)? as usize).map(|text| Cow::Borrowed(text.as_str()))
            }
        }
    }

    /// The number of missing cells.
    pub fn n_missing(&self) -> usize {
        match &self.values {
            Values::Numeric(values) => values.iter().filter(|value| value.is_nan()).count(),
            Values::Boolean(values) => values.iter().filter(|value| value.is_none()).count(),
            Values::Categorical { codes, .. } => codes.iter().filter(|&&code| code == MISSING).count(),
        }
    }

    /// Its name, with the kind that its cells show: numbers that are all 0 or 1 are binary, and other whole numbers
    /// are integers.
    pub fn feature(&self) -> Feature {
        let kind = match &self.values {
            Values::Numeric(values) => number_kind(values),
            Values::Boolean(_) => FeatureKind::Binary,
            Values::Categorical { categories, .. } => FeatureKind::Categorical { categories: categories.clone() },
        };
        Feature { name: self.name.clone(), kind, group: None }
    }

    /// A text column whose missing cells are the category `text`; any other column as it is.
    #[must_use]
    pub fn with_missing_as(self, text: &str) -> Self {
        let Values::Categorical { codes, categories } = &self.values else { return self };
        let name = |code: &u32| Some(categories.get(*code as usize).map_or(text, String::as_str));
        Column::categorical(self.name.clone(), codes.iter().map(name))
    }

    /// The rows in `range`, which must lie within the column.
    pub(super) fn rows(&self, range: Range<usize>) -> Self {
        let values = match &self.values {
            Values::Numeric(values) => Values::Numeric(values[range].to_vec()),
            Values::Boolean(values) => Values::Boolean(values[range].to_vec()),
            Values::Categorical { codes, categories } => {
                Values::Categorical { codes: codes[range].to_vec(), categories: categories.clone() }
            }
        };
        Column { name: self.name.clone(), values }
    }
}

fn number_kind(values: &[f64]) -> FeatureKind {
    let mut present = values.iter().filter(|value| !value.is_nan()).peekable();
    if present.peek().is_none() {
        return FeatureKind::Numeric;
    }
    if present.clone().all(|&value| value == 0.0 || value == 1.0) {
        FeatureKind::Binary
    } else if present.all(|value| value.is_finite() && value.fract() == 0.0) {
        FeatureKind::Integer
    } else {
        FeatureKind::Numeric
    }
}

/// A text column from codes in the order of their first appearance.
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(super) fn sorted(mut codes: Vec<u32>, known: std::collections::HashMap<Box<str>, u32>) -> Values {
    let mut distinct: Vec<(Box<str>, u32)> = known.into_iter().collect();
    distinct.sort_unstable();
    let mut place = vec![MISSING; distinct.len()];
    for (new, (_, old)) in distinct.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    codes.iter_mut().for_each(|code| *code = place.get(*code as usize).copied().unwrap_or(MISSING));
    Values::Categorical { codes, categories: distinct.into_iter().map(|(text, _)| text.into_string()).collect() }
}
