//! Typed tables: reading them, fitting them to a model, encoding their categories.
//!
//! | what | feature | where |
//! |---|---|---|
//! | [`Frame`], [`Column`]: named columns of numbers, booleans or categories | – | `frame.rs`, `column.rs` |
//! | [`read_csv`], [`parse_csv`]: delimited text | `csv` | `csv.rs` |
//! | [`read_parquet`]: Parquet files | `parquet` | `parquet.rs` |
//! | [`CsvBatches`], [`ParquetBatches`]: files of any length, batch by batch | `csv`, `parquet` | `csv_batches.rs`, `parquet_batches.rs` |
//! | [`align`]: the columns that a model needs, by name, as a matrix | – | `align.rs` |
//! | [`OneHotEncoder`], [`OrdinalEncoder`]: categories as numbers, fitted to one table, applied to others | – | `encode/` |
//! | [`Labels`]: a column of known answers | – | `label.rs` |

mod align;
mod category;
mod column;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod csv_batches;
mod encode;
mod expand;
mod frame;
#[cfg(feature = "csv")]
mod infer;
mod label;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_batches;
#[cfg(feature = "parquet")]
mod parquet_cells;
#[cfg(feature = "parquet")]
mod parquet_kind;
#[cfg(feature = "csv")]
mod records;
#[cfg(feature = "csv")]
mod sniff;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod texts;

pub use align::{Aligned, Alignment, align};
pub use category::Unknown;
pub use column::{Column, MISSING, Values};
#[cfg(feature = "csv")]
pub use csv::{CsvOptions, Header, parse_csv, read_csv};
#[cfg(feature = "csv")]
pub use csv_batches::CsvBatches;
pub use encode::{Drop, FittedOneHot, FittedOrdinal, OneHotEncoder, OrdinalEncoder};
pub use frame::Frame;
pub use label::Labels;
#[cfg(feature = "parquet")]
pub use parquet::{ParquetOptions, read_parquet};
#[cfg(feature = "parquet")]
pub use parquet_batches::ParquetBatches;
