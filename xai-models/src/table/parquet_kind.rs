//! What a Parquet column holds, from its schema.

use ::parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use ::parquet::schema::types::ColumnDescriptor;
use xai_core::{Error, Result};

/// What the cells of a column are, beyond how they are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Number,
    Unsigned,
    /// Whole numbers of 10^−scale.
    Decimal(i32),
    Boolean,
    Text,
}

pub(super) fn kind(column: &ColumnDescriptor) -> Result<Kind> {
    let refuse = |what: &str, instead: &str| {
        Err(Error::unsupported(format!("column {:?} of {what}", column.path().string()), instead))
    };
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return refuse("a nested type", "a table has one value a cell; flatten it, or leave the column out");
    }
    let logical = column.logical_type_ref();
    match (logical, column.converted_type()) {
        (Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)), _)
        | (
            None,
            ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS,
        ) => return refuse("dates or times", "make numbers of them as for the model, or leave the column out"),
        _ => {}
    }
    let decimal = matches!(logical, Some(LogicalType::Decimal(_))) || column.converted_type() == ConvertedType::DECIMAL;
    let unsigned = match logical {
        Some(LogicalType::Integer(about)) => !about.is_signed,
        _ => matches!(
            column.converted_type(),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
        ),
    };
    match column.physical_type() {
        Physical::INT96 => refuse("dates or times", "make numbers of them as for the model, or leave the column out"),
        Physical::BOOLEAN => Ok(Kind::Boolean),
        Physical::FLOAT | Physical::DOUBLE => Ok(Kind::Number),
        _ if decimal => Ok(Kind::Decimal(column.type_scale())),
        Physical::INT32 | Physical::INT64 if unsigned => Ok(Kind::Unsigned),
        Physical::INT32 | Physical::INT64 => Ok(Kind::Number),
        Physical::BYTE_ARRAY => match (logical, column.converted_type()) {
            (Some(LogicalType::String | LogicalType::Enum), _)
            | (None, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM) => Ok(Kind::Text),
            _ => refuse("binary data", "leave the column out"),
        },
        Physical::FIXED_LEN_BYTE_ARRAY => refuse("binary data", "leave the column out"),
    }
}
