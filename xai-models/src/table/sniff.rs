//! What kind of text a file holds.

use ::csv::{ByteRecord, ReaderBuilder};
use xai_core::{Error, Result};

use super::records::ZERO_BYTE;

/// The text without its byte order mark; all of it, or the beginning of a text that is `longer`.
///
/// # Errors
/// [`Error::Malformed`] for what is no text in UTF-8 at first sight: another encoding, a compressed file, an empty one.
pub(super) fn check_text(bytes: &[u8], longer: bool) -> Result<&[u8]> {
    let refuse = |at: usize, problem: &str| {
        Err(Error::Malformed { format: "CSV", at: format!("byte {at}"), problem: problem.to_owned() })
    };
    let kinds: [(&[u8], &str); 5] = [
        (&[0xff, 0xfe], "the text is in UTF-16; save it as UTF-8"),
        (&[0xfe, 0xff], "the text is in UTF-16; save it as UTF-8"),
        (b"PAR1", "it is a Parquet file"),
        (&[0x1f, 0x8b], "it is compressed by gzip; unpack it first"),
        (b"PK\x03\x04", "it is a ZIP archive or a spreadsheet; save the table as text first"),
    ];
    if let Some((_, problem)) = kinds.iter().find(|(start, _)| bytes.starts_with(start)) {
        return refuse(0, problem);
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return refuse(at, ZERO_BYTE);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !longer && text.iter().all(u8::is_ascii_whitespace) { refuse(0, "the file is empty") } else { Ok(text) }
}

/// The text after a first line such as `sep=;`, and the delimiter that the line names.
pub(super) fn named_delimiter(text: &[u8]) -> (&[u8], Option<u8>) {
    match text.strip_prefix(b"sep=") {
        Some([delimiter, rest @ ..]) if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") => {
            (rest, Some(*delimiter))
        }
        _ => (text, None),
    }
}

/// What is tried as a delimiter, the usual first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How much of the text is looked at.
pub(super) const SAMPLE_BYTES: usize = 1 << 16;
const SAMPLE_RECORDS: usize = 50;

/// The delimiter that cuts the first records into the same number of cells, the more the better; the one that cuts
/// the first record into most when none does.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let mut best = (false, 1);
    let mut found = DELIMITERS[0];
    for delimiter in DELIMITERS {
        let counts = cell_counts(text, delimiter);
        let first = counts.first().copied().unwrap_or(0);
        let score = (first > 1 && counts.iter().all(|&count| count == first), first);
        if score > best {
            (best, found) = (score, delimiter);
        }
    }
    found
}

fn cell_counts(text: &[u8], delimiter: u8) -> Vec<usize> {
    let sample = &text[..text.len().min(SAMPLE_BYTES)];
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(sample);
    let mut record = ByteRecord::new();
    let mut counts = Vec::new();
    while counts.len() < SAMPLE_RECORDS && reader.read_byte_record(&mut record).unwrap_or(false) {
        counts.push(record.len());
    }
    if sample.len() < text.len() && counts.len() > 1 && counts.len() < SAMPLE_RECORDS {
        // The sample ends within a record.
        counts.pop();
    }
    counts
}

/// The first name that no one would give a column: a number above a column of numbers, unless such names count up
/// (pixels, years).
pub(super) fn looks_like_data(names: &[String], is_numeric: impl Fn(usize) -> bool) -> Option<&str> {
    let numbers: Vec<(usize, f64)> = names
        .iter()
        .enumerate()
        .filter(|(place, _)| is_numeric(*place))
        .filter_map(|(place, name)| Some((place, name.parse().ok().filter(|x: &f64| x.is_finite())?)))
        .collect();
    let whole = numbers.iter().all(|(_, x)| x.fract() == 0.0);
    let ascending = numbers.windows(2).all(|pair| pair[0].1 < pair[1].1);
    let counts_up = whole && ascending && numbers.len() > 1;
    if counts_up { None } else { numbers.first().map(|(place, _)| names[*place].as_str()) }
}
