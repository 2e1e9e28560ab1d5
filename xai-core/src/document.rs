//! The versioned JSON form.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Attribution, Effects, Explanation, Importance, Inside, Interactions, League, Output, Provenance};

/// Any result, with the name and version of its form in the field `schema`.
///
/// This is what is written to and read from files; `docs/schema/` holds a JSON Schema for each form. A reader of
/// version 1 reads every later document of version 1: fields may be added, none is taken away or changes its meaning.
///
/// # Example
/// ```
/// use xai_core::{Document, Importance, Provenance, Run};
/// let importance = Importance {
///     provenance: Provenance::new("permutation-importance", &Run::default()),
///     features: vec![], outputs: vec![], values: ndarray::Array2::zeros((0, 0)),
///     spread: None, repeats: None, base: None,
/// };
/// let json = serde_json::to_string(&Document::from(importance)).unwrap();
/// assert!(json.starts_with(r#"{"schema":"xai/importance/1","#));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema")]
#[non_exhaustive]
pub enum Document {
    /// Shares of scores.
    #[serde(rename = "xai/attribution/1")]
    Attribution(Attribution),
    /// Shares of scores for sets of players.
    #[serde(rename = "xai/interactions/1")]
    Interactions(Interactions),
    /// How much features matter.
    #[serde(rename = "xai/importance/1")]
    Importance(Importance),
    /// Response curves.
    #[serde(rename = "xai/effects/1")]
    Effects(Effects),
    /// What the layers of a model hold and put out.
    #[serde(rename = "xai/inside/1")]
    Inside(Inside),
    /// What a contest of methods found.
    #[serde(rename = "xai/league/1")]
    League(League),
    /// Scores and predictions, without an explanation.
    #[serde(rename = "xai/prediction/1")]
    Prediction(Prediction),
}

/// What a model says of each sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// How it was made.
    pub provenance: Provenance,
    /// What the scores are: (output).
    pub outputs: Vec<Output>,
    /// The scores, before the link: (sample, output).
    #[serde(with = "crate::nested")]
    pub scores: Array2<f64>,
    /// What is predicted, after the link: (sample, output).
    #[serde(with = "crate::nested")]
    pub predictions: Array2<f64>,
}

impl Explanation for Prediction {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl Explanation for Document {
    fn provenance(&self) -> &Provenance {
        match self {
            Document::Attribution(e) => &e.provenance,
            Document::Interactions(e) => &e.provenance,
            Document::Importance(e) => &e.provenance,
            Document::Effects(e) => &e.provenance,
            Document::Inside(e) => &e.provenance,
            Document::League(e) => &e.provenance,
            Document::Prediction(e) => &e.provenance,
        }
    }
}

macro_rules! document_from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Document {
            fn from(explanation: $kind) -> Self {
                Document::$kind(explanation)
            }
        }
    )*};
}
document_from!(Attribution, Interactions, Importance, Effects, Inside, League, Prediction);
