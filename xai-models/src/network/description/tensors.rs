//! The tensors of a file of weights under the names that a description gives them, each used or ignored.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{ArrayD, IxDyn};
use serde_json::Value;
use xai_core::{Error, Result};

use super::fields::{Fields, unknown};
use super::malformed;
use crate::weights::Weights;

/// What the key `weights` says.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// The file, beside the description.
    pub file: Option<String>,
    /// The dictionary of a PyTorch checkpoint.
    pub at: Option<String>,
    /// Beginnings of names, and what takes their place.
    rename: Vec<(String, String)>,
    /// Names of tensors that the network has no use for; one `*` stands for anything.
    ignore: Vec<String>,
}

impl Source {
    pub fn of(value: Option<Value>) -> Result<Source> {
        let value = match value {
            None => return Ok(Source::default()),
            Some(Value::String(file)) => return Ok(Source { file: Some(file), ..Source::default() }),
            Some(value) => value,
        };
        let mut fields = Fields::of("weights", value)?;
        let file = fields.text("file")?;
        let at = fields.text("at")?;
        let mut rename = Vec::new();
        if let Some(Value::Object(map)) = fields.take("rename") {
            for (from, to) in map {
                let Value::String(to) = to else {
                    return Err(malformed(fields.at("rename"), format!("{from:?} becomes something that is no text")));
                };
                rename.push((from, to));
            }
        }
        // The longest beginning counts, so that their order does not.
        rename.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        let ignore = fields.texts("ignore")?.unwrap_or_default();
        fields.end()?;
        Ok(Source { file, at, rename, ignore })
    }

    fn renamed(&self, name: &str) -> String {
        let changed = self.rename.iter().find_map(|(from, to)| name.strip_prefix(from.as_str()).map(|rest| (to, rest)));
        changed.map_or_else(|| name.to_owned(), |(to, rest)| format!("{to}{rest}"))
    }

    fn ignores(&self, name: &str) -> bool {
        let known = ["*.num_batches_tracked", "num_batches_tracked"];
        self.ignore.iter().map(String::as_str).chain(known).any(|pattern| match pattern.split_once('*') {
            None => pattern == name,
            Some((start, end)) => {
                name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            }
        })
    }
}

/// The tensors of a network.
pub(super) struct Tensors {
    source: Source,
    by_name: BTreeMap<String, ArrayD<f32>>,
    used: BTreeSet<String>,
}

impl Tensors {
    /// # Errors
    /// [`Error::Parameter`] when two tensors get one name.
    pub fn new(source: Source, weights: Weights) -> Result<Tensors> {
        let mut by_name = BTreeMap::new();
        for (name, tensor) in weights.tensors {
            let name = source.renamed(&name);
            if by_name.insert(name.clone(), tensor).is_some() {
                return Err(Error::parameter("rename", name, "names that stay different"));
            }
        }
        Ok(Tensors { source, by_name, used: BTreeSet::new() })
    }

    /// The tensor called `name`, if it is there.
    pub fn find(&mut self, name: &str) -> Option<ArrayD<f32>> {
        let tensor = self.by_name.get(name)?.clone();
        self.used.insert(name.to_owned());
        Some(tensor)
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the most similar name.
    pub fn get(&mut self, name: &str) -> Result<ArrayD<f32>> {
        self.find(name).ok_or_else(|| {
            let kind = match &self.source.file {
                Some(file) => format!("tensor of {file}"),
                None => "tensor (the description names no file of weights)".to_owned(),
            };
            let unused = |name: &&String| !self.used.contains(*name) && !self.source.ignores(name);
            unknown(kind, name, self.by_name.keys().filter(unused).cloned().collect())
        })
    }

    /// Checks that every tensor was used or is ignored.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the names of the others.
    pub fn end(&self) -> Result<()> {
        const SHOWN: usize = 6;
        let unused = |name: &&String| !self.used.contains(*name) && !self.source.ignores(name);
        let left: Vec<&str> = self.by_name.keys().filter(unused).map(String::as_str).collect();
        if left.is_empty() {
            return Ok(());
        }
        let more = left.len().saturating_sub(SHOWN);
        let mut names = left[..left.len() - more].join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        let expected = "a layer that uses each of them, or their names under \"ignore\"";
        Err(Error::parameter("tensors that no layer uses", names, expected))
    }
}

/// Nested lists of numbers in JSON as an array.
///
/// # Errors
/// [`Error::Malformed`] when they are ragged or hold something else.
pub(super) fn inline(at: &str, value: &Value) -> Result<ArrayD<f32>> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(list) = inner {
        shape.push(list.len());
        match list.first() {
            Some(first) => inner = first,
            None => break,
        }
    }
    let mut values = Vec::new();
    fill(at, value, &shape, &mut values)?;
    ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|error| malformed(at, error.to_string()))
}

fn fill(at: &str, value: &Value, shape: &[usize], values: &mut Vec<f32>) -> Result<()> {
    match (value, shape) {
        (Value::Number(number), []) => {
            values.push(number.as_f64().unwrap_or(f64::NAN) as f32);
            Ok(())
        }
        (Value::Array(list), [length, inner @ ..]) if list.len() == *length => {
            list.iter().try_for_each(|value| fill(at, value, inner, values))
        }
        _ => Err(malformed(at, "lists of different lengths, or something that is no number")),
    }
}
