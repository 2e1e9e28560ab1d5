//! Results written whole or not at all.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use xai::core::Error;

use crate::failure::Failure;

/// Held while a file is written.
pub static WRITING: Mutex<()> = Mutex::new(());

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
    // A link stays a link: what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // Something that is no regular file (a pipe, /dev/stdout) cannot be replaced, only written to.
    if path.exists() && !path.is_file() {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The error of a folder that is not there names no temporary file.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| std::io::Error::from(error.kind()))?;
    file.write_all(bytes)?;
    match std::fs::metadata(path) {
        Ok(old) => file.as_file().set_permissions(old.permissions())?,
        Err(_) => readable(&file)?,
    }
    file.persist(path)?;
    Ok(())
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
