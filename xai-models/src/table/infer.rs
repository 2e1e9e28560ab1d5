//! Which type the cells of a column have.

use std::collections::HashSet;

use xai_core::{Error, Result};

use super::category::shortened;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Numeric,
    Boolean,
    Text,
}

/// What a text in a cell means.
pub(super) struct CellReader<'o> {
    missing: HashSet<&'o str>,
    decimal: Option<char>,
}

impl<'o> CellReader<'o> {
    pub fn new(missing: &'o [String], decimal: Option<char>) -> Self {
        CellReader { missing: missing.iter().map(String::as_str).collect(), decimal }
    }

    pub fn is_missing(&self, text: &str) -> bool {
        self.missing.contains(text)
    }

    /// The number that `text` spells: NaN for a signed `nan`, nothing when it is too large for a number.
    pub fn number(&self, text: &str) -> Option<f64> {
        match self.decimal {
            Some(mark) if mark != '.' => parse(&decimal_point(text, mark)?),
            _ => parse(text),
        }
    }

    pub fn boolean(&self, text: &str) -> Option<bool> {
        match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }
}

fn parse(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let overflow = number.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
    (!overflow).then_some(number)
}

/// `text` with `mark` turned into a point; nothing when it has a point besides.
fn decimal_point(text: &str, mark: char) -> Option<String> {
    (!text.contains('.')).then(|| text.replacen(mark, ".", 1))
}

/// What all cells of a column have in common so far.
pub(super) struct Profile {
    present: bool,
    numbers: bool,
    /// Whether the cell of the first row is there, and no number.
    text_first: bool,
    /// Whether a cell is there below the first row, and every such is a number.
    numbers_below: Option<bool>,
    booleans: bool,
    /// Whether every cell would be a number with a comma for the decimal mark.
    comma_numbers: bool,
    /// The first cell that is a number only then.
    comma: Option<(usize, String)>,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            present: false,
            numbers: true,
            text_first: false,
            numbers_below: None,
            booleans: true,
            comma_numbers: true,
            comma: None,
        }
    }
}

impl Profile {
    pub fn see(&mut self, row: usize, text: &str, cells: &CellReader) {
        if cells.is_missing(text) {
            return;
        }
        self.present = true;
        self.booleans = self.booleans && cells.boolean(text).is_some();
        if !self.numbers && !self.comma_numbers && self.numbers_below == Some(false) {
            return;
        }
        let number = cells.number(text).is_some();
        if row == 0 {
            self.text_first = !number;
        } else {
            self.numbers_below = Some(number && self.numbers_below != Some(false));
        }
        self.numbers &= number;
        if number || !self.comma_numbers {
            return;
        }
        self.comma_numbers = decimal_point(text, ',').and_then(|text| parse(&text)).is_some();
        if self.comma_numbers && self.comma.is_none() {
            self.comma = Some((row, text.to_owned()));
        }
    }

    pub fn is_numeric(&self) -> bool {
        self.present && self.numbers
    }

    pub fn starts_with_text(&self) -> bool {
        self.text_first
    }

    pub fn is_numeric_below(&self) -> bool {
        self.numbers_below == Some(true)
    }

    /// # Errors
    /// [`Error::Cell`] when the column is numeric but for commas, and no decimal mark was named.
    pub fn conclude(&self, column: &str, cells: &CellReader) -> Result<Type> {
        if self.numbers {
            return Ok(Type::Numeric);
        }
        if self.booleans {
            return Ok(Type::Boolean);
        }
        match &self.comma {
            Some((row, text)) if self.comma_numbers && cells.decimal.is_none() => Err(Error::Cell {
                row: row + 1,
                column: column.to_owned(),
                found: shortened(text),
                expected: "a number with a decimal point; say that the decimal mark is ',' (a number), or '.' (a text)"
                    .into(),
            }),
            _ => Ok(Type::Text),
        }
    }
}
