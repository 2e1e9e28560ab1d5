//! Tables from Parquet files.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::basic::Compression;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use xai_core::{Error, Result};

use super::category::shortened;
use super::frame::unknown_column;
use super::parquet_cells::{Builder, Cells};
use super::parquet_kind::{Kind, kind};
use super::{Column, Frame};

/// How to read a Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetOptions {
    /// The columns to read, in this order; all when `None`.
    pub columns: Option<Vec<String>>,
    /// The number of cells to read at most: a small file may hold very many.
    pub max_cells: u64,
}

impl Default for ParquetOptions {
    /// All columns, up to 2²⁷ cells.
    fn default() -> Self {
        ParquetOptions { columns: None, max_cells: 1 << 27 }
    }
}

/// Reads a Parquet file of flat columns, not compressed or by Snappy.
///
/// Whole numbers, decimals and floats are numeric (rounded to the nearest `f64`), booleans boolean, strings categorical
/// with their categories in the order of their code points, nulls missing.
///
/// # Cost
/// Memory: 8 bytes for a number, 4 for a text, once more the distinct texts of each column, and one page unpacked.
///
/// # Errors
/// [`Error::Io`]; in [`Error::InFile`]: [`Error::Unsupported`] with the column's name for nested columns, dates, times,
/// binary data and other compressions; [`Error::Unknown`] for a column that is not there; [`Error::TooLarge`];
/// [`Error::Malformed`].
pub fn read_parquet(path: impl AsRef<Path>, options: &ParquetOptions) -> Result<Frame> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    guarded(|| read(file, options)).map_err(|error| error.in_file(path))
}

/// What `decode` finds; the decoder asserts what a broken file may violate.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(malformed("its pages", format!("the decoder stopped: {}", shortened(words))))
    })
}

fn read(file: File, options: &ParquetOptions) -> Result<Frame> {
    let Opened { reader, columns, n_rows } = open(file, options)?;
    let cells = n_rows.saturating_mul(columns.len() as u64);
    if cells > options.max_cells {
        return Err(Error::TooLarge { what: "cells of the table".into(), limit: options.max_cells, found: cells });
    }
    let mut builders: Vec<Builder> = columns.iter().map(|column| Builder::new(column.kind, None)).collect();
    for group in 0..reader.metadata().num_row_groups() {
        for (column, builder) in columns.iter().zip(&mut builders) {
            let mut cells = column.open(&reader, group)?;
            let n_rows = cells.n_rows;
            builder.read(&mut cells, n_rows)?;
        }
    }
    let column = |(column, mut builder): (Selected, Builder)| Column { name: column.name, values: builder.take() };
    Frame::new(columns.into_iter().zip(builders).map(column).collect())
}

/// A file whose footer is checked.
pub(super) struct Opened {
    pub reader: SerializedFileReader<File>,
    pub columns: Vec<Selected>,
    pub n_rows: u64,
}

/// A column that is read.
pub(super) struct Selected {
    pub name: String,
    pub kind: Kind,
    place: usize,
}

impl Selected {
    pub fn open(&self, reader: &SerializedFileReader<File>, group: usize) -> Result<Cells> {
        let at = format!("row group {group}, column {:?}", self.name);
        let broken = |error: ::parquet::errors::ParquetError| malformed(&at, error.to_string());
        let rows = reader.get_row_group(group).map_err(broken)?;
        let cells = rows.get_column_reader(self.place).map_err(broken)?;
        let n_rows = usize::try_from(rows.metadata().num_rows()).unwrap_or_default();
        Ok(Cells { reader: cells, n_rows, name: self.name.clone(), at })
    }
}

/// Reads and checks the footer.
pub(super) fn open(file: File, options: &ParquetOptions) -> Result<Opened> {
    let size = file.metadata().map_or(0, |about| about.len());
    let reader = SerializedFileReader::new(file).map_err(|error| malformed("its footer", error.to_string()))?;
    let about = reader.metadata();
    let schema = about.file_metadata().schema_descr();
    let names: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
    let places = match &options.columns {
        None => (0..names.len()).collect(),
        Some(wanted) => wanted
            .iter()
            .map(|name| names.iter().position(|n| n == name).ok_or_else(|| unknown_column(name, &names)))
            .collect::<Result<Vec<usize>>>()?,
    };
    let column =
        |&place: &usize| Ok(Selected { name: names[place].to_owned(), kind: kind(&schema.column(place))?, place });
    let columns = places.iter().map(column).collect::<Result<Vec<_>>>()?;
    let n_rows = check(about, &places, size)?;
    Ok(Opened { reader, columns, n_rows })
}

/// Checks what the footer promises before anything is read on its word; the number of rows.
fn check(about: &ParquetMetaData, places: &[usize], size: u64) -> Result<u64> {
    let mut rows: u64 = 0;
    for (g, group) in about.row_groups().iter().enumerate() {
        let n = u64::try_from(group.num_rows())
            .map_err(|_| malformed(&format!("row group {g}"), "a negative number of rows".into()))?;
        rows = rows.saturating_add(n);
        for &place in places {
            let Some(chunk) = group.columns().get(place) else {
                return Err(malformed(&format!("row group {g}"), format!("column {place} is not there")));
            };
            check_chunk(chunk, g, size)?;
        }
    }
    Ok(rows)
}

fn check_chunk(chunk: &ColumnChunkMetaData, group: usize, size: u64) -> Result<()> {
    let name = chunk.column_descr().name();
    if !matches!(chunk.compression(), Compression::UNCOMPRESSED | Compression::SNAPPY) {
        let codec = chunk.compression().to_string();
        let codec = codec.split('(').next().unwrap_or_default();
        return Err(Error::unsupported(
            format!("column {name:?}, compressed by {codec},"),
            "only Snappy and no compression are read; write the file again with one of them",
        ));
    }
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let inside = match (u64::try_from(start), u64::try_from(chunk.compressed_size())) {
        (Ok(start), Ok(length)) => start.checked_add(length).is_some_and(|end| end <= size),
        _ => false,
    };
    if inside {
        return Ok(());
    }
    let problem = format!("its data lie outside the file ({} bytes from {start})", chunk.compressed_size());
    Err(malformed(&format!("row group {group}, column {name:?}"), problem))
}

pub(super) fn malformed(at: &str, problem: String) -> Error {
    Error::Malformed { format: "Parquet", at: at.to_owned(), problem }
}
