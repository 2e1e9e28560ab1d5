//! Parquet files, written here by the format's own library.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::data_type::{FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use xai_core::{Error, Result};
use xai_models::table::{Frame, ParquetOptions, Values, read_parquet};

use super::texts;

const ALL: &str = "message all {
    required int32 small; optional int64 big; required int32 unsigned (UINT_32); optional float single;
    required double double; optional boolean flag; optional binary text (STRING); required binary plain;
    optional int32 money (DECIMAL(9, 2)); required fixed_len_byte_array(3) cents (DECIMAL(6, 1));
}";

/// Two row groups of two rows.
pub fn write_all(path: &Path, compression: Compression, dictionary: bool) {
    let properties = WriterProperties::builder().set_compression(compression).set_dictionary_enabled(dictionary);
    write(path, ALL, properties.build(), 2, |group, i| {
        let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        let second = i == 1;
        column::<Int32Type>(group, &[1, -2], None);
        column::<Int64Type>(group, &[1 << 40], Some(&[1, 0]));
        column::<Int32Type>(group, &[-1, 7], None);
        column::<FloatType>(group, &[0.1], Some(&[0, 1]));
        column::<DoubleType>(group, &[0.1, f64::INFINITY], None);
        column::<BoolType>(group, &[true], Some(&[1, 0]));
        column::<ByteArrayType>(group, &[text(if second { "ä" } else { "z" })], Some(&[0, 1]));
        column::<ByteArrayType>(group, &[text("b"), text("a")], None);
        column::<Int32Type>(group, &[-1234], Some(&[0, 1]));
        let cents = [[0xff, 0xff, 0xfe], [0x00, 0x01, 0x01]];
        column::<FixedLenByteArrayType>(group, &cents.map(|b| FixedLenByteArray::from(b.to_vec())), None);
    });
}

fn write(
    path: &Path,
    schema: &str,
    properties: WriterProperties,
    groups: usize,
    fill: impl Fn(&mut SerializedRowGroupWriter<'_, std::fs::File>, usize),
) {
    let file = std::fs::File::create(path).unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for i in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        fill(&mut group, i);
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn column<T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, std::fs::File>,
    values: &[T::T],
    levels: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

fn read(path: &Path) -> Result<Frame> {
    read_parquet(path, &ParquetOptions::default())
}

#[test]
fn every_flat_type_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    let nan = f64::NAN;
    let mut files = 0;
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        for dictionary in [false, true] {
            write_all(&path, compression, dictionary);
            let frame = read(&path).unwrap();
            assert_eq!(frame.n_rows(), 4);
            let numbers = |name: &str, expected: [f64; 4]| match &frame.column(name).unwrap().values {
                Values::Numeric(values) => {
                    assert!(
                        values.iter().zip(expected).all(|(a, b)| *a == b || a.is_nan() && b.is_nan()),
                        "{name}: {values:?}"
                    );
                }
                other => panic!("{name}: {other:?}"),
            };
            numbers("small", [1.0, -2.0, 1.0, -2.0]);
            numbers("big", [1_099_511_627_776.0, nan, 1_099_511_627_776.0, nan]);
            numbers("unsigned", [4_294_967_295.0, 7.0, 4_294_967_295.0, 7.0]);
            numbers("single", [nan, f64::from(0.1_f32), nan, f64::from(0.1_f32)]);
            numbers("double", [0.1, f64::INFINITY, 0.1, f64::INFINITY]);
            numbers("money", [nan, -12.34, nan, -12.34]);
            numbers("cents", [-0.2, 25.7, -0.2, 25.7]);
            assert_eq!(texts(frame.column("flag").unwrap()), ["true", "-", "true", "-"]);
            assert_eq!(texts(frame.column("text").unwrap()), ["-", "z", "-", "ä"]);
            assert_eq!(texts(frame.column("plain").unwrap()), ["b", "a", "b", "a"]);
            let Values::Categorical { categories, .. } = &frame.column("text").unwrap().values else { panic!() };
            assert_eq!(categories, &["z", "ä"]);
            files += 1;
        }
    }
    assert_eq!(files, 4);
}

#[test]
fn columns_can_be_chosen_and_cells_limited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    write_all(&path, Compression::SNAPPY, true);
    let options = |columns: &[&str], max_cells| ParquetOptions {
        columns: Some(columns.iter().map(|&name| name.to_owned()).collect()),
        max_cells,
    };
    assert_eq!(read_parquet(&path, &options(&["text", "small"], 8)).unwrap().names(), ["text", "small"]);
    let too_large = read_parquet(&path, &options(&["text", "small"], 7)).unwrap_err();
    assert!(matches!(too_large, Error::InFile { source, .. } if matches!(*source, Error::TooLarge { found: 8, .. })));
    let unknown = read_parquet(&path, &options(&["texts"], 8)).unwrap_err().to_string();
    assert!(unknown.contains("did you mean \"text\""), "{unknown}");
    assert!(matches!(read(&folder.path().join("none")), Err(Error::Io { .. })));
}

#[test]
fn what_is_no_flat_column_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.parquet");
    let cases = [
        (
            "optional group items (LIST) { repeated group list { optional int32 element; } }",
            "items.list.element",
            "nested",
        ),
        ("required group inner { required int32 leaf; }", "inner.leaf", "nested"),
        ("repeated int32 many;", "many", "nested"),
        ("required int32 day (DATE);", "day", "dates or times"),
        ("required int64 moment (TIMESTAMP(MICROS, true));", "moment", "dates or times"),
        ("required int64 nano (TIMESTAMP(NANOS, true));", "nano", "dates or times"),
        ("required int96 old;", "old", "dates or times"),
        ("required binary note (JSON);", "note", "binary data"),
        ("required fixed_len_byte_array(16) id (UUID);", "id", "binary data"),
    ];
    for (field, name, words) in cases {
        let schema = format!("message m {{ required int32 good; {field} }}");
        write(&path, &schema, WriterProperties::builder().build(), 0, |_, _| {});
        let message = read(&path).unwrap_err().to_string();
        assert!(message.contains(words) && message.contains(&format!("{name:?}")), "{message}");
        let good = ParquetOptions { columns: Some(vec!["good".into()]), ..Default::default() };
        assert_eq!(read_parquet(&path, &good).unwrap().n_rows(), 0);
    }
}

#[test]
fn files_of_other_kinds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.parquet");
    for bytes in [&b""[..], b"a,b\n1,2\n", b"PAR1", b"PAR1\xff\xff\xff\xffPAR1"] {
        std::fs::write(&path, bytes).unwrap();
        let outcome = read(&path);
        assert!(
            matches!(&outcome, Err(Error::InFile { source, .. }) if matches!(**source, Error::Malformed { .. })),
            "{outcome:?}"
        );
    }
}

proptest! {
    /// Whatever is done to a file, it is read or refused.
    #[test]
    fn mutated_files_never_panic(edits in prop::collection::vec((0.0..1.0_f64, 0_u8..=255), 1..6), tail in prop::bool::ANY, dictionary in prop::bool::ANY) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mutated.parquet");
        write_all(&path, Compression::SNAPPY, dictionary);
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, byte) in edits {
            // Pages lie at the front, the footer takes most of a small file.
            let place = if tail { place } else { place * 0.4 };
            let place = (place * (bytes.len() - 1) as f64) as usize;
            bytes[place] = byte;
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(frame) = read(&path) {
            prop_assert!(frame.columns().iter().all(|column| column.len() == frame.n_rows()));
        }
    }
}
