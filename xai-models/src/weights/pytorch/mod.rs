//! What `torch.save` writes: a pickle that describes the tensors, and the bytes of their storages.
//!
//! Since version 1.6 both lie in a zip archive (`archive.rs`); before, four pickles and the storages follow one another
//! (`legacy.rs`). The pickle is interpreted by `pickle.rs`, which knows the few objects of `objects.rs` and runs nothing.

mod archive;
mod calls;
mod legacy;
mod objects;
mod pickle;
mod tensors;

use xai_core::{Error, Result};

use super::Weights;
use objects::Storage;
use tensors::Tensors;

/// The name of the format in errors.
const FORMAT: &str = "PyTorch";

/// What to save instead of what is not read.
const SAVE: &str = "in Python, `torch.save(model.state_dict(), \"weights.pt\")` writes a file that is read";

/// Whether the content is of either form.
pub(super) fn is_pytorch(bytes: &[u8]) -> bool {
    legacy::is_legacy(bytes) || archive::is_archive(bytes)
}

/// # Errors
/// As [`Weights::of_bytes`].
pub(super) fn read(bytes: &[u8], at: Option<&str>) -> Result<Weights> {
    let (checkpoint, storages) = if legacy::is_legacy(bytes) { legacy::read(bytes)? } else { archive::read(bytes)? };
    Tensors { checkpoint: &checkpoint, storages: &*storages, length: bytes.len() }.state_dict(at)
}

/// Where the bytes of storages lie.
trait Storages {
    /// All bytes of a storage; their number is checked by the caller.
    fn bytes(&self, storage: &Storage) -> Result<&[u8]>;
}

fn malformed(at: impl Into<String>, problem: impl Into<String>) -> Error {
    Error::Malformed { format: FORMAT, at: at.into(), problem: problem.into() }
}
