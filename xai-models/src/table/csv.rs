//! Tables from delimited text.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder, Trim};
use xai_core::{Error, Result};

use super::category::shortened;
use super::infer::{CellReader, Profile, Type};
use super::sniff::{check_text, delimiter, looks_like_data};
use super::{Column, Frame, MISSING, Values};

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
    /// It does not; columns are called `x0`, `x1`, … unless they are given names.
    No,
}

impl Default for CsvOptions {
    fn default() -> Self {
        let missing = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"];
        CsvOptions {
            header: Header::Check,
            names: None,
            delimiter: None,
            missing: missing.map(str::to_owned).to_vec(),
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
/// Empty lines are skipped. A name that is empty becomes `Unnamed: i`, as pandas calls the i-th column.
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
    let text = check_text(bytes)?;
    let delimiter = options.delimiter.unwrap_or_else(|| delimiter(text));
    let source = Source { text, delimiter, trim: options.trim };
    let names = source.names(options)?;
    let has_header = options.header != Header::No;
    let cells = CellReader::new(&options.missing, options.decimal);

    let mut profiles: Vec<Profile> = names.iter().map(|_| Profile::default()).collect();
    let mut n_rows = 0;
    source.each_row(names.len(), has_header, |row, record| {
        n_rows = row + 1;
        for ((cell, profile), name) in record.iter().zip(&mut profiles).zip(&names) {
            profile.see(row, utf8(cell, row, name)?, &cells);
        }
        Ok(())
    })?;
    if has_header && options.header == Header::Check && options.names.is_none() {
        check_header(&names, &profiles)?;
    }
    let types = profiles.iter().zip(&names).map(|(p, name)| p.conclude(name, &cells)).collect::<Result<Vec<_>>>()?;

    let mut builders: Vec<Builder> = types.into_iter().map(|kind| Builder::new(kind, n_rows)).collect();
    source.each_row(names.len(), has_header, |row, record| {
        for ((cell, builder), name) in record.iter().zip(&mut builders).zip(&names) {
            builder.push(utf8(cell, row, name)?, &cells);
        }
        Ok(())
    })?;
    let column = |(name, builder): (String, Builder)| Column { name, values: builder.finish() };
    Frame::new(names.into_iter().zip(builders).map(column).collect())
}

/// The text, and how to cut it up.
struct Source<'t> {
    text: &'t [u8],
    delimiter: u8,
    trim: bool,
}

/// Follows the text: a quote that is still open there swallows it. No text may hold it, see [`check_text`].
const END: &[u8] = b"\n\0";

impl Source<'_> {
    /// Calls `visit` with every data row, from 0, after checking its length.
    fn each_row(
        &self,
        n_columns: usize,
        has_header: bool,
        mut visit: impl FnMut(usize, &ByteRecord) -> Result<()>,
    ) -> Result<()> {
        let mut row = 0;
        let mut skip = has_header;
        self.each_record(|line, record| {
            if std::mem::take(&mut skip) {
                return Ok(true);
            }
            if record.len() != n_columns {
                let problem = format!("{} where {n_columns} are expected", count(record.len(), "cell"));
                return Err(malformed(line, problem));
            }
            visit(row, record)?;
            row += 1;
            Ok(true)
        })
    }

