//! Each category as its index.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Feature, Result};

use super::{check_given, features};
use crate::table::{Alignment, Frame, Unknown};

/// Encodes each category as its index; numbers pass through.
///
/// | parameter | default | purpose |
/// |---|---|---|
/// | `categories` | none: those found, in the order of their code points | the order of a column's categories |
/// | `unknown` | [`Unknown::Refuse`] | what becomes of categories that were not there at the fit |
///
/// # Source
/// scikit-learn's `OrdinalEncoder`; *differs:* an unseen category has the code after the last, not one to choose.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_models::table::{Column, Frame, OrdinalEncoder};
/// let frame = Frame::new(vec![Column::categorical("size", [Some("S"), Some("L"), None])]).unwrap();
/// let encoder = OrdinalEncoder::default().fit(&frame).unwrap();
/// let codes = encoder.transform(&frame).unwrap();
/// assert_eq!(codes.column(0).to_vec()[..2], [1.0, 0.0]);
/// assert_eq!(encoder.inverse(&[1.0]).unwrap(), ["S"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrdinalEncoder {
    /// The categories of a column in an order of one's own, by the column's name.
    pub categories: BTreeMap<String, Vec<String>>,
    /// What becomes of categories that were not there at the fit.
    pub unknown: Unknown,
}

/// An [`OrdinalEncoder`] that knows its categories.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOrdinal {
    features: Vec<Feature>,
    unknown: Unknown,
}

impl OrdinalEncoder {
    /// Learns the categories of `frame`.
    ///
    /// # Errors
    /// [`Error::Unknown`](xai_core::Error::Unknown) and [`Error::Parameter`](xai_core::Error::Parameter) for given
    /// categories of a column that is not there, of none, or with doubles.
    pub fn fit(&self, frame: &Frame) -> Result<FittedOrdinal> {
        check_given(frame, &self.categories)?;
        Ok(FittedOrdinal { features: features(frame, &self.categories), unknown: self.unknown })
    }
}

impl FittedOrdinal {
    /// The columns of the matrix: those of the table.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The table as numbers: (row, feature). A missing cell stays missing.
    ///
    /// # Errors
    /// As [`Alignment::align`].
    pub fn transform(&self, frame: &Frame) -> Result<Array2<f64>> {
        let alignment = Alignment { unknown: self.unknown, codes: false };
        alignment.align(frame, &self.features).map(|aligned| aligned.matrix)
    }

    /// What the numbers of a row mean, column by column.
    ///
    /// # Errors
    /// [`Error::Shape`](xai_core::Error::Shape) for a row of another length.
    pub fn inverse(&self, row: &[f64]) -> Result<Vec<String>> {
        same_shape("encoded row (feature)", &[self.features.len()], &[row.len()])?;
        Ok(self.features.iter().zip(row).map(|(feature, &value)| feature.display(value)).collect())
    }
}
