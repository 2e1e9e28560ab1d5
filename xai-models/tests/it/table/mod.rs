//! Tables: the readers against files of known content and broken ones, alignment, encoders, labels.

mod align;
#[cfg(all(feature = "csv", feature = "parquet"))]
mod batches;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod encode;
mod label;
#[cfg(feature = "parquet")]
mod parquet;

use xai_models::table::{Column, Frame};

/// A small shop: a category with a gap, a number with a gap, a boolean.
fn shop() -> Frame {
    let colours = [Some("red"), Some("blue"), None, Some("green")];
    Frame::new(vec![
        Column::categorical("colour", colours),
        Column::numeric("price", vec![1.5, f64::NAN, 3.0, 4.0]),
        Column {
            name: "sold".into(),
            values: xai_models::table::Values::Boolean(vec![Some(true), None, Some(false), Some(true)]),
        },
    ])
    .unwrap()
}

/// A column's cells as text, `-` where missing.
fn texts(column: &Column) -> Vec<String> {
    (0..column.len()).map(|row| column.text(row).map_or("-".to_owned(), |text| text.into_owned())).collect()
}
