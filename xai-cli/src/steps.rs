//! The steps of a contest in a file, so that a run that was killed goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use xai::contest::Fingerprint;
use xai::core::{Error, Result};
use xai::eval::tournament::Step;

/// A file with a fingerprint in its first line and a step in each other.
pub struct StepFile {
    path: PathBuf,
    file: File,
}

impl StepFile {
    /// Opens the file, or begins it, and gives the steps that it holds. A last line that was being written when the run
    /// was killed is taken away.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the file was begun with something else; [`Error::Malformed`] for a line that is no
    /// step; [`Error::Io`].
    pub fn open(path: &Path, now: &Fingerprint) -> Result<(Self, Vec<Step>)> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].lines().enumerate();
        let mut steps = Vec::new();
        match lines.next() {
            None if !text.is_empty() && !"{\"steps\":".starts_with(&text[..text.len().min(9)]) => {
                return Err(malformed(1, "no line of a contest").in_file(path));
            }
            None => {}
            Some((_, line)) => {
                let begun: Fingerprint = serde_json::from_str(line)
                    .map_err(|_| malformed(1, "it does not say what a contest was begun with").in_file(path))?;
                begun.goes_on_as(now).map_err(|error| error.in_file(path))?;
            }
        }
        for (place, line) in lines {
            let step =
                serde_json::from_str(line).map_err(|error| malformed(place + 1, &error.to_string()).in_file(path))?;
            steps.push(step);
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        file.set_len(whole as u64).map_err(io)?;
        let mut opened = StepFile { path: path.to_owned(), file };
        if whole == 0 {
            opened.line(&serde_json::to_string(now).map_err(Error::model)?)?;
        }
        Ok((opened, steps))
    }

    /// Adds a step.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn push(&mut self, step: &Step) -> Result<()> {
        self.line(&serde_json::to_string(step).map_err(Error::model)?)
    }

    /// Whole lines, in one go: who reads the file sees no half of one unless the machine stops.
    fn line(&mut self, text: &str) -> Result<()> {
        let io = |source| Error::Io { path: self.path.clone(), source };
        self.file.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.file.sync_data()).map_err(io)
    }
}

fn malformed(line: usize, problem: &str) -> Error {
    Error::Malformed { format: "steps of a contest", at: format!("line {line}"), problem: problem.to_owned() }
}
