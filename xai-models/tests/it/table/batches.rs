//! Files read batch by batch, against the same files read whole.

use std::path::PathBuf;

use parquet::basic::Compression;
use proptest::prelude::*;
use xai_core::Error;
use xai_models::table::{CsvBatches, CsvOptions, Frame, ParquetBatches, ParquetOptions, read_csv, read_parquet};

use super::texts;

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(content: impl AsRef<[u8]>) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    std::fs::write(&path, content).unwrap();
    File { _folder: folder, path }
}

fn csv(file: &File, per_batch: usize) -> Result<CsvBatches, Error> {
    CsvBatches::open(&file.path, &CsvOptions::default(), per_batch)
}

/// NaN is not itself; its letters are.
fn shown(frame: &Frame) -> String {
    format!("{frame:?}")
}

/// That batches of `per_batch` rows are the rows of `whole` from `start` to `end`.
fn assert_cut(
    batches: impl Iterator<Item = Result<Frame, Error>>,
    whole: &Frame,
    range: std::ops::Range<usize>,
    per_batch: usize,
) {
    let mut start = range.start;
    for batch in batches {
        let end = range.end.min(start + per_batch);
        assert_eq!(shown(&batch.unwrap()), shown(&whole.rows(start..end).unwrap()));
        start = end;
    }
    assert_eq!(start, range.end);
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("?".to_owned()),
        (-9i32..9).prop_map(|x| x.to_string()),
        Just("true".to_owned()),
        Just("False".to_owned()),
        "[a-cä]{1,3}",
        Just("\"a \"\"b\"\", c\nd\"".to_owned()),
    ]
}

proptest! {
    #[test]
    fn csv_batches_are_the_rows_of_the_whole(
        kinds in prop::collection::vec(0usize..3, 1..4),
        rows in prop::collection::vec(prop::array::uniform3(cell()), 1..30),
        per_batch in 1usize..9,
        ends in (0usize..30, 0usize..30),
        line_end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        // Whole columns of numbers, of booleans, and of anything.
        let kept = |kind: usize, cell: &str| match kind {
            0 => cell.parse::<f64>().is_ok(),
            1 => ["true", "False"].contains(&cell),
            _ => true,
        };
        let mut text = kinds.iter().enumerate().map(|(i, _)| format!("c{i}")).collect::<Vec<_>>().join(",") + line_end;
        for row in &rows {
            let cells = kinds.iter().zip(row).map(|(&kind, cell)| if kept(kind, cell) { cell.as_str() } else { "NA" });
            text += &(cells.collect::<Vec<_>>().join(",") + line_end);
        }
        let file = file(&text);
        let whole = read_csv(&file.path, &CsvOptions::default()).unwrap();
        let n = whole.n_rows();
        let (a, b) = (ends.0 % (n + 1), ends.1 % (n + 1));
        let range = a.min(b)..a.max(b);
        assert_eq!(csv(&file, per_batch).unwrap().n_rows(), n);
        assert_cut(csv(&file, per_batch).unwrap(), &whole, 0..n, per_batch);
        assert_cut(csv(&file, per_batch).unwrap().between(range.clone()).unwrap(), &whole, range, per_batch);
    }
}

#[test]
fn texts_without_end_are_those_of_the_batch() {
    let n = 20_000;
    let lines: String = (0..n).map(|i| format!("{i},name {i},{}\n", ["x", "y"][i % 2])).collect();
    let file = file(format!("id,name,sex\n{lines}"));
    let whole = read_csv(&file.path, &CsvOptions::default()).unwrap();
    let mut row = 0;
    for batch in csv(&file, 6_000).unwrap() {
        let batch = batch.unwrap();
        let (names, all) = (batch.column("name").unwrap(), whole.column("name").unwrap());
        assert!((0..batch.n_rows()).all(|i| names.text(i) == all.text(row + i)));
        let xai_models::table::Values::Categorical { categories, .. } = &names.values else { panic!() };
        assert_eq!(categories.len(), batch.n_rows());
        assert_eq!(texts(batch.column("sex").unwrap())[..2], ["x", "y"]);
        row += batch.n_rows();
    }
    assert_eq!(row, n);
}

