//! Typed tables: reading them, fitting them to a model, encoding their categories.
//!
//! | what | feature | where |
//! |---|---|---|
//! | [`Frame`], [`Column`]: named columns of numbers, booleans or categories | – | `frame.rs`, `column.rs` |
//! | [`read_csv`], [`parse_csv`]: delimited text | `csv` | `csv.rs` |
//! | [`read_parquet`]: Parquet files | `parquet` | `parquet.rs` |
//! | [`align`]: the columns that a model needs, by name, as a matrix | – | `align.rs` |
//! | [`OneHotEncoder`], [`OrdinalEncoder`]: categories as numbers, fitted to one table, applied to others | – | `encode/` |
//! | [`Labels`]: a column of known answers | – | `label.rs` |

mod align;
mod category;
mod column;
#[cfg(feature = "csv")]
mod csv;
mod encode;
mod expand;
mod frame;
#[cfg(feature = "csv")]
mod infer;
mod label;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_kind;
#[cfg(feature = "csv")]
mod records;
#[cfg(feature = "csv")]
mod sniff;

pub use align::{Aligned, Alignment, align};
pub use category::Unknown;
pub use column::{Column, MISSING, Values};
#[cfg(feature = "csv")]
pub use csv::{CsvOptions, Header, parse_csv, read_csv};
pub use encode::{Drop, FittedOneHot, FittedOrdinal, OneHotEncoder, OrdinalEncoder};
pub use frame::Frame;
pub use label::Labels;
#[cfg(feature = "parquet")]
pub use parquet::{ParquetOptions, read_parquet};
