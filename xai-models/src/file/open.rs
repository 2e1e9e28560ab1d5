//! Whatever model a file holds: trees or a network.

use std::path::{Path, PathBuf};

use xai_core::{Error, Result};

use super::{LoadOptions, Loaded, load_bytes_with};
#[cfg(feature = "network")]
use crate::network::AnyNetwork;

/// A model of any kind from a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum AnyModel {
    /// A tree ensemble, which eats tables.
    Trees(Loaded),
    /// A network, which eats tables, series or images.
    #[cfg(feature = "network")]
    Network(AnyNetwork),
    /// A model that only predicts.
    #[cfg(feature = "onnx-any")]
    Opaque(crate::onnx::AnyOpaque),
}

/// How to read a model of any kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// What to read of trees.
    pub trees: LoadOptions,
    /// The file of weights, in place of the one that a network's description names.
    pub weights: Option<PathBuf>,
}

/// Reads the model in the file at `path`, whatever it is.
///
/// # Errors
/// As [`open_with`].
pub fn open(path: &Path) -> Result<AnyModel> {
    open_with(path, &OpenOptions::default())
}

/// Reads the model in the file at `path`, whatever it is, as `options` say. What lies in other files is looked for in the
/// folder of this one.
///
/// # Errors
/// As [`load_with`](super::load_with) for trees; those of [`description::read`](crate::network::description::read) and of
/// [`onnx::read_any`](crate::onnx::read_any) for networks; [`Error::Parameter`] for weights where none are needed.
pub fn open_with(path: &Path, options: &OpenOptions) -> Result<AnyModel> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    opened(&bytes, path, options).map_err(|error| error.in_file(path))
}

fn opened(bytes: &[u8], path: &Path, options: &OpenOptions) -> Result<AnyModel> {
    let kind = super::FileKind::of(bytes)?;
    #[cfg(feature = "network")]
    if kind == super::FileKind::NetworkJson {
        options.trees.refuse_iterations(kind)?;
        let read = crate::network::description::read_bytes(bytes, path.parent(), options.weights.as_deref());
        return read.map(AnyModel::Network);
    }
    if let Some(weights) = &options.weights {
        let expected = format!("nothing: a {kind} file holds its own");
        return Err(Error::parameter("weights", weights.display(), expected));
    }
    #[cfg(all(feature = "network", feature = "onnx"))]
    if kind == super::FileKind::Onnx {
        options.trees.refuse_iterations(kind)?;
        return crate::onnx::read_any(bytes, path.parent());
    }
    let _ = path;
    load_bytes_with(bytes, &options.trees).map(AnyModel::Trees)
}
