//! Parquet files of any length, batch by batch.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use xai_core::{Error, Result};

use super::parquet::{Opened, Selected, guarded, malformed, open};
use super::parquet_cells::{Builder, Cells};
use super::parquet_kind::Kind;
use super::texts::Distinct;
use super::{Column, Frame, ParquetOptions, Values};

/// The rows of a Parquet file as tables of at most so many rows.
///
/// Text columns are read once before, for their categories: a column has those of the whole file in every batch,
/// unless it has more than 16,384 different texts or 4 MB of them; then it has those of the batch. An iterator that
/// failed is at its end.
///
/// # Cost
/// Memory: one batch, a page of each column, and at most 4 MB of texts a column, whatever the length of the file.
///
/// # Errors
/// Those of [`read_parquet`](super::read_parquet), rows counted in the whole file; [`Error::TooLarge`] for batches of
/// more than [`ParquetOptions::max_cells`].
///
/// # Laws
/// `parquet_batches_are_the_rows_of_the_whole`.
pub struct ParquetBatches {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    columns: Vec<Selected>,
    builders: Vec<Builder>,
    /// The row group that is being read, and how many of its rows are left.
    cells: Vec<Cells>,
    left: usize,
    next_group: usize,
    /// The row that comes next.
    row: usize,
    n_rows: usize,
    range: Range<usize>,
    per_batch: usize,
}

/// How many rows are read at a time for their texts.
const ROWS: usize = 1 << 14;

impl ParquetBatches {
    /// Reads the footer and the texts; `per_batch` rows will be held at once.
    ///
    /// # Errors
    /// See [`ParquetBatches`]; [`Error::Parameter`] for batches of 0 rows.
    pub fn open(path: impl AsRef<Path>, options: &ParquetOptions, per_batch: usize) -> Result<Self> {
        let path = path.as_ref();
        if per_batch == 0 {
            return Err(Error::parameter("per_batch", per_batch, "at least 1"));
        }
        let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        guarded(|| Self::survey(path, file, options, per_batch)).map_err(|error| error.in_file(path))
    }

    fn survey(path: &Path, file: File, options: &ParquetOptions, per_batch: usize) -> Result<Self> {
        let Opened { reader, columns, n_rows } = open(file, options)?;
        let cells = n_rows.min(per_batch as u64).saturating_mul(columns.len() as u64);
        if cells > options.max_cells {
            return Err(Error::TooLarge { what: "cells of a batch".into(), limit: options.max_cells, found: cells });
        }
        let most = usize::MAX as u64;
        let n_rows = usize::try_from(n_rows).map_err(|_| Error::TooLarge {
            what: "rows of the table".into(),
            limit: most,
            found: n_rows,
        })?;
        let builder = |column: &Selected| Ok(Builder::new(column.kind, texts(&reader, column)?));
        let builders = columns.iter().map(builder).collect::<Result<_>>()?;
        Ok(ParquetBatches {
            path: path.to_owned(),
            reader,
            columns,
            builders,
            cells: Vec::new(),
            left: 0,
            next_group: 0,
            row: 0,
            n_rows,
            range: 0..n_rows,
            per_batch,
        })
    }

    /// Only the rows in `range`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the range leaves the file.
    pub fn between(mut self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.n_rows {
            return Err(Error::parameter("rows", format!("{range:?}"), format!("a range within 0..{}", self.n_rows)));
        }
        self.builders.iter_mut().for_each(|builder| builder.after(range.start));
        self.range = range;
        Ok(self)
    }

    /// The number of rows of the file.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn batch(&mut self) -> Result<Frame> {
        let end = self.range.end.min(self.range.start.saturating_add(self.per_batch));
        while self.row < end {
            if self.left == 0 {
                self.next_group()?;
                continue;
            }
            let wanted = if self.row < self.range.start { self.range.start } else { end };
            let n = self.left.min(wanted - self.row);
            for (cells, builder) in self.cells.iter_mut().zip(&mut self.builders) {
                if self.row < self.range.start { cells.skip(n)? } else { builder.read(cells, n)? }
            }
            self.row += n;
            self.left -= n;
        }
        self.range.start = end;
        let columns = self.columns.iter().zip(&mut self.builders);
        let columns = columns.map(|(column, builder)| Column { name: column.name.clone(), values: builder.take() });
        Frame::new(columns.collect())
    }

    fn next_group(&mut self) -> Result<()> {
        let group = self.next_group;
        let Some(about) = self.reader.metadata().row_groups().get(group) else {
            return Err(malformed("its footer", format!("{} rows where {} are promised", self.row, self.n_rows)));
        };
        let n = usize::try_from(about.num_rows()).unwrap_or_default();
        self.next_group += 1;
        if self.row + n <= self.range.start {
            // All of it lies before the first row that is wanted.
            self.row += n;
            return Ok(());
        }
        self.cells = self.columns.iter().map(|column| column.open(&self.reader, group)).collect::<Result<_>>()?;
        self.left = n;
        Ok(())
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        let batch = guarded(|| self.batch()).map_err(|error| error.in_file(&self.path));
        if batch.is_err() {
            self.range = 0..0;
        }
        Some(batch)
    }
}

/// The distinct texts of a text column; `None` for other columns and for too many.
fn texts(reader: &SerializedFileReader<File>, column: &Selected) -> Result<Option<Vec<String>>> {
    if column.kind != Kind::Text {
        return Ok(None);
    }
    let mut distinct = Distinct::default();
    let mut builder = Builder::new(column.kind, None);
    for group in 0..reader.metadata().num_row_groups() {
        let mut cells = column.open(reader, group)?;
        let mut left = cells.n_rows;
        while left > 0 && !distinct.are_many() {
            let n = left.min(ROWS);
            builder.read(&mut cells, n)?;
            if let Values::Categorical { categories, .. } = builder.take() {
                categories.iter().for_each(|text| distinct.see(text));
            }
            left -= n;
        }
    }
    Ok(distinct.sorted())
}
