//! Delimited text of any length, batch by batch.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use xai_core::{Error, Result};

use super::csv::{Builder, Survey, survey};
use super::infer::{CellReader, Type};
use super::records::{Origin, Rows, Source};
use super::sniff::{SAMPLE_BYTES, check_text, delimiter, named_delimiter};
use super::texts::Distinct;
use super::{Column, CsvOptions, Frame, Header};

/// The rows of a file of delimited text as tables of at most so many rows.
///
/// The file is read once for its names and types and once for its cells, so that every batch has the types that
/// [`read_csv`](super::read_csv) gives the whole, and a row that is broken anywhere is told before the first batch. A
/// text column has the categories of the whole file in every batch, unless it has more than 16,384 different texts or 4 MB
/// of them; then it has those of the batch. An iterator that failed is at its end.
///
/// # Cost
/// Memory: one batch, and at most 4 MB of texts a column, whatever the length of the file. Two passes.
///
/// # Errors
/// Those of [`read_csv`](super::read_csv), rows counted in the whole file; [`Error::Cell`] for a file that changes while
/// it is read; [`Error::Parameter`] for something that can be read but once, such as a pipe.
///
/// # Laws
/// `csv_batches_are_the_rows_of_the_whole`.
///
/// # Example
/// ```
/// use xai_models::table::{CsvBatches, CsvOptions};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("rows.csv");
/// std::fs::write(&path, "age,job\n39,clerk\n50,cook\n38,clerk\n").unwrap();
/// let batches = CsvBatches::open(&path, &CsvOptions::default(), 2).unwrap();
/// assert_eq!(batches.n_rows(), 3);
/// let sizes: Vec<usize> = batches.map(|batch| batch.unwrap().n_rows()).collect();
/// assert_eq!(sizes, [2, 1]);
/// ```
pub struct CsvBatches {
    path: PathBuf,
    source: Source<'static>,
    options: CsvOptions,
    names: Vec<String>,
    builders: Vec<Builder>,
    rows: Rows<'static>,
    n_rows: usize,
    range: Range<usize>,
    per_batch: usize,
}

impl CsvBatches {
    /// Reads the file for its types; `per_batch` rows will be held at once.
    ///
    /// # Errors
    /// See [`CsvBatches`]; [`Error::Parameter`] for batches of 0 rows.
    pub fn open(path: impl AsRef<Path>, options: &CsvOptions, per_batch: usize) -> Result<Self> {
        let path = path.as_ref();
        if per_batch == 0 {
            return Err(Error::parameter("per_batch", per_batch, "at least 1"));
        }
        let io = |source| Error::Io { path: path.to_owned(), source };
        if !std::fs::metadata(path).map_err(io)?.is_file() {
            return Err(Error::parameter("path", path.display(), "a regular file, since it is read twice"));
        }
        Self::survey(path, options, per_batch).map_err(|error| in_file(error, path))
    }

    fn survey(path: &Path, options: &CsvOptions, per_batch: usize) -> Result<Self> {
        let source = source(path, options)?;
        let mut distinct = Vec::new();
        let Survey { names, types, n_rows } = survey(&source, options, Some(&mut distinct))?;
        let column = |(kind, texts): (Type, Distinct)| Builder::new(kind, texts.sorted());
        let builders = types.into_iter().zip(distinct).map(column).collect();
        let rows = source.rows(names.len(), options.header != Header::No)?;
        let (path, options) = (path.to_owned(), options.clone());
        Ok(CsvBatches { path, source, options, names, builders, rows, n_rows, range: 0..n_rows, per_batch })
    }

    /// Only the rows in `range`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the range leaves the file.
    pub fn between(mut self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.n_rows {
            return Err(Error::parameter("rows", format!("{range:?}"), format!("a range within 0..{}", self.n_rows)));
        }
        self.range = range;
        Ok(self)
    }

    /// The number of rows of the file.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn batch(&mut self) -> Result<Frame> {
        let cells = CellReader::new(&self.options.missing, self.options.decimal);
        let mut n = 0;
        while n < self.per_batch {
            let Some((row, record)) = self.rows.next(&self.source)? else { return Err(self.short()) };
            if row < self.range.start {
                continue;
            }
            for ((cell, builder), name) in record.iter().zip(&mut self.builders).zip(&self.names) {
                builder.push(cell, row, name, &cells)?;
            }
            n += 1;
            // The row after the range is another's, and need not even be there by now.
            if row + 1 == self.range.end {
                break;
            }
        }
        self.range.start += n;
        let columns = self.names.iter().zip(&mut self.builders);
        let columns = columns.map(|(name, builder)| Column { name: name.clone(), values: builder.take() });
        Frame::new(columns.collect())
    }

    fn short(&self) -> Error {
        let problem = format!("fewer than {} rows where {} were before; it changed", self.range.end, self.n_rows);
        Error::Malformed { format: "CSV", at: "its end".into(), problem }
    }
}

impl Iterator for CsvBatches {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        let batch = self.batch().map_err(|error| in_file(error, &self.path));
        if batch.is_err() {
            self.range = 0..0;
        }
        Some(batch)
    }
}

fn in_file(error: Error, path: &Path) -> Error {
    match error {
        error @ (Error::Io { .. } | Error::InFile { .. }) => error,
        error => error.in_file(path),
    }
}

/// How to cut the file up, from its beginning.
fn source(path: &Path, options: &CsvOptions) -> Result<Source<'static>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(io)?;
    // More than is looked at, so that a cut within a record is noticed.
    let most = SAMPLE_BYTES + 256;
    let mut head = Vec::new();
    file.take(most as u64).read_to_end(&mut head).map_err(io)?;
    let text = check_text(&head, head.len() == most)?;
    let (text, named) = named_delimiter(text);
    let delimiter = options.delimiter.or(named).unwrap_or_else(|| delimiter(text));
    let start = (head.len() - text.len()) as u64;
    Ok(Source { origin: Origin::File { path: path.to_owned(), start }, delimiter, trim: options.trim })
}
