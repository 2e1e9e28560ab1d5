//! Results written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xai::core::Error;

use crate::failure::Failure;

/// Held while a file is written.
static WRITING: Mutex<()> = Mutex::new(());

/// Refuses to write over a file that is read.
pub fn not_over<'p>(output: Option<&Path>, inputs: impl IntoIterator<Item = &'p Path>) -> Result<(), Failure> {
    let Some(place) = output.and_then(|path| path.canonicalize().ok()) else { return Ok(()) };
    for input in inputs {
        if place.is_file() && input.canonicalize().is_ok_and(|read| read == place) {
            return Err(Failure::Use(format!("--output {} would overwrite what is read", input.display())));
        }
    }
    Ok(())
}

/// Writes to `path`, or to standard output when there is none. A file appears only when all of it is there.
pub fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match path {
        None => {
            let mut out = std::io::stdout().lock();
            match out.write_all(bytes).and_then(|()| out.flush()) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::Unread),
                Err(source) => Err(Error::Io { path: "standard output".into(), source }.into()),
                Ok(()) => Ok(()),
            }
        }
        Some(path) => replace(path, bytes).map_err(|source| Error::Io { path: path.to_owned(), source }.into()),
    }
}

/// Writes beside `path` first, then puts the file in its place.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let _writing = WRITING.lock();
    let mut place = Place::open(path)?;
    place.write_all(bytes)?;
    place.put()
}

/// Files that are not finished; when the process is stopped they go.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what is not finished. Nothing is written whole while the guard lives.
pub fn abandon() -> MutexGuard<'static, ()> {
    let writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    for path in UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = std::fs::remove_file(path);
    }
    writing
}

/// A result that is written bit by bit; it appears when it is committed, and never if it is not.
pub struct Pending {
    place: Place,
    path: PathBuf,
}

impl Pending {
    /// A result for `path`, or for standard output when there is none.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Pending { place: Place::Output, path: "standard output".into() }) };
        let place = Place::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        if let Place::Beside { file, .. } = &place {
            UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(file.path().to_owned());
        }
        Ok(Pending { place, path: path.to_owned() })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the result where it belongs.
    pub fn commit(self) -> Result<(), Failure> {
        let _writing = WRITING.lock();
        let name = self.place.beside();
        let put = self.place.put().map_err(|source| Error::Io { path: self.path, source }.into());
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| Some(path) != name.as_ref());
        put
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.place.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.place.flush()
    }
}

/// Where a result is written.
enum Place {
    Output,
    /// Something that is no regular file (a pipe, /dev/stdout) cannot be replaced, only written to.
    Direct(std::fs::File),
    /// A file beside the one that it will replace.
    Beside {
        file: tempfile::NamedTempFile,
        target: PathBuf,
    },
}

impl Place {
    fn open(path: &Path) -> std::io::Result<Self> {
        // A link stays a link: what it leads to is replaced.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if target.exists() && !target.is_file() {
            return Ok(Place::Direct(std::fs::OpenOptions::new().write(true).open(target)?));
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // The error of a folder that is not there names no temporary file.
        let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| std::io::Error::from(error.kind()))?;
        Ok(Place::Beside { file, target })
    }

    fn beside(&self) -> Option<PathBuf> {
        match self {
            Place::Beside { file, .. } => Some(file.path().to_owned()),
            Place::Output | Place::Direct(_) => None,
        }
    }

    fn put(mut self) -> std::io::Result<()> {
        self.flush()?;
        if let Place::Beside { file, target } = self {
            match std::fs::metadata(&target) {
                Ok(old) => file.as_file().set_permissions(old.permissions())?,
                Err(_) => readable(&file)?,
            }
            file.persist(target)?;
        }
        Ok(())
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Place::Output => std::io::stdout().write(bytes),
            Place::Direct(file) => file.write(bytes),
            Place::Beside { file, .. } => file.as_file_mut().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Place::Output => std::io::stdout().flush(),
            Place::Direct(file) => file.flush(),
            Place::Beside { file, .. } => file.as_file_mut().flush(),
        }
    }
}

/// A temporary file is private to its owner; a result is as readable as any other file.
#[cfg(unix)]
fn readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
