//! Values for a method's parameters, read from `key=value` texts or JSON and checked against its spec.

use std::collections::BTreeMap;

use xai_core::{Error, Result, Value};

use super::{Kind, Parameter, Spec};
use crate::nearest::nearest;

/// Checked values for the parameters of one method.
///
/// # Example
/// ```
/// use xai::registry::{Kind, Scope, Settings, Spec};
/// let spec = Spec::new("demo", Scope::Local, "a demonstration").parameter("n", Kind::COUNT, 10i64, "how many");
/// assert_eq!(Settings::from_pairs(&spec, ["n=3"]).unwrap().count("n"), Some(3));
/// assert_eq!(Settings::default_of(&spec).count("n"), Some(10));
/// assert!(Settings::from_pairs(&spec, ["n=0"]).is_err());
/// assert!(Settings::from_pairs(&spec, ["m=3"]).is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    values: BTreeMap<String, Value>,
}

impl Settings {
    /// Every parameter at its default.
    pub fn default_of(spec: &Spec) -> Self {
        let defaults = spec.parameters.iter().filter_map(|p| Some((p.name.clone(), p.default.clone()?)));
        Settings { values: defaults.collect() }
    }

    /// Settings from texts of the form `key=value`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that the method does not have; [`Error::Parameter`] for a value of another kind,
    /// a text without `=`, or a key set twice.
    pub fn from_pairs<S: AsRef<str>>(spec: &Spec, pairs: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut settings = Settings::default_of(spec);
        let mut seen = std::collections::BTreeSet::new();
        for pair in pairs {
            let pair = pair.as_ref();
            let (key, text) = pair
                .split_once('=')
                .ok_or_else(|| Error::parameter("set", format!("{pair:?}"), "key=value, such as n_repeats=20"))?;
            let parameter = find(spec, key.trim())?;
            if !seen.insert(parameter.name.as_str()) {
                return Err(Error::parameter(&parameter.name, format!("{text:?}, a second time"), "one value"));
            }
            let value = from_text(parameter, text.trim())?;
            settings.values.insert(parameter.name.clone(), value);
        }
        Ok(settings)
    }

    /// Settings from a JSON object.
    ///
    /// # Errors
    /// As [`Settings::from_pairs`].
    pub fn from_json(spec: &Spec, object: &serde_json::Map<String, serde_json::Value>) -> Result<Self> {
        let mut settings = Settings::default_of(spec);
        for (key, json) in object {
            let parameter = find(spec, key)?;
            let value = match json {
                serde_json::Value::String(text) => from_text(parameter, text)?,
                serde_json::Value::Array(items) => {
                    let words: Option<Vec<&str>> = items.iter().map(serde_json::Value::as_str).collect();
                    from_text(parameter, &words.ok_or_else(|| wrong(parameter, &json.to_string()))?.join(","))?
                }
                other => from_text(parameter, &other.to_string())?,
            };
            settings.values.insert(parameter.name.clone(), value);
        }
        Ok(settings)
    }

    /// A whole number, if set.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.values.get(name) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that counts something, if set.
    pub fn count(&self, name: &str) -> Option<usize> {
        self.int(name).and_then(|value| usize::try_from(value).ok())
    }

    /// A real number, if set.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.values.get(name) {
            Some(Value::Float(value)) => Some(*value),
            _ => None,
        }
    }

    /// True or false; false when not set.
    pub fn flag(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Value::Bool(true))
    }

    /// A word, if set.
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A list of words; empty when not set.
    pub fn words(&self, name: &str) -> Vec<&str> {
        match self.values.get(name) {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn find<'s>(spec: &'s Spec, key: &str) -> Result<&'s Parameter> {
    let normal = key.replace('-', "_");
    spec.parameters.iter().find(|p| p.name == normal).ok_or_else(|| Error::Unknown {
        kind: format!("parameter of {}", spec.name),
        name: key.into(),
        nearest: nearest(&normal, spec.parameters.iter().map(|p| &p.name)),
        known: spec.parameters.iter().map(|p| p.name.clone()).collect(),
    })
}

fn from_text(parameter: &Parameter, text: &str) -> Result<Value> {
    let value = match &parameter.kind {
        Kind::Bool => text.parse().ok().map(Value::Bool),
        Kind::Int { min, max } => text.parse().ok().filter(|i| (*min..=*max).contains(i)).map(Value::Int),
        Kind::Float { min, max } => text.parse().ok().filter(|x| (*min..=*max).contains(x)).map(Value::Float),
        Kind::Choice(words) => words.iter().find(|word| word.eq_ignore_ascii_case(text)).cloned().map(Value::Text),
        Kind::Words => {
            let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            (!words.is_empty()).then(|| words.into())
        }
    };
    value.ok_or_else(|| wrong(parameter, text))
}

fn wrong(parameter: &Parameter, text: &str) -> Error {
    Error::parameter(&parameter.name, format!("{text:?}"), parameter.kind.to_string())
}
