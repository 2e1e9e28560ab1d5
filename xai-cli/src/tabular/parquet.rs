//! A flat table as a Parquet file.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use xai::core::Error;

use super::{Column, Flat};
use crate::failure::Failure;

/// The file's bytes: one row group, snappy; missing numbers are nulls.
pub fn write(flat: &Flat) -> Result<Vec<u8>, Failure> {
    let file = || {
        let mut writer = begin(flat, Vec::new())?;
        group(&mut writer, flat)?;
        writer.into_inner()
    };
    Ok(file().map_err(Error::model)?)
}

/// A file with the columns of `flat`, and no row yet.
pub fn begin<W: Write + Send>(flat: &Flat, target: W) -> Result<SerializedFileWriter<W>, ParquetError> {
    let fields = flat.columns.iter().map(|(name, column)| field(name, column)).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("xai").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    SerializedFileWriter::new(target, schema, properties)
}

/// Writes the rows of `flat` as a row group.
pub fn group<W: Write + Send>(writer: &mut SerializedFileWriter<W>, flat: &Flat) -> Result<(), ParquetError> {
    let mut rows = writer.next_row_group()?;
    for (_, column) in &flat.columns {
        let Some(mut target) = rows.next_column()? else { break };
        match column {
            Column::Counts(values) => {
                let values: Vec<i64> = values.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
                target.typed::<Int64Type>().write_batch(&values, None, None)?;
            }
            Column::Numbers(values) => {
                let present: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
                let levels: Vec<i16> = values.iter().map(|v| i16::from(!v.is_nan())).collect();
                target.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
            }
            Column::Texts(values) => {
                let values: Vec<ByteArray> = values.iter().map(|text| text.as_str().into()).collect();
                target.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
        }
        target.close()?;
    }
    rows.close()?;
    Ok(())
}

fn field(name: &str, column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, repetition, converted) = match column {
        Column::Counts(_) => (Physical::INT64, Repetition::REQUIRED, ConvertedType::NONE),
        Column::Numbers(_) => (Physical::DOUBLE, Repetition::OPTIONAL, ConvertedType::NONE),
        Column::Texts(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED, ConvertedType::UTF8),
    };
    let field = Type::primitive_type_builder(name, physical);
    Ok(Arc::new(field.with_repetition(repetition).with_converted_type(converted).build()?))
}
