//! A model from a file, whatever library wrote it.
//!
//! | kind | Cargo feature | loader |
//! |---|---|---|
//! | XGBoost JSON, UBJSON | `xgboost` | `xgboost/` |
//! | LightGBM text | `lightgbm` | `lightgbm/` |
//! | CatBoost JSON | `catboost` | `catboost/` |
//! | ONNX-ML tree ensembles | `onnx` | `onnx/` |
//! | networks: descriptions in JSON, ONNX | `network`, `onnx` | `network/description/`, `onnx/network/` |
//!
//! The kind is found from the content, never from the name. A loader refuses what it does not support, by name; it
//! never gives a model that only roughly does what the file says. What it allocates is bounded by a small multiple of
//! the file's length, and what the file nests deeply is refused.

mod kind;
mod limit;
mod open;

use std::ops::Range;
use std::path::Path;

use xai_core::{Error, Result, TreeStructured};

pub use kind::FileKind;
#[allow(unused_imports, reason = "a build without loaders reads nothing")]
pub(crate) use limit::Limit;
pub use open::{AnyModel, OpenOptions, open, open_with};

use crate::trees::TreeModel;

/// A model with what its file says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The model.
    pub model: TreeModel,
    /// What the file is.
    pub kind: FileKind,
    /// What a model card says, in this order: name and value. Where the file knows them: `file`, `library`, `version`,
    /// `booster`, `objective`, `base score`, `best iteration`, `covers`, `note`, `trees left out`; always `features`,
    /// `outputs`, `trees`, `deepest tree`, `leaves`.
    pub facts: Vec<(String, String)>,
}

/// What to read of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The boosting iterations to keep, from 0; all when `None`. XGBoost and LightGBM only.
    ///
    /// `0..best + 1` gives what scikit-learn's wrapper of XGBoost predicts after early stopping, where `best` is the
    /// fact `best iteration`; `None` gives what the library's own `Booster.predict` does.
    pub iterations: Option<Range<usize>>,
}

/// Reads the model in the file at `path`.
///
/// # Cost
/// One pass over the file, which is held in memory.
///
/// # Errors
/// [`Error::InFile`] around those of [`load_bytes`]; [`Error::Io`].
pub fn load(path: &Path) -> Result<Loaded> {
    load_with(path, &LoadOptions::default())
}

/// Reads the model in the file at `path` as `options` say.
///
/// # Errors
/// As [`load`], and [`Error::Parameter`] for iterations that the model does not have.
pub fn load_with(path: &Path, options: &LoadOptions) -> Result<Loaded> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    load_bytes_with(&bytes, options).map_err(|error| error.in_file(path))
}

/// Reads a model from the content of its file.
///
/// # Errors
/// [`Error::Unsupported`] for a kind of file that is recognised and not read, for a Cargo feature that is off, and for
/// a model that a loader refuses; [`Error::Malformed`] for content that is nothing known or that breaks its format;
/// [`Error::TooLarge`].
///
/// # Example
/// ```
/// let error = xai_models::file::load_bytes(b"hello").unwrap_err();
/// assert!(error.to_string().contains("XGBoost"));
/// ```
pub fn load_bytes(bytes: &[u8]) -> Result<Loaded> {
    load_bytes_with(bytes, &LoadOptions::default())
}

/// Reads a model from the content of its file as `options` say.
///
/// # Errors
/// As [`load_bytes`], and [`Error::Parameter`] for iterations that the model does not have.
#[allow(unused_variables, reason = "a build without loaders reads nothing")]
pub fn load_bytes_with(bytes: &[u8], options: &LoadOptions) -> Result<Loaded> {
    let kind = FileKind::of(bytes)?;
    match kind {
        #[cfg(feature = "xgboost")]
        FileKind::XgboostJson => crate::xgboost::load_json(bytes, options),
        #[cfg(feature = "xgboost")]
        FileKind::XgboostUbjson => crate::xgboost::load_ubjson(bytes, options),
        #[cfg(feature = "lightgbm")]
        FileKind::LightgbmText => crate::lightgbm::load(bytes, options),
        #[cfg(feature = "catboost")]
        FileKind::CatboostJson => options.refuse_iterations(kind).and_then(|()| crate::catboost::read(bytes)),
        #[cfg(feature = "onnx")]
        FileKind::Onnx => options.refuse_iterations(kind).and_then(|()| crate::onnx::read(bytes)),
        #[cfg(feature = "network")]
        FileKind::NetworkJson => {
            Err(Error::unsupported("a network where a model of trees is needed", "`file::open` reads networks too"))
        }
        #[allow(unreachable_patterns, reason = "with all features on, each kind has its loader")]
        _ => Err(Error::unsupported(
            kind.to_string(),
            format!("this program was built without the feature `{}` of xai-models", kind.feature()),
        )),
    }
}

impl Loaded {
    /// A model read from a file of `kind`, whose own `facts` come first; the size of the trees follows.
    pub fn new(kind: FileKind, model: TreeModel, facts: Vec<(String, String)>) -> Self {
        let trees = model.trees();
        let deepest = (0..trees.n_trees()).map(|tree| trees.depth(tree)).max().unwrap_or(0);
        let leaves = (0..trees.n_nodes()).filter(|&node| trees.is_leaf(node)).count();
        let sizes = [
            ("features", trees.n_features),
            ("outputs", trees.n_outputs),
            ("trees", trees.n_trees()),
            ("deepest tree", deepest),
            ("leaves", leaves),
        ];
        let mut all = vec![("file".to_owned(), kind.to_string())];
        all.extend(facts);
        all.extend(sizes.map(|(name, value)| (name.to_owned(), value.to_string())));
        Loaded { model, kind, facts: all }
    }

    /// The value of the fact called `name`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl LoadOptions {
    /// The iterations to keep of `n`.
    #[allow(dead_code, reason = "used by the loaders that know iterations")]
    pub(crate) fn iterations_of(&self, n: usize) -> Result<Range<usize>> {
        match &self.iterations {
            None => Ok(0..n),
            Some(range) if range.start <= range.end && range.end <= n => Ok(range.clone()),
            Some(range) => Err(Error::parameter("iterations", format!("{range:?}"), format!("a range within 0..{n}"))),
        }
    }

    /// Refuses a choice of iterations for a kind of file that does not record them.
    #[allow(dead_code, reason = "used by the loaders that know no iterations")]
    pub(crate) fn refuse_iterations(&self, kind: FileKind) -> Result<()> {
        match self.iterations {
            None => Ok(()),
            Some(_) => Err(Error::unsupported(format!("a choice of iterations of a {kind} file"), "load it whole")),
        }
    }
}
