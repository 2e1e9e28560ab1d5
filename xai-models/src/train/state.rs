//! Checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use serde::Deserialize;
use xai_core::{Error, Result};

/// Where a training stands: what [`Training::resume`](super::Training::resume) needs to go on as if it had never stopped.
///
/// As a file it is safetensors, which other tools read: parameters as `layer.weight`, the running statistics of norms as
/// `layer.running_mean` and `layer.running_var`, what the optimizer remembers as `layer.weight.moment0` and so on.
///
/// # Laws
/// `training_goes_on_from_a_checkpoint_bit_for_bit`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The epochs that are done.
    pub epochs: usize,
    /// The steps that are done.
    pub steps: u64,
    /// All arrays by name.
    pub tensors: BTreeMap<String, ArrayD<f32>>,
}

/// Where the counts lie among the tensors; a count up to 2⁴⁸ in two whole numbers that `f32` holds.
const COUNTS: &str = "training.counts";
const HALF: u64 = 1 << 24;

impl State {
    /// The array `layer.parameter`, of these axes.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<&ArrayD<f32>> {
        let Some(tensor) = self.tensors.get(name) else {
            let (kind, known) = ("array of a checkpoint".to_owned(), self.tensors.keys().cloned().collect());
            return Err(Error::Unknown { kind, name: name.to_owned(), nearest: None, known });
        };
        xai_core::error::same_shape(format!("{name} of a checkpoint"), shape, tensor.shape())?;
        Ok(tensor)
    }

    /// Writes it to a file; what was there before is replaced only when all is written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        std::fs::write(&part, self.to_bytes()).map_err(failed)?;
        std::fs::rename(&part, path).map_err(failed)
    }

    /// Reads what [`State::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::InFile`] around those of [`State::of_bytes`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        State::of_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// Reads what [`State::to_bytes`] made.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else, also for a file of weights alone.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let length = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length));
        let header = length.and_then(|length| bytes[8..].get(..usize::try_from(length).ok()?));
        let header = header.ok_or_else(|| malformed("the header", "it is cut off".into()))?;
        let data = &bytes[8 + header.len()..];
        let entries: BTreeMap<String, Entry> =
            serde_json::from_slice(header).map_err(|error| malformed("the header", error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, entry) in entries {
            let cells = entry.shape.iter().try_fold(1usize, |cells, &n| cells.checked_mul(n));
            let part = data.get(entry.data_offsets[0]..entry.data_offsets[1]);
            let part = part.filter(|part| cells.and_then(|cells| cells.checked_mul(4)) == Some(part.len()));
            let (Some(part), "F32") = (part, &entry.dtype[..]) else {
                return Err(malformed(&name, format!("{:?} of {}", entry.shape, entry.dtype)));
            };
            let cells = part.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            let tensor = ArrayD::from_shape_vec(IxDyn(&entry.shape), cells);
            tensors.insert(name.clone(), tensor.map_err(|error| malformed(&name, error.to_string()))?);
        }
        let counts: Option<Vec<f32>> = tensors.remove(COUNTS).map(|counts| counts.iter().copied().collect());
        let whole = |x: f32| (x >= 0.0 && x <= HALF as f32 && x.fract() == 0.0).then_some(x as u64);
        let parts = counts.and_then(|counts| counts.into_iter().map(whole).collect::<Option<Vec<_>>>());
        let [a, b, c, d] = parts.and_then(|parts| <[u64; 4]>::try_from(parts).ok()).ok_or_else(|| {
            malformed(COUNTS, "it is not there: the file holds weights, and not where a training stands".into())
        })?;
        Ok(State { epochs: usize::try_from(a * HALF + b).unwrap_or(usize::MAX), steps: c * HALF + d, tensors })
    }

    /// The file's content: safetensors.
    pub fn to_bytes(&self) -> Vec<u8> {
        let halves = |count: u64| [(count / HALF) as f32, (count % HALF) as f32];
        let counts = [halves(self.epochs as u64), halves(self.steps)].concat();
        let counts = ArrayD::from_shape_fn(IxDyn(&[4]), |at| counts[at[0]]);
        let mut all: BTreeMap<&str, &ArrayD<f32>> = self.tensors.iter().map(|(name, x)| (&name[..], x)).collect();
        all.insert(COUNTS, &counts);
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, tensor) in all {
            let from = data.len();
            data.extend(tensor.iter().flat_map(|x| x.to_le_bytes()));
            let entry =
                serde_json::json!({"dtype": "F32", "shape": tensor.shape(), "data_offsets": [from, data.len()]});
            header.insert(name.to_owned(), entry);
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        // Readers that map the file want the numbers at a multiple of 8.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.extend(data);
        file
    }
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

fn malformed(at: &str, problem: String) -> Error {
    Error::Malformed { format: "checkpoint", at: at.to_owned(), problem }
}
