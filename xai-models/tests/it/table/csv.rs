//! Delimited text.

use proptest::prelude::*;
use xai_core::{Error, FeatureKind, Result};
use xai_models::table::{CsvOptions, Frame, Header, Values, parse_csv, read_csv};

use super::texts;

fn parse(text: &str) -> Result<Frame> {
    parse_csv(text.as_bytes(), &CsvOptions::default())
}

fn cells(text: &str, name: &str) -> Vec<String> {
    texts(parse(text).unwrap().column(name).unwrap())
}

fn refused(text: &[u8]) -> String {
    parse_csv(text, &CsvOptions::default()).unwrap_err().to_string()
}

#[test]
fn types_come_from_whole_columns() {
    let frame = parse("a,b,c,d,e\n1,x,true,0,-nan\n2.5,1,False,1,inf\nNA,,?,null,1e3\n").unwrap();
    let kind = |name: &str| frame.column(name).unwrap().feature().kind;
    assert_eq!(kind("a"), FeatureKind::Numeric);
    assert_eq!(kind("b"), FeatureKind::Categorical { categories: vec!["1".into(), "x".into()] });
    assert_eq!(kind("c"), FeatureKind::Binary);
    assert_eq!(kind("d"), FeatureKind::Binary);
    assert_eq!(kind("e"), FeatureKind::Numeric);
    assert_eq!(texts(frame.column("a").unwrap()), ["1", "2.5", "-"]);
    assert_eq!(texts(frame.column("b").unwrap()), ["x", "1", "-"]);
    assert_eq!(texts(frame.column("c").unwrap()), ["true", "false", "-"]);
    assert_eq!(texts(frame.column("e").unwrap()), ["-", "inf", "1000"]);
}

/// Numbers are read to the nearest `f64`; a number beyond the largest is no number.
#[test]
fn numbers_are_exact() {
    let written = [0.1, -3.0e-310, 1.797_693_134_862_315_7e308, 5e-324, 123_456_789.123_456_79];
    let text: String = written.iter().map(|x| format!("{x:e}\n")).collect();
    let frame = parse(&format!("x\n{text}")).unwrap();
    assert_eq!(frame.column("x").unwrap().values, Values::Numeric(written.to_vec()));
    assert_eq!(cells("x\n1\n1e999\n", "x"), ["1", "1e999"]);
    assert!(matches!(parse("x\n1\n1e999\n").unwrap().columns()[0].values, Values::Categorical { .. }));
}

#[test]
fn delimiters_are_found() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = "name,size,note\nrow,1,\"a, b; c|d\te\"\nother,2,plain\n".replace(',', "\u{1}");
        let text = text.replace("a\u{1}", "a,").replace('\u{1}', delimiter);
        assert_eq!(cells(&text, "note"), ["a, b; c|d\te", "plain"], "{delimiter:?}");
    }
    // A comma in every text is not a delimiter where the header has none.
    assert_eq!(cells("name;place\nx;a, b\ny;c, d\n", "place"), ["a, b", "c, d"]);
    assert_eq!(parse("only\n1\n2\n").unwrap().names(), ["only"]);
    assert_eq!(parse("sep=;\na;b,c\n1;2\n").unwrap().names(), ["a", "b,c"]);
    let forced = CsvOptions { delimiter: Some(b':'), ..CsvOptions::default() };
    assert_eq!(parse_csv(b"a:b\n1:2\n", &forced).unwrap().names(), ["a", "b"]);
}

#[test]
fn quotes_marks_and_line_ends_are_understood() {
    let text = "\u{feff}a,b\r\n\"x \"\"y\"\" z\",1\r\n\r\n\"two\nlines\",2";
    assert_eq!(parse(text).unwrap().names(), ["a", "b"]);
    assert_eq!(cells(text, "a"), ["x \"y\" z", "two\nlines"]);
    assert_eq!(cells("a,b\rx,1\ry,2\r", "a"), ["x", "y"]);
    assert_eq!(cells("a, b\n x , 1\n ?, 2\n", "a"), ["x", "-"]);
    let untrimmed = CsvOptions { trim: false, ..CsvOptions::default() };
    assert_eq!(texts(&parse_csv(b"a\n x \n", &untrimmed).unwrap().columns()[0]), [" x "]);
}

