//! Rows of numbers, categories and missing cells as vectors in which distances and correlations mean something.

use ndarray::{Array2, ArrayRef1};
use xai_core::{Error, Feature, FeatureKind, Result, Table};

/// One number of a coded row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Code {
    /// The cell's value, standardised; 0 where it is missing.
    Value { mean: f64, deviation: f64 },
    /// 1 where the cell is missing.
    Missing,
    /// 1 where the cell has this value.
    Category(f64),
}

/// How columns become codes: a number becomes its standardised value, and 0 or 1 for missing where cells lack in the
/// data; a category becomes 0 or 1 for each value that the data have. A constant column becomes nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Codes {
    /// The column that each code tells of, ascending.
    column: Vec<usize>,
    code: Vec<Code>,
}

/// Different values of a categorical column.
const MOST_CATEGORIES: usize = 256;

/// Cells of the coded table.
const MOST_CELLS: u64 = 1 << 27;

impl Codes {
    /// Codes for `data`, whose columns are what `features` say, or numbers if there are none.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for an infinite cell, [`Error::TooLarge`] for too many categories or codes.
    pub fn fit(data: &Table, features: &[Feature]) -> Result<Self> {
        let mut codes = Codes { column: Vec::new(), code: Vec::new() };
        for (column, cells) in data.columns().into_iter().enumerate() {
            if let Some((sample, &value)) = cells.iter().enumerate().find(|(_, value)| value.is_infinite()) {
                return Err(Error::NonFinite { what: "data for the masker".into(), sample, column, value });
            }
            let mut known: Vec<f64> = cells.iter().copied().filter(|value| !value.is_nan()).collect();
            let n = known.len() as f64;
            match features.get(column).map(|feature| &feature.kind) {
                Some(FeatureKind::Categorical { .. }) => {
                    known.sort_by(f64::total_cmp);
                    known.dedup();
                    let (limit, found) = (MOST_CATEGORIES as u64, known.len() as u64);
                    if found > limit {
                        return Err(Error::TooLarge { what: format!("categories of column {column}"), limit, found });
                    }
                    if known.len() > 1 {
                        known.iter().for_each(|&value| codes.push(column, Code::Category(value)));
                    }
                }
                _ => {
                    let mean = known.iter().sum::<f64>() / n;
                    let square = known.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
                    let deviation = (square / n).sqrt();
                    // Not for NaN either, in a column where everything is missing.
                    if deviation > 1e-14 * mean.abs() {
                        codes.push(column, Code::Value { mean, deviation });
                    }
                }
            }
            if known.len() < cells.len() && !known.is_empty() {
                codes.push(column, Code::Missing);
            }
        }
        let found = (codes.code.len() as u64).saturating_mul(data.nrows() as u64);
        if found > MOST_CELLS {
            return Err(Error::TooLarge {
                what: "cells of the coded data for the masker".into(),
                limit: MOST_CELLS,
                found,
            });
        }
        Ok(codes)
    }

    fn push(&mut self, column: usize, code: Code) {
        self.column.push(column);
        self.code.push(code);
    }

    /// The codes of one row.
    pub fn of_row(&self, row: &ArrayRef1<f64>) -> Vec<f64> {
        let number = |(&column, code): (&usize, &Code)| match *code {
            Code::Value { .. } if row[column].is_nan() => 0.0,
            Code::Value { mean, deviation } => (row[column] - mean) / deviation,
            Code::Missing => f64::from(u8::from(row[column].is_nan())),
            Code::Category(value) => f64::from(u8::from(row[column] == value)),
        };
        self.column.iter().zip(&self.code).map(number).collect()
    }

    /// The codes of all rows: (row, code).
    pub fn of_rows(&self, data: &Table) -> Array2<f64> {
        let mut coded = Array2::zeros((data.nrows(), self.code.len()));
        for (mut coded, row) in coded.outer_iter_mut().zip(data.outer_iter()) {
            coded.iter_mut().zip(self.of_row(&row)).for_each(|(slot, number)| *slot = number);
        }
        coded
    }

    /// The codes that tell of these columns, which ascend.
    pub fn of_columns(&self, columns: &[usize]) -> Vec<usize> {
        (0..self.code.len()).filter(|&code| columns.binary_search(&self.column[code]).is_ok()).collect()
    }
}
