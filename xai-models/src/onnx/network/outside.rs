//! Tensors that lie in another file beside the model's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use xai_core::{Error, Result};

use super::super::malformed;
use super::super::proto::TensorProto;

/// The files in the model's folder that hold tensors, each read once.
pub(super) struct Outside {
    folder: Option<PathBuf>,
    files: RefCell<HashMap<String, Rc<Vec<u8>>>>,
}

impl Outside {
    /// Files in `folder`; none are read where it is not known.
    pub fn new(folder: Option<&Path>) -> Self {
        Outside { folder: folder.map(Path::to_owned), files: RefCell::default() }
    }

    /// The bytes of a tensor.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a place that is not in the model's folder, or when the folder is not known;
    /// [`Error::Io`]; [`Error::Malformed`].
    pub fn bytes(&self, tensor: &TensorProto) -> Result<Vec<u8>> {
        let at = || format!("the tensor {:?}", tensor.name);
        let entry =
            |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
        let number = |key: &str| entry(key).map(str::parse::<usize>).transpose();
        let place = (entry("location"), number("offset"), number("length"));
        let (Some(location), Ok(offset), Ok(length)) = place else {
            return Err(malformed(at(), "data in another file, whose place is not told".into()));
        };
        let file = self.file(location)?;
        let offset = offset.unwrap_or(0);
        let end = length.map_or(Some(file.len()), |length| offset.checked_add(length));
        let bytes = end.and_then(|end| file.get(offset..end));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| malformed(at(), format!("it reaches beyond the end of {location:?}")))
    }

    fn file(&self, location: &str) -> Result<Rc<Vec<u8>>> {
        if let Some(file) = self.files.borrow().get(location) {
            return Ok(file.clone());
        }
        let what = || format!("ONNX: tensors in the file {location:?}");
        let Some(folder) = &self.folder else {
            return Err(Error::unsupported(what(), "the folder of the model is not known; load it by its path"));
        };
        let beside =
            Path::new(location).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !beside {
            return Err(Error::unsupported(what(), "it does not lie in the model's folder"));
        }
        let path = folder.join(location);
        let bytes = std::fs::read(&path).map_err(|source| Error::Io { path, source })?;
        let file = Rc::new(bytes);
        self.files.borrow_mut().insert(location.to_owned(), file.clone());
        Ok(file)
    }
}
