//! A real data set that travels with the crate: for first steps, examples and tests.

use xai_core::Result;
use xai_models::table::{CsvOptions, Frame, parse_csv};

/// The Wisconsin diagnostic breast cancer data: 569 tumours, 30 measurements of cell nuclei each, and the column
/// `diagnosis` (`benign` or `malignant`).
///
/// # Errors
/// None in practice: the data are part of the program.
///
/// # Source
/// Wolberg, Mangasarian, Street, Street, *Breast Cancer Wisconsin (Diagnostic)*, UCI Machine Learning Repository, 1993,
/// doi 10.24432/C5DW2B, CC BY 4.0; as in scikit-learn.
///
/// # Example
/// ```
/// let (features, diagnosis) = xai::data::breast_cancer()?.split_label("diagnosis")?;
/// assert_eq!((features.n_rows(), features.names().len()), (569, 30));
/// assert_eq!(diagnosis.text(0).as_deref(), Some("malignant"));
/// # Ok::<(), xai::core::Error>(())
/// ```
pub fn breast_cancer() -> Result<Frame> {
    parse_csv(include_bytes!("../assets/breast_cancer.csv"), &CsvOptions::default())
}
