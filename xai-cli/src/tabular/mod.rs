//! Explanations as flat tables: CSV, Parquet, text.

pub mod aggregate;
pub mod append;
mod flatten;
mod parquet;
mod text;

use std::io::Write;

use xai::core::{Document, Error};

use crate::args::Format;
use crate::failure::Failure;
pub use flatten::flatten;

/// A flat table: columns of equal length.
#[derive(Debug, Default)]
pub struct Flat {
    columns: Vec<(String, Column)>,
}

/// One column.
#[derive(Debug)]
enum Column {
    Counts(Vec<u64>),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Flat {
    fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| match column {
            Column::Counts(values) => values.len(),
            Column::Numbers(values) => values.len(),
            Column::Texts(values) => values.len(),
        })
    }
}

impl Column {
    /// A cell that reads back bit for bit; empty where a number is missing.
    fn cell(&self, row: usize) -> String {
        match self {
            Column::Counts(values) => values[row].to_string(),
            Column::Numbers(values) if values[row].is_nan() => String::new(),
            Column::Numbers(values) => values[row].to_string(),
            Column::Texts(values) => values[row].clone(),
        }
    }
}

/// The bytes of a document in the form that was asked for. `first_row` is the number of its first sample in the
/// whole data.
pub fn render(document: &Document, format: Format, first_row: usize) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Json => {
            let mut json = serde_json::to_vec(document).map_err(Error::model)?;
            json.push(b'\n');
            Ok(json)
        }
        _ => render_flat(&flatten(document, first_row), format),
    }
}

/// The bytes of a flat table, which has no JSON form of its own but lines.
pub fn render_flat(flat: &Flat, format: Format) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match format {
        Format::Json | Format::Jsonl => json_lines(&mut bytes, flat).map_err(Error::model)?,
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(&mut bytes);
            csv_rows(&mut writer, flat, true).map_err(Error::model)?;
            writer.flush().map_err(Error::model)?;
        }
        Format::Parquet => bytes = parquet::write(flat)?,
        Format::Table => bytes = text::draw(flat).into_bytes(),
    }
    Ok(bytes)
}

/// Writes the rows, after the names where those are wanted.
fn csv_rows<W: Write>(writer: &mut csv::Writer<W>, flat: &Flat, named: bool) -> csv::Result<()> {
    if named {
        writer.write_record(flat.columns.iter().map(|(name, _)| name))?;
    }
    for row in 0..flat.n_rows() {
        writer.write_record(flat.columns.iter().map(|(_, column)| column.cell(row)))?;
    }
    Ok(())
}

/// Writes a JSON object for each row, a line each; a missing number is null.
fn json_lines(writer: &mut impl Write, flat: &Flat) -> std::io::Result<()> {
    let names = flat.columns.iter().map(|(name, _)| serde_json::to_string(name));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    for row in 0..flat.n_rows() {
        for (place, (name, (_, column))) in names.iter().zip(&flat.columns).enumerate() {
            write!(writer, "{}{name}:", if place == 0 { '{' } else { ',' })?;
            match column {
                Column::Counts(values) => write!(writer, "{}", values[row])?,
                Column::Numbers(values) => serde_json::to_writer(&mut *writer, &values[row])?,
                Column::Texts(values) => serde_json::to_writer(&mut *writer, &values[row])?,
            }
        }
        writer.write_all(b"}\n")?;
    }
    Ok(())
}
