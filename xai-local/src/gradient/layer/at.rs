//! Which layer.

use std::fmt;

use serde::{Deserialize, Serialize};
use xai_core::layers::layer_named;
use xai_core::{Error, Layer, Result};

/// A layer by its name or its place.
///
/// # Example
/// ```
/// use xai_local::gradient::layer::At;
/// assert_eq!(At::from("conv1").to_string(), "conv1");
/// assert_eq!(At::from(3).to_string(), "3");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum At {
    /// The place among [`Layered::layers`](xai_core::Layered::layers).
    Index(usize),
    /// The name.
    Name(String),
}

impl At {
    /// The place of the layer.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the names that there are; [`Error::Parameter`] for a place beyond the last.
    pub fn place(&self, layers: &[Layer]) -> Result<usize> {
        match self {
            At::Name(name) => layer_named(layers, name),
            At::Index(index) if *index < layers.len() => Ok(*index),
            At::Index(index) => Err(Error::parameter("layer", index, format!("a place below {}", layers.len()))),
        }
    }
}

impl From<&str> for At {
    fn from(name: &str) -> Self {
        At::Name(name.into())
    }
}

impl From<String> for At {
    fn from(name: String) -> Self {
        At::Name(name)
    }
}

impl From<usize> for At {
    fn from(index: usize) -> Self {
        At::Index(index)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Name(name) => name.fmt(f),
            At::Index(index) => index.fmt(f),
        }
    }
}
