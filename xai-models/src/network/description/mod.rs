//! Networks described by a small JSON file, with weights in it or in a file beside it.
//!
//! The form is `docs/schema/network-1.json`; the book's page *Networks from files* explains it. A layer takes its tensors
//! from the file of weights by its own name, as PyTorch's `state_dict` has them: `conv1.weight`, `conv1.bias`. Every
//! tensor must be used, or named as ignored; every key must be known. What does not fit is an error that names the
//! layer, the tensor and both shapes.

mod fields;
mod kinds;
mod layers;
mod tensors;
mod write;

use std::path::Path;

use serde_json::Value;
use xai_core::{Error, Feature, Result};

use super::any::{AnyNetwork, Face, Preparation};
use crate::file::FileKind;
use crate::weights::Weights;
use fields::Fields;
use layers::Builder;
use tensors::{Source, Tensors};
pub use write::write;

/// The name and version of the form.
pub const SCHEMA: &str = "xai/network/1";

/// Reads the description at `path`; its weights lie in the file that it names, relative to its own folder, or in
/// `weights` where that is given.
///
/// # Errors
/// [`Error::Io`]; [`Error::InFile`] around [`Error::Malformed`] and [`Error::Unknown`] for the text, with the most
/// similar key; [`Error::InLayer`] around what does not fit there; those of [`Weights::read`].
pub fn read(path: &Path, weights: Option<&Path>) -> Result<AnyNetwork> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    read_bytes(&bytes, path.parent(), weights).map_err(|error| error.in_file(path))
}

/// Reads the text of a description whose file of weights lies in `folder`, or is `weights`.
///
/// # Errors
/// As [`read`]; [`Error::Parameter`] when the description names a file and there is neither folder nor `weights`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::network::{AnyNetwork, description};
/// let text = br#"{"schema": "xai/network/1", "input": {"shape": [2]}, "layers": [
///     {"name": "sum", "kind": "linear", "weight": [[1, 2]], "bias": [-4]},
///     {"kind": "relu"}
/// ]}"#;
/// let AnyNetwork::Table(loaded) = description::read_bytes(text, None, None)? else { panic!("a table goes in") };
/// assert_eq!(loaded.network.predict(&array![[1.0, 1.0], [1.0, 3.0]])?, array![[0.0], [3.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn read_bytes(bytes: &[u8], folder: Option<&Path>, weights: Option<&Path>) -> Result<AnyNetwork> {
    let value = serde_json::from_slice(bytes).map_err(|error| malformed("the text", error.to_string()))?;
    let mut fields = Fields::of("the top", value)?;
    let schema = fields.text("schema")?;
    let schema = fields.required("schema", schema)?;
    if schema != SCHEMA {
        return Err(Error::unsupported(format!("a description of the form {schema:?}"), format!("{SCHEMA:?} is read")));
    }
    let name = fields.text("name")?;
    let about = fields.text("about")?;
    let input = fields.take("input");
    let input = Input::of(fields.required("input", input)?)?;
    let outputs = fields.texts("outputs")?.unwrap_or_default();
    let mut source = Source::of(fields.take("weights"))?;
    let layers = fields.list("layers")?;
    let layers = fields.required("layers", layers)?;
    fields.end()?;
    let weights = weights_of(&mut source, folder, weights)?;
    let mut builder = Builder::new(&input.shape, Tensors::new(source, weights)?);
    let last = builder.sequence("", "", layers, 0)?;
    let nodes = builder.end()?;
    if last != nodes.len() {
        // Only a last block without layers gives a layer before the last node.
        return Err(malformed("layers", "the last one adds nothing"));
    }
    let mut facts = Vec::new();
    facts.extend(name.map(|name| ("name".to_owned(), name)));
    facts.extend(about.map(|about| ("about".to_owned(), about)));
    let features = input.names.into_iter().map(Feature::numeric).collect();
    let face = Face { features, outputs, preparation: input.preparation, kind: FileKind::NetworkJson, facts };
    AnyNetwork::new(&input.shape, nodes, face)
}

fn weights_of(source: &mut Source, folder: Option<&Path>, weights: Option<&Path>) -> Result<Weights> {
    let path = match (weights, &source.file, folder) {
        (Some(path), ..) => path.to_owned(),
        (None, Some(file), Some(folder)) => folder.join(file),
        (None, Some(file), None) => return Err(Error::parameter("weights", "nothing", format!("the path of {file}"))),
        (None, None, _) => return Ok(Weights::default()),
    };
    let read = Weights::read(&path, source.at.as_deref());
    source.file = Some(path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()));
    read
}

/// What the key `input` says.
struct Input {
    shape: Vec<usize>,
    names: Vec<String>,
    preparation: Preparation,
}

impl Input {
    fn of(value: Value) -> Result<Input> {
        let mut fields = Fields::of("input", value)?;
        let shape = fields.wholes("shape")?;
        let shape = fields.required("shape", shape)?;
        let names = fields.texts("names")?.unwrap_or_default();
        let mean = fields.reals("mean")?.unwrap_or_default();
        let std = fields.reals("std")?.unwrap_or_default();
        fields.end()?;
        if shape.len() != 3 && !(mean.is_empty() && std.is_empty()) {
            let reason = "they prepare images when these are read; put a layer of the kind \"normalize\" first";
            return Err(Error::unsupported("mean and std of an input that is no image", reason));
        }
        let channels = if shape.len() == 3 { shape[0] } else { 0 };
        let preparation = Preparation::new(channels, mean, std)?;
        Ok(Input { shape, names, preparation })
    }
}

fn malformed(at: impl Into<String>, problem: impl Into<String>) -> Error {
    Error::Malformed { format: "network", at: at.into(), problem: problem.into() }
}
