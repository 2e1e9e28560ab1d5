//! Rows that stand for absence, and how much each of them counts.

use std::path::Path;

use ndarray::Array2;
use xai::core::{Error, Model};
use xai::models::file::Loaded;
use xai::models::table::{Alignment, Column, Values};

use crate::args::Explaining;
use crate::case;
use crate::failure::Failure;

/// A background that was read.
pub struct Background {
    /// The rows: (row, feature).
    pub rows: Array2<f64>,
    /// How much each counts; all the same when `None`.
    pub weights: Option<Vec<f64>>,
}

/// Where a background is.
#[derive(Clone, Copy)]
pub struct Absence<'a> {
    /// The table.
    pub path: &'a Path,
    /// The column that says how much each row counts.
    pub weights: Option<&'a str>,
}

impl<'a> Absence<'a> {
    /// What was asked for.
    pub fn of(explaining: &'a Explaining) -> Option<Self> {
        let weights = explaining.background_weights.as_deref();
        explaining.background.as_deref().map(|path| Absence { path, weights })
    }

    /// Reads the rows and their weights.
    pub fn read(self, alignment: &Alignment, loaded: &Loaded) -> Result<Background, Failure> {
        let mut frame = case::read(self.path)?;
        let mut weights = None;
        if let Some(name) = self.weights {
            if loaded.model.features().iter().any(|feature| feature.name == name) {
                return Err(Failure::Use(format!("--background-weights {name:?} is a feature of the model, too")));
            }
            let (rest, column) = frame
                .split_label(name)
                .map_err(|error| Failure::Use(format!("--background-weights: {}", error.in_file(self.path))))?;
            frame = rest;
            weights = Some(counts(&column).map_err(|error| error.in_file(self.path))?);
        }
        let rows = case::fit(alignment, &frame, loaded, self.path)?.matrix;
        Ok(Background { rows, weights })
    }
}

/// A column of weights.
fn counts(column: &Column) -> Result<Vec<f64>, Error> {
    let wrong = |row: usize| Error::Cell {
        row: row + 1,
        column: column.name.clone(),
        found: column.text(row).unwrap_or_default().into_owned(),
        expected: "a weight, a finite number of at least 0".to_owned(),
    };
    let Values::Numeric(weights) = &column.values else {
        let number = |row: &usize| column.text(*row).is_some_and(|text| text.parse::<f64>().is_ok());
        return Err(wrong((0..column.len()).find(|row| !number(row)).unwrap_or(0)));
    };
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(wrong(row));
    }
    let sum: f64 = weights.iter().sum();
    if !(sum.is_finite() && sum > 0.0) {
        let name = format!("weights in column {:?}", column.name);
        return Err(Error::parameter(name, format!("a sum of {sum}"), "a positive sum"));
    }
    Ok(weights.clone())
}
