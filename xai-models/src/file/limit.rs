//! How large a model a file of some length may describe.

use xai_core::{Error, Result};

/// What a file may make a loader allocate beyond what it holds itself.
///
/// A few bytes of a file can name a large number: of features, outputs or categories. What such a number makes a loader
/// allocate is taken from this budget, so that a broken file ends in an error and not in a full memory.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    entries: u64,
    left: u64,
}

/// The entries that any file may have.
const FLOOR: u64 = 1 << 16;

#[allow(dead_code, reason = "not every loader needs each")]
impl Limit {
    /// The budget of a file of `bytes` bytes: as many entries of a few words each, and a floor for small files.
    pub(crate) fn of(bytes: usize) -> Self {
        let entries = FLOOR + bytes as u64 / 8;
        Limit { entries, left: 16 * entries }
    }

    /// Checks a number of features or outputs that the file only names.
    pub(crate) fn count(&self, what: &str, found: u64) -> Result<usize> {
        match usize::try_from(found) {
            Ok(count) if found <= self.entries => Ok(count),
            _ => Err(Error::TooLarge {
                what: format!("{what} that a file of this length may have"),
                limit: self.entries,
                found,
            }),
        }
    }

    /// Takes `words` of four bytes for a set of categories from the budget.
    pub(crate) fn take(&mut self, words: usize) -> Result<()> {
        match self.left.checked_sub(words as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Error::TooLarge {
                what: "words of category sets that a file of this length may have".to_owned(),
                limit: 16 * self.entries,
                found: 16 * self.entries - self.left + words as u64,
            }),
        }
    }
}
