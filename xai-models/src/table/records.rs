//! Text cut into records and cells.

use ::csv::{ByteRecord, ReaderBuilder, Trim};
use xai_core::{Error, Result};

/// The text, and how to cut it up.
pub(super) struct Source<'t> {
    pub text: &'t [u8],
    pub delimiter: u8,
    pub trim: bool,
}

/// Follows the text: a quote that is still open there swallows it. No text may hold it, see [`check_text`](super::sniff::check_text).
const END: &[u8] = b"\n\0";

impl Source<'_> {
    /// Calls `visit` with every data row, from 0, after checking its length.
    pub fn each_row(
        &self,
        n_columns: usize,
        has_header: bool,
        mut visit: impl FnMut(usize, &ByteRecord) -> Result<()>,
    ) -> Result<()> {
        let mut row = 0;
        let mut skip = has_header;
        self.each_record(|record| {
            if std::mem::take(&mut skip) {
                return Ok(true);
            }
            if record.len() != n_columns {
                let problem = format!("{} where {n_columns} are expected", count(record.len(), "cell"));
                return Err(self.malformed(record, problem));
            }
            visit(row, record)?;
            row += 1;
            Ok(true)
        })
    }

    /// Calls `visit` with the cells of every record until it says `false`.
    pub fn each_record(&self, mut visit: impl FnMut(&ByteRecord) -> Result<bool>) -> Result<()> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(if self.trim { Trim::All } else { Trim::None })
            .from_reader(std::io::Read::chain(self.text, END));
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| self.malformed(&record, error.to_string()))? {
            if record.len() == 1 && record.get(0) == END.get(1..) {
                return Ok(());
            }
            if record.iter().next_back().is_some_and(|cell| cell.contains(&0)) {
                break;
            }
            if !visit(&record)? {
                return Ok(());
            }
        }
        Err(self.malformed(&record, "a quote that is never closed".into()))
    }

    /// Says what is wrong with a record, and in which line.
    pub fn malformed(&self, record: &ByteRecord, problem: String) -> Error {
        let start = record.position().map_or(0, ::csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.text.len());
        // The reader skips empty lines after it has noted where it is.
        let skipped = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let before = &self.text[..start + skipped];
        let ends = |(i, byte): (usize, &u8)| match byte {
            b'\n' => true,
            b'\r' => before.get(i + 1) != Some(&b'\n'),
            _ => false,
        };
        let line = 1 + before.iter().enumerate().filter(|&place| ends(place)).count();
        Error::Malformed { format: "CSV", at: format!("line {line}"), problem }
    }
}

pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
