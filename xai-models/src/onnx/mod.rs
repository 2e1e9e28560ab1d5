//! ONNX files: tree ensembles as scikit-learn's converter (skl2onnx) writes them, and networks (`network/`).
//!
//! Of tree ensembles:
//!
//! | operator (domain ai.onnx.ml) | how it is read |
//! |---|---|
//! | `TreeEnsembleRegressor` | sums or averages plus `base_values` |
//! | `TreeEnsembleClassifier` | one score a class; of two classes with one weight a leaf, one score: the second class |
//! | `TreeEnsemble` (version 5) | as a regressor |
//! | `Cast`, `Identity`, `ZipMap`, `Normalizer` (L1) around it | understood where they leave the scores as they are |
//! | anything else | refused by name |
//!
//! Two things differ from the scikit-learn model that was converted, and are as ONNX Runtime has them: thresholds and
//! weights are rounded to `f32`, and missing values go the way that the file says, which is not always the way that
//! scikit-learn's trees learnt. A file holds no covers: see [`with_covers`](crate::trees::with_covers).

mod attributes;
mod classic;
mod forest;
mod graph;
#[cfg(feature = "network")]
mod network;
mod newer;
#[cfg(feature = "onnx-any")]
mod opaque;
mod proto;
mod scores;

#[cfg(feature = "onnx-any")]
pub use opaque::{AnyOpaque, LoadedOpaque, Opaque};
use prost::Message;
use xai_core::{Error, Feature, Result};

use crate::file::{FileKind, Limit, Loaded};
use crate::trees::TreeModel;
use attributes::Attributes;
use forest::Face;
use graph::TreeGraph;
use proto::ModelProto;
use scores::Scores;

/// The name of the format in errors.
const FORMAT: &str = "ONNX";

/// A model from the bytes of an ONNX file.
///
/// # Errors
/// [`Error::Malformed`] with the place in the file, also for trees that run in a circle; [`Error::Unsupported`] naming
/// the operator, mode, transformation or aggregation that cannot be served; [`Error::TooLarge`].
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let file = ModelProto::decode(bytes).map_err(|error| malformed("protobuf", error.to_string()))?;
    let graph = file.graph.as_ref().ok_or_else(|| malformed("the top", "no graph".into()))?;
    let found = TreeGraph::of(graph)?;
    let limit = Limit::of(bytes.len());
    let scores = Scores::of(found.operator, &Attributes::of(found.node), &limit)?;
    if found.normalised {
        scores::check_shares(&scores)?;
    }
    let named = forest::n_features(&scores.trees);
    let n_features = limit.count("features", found.n_features.unwrap_or(named))?;
    let face = Face { n_features, base: scores.base, link: scores.link, single: found.single, scale: scores.scale };
    let trees = forest::ensemble(&scores.trees, face, &limit)?;
    let model = TreeModel::new(trees, Feature::unnamed(n_features), scores.outputs)?;
    let mut facts = vec![("operator".to_owned(), found.node.op_type.clone())];
    if !file.producer_name.is_empty() {
        facts.push(("made by".to_owned(), format!("{} {}", file.producer_name, file.producer_version)));
    }
    facts.push(("covers".to_owned(), "not in the file; recompute them from background rows".to_owned()));
    Ok(Loaded::new(FileKind::Onnx, model, facts))
}

/// A tree ensemble or a network from the bytes of an ONNX file; tensors that it keeps in other files lie in `folder`.
///
/// # Errors
/// As [`read`] for tree ensembles. For networks [`Error::Malformed`]; [`Error::Unsupported`] with the name of the operator
/// and of its node; [`Error::InLayer`] for what does not fit there; [`Error::TooLarge`]; [`Error::Io`]. With the feature
/// `onnx-any`, what is unsupported as a network comes as a model that only predicts, if it can be run at all.
#[cfg(feature = "network")]
pub fn read_any(bytes: &[u8], folder: Option<&std::path::Path>) -> Result<crate::file::AnyModel> {
    use crate::file::AnyModel;
    let file = ModelProto::decode(bytes).map_err(|error| malformed("protobuf", error.to_string()))?;
    let trees = |node: &proto::NodeProto| node.op_type.starts_with("TreeEnsemble");
    match file.graph.as_ref().is_some_and(|graph| graph.node.iter().any(trees)) {
        true => read(bytes).map(AnyModel::Trees),
        false => match network::read(&file, bytes.len(), folder) {
            #[cfg(feature = "onnx-any")]
            Err(refusal) if is_refusal(&refusal) => opaque::read(bytes, Some(&refusal)).map(AnyModel::Opaque),
            found => found.map(AnyModel::Network),
        },
    }
}

/// A model from the bytes of an ONNX file that is only run, also where it could be differentiated.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::Unsupported`] for what cannot be run; [`Error::TooLarge`].
#[cfg(feature = "onnx-any")]
pub fn read_opaque(bytes: &[u8]) -> Result<AnyOpaque> {
    opaque::read(bytes, None)
}

/// Whether the file is sound and its operators are those that cannot be served.
#[cfg(feature = "onnx-any")]
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Unsupported { .. } => true,
        Error::InLayer { source, .. } => is_refusal(source),
        _ => false,
    }
}

fn malformed(at: impl Into<String>, problem: String) -> Error {
    Error::Malformed { format: FORMAT, at: at.into(), problem }
}
