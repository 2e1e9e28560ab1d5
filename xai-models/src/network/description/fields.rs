//! The keys of JSON objects, taken one by one, so that a key that nobody knows is found out.

use serde_json::{Map, Value};
use xai_core::{Error, Result};

use super::malformed;

/// The keys of an object that are not yet taken.
pub(super) struct Fields {
    /// Where the object stands, for errors.
    at: String,
    map: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// # Errors
    /// [`Error::Malformed`] when `value` is no object.
    pub fn of(at: impl Into<String>, value: Value) -> Result<Fields> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Fields { at, map, known: Vec::new() }),
            other => Err(malformed(at, format!("{} where an object is needed", kind(&other)))),
        }
    }

    /// Where a key stands, for errors.
    pub fn at(&self, key: &str) -> String {
        format!("{}, {key}", self.at)
    }

    /// Where the object is said to stand from now on.
    pub fn rename(&mut self, at: String) {
        self.at = at;
    }

    /// The value of a key, as it is; `null` counts as nothing.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.map.remove(key).filter(|value| !value.is_null())
    }

    pub fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        self.read(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub fn real(&mut self, key: &'static str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    pub fn whole(&mut self, key: &'static str) -> Result<Option<usize>> {
        self.read(key, "a whole number", whole)
    }

    pub fn wholes(&mut self, key: &'static str) -> Result<Option<Vec<usize>>> {
        self.read(key, "a list of whole numbers", |value| value.as_array()?.iter().map(whole).collect())
    }

    pub fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>> {
        let texts = |value: &Value| value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect();
        self.read(key, "a list of texts", texts)
    }

    pub fn reals(&mut self, key: &'static str) -> Result<Option<Vec<f64>>> {
        self.read(key, "a list of numbers", |value| value.as_array()?.iter().map(Value::as_f64).collect())
    }

    /// One number for each of `axes` axes: a list of as many, or one number for all.
    pub fn per_axis(&mut self, key: &'static str, axes: usize) -> Result<Option<Vec<usize>>> {
        let expected = format!("a whole number or a list of {axes}");
        self.read(key, &expected, |value| match value {
            Value::Array(list) if list.len() == axes => list.iter().map(whole).collect(),
            other => whole(other).map(|n| vec![n; axes]),
        })
    }

    /// Two numbers, before and after, for each of `axes` axes; one number stands for both.
    pub fn both_sides(&mut self, key: &'static str, axes: usize) -> Result<Option<Vec<[usize; 2]>>> {
        let expected = format!("a whole number, or for each of {axes} axes one or two ([before, after])");
        let sides = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([before, after]) => Some([whole(before)?, whole(after)?]),
            Some(_) => None,
            None => whole(value).map(|n| [n; 2]),
        };
        self.read(key, &expected, |value| match value {
            Value::Array(list) if list.len() == axes => list.iter().map(sides).collect(),
            other => whole(other).map(|n| vec![[n; 2]; axes]),
        })
    }

    /// Whether the key holds the text `same`, which it then loses.
    pub fn take_same(&mut self, key: &'static str) -> bool {
        let same = self.map.get(key).is_some_and(|value| value.as_str() == Some("same"));
        if same {
            self.take(key);
        }
        same
    }

    pub fn list(&mut self, key: &'static str) -> Result<Option<Vec<Value>>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(malformed(self.at(key), format!("{} where a list is needed", kind(&other)))),
        }
    }

    /// # Errors
    /// [`Error::Malformed`] when there is nothing.
    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| malformed(&self.at, format!("the key {key:?} is missing")))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that was not asked for.
    pub fn end(self) -> Result<()> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known: Vec<String> = self.known.iter().map(|&key| key.to_owned()).collect();
                Err(unknown(format!("key of {}", self.at), name, known))
            }
        }
    }

    fn read<T>(&mut self, key: &'static str, expected: &str, as_it: impl Fn(&Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match as_it(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(malformed(self.at(key), format!("{} where {expected} is needed", kind(&value)))),
        }
    }
}

/// A name that is not there, with the one that is most like it.
pub(super) fn unknown(kind: impl Into<String>, name: &str, known: Vec<String>) -> Error {
    const LIKE: f64 = 0.7;
    let likeness = |other: &&String| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let nearest = known.iter().filter(|other| likeness(other) >= LIKE);
    let nearest = nearest.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).cloned();
    Error::Unknown { kind: kind.into(), name: name.to_owned(), nearest, known }
}

fn whole(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}
