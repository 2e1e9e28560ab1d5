//! Which of a model's categories a cell is.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::{Column, Values};

/// What becomes of a category that was not there when a model or an encoder was fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// An error that names row, column and the known categories.
    #[default]
    Refuse,
    /// A missing value: NaN.
    Missing,
    /// A category like no other: the code after the last one, or zeros in all columns of a one-hot group.
    Unseen,
}

/// Known categories, ready to be looked up.
pub(super) struct Known<'a> {
    categories: &'a [String],
    exact: HashMap<&'a str, usize>,
    /// By text without surrounding space; `None` where two categories share it.
    trimmed: HashMap<&'a str, Option<usize>>,
    /// By the bits of the number that the text spells; `None` where two categories share it.
    numbers: HashMap<u64, Option<usize>>,
}

impl<'a> Known<'a> {
    pub fn new(categories: &'a [String]) -> Self {
        let mut known = Known { categories, exact: HashMap::new(), trimmed: HashMap::new(), numbers: HashMap::new() };
        for (index, text) in categories.iter().enumerate() {
            known.exact.entry(text).or_insert(index);
            known.trimmed.entry(text.trim()).and_modify(|slot| *slot = None).or_insert(Some(index));
            if let Some(number) = spelt_number(text) {
                known.numbers.entry(bits(number)).and_modify(|slot| *slot = None).or_insert(Some(index));
            }
        }
        known
    }

    /// Whether every category spells a number.
    pub fn all_numbers(&self) -> bool {
        self.categories.iter().all(|text| spelt_number(text).is_some())
    }

    /// The category that `text` is: letter by letter, else without surrounding space.
    pub fn find_text(&self, text: &str) -> Option<usize> {
        let exact = self.exact.get(text).copied();
        exact.or_else(|| self.trimmed.get(text.trim()).copied().flatten())
    }

    /// The one category that spells `number`, such as `3`, `3.0` or `03`.
    pub fn find_number(&self, number: f64) -> Option<usize> {
        self.numbers.get(&bits(number)).copied().flatten()
    }

    /// The category that is `value` as text in any case, else as 0 or 1.
    pub fn find_bool(&self, value: bool) -> Option<usize> {
        let mut alike = (0..self.categories.len())
            .filter(|&index| self.categories[index].trim().eq_ignore_ascii_case(if value { "true" } else { "false" }));
        match (alike.next(), alike.next()) {
            (Some(index), None) => Some(index),
            (None, _) => self.find_number(if value { 1.0 } else { 0.0 }),
            (Some(_), Some(_)) => None,
        }
    }

    /// The category of every row of `column`: `Some(Ok(index))`, `Some(Err(()))` when there is none, `None` when missing.
    pub fn find_all(&self, column: &Column) -> Vec<Option<std::result::Result<usize, ()>>> {
        let found = |index: Option<usize>| Some(index.ok_or(()));
        match &column.values {
            Values::Numeric(values) => {
                values.iter().map(|&x| if x.is_nan() { None } else { found(self.find_number(x)) }).collect()
            }
            Values::Boolean(values) => {
                let places = [false, true].map(|value| self.find_bool(value));
                values.iter().map(|value| found(places[usize::from((*value)?)])).collect()
            }
            Values::Categorical { codes, categories } => {
                let places: Vec<_> = categories.iter().map(|text| self.find_text(text)).collect();
                codes.iter().map(|&code| found(*places.get(code as usize)?)).collect()
            }
        }
    }
}

/// The finite number that the whole text spells.
pub(super) fn spelt_number(text: &str) -> Option<f64> {
    let text = text.trim();
    // "inf", "infinity" and "nan" are words here, whatever the standard library says.
    let starts = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts {
        return None;
    }
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

/// One pattern for 0.0 and −0.0.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

/// Says that a cell is none of `categories`.
pub(super) fn unknown_category(column: &Column, row: usize, categories: &[String]) -> Error {
    cell(column, row, format!("one of the known categories {}", listed(categories)))
}

pub(super) fn cell(column: &Column, row: usize, expected: impl Into<String>) -> Error {
    Error::Cell {
        row: row + 1,
        column: column.name.clone(),
        found: column.text(row).map_or_else(|| "a missing cell".to_owned(), |text| shortened(&text)),
        expected: expected.into(),
    }
}

/// A cell as an error shows it: nobody reads ten thousand letters.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn listed(categories: &[String]) -> String {
    const MOST: usize = 20;
    let names: Vec<String> = categories.iter().take(MOST).map(|name| format!("{:?}", shortened(name))).collect();
    let more = categories.len().saturating_sub(MOST);
    format!("{}{}", names.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
}

/// The numbers of a column, for a model that wants a number there.
///
/// # Errors
/// [`Error::Cell`] for the first text that spells no number.
pub(super) fn numbers(column: &Column) -> Result<Vec<f64>> {
    match &column.values {
        Values::Numeric(values) => Ok(values.clone()),
        Values::Boolean(values) => Ok(values.iter().map(|v| v.map_or(f64::NAN, |v| f64::from(u8::from(v)))).collect()),
        Values::Categorical { codes, categories } => {
            // Part of a text column may hold nothing but numbers.
            let spelt: Vec<_> = categories.iter().map(|text| spelt_number(text)).collect();
            let number = |(row, &code): (usize, &u32)| match spelt.get(code as usize) {
                None => Ok(f64::NAN),
                Some(Some(number)) => Ok(*number),
                Some(None) => Err(cell(column, row, "a number, as the model needs it here")),
            };
            codes.iter().enumerate().map(number).collect()
        }
    }
}
