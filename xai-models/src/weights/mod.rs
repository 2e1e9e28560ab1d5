//! Named arrays of numbers, as files of a network's weights hold them.
//!
//! | format | where |
//! |---|---|
//! | safetensors | `safetensors.rs` |
//! | PyTorch's `torch.save`: zip archives and the older form (`.pt`, `.pth`, `.th`) | `pytorch/` |
//!
//! The format is found from the content. Nothing in a file is ever run: of a pickle only tensors, numbers, texts, lists
//! and dictionaries are understood, and everything else is refused by its name. Numbers are narrowed to `f32`.

mod element;
mod pytorch;
mod safetensors;

#[cfg(feature = "onnx")]
pub(crate) use element::Element;

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use xai_core::{Error, Result};

/// The arrays of a file by name.
///
/// # Example
/// ```
/// use xai_models::weights::Weights;
/// let header = br#"{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
/// let mut file = (header.len() as u64).to_le_bytes().to_vec();
/// file.extend(header);
/// file.extend([1.0_f32, -2.0].map(f32::to_le_bytes).concat());
/// let weights = Weights::of_bytes(&file, None)?;
/// assert_eq!(weights.tensors["bias"].as_slice().unwrap(), [1.0, -2.0]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// Name and values.
    pub tensors: BTreeMap<String, ArrayD<f32>>,
}

impl Weights {
    /// Reads the file at `path`; `at` as [`Weights::of_bytes`] has it.
    ///
    /// # Errors
    /// [`Error::InFile`] around those of [`Weights::of_bytes`]; [`Error::Io`].
    pub fn read(path: &Path, at: Option<&str>) -> Result<Weights> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Weights::of_bytes(&bytes, at).map_err(|error| error.in_file(path))
    }

    /// The content of a safetensors file with these tensors.
    pub fn to_safetensors(&self) -> Vec<u8> {
        safetensors::write(self)
    }

    /// Reads the content of a file. `at` names the dictionary that holds the tensors, where a PyTorch checkpoint has
    /// several, such as `state_dict`.
    ///
    /// # Cost
    /// Holds the content and every number as `f32`; a small multiple of the content's length, whatever it says.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the place; [`Error::Unsupported`] for a format, a pickled object or a kind of number
    /// that is not read, by name; [`Error::Unknown`] for an `at` that is not there; [`Error::TooLarge`].
    pub fn of_bytes(bytes: &[u8], at: Option<&str>) -> Result<Weights> {
        match WeightsFormat::of(bytes) {
            Some(WeightsFormat::Safetensors) => match at {
                None => safetensors::read(bytes),
                Some(_) => {
                    let reason = "the format is one flat list of tensors; leave \"at\" out";
                    Err(Error::unsupported("a part of a safetensors file", reason))
                }
            },
            Some(WeightsFormat::Pytorch) => pytorch::read(bytes, at),
            None => {
                let shown = bytes[..bytes.len().min(16)].escape_ascii();
                let problem = format!("found \"{shown}\"; looked for safetensors or what torch.save writes");
                Err(Error::Malformed { format: "weights", at: "the beginning".to_owned(), problem })
            }
        }
    }
}

/// A format of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightsFormat {
    /// safetensors: a JSON header and bytes.
    Safetensors,
    /// What `torch.save` writes.
    Pytorch,
}

impl WeightsFormat {
    /// The format of a file's content, where it is one of these.
    pub fn of(bytes: &[u8]) -> Option<WeightsFormat> {
        if pytorch::is_pytorch(bytes) {
            Some(WeightsFormat::Pytorch)
        } else if safetensors::is_safetensors(bytes) {
            Some(WeightsFormat::Safetensors)
        } else {
            None
        }
    }
}

/// How many numbers may be made of a file.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: u64,
    taken: u64,
}

impl Budget {
    /// `times` as many numbers as the file has `bytes`, and `floor` more.
    pub(crate) fn of(bytes: usize, times: u64, floor: u64) -> Self {
        Budget { limit: floor.saturating_add(times.saturating_mul(bytes as u64)), taken: 0 }
    }

    /// Allows as many more.
    #[allow(dead_code, reason = "used for ONNX")]
    pub(crate) fn raise(&mut self, numbers: usize) {
        self.limit = self.limit.saturating_add(numbers as u64);
    }

    /// Takes so many.
    pub(crate) fn take(&mut self, numbers: usize) -> Result<()> {
        self.taken = self.taken.saturating_add(numbers as u64);
        if self.taken <= self.limit {
            return Ok(());
        }
        let what = "numbers in the tensors that a file of this length may have".to_owned();
        Err(Error::TooLarge { what, limit: self.limit, found: self.taken })
    }
}

/// The number of cells of a shape, unless it is beyond any memory.
pub(crate) fn cells_of(shape: &[usize]) -> Option<usize> {
    // ndarray counts the axes that are not empty, so that a shape with a zero can still be too large for it.
    let all = shape.iter().filter(|&&n| n > 0).try_fold(1_usize, |cells, &n| cells.checked_mul(n));
    let all = all.filter(|&cells| cells <= isize::MAX as usize / 8)?;
    Some(if shape.contains(&0) { 0 } else { all })
}

/// An array of `values`, which are as many as `shape` has cells.
fn array(shape: &[usize], values: Vec<f32>, malformed: impl Fn(String) -> Error) -> Result<ArrayD<f32>> {
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| malformed(error.to_string()))
}