/// What is wrong anywhere is told before the first batch, in the words of the reader of whole files.
#[test]
fn broken_files_are_refused_as_whole_ones_are() {
    let rows = "a,b\n1,x\n".to_owned() + &"2,y\n\n".repeat(30_000);
    for (broken, words) in [
        (format!("{rows}3\n4,z\n").into_bytes(), "1 cell where 2 are expected"),
        (format!("{rows}3,\"z\n4,z\n").into_bytes(), "never closed"),
        ([rows.as_bytes(), b"3,\xe9\n"].concat(), "UTF-8"),
        ([rows.as_bytes(), b"3,a\0b\n"].concat(), "zero byte"),
        (b"".to_vec(), "empty"),
        (b" \n\n".to_vec(), "empty"),
        (b"PAR1".to_vec(), "Parquet"),
        (b"a,a\n1,2\n".to_vec(), "two columns"),
        (b"1.5,0.2\n3,4\n".to_vec(), "looks like data"),
        (b"a,b\n1;2,\"1,5\"\n2;3,\"2,5\"\n".to_vec(), "decimal"),
    ] {
        let file = file(&broken);
        let whole = read_csv(&file.path, &CsvOptions::default()).err().map(|error| error.to_string());
        let streamed = csv(&file, 7).err().map(|error| error.to_string());
        assert!(whole.as_ref().is_some_and(|text| text.contains(words)), "{whole:?} {words}");
        assert_eq!(streamed, whole);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    let line = |cell: &str| format!("{cell},x\n");
    let text = |last: &str| format!("a,b\n{}{last}", line("1").repeat(200_000));
    let original = text(&line("2"));
    for (changed, words) in [
        (text(&line("z")), "row 200001"),
        (text("2,z\n"), "row 200001"),
        (text("2\n"), "line 200002"),
        (text(""), "changed"),
    ] {
        let file = file(&original);
        let mut batches = csv(&file, 1000).unwrap();
        assert!(batches.next().unwrap().is_ok());
        std::fs::write(&file.path, changed).unwrap();
        let error = batches.by_ref().find_map(Result::err).unwrap().to_string();
        assert!(error.contains(words), "{error}");
        assert!(batches.next().is_none());
    }
}

#[test]
fn what_cannot_be_read_twice_and_ranges_beyond_the_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path| CsvBatches::open(path, &CsvOptions::default(), 5).err();
    assert!(matches!(open(folder.path()), Some(Error::Parameter { .. })));
    assert!(matches!(open(&folder.path().join("nowhere")), Some(Error::Io { .. })));
    let file = file("a\n1\n2\n");
    assert!(matches!(csv(&file, 0).err(), Some(Error::Parameter { .. })));
    assert!(matches!(csv(&file, 1).unwrap().between(1..3).err(), Some(Error::Parameter { .. })));
    assert_eq!(csv(&file, 1).unwrap().between(1..1).unwrap().count(), 0);
}

#[test]
fn parquet_batches_are_the_rows_of_the_whole() {
    let file = file("");
    for dictionary in [false, true] {
        super::parquet::write_all(&file.path, Compression::SNAPPY, dictionary);
        let options = ParquetOptions::default();
        let whole = read_parquet(&file.path, &options).unwrap();
        for per_batch in 1..=5 {
            for start in 0..=4 {
                for end in start..=4 {
                    let batches = ParquetBatches::open(&file.path, &options, per_batch).unwrap();
                    assert_cut(batches.between(start..end).unwrap(), &whole, start..end, per_batch);
                }
            }
        }
    }
    // Every byte that is changed is told, or changes no more than cells: nothing panics.
    let good = std::fs::read(&file.path).unwrap();
    for place in 0..good.len() {
        let mut broken = good.clone();
        broken[place] ^= 0x55;
        std::fs::write(&file.path, &broken).unwrap();
        if let Ok(batches) = ParquetBatches::open(&file.path, &ParquetOptions::default(), 3) {
            assert!(batches.filter_map(Result::ok).map(|batch| batch.n_rows()).sum::<usize>() <= 4);
        }
    }
}

#[test]
fn parquet_batches_are_limited() {
    let file = file("");
    super::parquet::write_all(&file.path, Compression::SNAPPY, true);
    let options = ParquetOptions { max_cells: 25, ..ParquetOptions::default() };
    // Four rows of ten columns are too much at once, two are not.
    assert!(read_parquet(&file.path, &options).is_err());
    assert!(ParquetBatches::open(&file.path, &options, 2).is_ok());
    assert!(ParquetBatches::open(&file.path, &options, 3).is_err());
    assert!(ParquetBatches::open(&file.path, &options, 0).is_err());
    assert!(ParquetBatches::open(&file.path, &options, 2).unwrap().between(2..5).is_err());
}
