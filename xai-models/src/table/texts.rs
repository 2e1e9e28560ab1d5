//! A column of texts that grows cell by cell.

use std::collections::{HashMap, HashSet};

use super::{MISSING, Values};

/// Texts as codes: either in the order of their first appearance, or those of known categories.
#[derive(Default)]
pub(super) struct Texts {
    codes: Vec<u32>,
    known: HashMap<Box<str>, u32>,
    categories: Option<Vec<String>>,
}

impl Texts {
    /// A column whose texts are all among `categories`, sorted; `None` when they are not known.
    pub fn among(categories: Option<Vec<String>>) -> Self {
        let code = |(code, text): (usize, &String)| (text.as_str().into(), code as u32);
        let known = categories.iter().flatten().enumerate().map(code).collect();
        Texts { codes: Vec::new(), known, categories }
    }

    /// Adds a cell, `None` where it is missing; says whether its text may be here.
    #[must_use]
    pub fn push(&mut self, text: Option<&str>) -> bool {
        let code = match text {
            None => MISSING,
            Some(text) => match self.known.get(text) {
                Some(&code) => code,
                None if self.categories.is_some() => return false,
                None => {
                    let next = self.known.len() as u32;
                    self.known.insert(text.into(), next);
                    next
                }
            },
        };
        self.codes.push(code);
        true
    }

    pub fn reserve(&mut self, n_rows: usize) {
        self.codes.reserve(n_rows);
    }

    /// The cells so far, with their categories in the order of their code points; the column starts anew.
    pub fn take(&mut self) -> Values {
        let codes = std::mem::take(&mut self.codes);
        match &self.categories {
            Some(categories) => Values::Categorical { codes, categories: categories.clone() },
            None => super::column::sorted(codes, std::mem::take(&mut self.known)),
        }
    }
}

/// As many texts as a column may have, and as many bytes in them, to be known before its cells are read.
const MOST_TEXTS: usize = 1 << 14;
const MOST_BYTES: usize = 1 << 22;

/// The distinct texts of a column, while they are few: enough to find the levels that a model was fitted to, and
/// bounded where a column holds names or keys.
#[derive(Default)]
pub(super) struct Distinct {
    texts: HashSet<Box<str>>,
    n_bytes: usize,
    many: bool,
}

impl Distinct {
    pub fn see(&mut self, text: &str) {
        if self.many || self.texts.contains(text) {
            return;
        }
        self.n_bytes += text.len();
        self.many = self.texts.len() >= MOST_TEXTS || self.n_bytes > MOST_BYTES;
        if self.many {
            self.texts = HashSet::new();
        } else {
            self.texts.insert(text.into());
        }
    }

    #[cfg(feature = "parquet")]
    pub fn are_many(&self) -> bool {
        self.many
    }

    /// The texts in the order of their code points; `None` when they are too many to hold.
    pub fn sorted(self) -> Option<Vec<String>> {
        let mut texts: Vec<String> = self.texts.into_iter().map(str::into_string).collect();
        texts.sort_unstable();
        (!self.many).then_some(texts)
    }
}