#[test]
fn headers_are_required_and_checked() {
    // The first line of the adult and the wine data, which have no header.
    let adult = refused(b"39, State-gov, 77516, Bachelors, 13\n50, Private, 83311, HS-grad, 9\n");
    assert!(adult.contains("looks like data") && adult.contains("\"39\""), "{adult}");
    assert!(refused(b"7.4,0.7,0\n7.8,0.88,0.1\n").contains("looks like data"));
    assert!(refused(b"0,0,1\n2,3,4\n").contains("two columns are called \"0\""));
    // Pixels and years are names.
    assert_eq!(parse("0,1,2,label\n5,6,7,a\n").unwrap().names(), ["0", "1", "2", "label"]);
    assert_eq!(parse("city,1990,2000\na,1,2\n").unwrap().names(), ["city", "1990", "2000"]);
    let none = CsvOptions { header: Header::No, ..CsvOptions::default() };
    let frame = parse_csv(b"7.4,x\n7.8,y\n", &none).unwrap();
    assert_eq!((frame.names(), frame.n_rows()), (vec!["x0", "x1"], 2));
    let named = CsvOptions { names: Some(vec!["acid".into(), "kind".into()]), ..none };
    assert_eq!(parse_csv(b"7.4,x\n7.8,y\n", &named).unwrap().names(), ["acid", "kind"]);
    let short = CsvOptions { names: Some(vec!["acid".into()]), ..named };
    assert!(matches!(parse_csv(b"7.4,x\n", &short), Err(Error::Malformed { .. })));
    // A header that nobody announced would turn every number into a text.
    for text in [&b"a,b\n1,2\n3,4\n"[..], b"a,b\n1,x\n"] {
        let message =
            parse_csv(text, &CsvOptions { header: Header::No, ..CsvOptions::default() }).unwrap_err().to_string();
        assert!(message.contains("say that it is the header"), "{message}");
    }
    let sure = CsvOptions { header: Header::Yes, ..CsvOptions::default() };
    assert_eq!(parse_csv(b"7.4,b\n1,2\n", &sure).unwrap().names(), ["7.4", "b"]);
    assert_eq!(parse(",a\n0,1\n").unwrap().names(), ["Unnamed: 0", "a"]);
    assert_eq!(parse("a,b\n").unwrap().n_rows(), 0);
}

#[test]
fn broken_text_is_refused_with_its_place() {
    let cases: [(&[u8], &str); 14] = [
        (b"a,b\n1,2\n3\n", "line 3: 1 cell where 2 are expected"),
        (b"a,b\n1,2\n\n3,4,5\n", "line 4: 3 cells where 2 are expected"),
        (b"a,b\n1,\"x\n2,y\n3,z\n", "line 2: a quote that is never closed"),
        (b"a,\"b\n1,2\n", "line 1: a quote that is never closed"),
        (b"a,b\r\n1,2\r\n3\r\n", "line 3: 1 cell where 2 are expected"),
        (b"a,b\r1,2\r\r3\r", "line 4: 1 cell where 2 are expected"),
        (b"", "empty"),
        (b"\xef\xbb\xbf\n \n", "empty"),
        (b"a,b\n1,\0\n", "zero byte"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"PAR1....", "Parquet"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"a,a\n1,2\n", "two columns are called \"a\""),
        (b"a,caf\xe9\n1,2\n", "the name of column 2 is not in UTF-8"),
    ];
    for (text, words) in cases {
        let message = refused(text);
        assert!(message.contains(words), "{message:?} lacks {words:?}");
    }
}

