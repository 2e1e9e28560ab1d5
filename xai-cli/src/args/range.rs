//! Ranges of rows.

use std::ops::Range;

/// A range of rows, either end open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    first: usize,
    end: Option<usize>,
}

impl Rows {
    /// The first row.
    pub fn start(self) -> usize {
        self.first
    }

    /// The end, where it is not open.
    pub fn end(self) -> Option<usize> {
        self.end
    }

    /// The rows of a table with `n` of them.
    ///
    /// # Errors
    /// A sentence, when the table has no such rows.
    pub fn of(self, n: usize) -> Result<Range<usize>, String> {
        let end = self.end.unwrap_or(n);
        if end > n || self.first >= end {
            return Err(format!("--rows {}..{end}: the table has {n} rows", self.first));
        }
        Ok(self.first..end)
    }
}

pub fn rows(text: &str) -> Result<Rows, String> {
    let wrong = || "expected A..B, ..B or A.. with whole numbers, A below B, such as 0..100".to_owned();
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |part: &str| part.trim().parse::<usize>().map_err(|_| wrong());
    let first = if first.trim().is_empty() { 0 } else { number(first)? };
    let end = if end.trim().is_empty() { None } else { Some(number(end)?) };
    if end.is_some_and(|end| end <= first) { Err(wrong()) } else { Ok(Rows { first, end }) }
}