    /// Calls `visit` with the line and the cells of every record until it says `false`.
    fn each_record(&self, mut visit: impl FnMut(u64, &ByteRecord) -> Result<bool>) -> Result<()> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(if self.trim { Trim::All } else { Trim::None })
            .from_reader(std::io::Read::chain(self.text, END));
        let mut record = ByteRecord::new();
        let mut line = 1;
        let mut ended = false;
        loop {
            let more = reader.read_byte_record(&mut record);
            line = record.position().map_or(line, |at| at.line() + empty_lines(self.text, at.byte()));
            match more {
                Err(error) => return Err(malformed(line, error.to_string())),
                Ok(false) if ended => return Ok(()),
                Ok(false) => return Err(malformed(line, "a quote that is never closed".into())),
                Ok(true) if record.len() == 1 && record.get(0) == END.get(1..) => ended = true,
                // Only the last record may hold the end mark: then a quote swallowed it.
                Ok(true) if record.iter().next_back().is_some_and(|cell| cell.contains(&0)) => {
                    return Err(malformed(line, "a quote that is never closed".into()));
                }
                Ok(true) => {
                    if !visit(line, &record)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The columns' names.
    fn names(&self, options: &CsvOptions) -> Result<Vec<String>> {
        let mut first = None;
        self.each_record(|line, record| {
            first = Some((line, record.clone()));
            Ok(false)
        })?;
        let Some((line, first)) = first else { return Err(malformed(1, "no line with a cell".into())) };
        let names = match (&options.names, options.header) {
            (Some(names), _) => names.clone(),
            (None, Header::No) => (0..first.len()).map(|i| format!("x{i}")).collect(),
            (None, Header::Check | Header::Yes) => first
                .iter()
                .enumerate()
                .map(|(i, cell)| match std::str::from_utf8(cell) {
                    Ok("") => Ok(format!("Unnamed: {i}")),
                    Ok(name) => Ok(name.to_owned()),
                    Err(_) => Err(malformed(line, format!("the name of column {} is not in UTF-8", i + 1))),
                })
                .collect::<Result<_>>()?,
        };
        if names.len() != first.len() {
            return Err(malformed(line, format!("{} for {} names", count(first.len(), "cell"), names.len())));
        }
        let mut seen = HashSet::new();
        match names.iter().find(|name| !seen.insert(name.as_str())) {
            Some(name) => Err(malformed(line, format!("two columns are called {name:?}{}", hint(options)))),
            None => Ok(names),
        }
    }
}

fn hint(options: &CsvOptions) -> &'static str {
    if options.names.is_none() { "; if the first line is data, say that there is no header" } else { "" }
}

fn check_header(names: &[String], profiles: &[Profile]) -> Result<()> {
    let numeric = |place: usize| profiles[place].is_numeric();
    match looks_like_data(names, numeric) {
        None => Ok(()),
        Some(name) => {
            let problem = format!("the header looks like data: a column of numbers is called {name:?}");
            Err(malformed(1, format!("{problem}; say that there is no header, or that there is one")))
        }
    }
}

/// The number of empty lines that the text goes on with at `start`: the reader skips them.
fn empty_lines(text: &[u8], start: u64) -> u64 {
    let rest = usize::try_from(start).ok().and_then(|start| text.get(start..)).unwrap_or_default();
    rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count() as u64
}

fn utf8<'c>(cell: &'c [u8], row: usize, column: &str) -> Result<&'c str> {
    std::str::from_utf8(cell).map_err(|_| Error::Cell {
        row: row + 1,
        column: column.to_owned(),
        found: shortened(&String::from_utf8_lossy(cell)),
        expected: "text in UTF-8; the file is in another encoding, such as Latin-1".into(),
    })
}

fn malformed(line: u64, problem: String) -> Error {
    Error::Malformed { format: "CSV", at: format!("line {line}"), problem }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A column that grows cell by cell.
enum Builder {
    Numeric(Vec<f64>),
    Boolean(Vec<Option<bool>>),
    Text { codes: Vec<u32>, known: HashMap<Box<str>, u32> },
}

impl Builder {
    fn new(kind: Type, n_rows: usize) -> Self {
        match kind {
            Type::Numeric => Builder::Numeric(Vec::with_capacity(n_rows)),
            Type::Boolean => Builder::Boolean(Vec::with_capacity(n_rows)),
            Type::Text => Builder::Text { codes: Vec::with_capacity(n_rows), known: HashMap::new() },
        }
    }

    fn push(&mut self, text: &str, cells: &CellReader) {
        match self {
            Builder::Numeric(values) => {
                let present = (!cells.is_missing(text)).then(|| cells.number(text));
                values.push(present.flatten().unwrap_or(f64::NAN));
            }
            Builder::Boolean(values) => {
                values.push(if cells.is_missing(text) { None } else { cells.boolean(text) });
            }
            Builder::Text { codes, .. } if cells.is_missing(text) => codes.push(MISSING),
            Builder::Text { codes, known } => {
                let next = known.len() as u32;
                let code = known.get(text).copied().unwrap_or_else(|| {
                    known.insert(text.into(), next);
                    next
                });
                codes.push(code);
            }
        }
    }

    fn finish(self) -> Values {
        match self {
            Builder::Numeric(values) => Values::Numeric(values),
            Builder::Boolean(values) => Values::Boolean(values),
            Builder::Text { codes, known } => super::column::sorted(codes, known),
        }
    }
}
