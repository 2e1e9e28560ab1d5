//! Tables from Parquet files.

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::basic::Compression;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;
use xai_core::{Error, Result};

use super::category::shortened;
use super::frame::unknown_column;
use super::parquet_kind::{Kind, kind};
use super::{Column, Frame, MISSING, Values};

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
    // The decoder asserts what a broken file may violate.
    let outcome = catch_unwind(AssertUnwindSafe(|| read(file, options)));
    outcome
        .unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(malformed("its pages", format!("the decoder stopped: {}", shortened(words))))
        })
        .map_err(|error| error.in_file(path))
}

fn read(file: File, options: &ParquetOptions) -> Result<Frame> {
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
    let kinds = places.iter().map(|&place| kind(&schema.column(place))).collect::<Result<Vec<_>>>()?;
    check(about, &places, size, options)?;
    let mut builders: Vec<Builder> = kinds.into_iter().map(Builder::new).collect();
    for group in 0..about.num_row_groups() {
        let at = format!("row group {group}");
        let rows = reader.get_row_group(group).map_err(|error| malformed(&at, error.to_string()))?;
        for (&place, builder) in places.iter().zip(&mut builders) {
            builder.read(&*rows, place, &schema.column(place), &at)?;
        }
    }
    let column =
        |(&place, builder): (&usize, Builder)| Column { name: names[place].to_owned(), values: builder.finish() };
    Frame::new(places.iter().zip(builders).map(column).collect())
}

/// Checks what the footer promises before anything is read on its word.
fn check(about: &ParquetMetaData, places: &[usize], size: u64, options: &ParquetOptions) -> Result<()> {
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
    let cells = rows.saturating_mul(places.len() as u64);
    if cells > options.max_cells {
        return Err(Error::TooLarge { what: "cells of the table".into(), limit: options.max_cells, found: cells });
    }
    Ok(())
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

fn malformed(at: &str, problem: String) -> Error {
    Error::Malformed { format: "Parquet", at: at.to_owned(), problem }
}

/// A column that grows row group by row group.
struct Builder {
    kind: Kind,
    values: Values,
    /// Texts in the order of their first appearance.
    known: HashMap<Box<str>, u32>,
    rows: usize,
}

impl Builder {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Number | Kind::Unsigned | Kind::Decimal(_) => Values::Numeric(Vec::new()),
            Kind::Boolean => Values::Boolean(Vec::new()),
            Kind::Text => Values::Categorical { codes: Vec::new(), categories: Vec::new() },
        };
        Builder { kind, values, known: HashMap::new(), rows: 0 }
    }

    fn read(&mut self, group: &dyn RowGroupReader, place: usize, column: &ColumnDescriptor, at: &str) -> Result<()> {
        let at = format!("{at}, column {:?}", column.name());
        let reader = group.get_column_reader(place).map_err(|error| malformed(&at, error.to_string()))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let (unsigned, scale) = match self.kind {
            Kind::Decimal(scale) => (false, Some(scale)),
            kind => (kind == Kind::Unsigned, None),
        };
        let whole = |value: i64, unsigned: u64, is_unsigned: bool| match scale {
            Some(scale) => decimal(i128::from(value), scale),
            None if is_unsigned => unsigned as f64,
            None => value as f64,
        };
        let before = self.rows;
        match (reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), Values::Boolean(cells)) => {
                each_cell(reader, rows, &at, |_, value| push(cells, value.copied()))
            }
            (ColumnReader::Int32ColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| {
                    let value = v.map(|&v| whole(i64::from(v), u64::from(v as u32), unsigned));
                    push(cells, value.unwrap_or(f64::NAN))
                })
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| {
                    let value = v.map(|&v| whole(v, v as u64, unsigned));
                    push(cells, value.unwrap_or(f64::NAN))
                })
            }
            (ColumnReader::FloatColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| push(cells, v.map_or(f64::NAN, |&v| f64::from(v))))
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| push(cells, v.map_or(f64::NAN, |&v| v)))
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| push(cells, big_endian(v.map(ByteArray::data), scale, &at)?))
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, &at, |_, v| push(cells, big_endian(v.map(|v| v.data()), scale, &at)?))
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Categorical { codes, .. }) => {
                let known = &mut self.known;
                each_cell(reader, rows, &at, |row, value| {
                    let Some(bytes) = value.map(ByteArray::data) else { return push(codes, MISSING) };
                    let text = std::str::from_utf8(bytes).map_err(|_| Error::Cell {
                        row: before + row + 1,
                        column: column.name().to_owned(),
                        found: shortened(&String::from_utf8_lossy(bytes)),
                        expected: "text in UTF-8".into(),
                    })?;
                    let next = known.len() as u32;
                    let code = known.get(text).copied().unwrap_or_else(|| {
                        known.insert(text.into(), next);
                        next
                    });
                    push(codes, code)
                })
            }
            _ => Err(malformed(&at, "its pages are of another type than the schema says".into())),
        }?;
        self.rows += rows;
        Ok(())
    }

    fn finish(self) -> Values {
        match self.values {
            Values::Categorical { codes, .. } => super::column::sorted(codes, self.known),
            values => values,
        }
    }
}

fn push<T>(cells: &mut Vec<T>, cell: T) -> Result<()> {
    cells.push(cell);
    Ok(())
}

/// How many cells are decoded at a time.
const AT_ONCE: usize = 4096;

/// Calls `visit` with the row and the value of every cell, `None` for a null.
fn each_cell<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    at: &str,
    mut visit: impl FnMut(usize, Option<&T::T>) -> Result<()>,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut row = 0;
    while row < rows {
        levels.clear();
        values.clear();
        let wanted = AT_ONCE.min(rows - row);
        let (read, _, _) = reader
            .read_records(wanted, Some(&mut levels), None, &mut values)
            .map_err(|error| malformed(at, error.to_string()))?;
        if read == 0 {
            return Err(malformed(at, format!("it ends after {row} of {rows} rows")));
        }
        let mut present = values.iter();
        for place in 0..read {
            // A column that cannot be null has no levels.
            let value = if levels.get(place).is_none_or(|&level| level > 0) { present.next() } else { None };
            visit(row, value)?;
            row += 1;
        }
    }
    Ok(())
}

/// `value` · 10^−`scale`, rounded once.
fn decimal(value: i128, scale: i32) -> f64 {
    format!("{value}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
}

/// A decimal in two's complement, the highest byte first.
fn big_endian(bytes: Option<&[u8]>, scale: Option<i32>, at: &str) -> Result<f64> {
    let Some(bytes) = bytes else { return Ok(f64::NAN) };
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let mut wide = [sign; 16];
    match 16_usize.checked_sub(bytes.len()) {
        Some(start) if !bytes.is_empty() => wide[start..].copy_from_slice(bytes),
        _ => return Err(malformed(at, format!("a decimal of {} bytes", bytes.len()))),
    }
    Ok(decimal(i128::from_be_bytes(wide), scale.unwrap_or(0)))
}
