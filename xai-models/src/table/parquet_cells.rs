//! The cells of a Parquet column, decoded some rows at a time.

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use xai_core::{Error, Result};

use super::Values;
use super::category::shortened;
use super::parquet::malformed;
use super::parquet_kind::Kind;
use super::texts::Texts;

/// The cells of a column in a row group, from the first that is not read yet.
pub(super) struct Cells {
    pub reader: ColumnReader,
    /// The rows of the whole group.
    pub n_rows: usize,
    pub name: String,
    /// Where they are, for errors.
    pub at: String,
}

impl Cells {
    /// Leaves so many rows out.
    pub fn skip(&mut self, rows: usize) -> Result<()> {
        let skipped = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int64ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int96ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::FloatColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::DoubleColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(rows),
        };
        match skipped {
            Ok(n) if n == rows => Ok(()),
            Ok(n) => Err(malformed(&self.at, format!("it ends after {n} of {rows} rows"))),
            Err(error) => Err(malformed(&self.at, error.to_string())),
        }
    }
}

/// A column that grows some rows at a time.
pub(super) struct Builder {
    kind: Kind,
    values: Values,
    texts: Texts,
    rows: usize,
}

impl Builder {
    /// A column of a kind; a text column with its categories where they are known.
    pub fn new(kind: Kind, categories: Option<Vec<String>>) -> Self {
        Builder { kind, values: empty(kind), texts: Texts::among(categories), rows: 0 }
    }

    /// Says how many rows of the file come before the first that is read.
    pub fn after(&mut self, rows: usize) {
        self.rows = rows;
    }

    /// Reads so many rows.
    pub fn read(&mut self, cells: &mut Cells, rows: usize) -> Result<()> {
        let Cells { reader, name, at, .. } = cells;
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
                each_cell(reader, rows, at, |_, value| push(cells, value.copied()))
            }
            (ColumnReader::Int32ColumnReader(reader), Values::Numeric(cells)) => each_cell(reader, rows, at, |_, v| {
                let value = v.map(|&v| whole(i64::from(v), u64::from(v as u32), unsigned));
                push(cells, value.unwrap_or(f64::NAN))
            }),
            (ColumnReader::Int64ColumnReader(reader), Values::Numeric(cells)) => each_cell(reader, rows, at, |_, v| {
                let value = v.map(|&v| whole(v, v as u64, unsigned));
                push(cells, value.unwrap_or(f64::NAN))
            }),
            (ColumnReader::FloatColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, at, |_, v| push(cells, v.map_or(f64::NAN, |&v| f64::from(v))))
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, at, |_, v| push(cells, v.map_or(f64::NAN, |&v| v)))
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, at, |_, v| push(cells, big_endian(v.map(ByteArray::data), scale, at)?))
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Numeric(cells)) => {
                each_cell(reader, rows, at, |_, v| push(cells, big_endian(v.map(|v| v.data()), scale, at)?))
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Categorical { .. }) => {
                let texts = &mut self.texts;
                each_cell(reader, rows, at, |row, value| {
                    let bytes = value.map(ByteArray::data);
                    let refuse = |expected: &str| Error::Cell {
                        row: before + row + 1,
                        column: name.clone(),
                        found: shortened(&String::from_utf8_lossy(bytes.unwrap_or_default())),
                        expected: expected.to_owned(),
                    };
                    let text = bytes.map(std::str::from_utf8).transpose().map_err(|_| refuse("text in UTF-8"))?;
                    let changed = "a cell as when the file was first read; it changed since";
                    if texts.push(text) { Ok(()) } else { Err(refuse(changed)) }
                })
            }
            _ => Err(malformed(at, "its pages are of another type than the schema says".into())),
        }?;
        self.rows += rows;
        Ok(())
    }

    /// The cells so far; the column starts anew.
    pub fn take(&mut self) -> Values {
        match std::mem::replace(&mut self.values, empty(self.kind)) {
            Values::Categorical { .. } => self.texts.take(),
            values => values,
        }
    }
}

fn empty(kind: Kind) -> Values {
    match kind {
        Kind::Number | Kind::Unsigned | Kind::Decimal(_) => Values::Numeric(Vec::new()),
        Kind::Boolean => Values::Boolean(Vec::new()),
        Kind::Text => Values::Categorical { codes: Vec::new(), categories: Vec::new() },
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
    reader: &mut ColumnReaderImpl<T>,
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
