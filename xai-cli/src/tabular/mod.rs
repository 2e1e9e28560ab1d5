//! Explanations as flat tables: CSV, Parquet, text.

mod flatten;
mod parquet;
mod text;

use xai::core::{Document, Error};

use crate::args::Format;
use crate::failure::Failure;

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
        Format::Csv => csv(&flatten::flatten(document, first_row)),
        Format::Parquet => parquet::write(&flatten::flatten(document, first_row)),
        Format::Table => Ok(text::draw(&flatten::flatten(document, first_row)).into_bytes()),
    }
}

fn csv(flat: &Flat) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(flat.columns.iter().map(|(name, _)| name)).map_err(Error::model)?;
    for row in 0..flat.n_rows() {
        writer.write_record(flat.columns.iter().map(|(_, column)| column.cell(row))).map_err(Error::model)?;
    }
    Ok(writer.into_inner().map_err(|error| Error::model(error.into_error()))?)
}
