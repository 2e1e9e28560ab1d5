//! A table of typed columns.

use std::collections::HashSet;
use std::ops::Range;

use xai_core::error::same_shape;
use xai_core::{Error, Feature, Result};

use super::{Column, Values};

/// Columns of equal length with different names.
///
/// # Example
/// ```
/// use xai_models::table::{Column, Frame};
/// let frame = Frame::new(vec![
///     Column::numeric("age", vec![39.0, 50.0]),
///     Column::categorical("job", [Some("clerk"), None]),
/// ]).unwrap();
/// let (frame, job) = frame.split_label("job").unwrap();
/// assert_eq!(frame.names(), ["age"]);
/// assert_eq!(job.text(0).unwrap(), "clerk");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    columns: Vec<Column>,
    n_rows: usize,
}

impl Frame {
    /// A table of `columns`.
    ///
    /// # Errors
    /// [`Error::Shape`] when their lengths differ; [`Error::Parameter`] when two have the same name, or a code is
    /// neither [`MISSING`](super::MISSING) nor that of a category.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        let n_rows = columns.first().map_or(0, Column::len);
        let mut names = HashSet::new();
        for column in &columns {
            same_shape(format!("column {:?}", column.name), &[n_rows], &[column.len()])?;
            if !names.insert(column.name.as_str()) {
                return Err(Error::parameter("columns", &column.name, "a name of its own for every column"));
            }
            if let Values::Categorical { codes, categories } = &column.values
                && let Some(code) = codes.iter().find(|&&c| c != super::MISSING && c as usize >= categories.len())
            {
                let expected = format!("a code below {}, the number of categories", categories.len());
                return Err(Error::parameter(format!("column {:?}", column.name), code, expected));
            }
        }
        Ok(Frame { columns, n_rows })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns, to change them; [`Frame::new`] checks them again.
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The columns' names and kinds: see [`Column::feature`].
    pub fn features(&self) -> Vec<Feature> {
        self.columns.iter().map(Column::feature).collect()
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.place(name).map(|place| &self.columns[place])
    }

    /// The table without the column called `name`, and that column.
    ///
    /// # Errors
    /// As [`Frame::column`].
    pub fn split_label(mut self, name: &str) -> Result<(Frame, Column)> {
        let column = self.columns.remove(self.place(name)?);
        Ok((self, column))
    }

    /// The columns called `names`, in that order.
    ///
    /// # Errors
    /// As [`Frame::column`]; [`Error::Parameter`] when a name comes twice.
    pub fn select(&self, names: &[&str]) -> Result<Frame> {
        let columns = names.iter().map(|name| self.column(name).cloned()).collect::<Result<Vec<_>>>()?;
        Ok(Frame { n_rows: self.n_rows, ..Frame::new(columns)? })
    }

    /// The rows in `range`. Categories stay as they are, so that codes keep their meaning.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the range leaves the table.
    pub fn rows(&self, range: Range<usize>) -> Result<Frame> {
        if range.start > range.end || range.end > self.n_rows {
            return Err(Error::parameter("rows", format!("{range:?}"), format!("a range within 0..{}", self.n_rows)));
        }
        let columns = self.columns.iter().map(|column| column.rows(range.clone())).collect();
        Ok(Frame { columns, n_rows: range.len() })
    }

    fn place(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| unknown_column(name, &self.names()))
    }
}

/// Below this similarity a known name is not offered in place of an unknown one.
const ALIKE: f64 = 0.8;

pub(super) fn unknown_column(name: &str, known: &[&str]) -> Error {
    let alike = |other: &&&str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|best| alike(best) >= ALIKE);
    Error::Unknown {
        kind: "column".into(),
        name: name.to_owned(),
        nearest: nearest.map(|name| (*name).to_owned()),
        known: known.iter().map(|name| (*name).to_owned()).collect(),
    }
}
