//! Tables from delimited text.

use std::collections::HashSet;
use std::path::Path;

use xai_core::{Error, Result};

use super::align::MARKERS;
use super::category::shortened;
use super::infer::{CellReader, Profile, Type};
use super::records::{Origin, Source, count};
use super::sniff::{check_text, delimiter, looks_like_data, named_delimiter};
use super::texts::{Distinct, Texts};
use super::{Column, Frame, Values};

/// How to read delimited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first line names the columns.
    pub header: Header,
    /// Names instead of those of the first line, or where there is no such line.
    pub names: Option<Vec<String>>,
    /// What separates cells; found among `,` `;` tab and `|` when `None`.
    pub delimiter: Option<u8>,
    /// Texts that stand for a missing cell.
    pub missing: Vec<String>,
    /// Cut spaces and tabs from both ends of cells and names.
    pub trim: bool,
    /// The decimal mark. When `None` it is the point, and a column of numbers with commas is refused rather than taken
    /// for text.
    pub decimal: Option<char>,
}

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// It does; refuse names that look like data.
    #[default]
    Check,
    /// It does, whatever it looks like.
    Yes,
    /// It does not; columns are called `x0`, `x1`, … unless they are given names. Refuse a first line of texts above
    /// numbers.
    No,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            header: Header::Check,
            names: None,
            delimiter: None,
            missing: MARKERS.map(str::to_owned).to_vec(),
            trim: true,
            decimal: None,
        }
    }
}

/// Reads a file of delimited text: see [`parse_csv`].
///
/// # Errors
/// [`Error::Io`], and those of [`parse_csv`] with the file's name.
pub fn read_csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Frame> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    parse_csv(&bytes, options).map_err(|error| error.in_file(path))
}

/// Reads delimited text in UTF-8, with or without a byte order mark.
///
/// A column whose cells are all numbers is numeric, one of `true` and `false` boolean, any other categorical with its
/// categories in the order of their code points. A column without any cell is numeric. Cells may be quoted by `"`.
/// Empty lines are skipped, and so is a first line `sep=;`, which names the delimiter. A name that is empty becomes `Unnamed: i`, as pandas calls the i-th column.
///
/// # Cost
/// Two passes. Memory: 8 bytes for a number, 4 for a text, once more the distinct texts of each column.
///
/// # Errors
/// [`Error::Malformed`] with the line for rows of unequal length, a quote that is never closed, a missing or doubtful
/// header, two columns with the same name; [`Error::Cell`] with row and column for bytes that are not UTF-8, and for
/// decimal commas that were not announced.
///
/// # Example
/// ```
/// use xai_models::table::{CsvOptions, parse_csv};
/// let frame = parse_csv(b"age;job\n39;clerk\n?;\"cook; baker\"\n", &CsvOptions::default()).unwrap();
/// assert_eq!(frame.names(), ["age", "job"]);
/// assert_eq!(frame.column("job").unwrap().text(1).unwrap(), "cook; baker");
/// assert_eq!(frame.column("age").unwrap().n_missing(), 1);
/// ```
pub fn parse_csv(bytes: &[u8], options: &CsvOptions) -> Result<Frame> {
    let text = check_text(bytes, false)?;
    // The first line that spreadsheets write to name the delimiter.
    let (text, named) = named_delimiter(text);
    let delimiter = options.delimiter.or(named).unwrap_or_else(|| delimiter(text));
    let source = Source { origin: Origin::Bytes(text), delimiter, trim: options.trim };
    let Survey { names, types, n_rows, .. } = survey(&source, options, None)?;
    let cells = CellReader::new(&options.missing, options.decimal);
    let mut builders: Vec<Builder> = types.into_iter().map(|kind| Builder::new(kind, None)).collect();
    builders.iter_mut().for_each(|builder| builder.reserve(n_rows));
    source.each_row(names.len(), options.header != Header::No, |row, record| {
        for ((cell, builder), name) in record.iter().zip(&mut builders).zip(&names) {
            builder.push(cell, row, name, &cells)?;
        }
        Ok(())
    })?;
    let column = |(name, mut builder): (String, Builder)| Column { name, values: builder.take() };
    Frame::new(names.into_iter().zip(builders).map(column).collect())
}

/// What is known of a text after it was read once.
pub(super) struct Survey {
    pub names: Vec<String>,
    pub types: Vec<Type>,
    pub n_rows: usize,
}

/// Reads the whole text for its names, its types and its length; with the distinct texts of its columns where those are
/// asked for.
pub(super) fn survey(
    source: &Source,
    options: &CsvOptions,
    mut distinct: Option<&mut Vec<Distinct>>,
) -> Result<Survey> {
    let names = column_names(source, options)?;
    let cells = CellReader::new(&options.missing, options.decimal);
    let mut profiles: Vec<Profile> = names.iter().map(|_| Profile::default()).collect();
    if let Some(distinct) = &mut distinct {
        distinct.resize_with(names.len(), Distinct::default);
    }
    let mut n_rows = 0;
    source.each_row(names.len(), options.header != Header::No, |row, record| {
        n_rows = row + 1;
        for (place, (cell, profile)) in record.iter().zip(&mut profiles).enumerate() {
            let text = utf8(cell, row, &names[place])?;
            profile.see(row, text, &cells);
            if let Some(distinct) = &mut distinct
                && !cells.is_missing(text)
            {
                distinct[place].see(text);
            }
        }
        Ok(())
    })?;
    check_header(&names, &profiles, options)?;
    let types = profiles.iter().zip(&names).map(|(p, name)| p.conclude(name, &cells)).collect::<Result<Vec<_>>>()?;
    Ok(Survey { names, types, n_rows })
}

