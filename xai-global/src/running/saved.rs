//! The versioned form of a running aggregate in a file.

use serde::{Deserialize, Serialize};
use xai_core::{Feature, Output, Provenance};

use super::cell::Cell;
use super::{Known, MOST_CELLS, Running};

/// The name and version of the form.
#[derive(Serialize, Deserialize)]
enum Schema {
    #[serde(rename = "xai/running/1")]
    One,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    schema: Schema,
    n_samples: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    provenance: Option<Provenance>,
    features: Vec<Feature>,
    outputs: Vec<Output>,
    /// (feature, output), the features outside.
    cells: Vec<Cell>,
}

impl From<Running> for Saved {
    fn from(running: Running) -> Self {
        let n_samples = running.n_samples;
        match running.known {
            None => Saved {
                schema: Schema::One,
                n_samples,
                provenance: None,
                features: Vec::new(),
                outputs: Vec::new(),
                cells: Vec::new(),
            },
            Some(Known { mut provenance, features, outputs, cells }) => {
                // The one order that does not tell which batch came first.
                provenance.notes.sort();
                Saved { schema: Schema::One, n_samples, provenance: Some(provenance), features, outputs, cells }
            }
        }
    }
}

impl TryFrom<Saved> for Running {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let Saved { schema: Schema::One, n_samples, provenance, features, outputs, cells } = saved;
        let expected = features.len().saturating_mul(outputs.len());
        if cells.len() != expected || cells.len() as u64 > MOST_CELLS {
            return Err(format!("{} cells where {expected} are expected, at most {MOST_CELLS}", cells.len()));
        }
        if let Some(place) = cells.iter().position(|cell| !cell.is_of(n_samples)) {
            return Err(format!("cell {place} does not speak of {n_samples} samples"));
        }
        match provenance {
            Some(provenance) if n_samples > 0 => {
                Ok(Running { n_samples, known: Some(Known { provenance, features, outputs, cells }) })
            }
            None if n_samples == 0 && cells.is_empty() => Ok(Running::default()),
            _ => Err("samples without an account of how they were explained, or the other way round".into()),
        }
    }
}
