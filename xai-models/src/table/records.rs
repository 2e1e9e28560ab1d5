//! Text cut into records and cells.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Trim};
use xai_core::{Error, Result};

/// Where text comes from; it can be read again and again.
pub(super) enum Origin<'t> {
    Bytes(&'t [u8]),
    /// A file from the byte `start` on.
    File {
        path: PathBuf,
        start: u64,
    },
}

/// The text, and how to cut it up.
pub(super) struct Source<'t> {
    pub origin: Origin<'t>,
    pub delimiter: u8,
    pub trim: bool,
}

/// Follows the text: a quote that is still open there swallows it. No text may hold it, see [`check_text`](super::sniff::check_text).
const END: &[u8] = b"\n\0";
/// How much of a file is read at a time.
const BUFFER: usize = 1 << 16;

impl<'t> Source<'t> {
    /// Calls `visit` with every data row, from 0, after checking its length.
    pub fn each_row(
        &self,
        n_columns: usize,
        has_header: bool,
        mut visit: impl FnMut(usize, &ByteRecord) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.rows(n_columns, has_header)?;
        while let Some((row, record)) = rows.next(self)? {
            visit(row, record)?;
        }
        Ok(())
    }

    /// The data rows, one after the other.
    pub fn rows(&self, n_columns: usize, has_header: bool) -> Result<Rows<'t>> {
        Ok(Rows { records: self.records()?, n_columns, row: 0, skip: has_header })
    }

    /// The cells of the first record; none when there is no record.
    pub fn first(&self) -> Result<ByteRecord> {
        let mut records = self.records()?;
        Ok(records.next(self)?.cloned().unwrap_or_default())
    }

    fn records(&self) -> Result<Records<'t>> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(if self.trim { Trim::All } else { Trim::None })
            .buffer_capacity(BUFFER)
            .from_reader(Box::new(self.text()?.chain(END)) as Box<dyn Read + Send + 't>);
        Ok(Records { reader, record: ByteRecord::new() })
    }

    fn text(&self) -> Result<Box<dyn Read + Send + 't>> {
        match &self.origin {
            Origin::Bytes(bytes) => Ok(Box::new(*bytes)),
            Origin::File { path, start } => {
                let io = |source| Error::Io { path: path.clone(), source };
                let mut file = File::open(path).map_err(io)?;
                file.seek(SeekFrom::Start(*start)).map_err(io)?;
                Ok(Box::new(NoZero { file, at: *start }))
            }
        }
    }

    /// Says what is wrong with a record, and in which line.
    pub fn malformed(&self, record: &ByteRecord, problem: String) -> Error {
        let byte = record.position().map_or(0, ::csv::Position::byte);
        let at = match self.line(byte) {
            Some(line) => format!("line {line}"),
            None => format!("byte {byte}"),
        };
        Error::Malformed { format: "CSV", at, problem }
    }

    /// The line of the first cell from `start` on: the reader skips empty lines after it has noted where it is.
    fn line(&self, start: u64) -> Option<usize> {
        let (mut line, mut last) = (1, 0);
        for (at, byte) in (0..).zip(BufReader::new(self.text().ok()?).bytes()) {
            let byte = byte.ok()?;
            match byte {
                b'\n' if last == b'\r' => {}
                b'\r' | b'\n' => line += 1,
                _ if at >= start => break,
                _ => {}
            }
            last = byte;
        }
        Some(line)
    }
}

/// Records one after the other.
struct Records<'t> {
    reader: Reader<Box<dyn Read + Send + 't>>,
    record: ByteRecord,
}

impl Records<'_> {
    fn next(&mut self, source: &Source) -> Result<Option<&ByteRecord>> {
        match self.reader.read_byte_record(&mut self.record) {
            Err(error) => return Err(failed(error, source, &self.record)),
            Ok(true) if self.record.len() == 1 && self.record.get(0) == END.get(1..) => return Ok(None),
            Ok(true) if self.record.iter().next_back().is_none_or(|cell| !cell.contains(&0)) => {}
            Ok(_) => return Err(source.malformed(&self.record, "a quote that is never closed".into())),
        }
        Ok(Some(&self.record))
    }
}

/// Data rows one after the other.
pub(super) struct Rows<'t> {
    records: Records<'t>,
    n_columns: usize,
    row: usize,
    skip: bool,
}

impl Rows<'_> {
    /// The next row, from 0, and its cells, of which there are as many as columns.
    pub fn next(&mut self, source: &Source) -> Result<Option<(usize, &ByteRecord)>> {
        if std::mem::take(&mut self.skip) {
            self.records.next(source)?;
        }
        let Some(record) = self.records.next(source)? else { return Ok(None) };
        if record.len() != self.n_columns {
            let problem = format!("{} where {} are expected", count(record.len(), "cell"), self.n_columns);
            return Err(source.malformed(record, problem));
        }
        self.row += 1;
        Ok(Some((self.row - 1, record)))
    }
}

fn failed(error: ::csv::Error, source: &Source, record: &ByteRecord) -> Error {
    let text = error.to_string();
    match (error.into_kind(), &source.origin) {
        (ErrorKind::Io(error), _) if error.get_ref().is_some_and(|inner| inner.is::<ZeroByte>()) => {
            Error::Malformed { format: "CSV", at: error.to_string(), problem: ZERO_BYTE.to_owned() }
        }
        (ErrorKind::Io(source), Origin::File { path, .. }) => Error::Io { path: path.clone(), source },
        _ => source.malformed(record, text),
    }
}

/// What is wrong with text that holds one.
pub(super) const ZERO_BYTE: &str = "a zero byte, which no text holds";

/// The place of a byte that no text holds.
#[derive(Debug)]
struct ZeroByte(u64);

impl std::fmt::Display for ZeroByte {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {}", self.0)
    }
}

impl std::error::Error for ZeroByte {}

/// A file whose zero bytes are errors.
struct NoZero {
    file: File,
    at: u64,
}

impl Read for NoZero {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        if let Some(place) = buffer[..n].iter().position(|&byte| byte == 0) {
            return Err(std::io::Error::other(ZeroByte(self.at + place as u64)));
        }
        self.at += n as u64;
        Ok(n)
    }
}

pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