/// Latin-1 would read as other letters: the row and the column are named.
#[test]
fn other_encodings_are_refused_with_row_and_column() {
    match parse_csv(b"id,city\n1,Paris\n2,Orl\xe9ans\n", &CsvOptions::default()) {
        Err(Error::Cell { row: 2, column, found, .. }) => {
            assert_eq!((column.as_str(), found.as_str()), ("city", "Orl�ans"))
        }
        other => panic!("{other:?}"),
    }
}

/// A column of "1,5" is neither text nor a number until someone says so.
#[test]
fn decimal_commas_are_never_guessed() {
    let text = b"a;b\n1,5;x\n2;y\n";
    match parse_csv(text, &CsvOptions::default()) {
        Err(Error::Cell { row: 1, column, .. }) => assert_eq!(column, "a"),
        other => panic!("{other:?}"),
    }
    let read = |decimal| parse_csv(text, &CsvOptions { decimal: Some(decimal), ..CsvOptions::default() }).unwrap();
    assert_eq!(read(',').columns()[0].values, Values::Numeric(vec![1.5, 2.0]));
    assert_eq!(texts(&read('.').columns()[0]), ["1,5", "2"]);
    // Other commas do not disturb.
    assert_eq!(cells("a;b\n1,5;1\nx;2\n", "a"), ["1,5", "x"]);
}

#[test]
fn missing_markers_are_configurable() {
    let options = CsvOptions { missing: vec!["-".into()], ..CsvOptions::default() };
    let frame = parse_csv(b"country,size\nNA,1\n-,-\n", &options).unwrap();
    assert_eq!(texts(frame.column("country").unwrap()), ["NA", "-"]);
    assert_eq!(frame.column("country").unwrap().n_missing(), 1);
    assert_eq!(frame.column("size").unwrap().n_missing(), 1);
}

#[test]
fn files_are_named_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.csv");
    assert!(matches!(read_csv(&path, &CsvOptions::default()), Err(Error::Io { .. })));
    std::fs::write(&path, "a,b\n1\n").unwrap();
    let message = read_csv(&path, &CsvOptions::default()).unwrap_err().to_string();
    assert!(message.contains("shop.csv") && message.contains("line 2"), "{message}");
    assert!(matches!(read_csv(folder.path(), &CsvOptions::default()), Err(Error::Io { .. })));
}

const SEED: &[u8] = b"id;colour,\"n o\";x\n1;red;\"a \"\"b\"\"\";0.5\n2;blue;\"c\nd\";NA\n3;;true;-1e3\n";

proptest! {
    /// Whatever is done to a file, it is read or refused.
    #[test]
    fn mutated_text_never_panics(edits in prop::collection::vec((0..SEED.len(), prop::num::u8::ANY), 0..6), cut in 0..SEED.len()) {
        let mut text = SEED.to_vec();
        for (place, byte) in edits {
            text[place] = byte;
        }
        text.truncate(cut);
        for header in [Header::Check, Header::Yes, Header::No] {
            let options = CsvOptions { header, ..CsvOptions::default() };
            if let Ok(frame) = parse_csv(&text, &options) {
                prop_assert!(frame.columns().iter().all(|column| column.len() == frame.n_rows()));
            }
        }
    }

    /// What is written cell by cell, quoted, reads back cell by cell.
    #[test]
    fn quoted_cells_read_back(rows in prop::collection::vec(prop::array::uniform3("[a-z,;|\"\t\n é]{0,6}z"), 1..8)) {
        let quote = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
        let line = |row: &[String; 3]| row.iter().map(quote).collect::<Vec<_>>().join("|");
        let text: String = rows.iter().map(|row| line(row) + "\n").collect();
        let options = CsvOptions { trim: false, header: Header::Yes, delimiter: Some(b'|'), ..CsvOptions::default() };
        let frame = parse_csv(format!("a|b|c\n{text}").as_bytes(), &options).unwrap();
        for (column, place) in frame.columns().iter().zip(0..) {
            let written: Vec<String> = rows.iter().map(|row| row[place].clone()).collect();
            prop_assert_eq!(texts(column), written);
        }
    }
}
