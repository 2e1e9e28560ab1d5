//! The lines of LightGBM's files: a header, a block for each tree, parameters, and what pandas knew.

use std::collections::BTreeMap;
use std::str::FromStr;

use xai_core::Result;

use super::malformed;

/// The parts of a file, as slices of it.
pub(super) struct Text<'a> {
    pub header: Block<'a>,
    pub trees: Vec<Block<'a>>,
    parameters: Vec<(&'a str, &'a str)>,
    /// The line after the parameters that Python's package adds, with its number.
    pub pandas: Option<(usize, &'a str)>,
}

/// Lines `key=value` by key.
#[derive(Default)]
pub(super) struct Block<'a> {
    /// The number of its first line.
    pub line: usize,
    fields: BTreeMap<&'a str, (usize, &'a str)>,
}

impl<'a> Text<'a> {
    /// Cuts a file into its parts.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            malformed(line, "text that is not UTF-8".to_owned())
        })?;
        let mut parts =
            Text { header: Block { line: 1, ..Block::default() }, trees: vec![], parameters: vec![], pandas: None };
        let mut lines =
            text.lines().enumerate().map(|(i, line)| (i + 1, line.trim_end())).filter(|(_, l)| !l.is_empty());
        let mut last = 1;
        let mut ended = false;
        for (number, line) in &mut lines {
            last = number;
            match line.split_once('=') {
                _ if line == "end of trees" => {
                    ended = true;
                    break;
                }
                Some(("Tree", _)) => parts.trees.push(Block { line: number, ..Block::default() }),
                Some((key, value)) => parts.block().insert(key, number, value)?,
                None => parts.block().insert(line, number, "")?,
            }
        }
        if !ended {
            return Err(malformed(last, "the file ends before `end of trees`; it is not whole".to_owned()));
        }
        parts.read_rest(lines)?;
        parts.check_number_of_trees(last)?;
        Ok(parts)
    }

    /// The value of a training parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn block(&mut self) -> &mut Block<'a> {
        self.trees.last_mut().unwrap_or(&mut self.header)
    }

    /// The lines after the trees.
    fn read_rest(&mut self, lines: impl Iterator<Item = (usize, &'a str)>) -> Result<()> {
        let mut opened = None;
        for (number, line) in lines {
            match line {
                "parameters:" => opened = Some(number),
                "end of parameters" => opened = None,
                _ if opened.is_some() => {
                    let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
                    self.parameters.extend(inner.and_then(|line| line.split_once(": ")));
                }
                _ => {
                    if let Some(json) = line.strip_prefix("pandas_categorical:") {
                        self.pandas = Some((number, json));
                    }
                }
            }
        }
        match opened {
            None => Ok(()),
            Some(number) => Err(malformed(number, "parameters without an end; the file is not whole".to_owned())),
        }
    }

    /// The header has the length of every tree, so it tells how many there must be.
    fn check_number_of_trees(&self, last: usize) -> Result<()> {
        match self.header.get("tree_sizes").map(|(_, sizes)| sizes.split_whitespace().count()) {
            Some(n) if n != self.trees.len() => {
                Err(malformed(last, format!("{} trees, where the header has {n}", self.trees.len())))
            }
            _ => Ok(()),
        }
    }
}

impl<'a> Block<'a> {
    fn insert(&mut self, key: &'a str, line: usize, value: &'a str) -> Result<()> {
        match self.fields.insert(key, (line, value)) {
            None => Ok(()),
            Some((first, _)) => Err(malformed(line, format!("{key:?} once more, after line {first}"))),
        }
    }

    /// The value of a key with its line.
    pub fn get(&self, key: &str) -> Option<(usize, &'a str)> {
        self.fields.get(key).copied()
    }

    /// The value of a key that must be there.
    pub fn field(&self, key: &str) -> Result<(usize, &'a str)> {
        self.get(key).ok_or_else(|| malformed(self.line, format!("no line `{key}=` follows")))
    }

    /// The value of a key as one number.
    pub fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let (line, value) = self.field(key)?;
        value.trim().parse().map_err(|_| malformed(line, format!("{value:?} where a number is needed")))
    }

    /// The value of a key as words.
    pub fn words(&self, key: &str) -> Result<Vec<&'a str>> {
        Ok(self.field(key)?.1.split_whitespace().collect())
    }

    /// The value of a key as `n` numbers.
    pub fn numbers<T: FromStr>(&self, key: &str, n: usize) -> Result<Vec<T>> {
        let (line, value) = self.field(key)?;
        let mut numbers = Vec::new();
        for word in value.split_whitespace() {
            let number =
                word.parse().map_err(|_| malformed(line, format!("{key} number {}: {word:?}", numbers.len())))?;
            numbers.push(number);
        }
        if numbers.len() != n {
            return Err(malformed(line, format!("{key} has {} numbers, where {n} are needed", numbers.len())));
        }
        Ok(numbers)
    }
}
