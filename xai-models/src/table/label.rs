//! Known answers.

use xai_core::Result;

use super::category::{Known, cell, unknown_category};
use super::{Column, Values};

/// What is known about each sample: its class, or a number.
///
/// # Example
/// ```
/// use xai_models::table::{Column, Labels};
/// let column = Column::categorical("diagnosis", [Some("benign"), Some("malignant"), Some("benign")]);
/// let Labels::Classes { names, indices } = Labels::of(&column).unwrap() else { panic!() };
/// assert_eq!((names[1].as_str(), indices), ("malignant", vec![0, 1, 0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// One of several classes.
    Classes {
        /// The name of each class.
        names: Vec<String>,
        /// The index of each sample's class: (sample).
        indices: Vec<usize>,
    },
    /// A number: (sample).
    Numbers(Vec<f64>),
}

impl Labels {
    /// A text column as classes in the order of its categories, a boolean one as `false` and `true`, and numbers as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Cell`](xai_core::Error::Cell) for a missing cell.
    pub fn of(column: &Column) -> Result<Self> {
        let names = match &column.values {
            Values::Numeric(values) => {
                return match values.iter().position(|value| !value.is_finite()) {
                    Some(row) => Err(cell(column, row, "a finite number, since it is a label")),
                    None => Ok(Labels::Numbers(values.clone())),
                };
            }
            Values::Boolean(_) => vec!["false".to_owned(), "true".to_owned()],
            Values::Categorical { categories, .. } => categories.clone(),
        };
        Self::classes(column, &names)
    }

    /// The column as classes of a model, whose outputs are called `names`. Numbers match names that spell them; where
    /// no name spells a number, whole numbers are indices into `names`.
    ///
    /// # Errors
    /// [`Error::Cell`](xai_core::Error::Cell) with the row for a missing cell, and for one that is none of the classes.
    pub fn classes(column: &Column, names: &[String]) -> Result<Self> {
        let known = Known::new(names);
        let by_index = !names.iter().any(|name| super::category::spelt_number(name).is_some());
        let found = match &column.values {
            Values::Numeric(values) if by_index => values
                .iter()
                .map(|&x| {
                    let whole = x >= 0.0 && x.fract() == 0.0 && x < names.len() as f64;
                    (!x.is_nan()).then_some(if whole { Ok(x as usize) } else { Err(()) })
                })
                .collect(),
            _ => known.find_all(column),
        };
        let index = |(row, found): (usize, Option<std::result::Result<usize, ()>>)| match found {
            Some(Ok(index)) => Ok(index),
            Some(Err(())) => Err(unknown_category(column, row, names)),
            None => Err(cell(column, row, "a class, since it is a label")),
        };
        let indices = found.into_iter().enumerate().map(index).collect::<Result<_>>()?;
        Ok(Labels::Classes { names: names.to_vec(), indices })
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes { indices, .. } => indices.len(),
            Labels::Numbers(values) => values.len(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