/// The columns' names.
fn column_names(source: &Source, options: &CsvOptions) -> Result<Vec<String>> {
    let first = source.first()?;
    if first.is_empty() {
        return Err(source.malformed(&first, "no line with a cell".into()));
    }
    let name = |(i, cell): (usize, &[u8])| match std::str::from_utf8(cell) {
        Ok("") => Ok(format!("Unnamed: {i}")),
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(source.malformed(&first, format!("the name of column {} is not in UTF-8", i + 1))),
    };
    let names = match (&options.names, options.header) {
        (Some(names), _) => names.clone(),
        (None, Header::No) => (0..first.len()).map(|i| format!("x{i}")).collect(),
        (None, Header::Check | Header::Yes) => first.iter().enumerate().map(name).collect::<Result<_>>()?,
    };
    if names.len() != first.len() {
        let problem = format!("{} for {}", count(first.len(), "cell"), count(names.len(), "name"));
        return Err(source.malformed(&first, problem));
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => Err(source.malformed(&first, format!("two columns are called {name:?}{}", hint(options)))),
        None => Ok(names),
    }
}

fn hint(options: &CsvOptions) -> &'static str {
    if options.names.is_none() { "; if the first line is data, say that there is no header" } else { "" }
}

/// Refuses names that look like data, and data that look like names.
fn check_header(names: &[String], profiles: &[Profile], options: &CsvOptions) -> Result<()> {
    let refuse = |problem: String| Err(Error::Malformed { format: "CSV", at: "the first line".into(), problem });
    match options.header {
        Header::Check if options.names.is_none() => {
            match looks_like_data(names, |place| profiles[place].is_numeric()) {
                None => Ok(()),
                Some(name) => refuse(format!(
                    "it looks like data, since a column of numbers is called {name:?}; say that there is no header, or that there is one for sure"
                )),
            }
        }
        Header::No if looks_like_names(profiles) => {
            refuse("it has texts above columns of numbers; say that it is the header".into())
        }
        _ => Ok(()),
    }
}

/// Whether there is no number in the first row, and nothing but numbers below in some column.
fn looks_like_names(profiles: &[Profile]) -> bool {
    profiles.iter().all(Profile::starts_with_text) && profiles.iter().any(Profile::is_numeric_below)
}

fn utf8<'c>(cell: &'c [u8], row: usize, column: &str) -> Result<&'c str> {
    std::str::from_utf8(cell).map_err(|_| Error::Cell {
        row: row + 1,
        column: column.to_owned(),
        found: shortened(&String::from_utf8_lossy(cell)),
        expected: "text in UTF-8; the file is in another encoding, such as Latin-1".into(),
    })
}

/// A column that grows cell by cell.
pub(super) enum Builder {
    Numeric(Vec<f64>),
    Boolean(Vec<Option<bool>>),
    Text(Texts),
}

impl Builder {
    /// A column of a type; a text column with its categories where they are known.
    pub fn new(kind: Type, categories: Option<Vec<String>>) -> Self {
        match kind {
            Type::Numeric => Builder::Numeric(Vec::new()),
            Type::Boolean => Builder::Boolean(Vec::new()),
            Type::Text => Builder::Text(Texts::among(categories)),
        }
    }

    pub fn reserve(&mut self, n_rows: usize) {
        match self {
            Builder::Numeric(values) => values.reserve(n_rows),
            Builder::Boolean(values) => values.reserve(n_rows),
            Builder::Text(texts) => texts.reserve(n_rows),
        }
    }

    /// Adds a cell of a row, from 0.
    ///
    /// # Errors
    /// [`Error::Cell`] for a cell that was not there when the text was read for its types.
    pub fn push(&mut self, cell: &[u8], row: usize, column: &str, cells: &CellReader) -> Result<()> {
        let text = utf8(cell, row, column)?;
        let present = (!cells.is_missing(text)).then_some(text);
        let fits = match self {
            Builder::Numeric(values) => {
                let value = present.map_or(Some(f64::NAN), |text| cells.number(text));
                values.extend(value);
                value.is_some()
            }
            Builder::Boolean(values) => {
                let value = present.map(|text| cells.boolean(text));
                values.extend(value.map_or(Some(None), |value| value.map(Some)));
                value != Some(None)
            }
            Builder::Text(texts) => texts.push(present),
        };
        if fits { Ok(()) } else { Err(changed(text, row, column)) }
    }

    /// The cells so far; the column starts anew.
    pub fn take(&mut self) -> Values {
        match self {
            Builder::Numeric(values) => Values::Numeric(std::mem::take(values)),
            Builder::Boolean(values) => Values::Boolean(std::mem::take(values)),
            Builder::Text(texts) => texts.take(),
        }
    }
}

fn changed(text: &str, row: usize, column: &str) -> Error {
    Error::Cell {
        row: row + 1,
        column: column.to_owned(),
        found: shortened(text),
        expected: "a cell as when the file was first read; it changed since".into(),
    }
}
