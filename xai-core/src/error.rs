//! Everything that can go wrong, as values.

use std::path::PathBuf;

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, and where.
///
/// The text of an error is one sentence for a reader; the fields are for a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has another shape than it must have.
    #[error("{what}: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Which array.
        what: String,
        /// The shape that it must have.
        expected: Vec<usize>,
        /// The shape that it has.
        found: Vec<usize>,
    },
    /// A number that must be finite is not.
    #[error("{what}: sample {sample}, column {column} is {value}, where a finite number is needed")]
    NonFinite {
        /// Which array.
        what: String,
        /// The row.
        sample: usize,
        /// The column (output or feature).
        column: usize,
        /// The number.
        value: f64,
    },
    /// A parameter has a value that makes no sense.
    #[error("parameter {name}: {value} given, expected {expected}")]
    Parameter {
        /// The parameter.
        name: String,
        /// What it was set to.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A name that is not known: of a method, a parameter, a column, a category.
    #[error("unknown {kind} {name:?}{}", suggestion(nearest, known))]
    Unknown {
        /// What the name should have named.
        kind: String,
        /// The name.
        name: String,
        /// The known name that is most like it.
        nearest: Option<String>,
        /// All known names, where there are few.
        known: Vec<String>,
    },
    /// A correct request that this method, model or file format cannot serve.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// Why not, and what to do instead.
        reason: String,
    },
    /// A file or a text that is not what its format says.
    #[error("not a valid {format} file, at {at}: {problem}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// The place: a JSON path, a line, a byte offset.
        at: String,
        /// What is wrong there.
        problem: String,
    },
    /// A cell of a table that cannot be read.
    #[error("row {row}, column {column:?}: {found:?} found, expected {expected}")]
    Cell {
        /// The data row, from 1, not counting the header.
        row: usize,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// Columns that the model needs and the table lacks.
    #[error("the table lacks the column{} {}; it has {}", if columns.len() == 1 { "" } else { "s" }, quoted(columns), quoted(present))]
    MissingColumns {
        /// What lacks.
        columns: Vec<String>,
        /// What is there.
        present: Vec<String>,
    },
    /// More than a limit allows.
    #[error("{what}: {found} is more than the limit of {limit}")]
    TooLarge {
        /// What there is too much of.
        what: String,
        /// How much may be.
        limit: u64,
        /// How much there is.
        found: u64,
    },
    /// The budget of model evaluations does not suffice.
    #[error("the budget of {budget} model evaluations does not suffice: {needed} are needed")]
    Budget {
        /// What [`Run::max_evaluations`](crate::Run::max_evaluations) allows.
        budget: u64,
        /// What is needed at least.
        needed: u64,
    },
    /// The observer asked to stop.
    #[error("cancelled after {done} of {total} evaluations")]
    Cancelled {
        /// Evaluations done.
        done: u64,
        /// Evaluations planned.
        total: u64,
    },
    /// The model failed.
    #[error("the model failed: {0}")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An error with the file where it arose.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<Error>,
    },
    /// An error with the layer of a network where it arose.
    #[error("layer {layer}: {source}")]
    InLayer {
        /// The layer's name.
        layer: String,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// An error with the samples that were explained when it arose.
    #[error("samples {first} to {last}: {source}")]
    InSamples {
        /// The first sample of the batch, as the whole data counts them.
        first: u64,
        /// The last sample of the batch.
        last: u64,
        /// What is wrong; samples in it are counted as the whole data counts them.
        source: Box<Error>,
    },
}

impl Error {
    /// Wraps an error of a model's own.
    pub fn model(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Model(error.into())
    }

    /// Says in which file the error arose.
    pub fn in_file(self, path: impl Into<PathBuf>) -> Self {
        Error::InFile { path: path.into(), source: Box::new(self) }
    }

    /// Says in which layer of a network the error arose.
    pub fn in_layer(self, layer: impl Into<String>) -> Self {
        Error::InLayer { layer: layer.into(), source: Box::new(self) }
    }

    /// The error of a batch, as the whole data counts: `first` more for every sample and every row of a table.
    #[must_use]
    pub fn moved(self, first: u64) -> Self {
        let add = |place: usize| usize::try_from(first).map_or(usize::MAX, |first| place.saturating_add(first));
        match self {
            Error::NonFinite { what, sample, column, value } => {
                Error::NonFinite { what, sample: add(sample), column, value }
            }
            Error::Cell { row, column, found, expected } => Error::Cell { row: add(row), column, found, expected },
            Error::InFile { path, source } => Error::InFile { path, source: Box::new(source.moved(first)) },
            Error::InLayer { layer, source } => Error::InLayer { layer, source: Box::new(source.moved(first)) },
            other => other,
        }
    }

    /// Says that `parameter` is `value`, and what it may be.
    pub fn parameter(name: impl Into<String>, value: impl ToString, expected: impl Into<String>) -> Self {
        Error::Parameter { name: name.into(), value: value.to_string(), expected: expected.into() }
    }

    /// Says that `what` cannot be had, and why.
    pub fn unsupported(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Error::Unsupported { what: what.into(), reason: reason.into() }
    }
}

/// Checks a shape at a public door.
///
/// # Errors
/// [`Error::Shape`] when `found` is not `expected`.
pub fn same_shape(what: impl Into<String>, expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Shape { what: what.into(), expected: expected.to_vec(), found: found.to_vec() })
}

/// Checks that every entry of a (sample, column) array is finite.
///
/// # Errors
/// [`Error::NonFinite`] with the first entry that is not.
pub fn all_finite(what: &str, array: &ndarray::ArrayRef2<f64>) -> Result<()> {
    match array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((sample, column), &value)) => Err(Error::NonFinite { what: what.to_owned(), sample, column, value }),
    }
}

/// Refuses values (sample, feature, output) that are not finite.
pub(crate) fn values_finite(values: &ndarray::ArrayRef3<f64>) -> Result<()> {
    // Where all are, as nearly always, places need not be counted.
    let fine = values.iter().fold(true, |fine, value| fine & value.is_finite());
    match (!fine).then(|| values.indexed_iter().find(|(_, value)| !value.is_finite())).flatten() {
        None => Ok(()),
        Some(((sample, column, _), &value)) => Err(Error::NonFinite { what: "values".into(), sample, column, value }),
    }
}

fn suggestion(nearest: &Option<String>, known: &[String]) -> String {
    match (nearest, known) {
        (Some(name), _) => format!("; did you mean {name:?}?"),
        (None, []) => String::new(),
        (None, known) => format!("; known: {}", quoted(known)),
    }
}

fn quoted(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    text
}
