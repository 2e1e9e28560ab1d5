//! What went wrong, as one paragraph and an exit code.

use std::process::ExitCode;

use xai::core::Error;

/// Why the command ends early.
#[derive(Debug)]
pub enum Failure {
    /// The command was given wrongly; exit code 2.
    Use(String),
    /// The work could not be done; exit code 1.
    Work(Error),
    /// Ctrl-C, and how far the work had come; exit code 130.
    Stopped(String),
    /// Nobody reads the output any more; exit code 0, as other commands do in a pipe.
    Unread,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown { ref kind, .. }
                if kind == "method" || kind == "metric" || kind == "output" || kind.starts_with("parameter") =>
            {
                Failure::Use(error.to_string())
            }
            Error::Parameter { .. } => Failure::Use(error.to_string()),
            other => Failure::Work(other),
        }
    }
}

impl Failure {
    /// Prints the paragraph and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Failure::Use(text) => {
                eprintln!(
                    "xai: {}\nTry `xai --help`, or `xai methods` for methods and their parameters.",
                    sentence(&text)
                );
                ExitCode::from(2)
            }
            Failure::Work(Error::Cancelled { done, total }) => {
                eprintln!("xai: stopped after {done} of {total} evaluations; nothing was written.");
                ExitCode::from(130)
            }
            Failure::Work(error) => {
                eprintln!("xai: {}", sentence(&error.to_string()));
                if let Some(advice) = advice(&error) {
                    eprintln!("{advice}");
                }
                ExitCode::from(1)
            }
            Failure::Stopped(text) => {
                eprintln!("xai: {}", sentence(&text));
                ExitCode::from(130)
            }
            Failure::Unread => ExitCode::SUCCESS,
        }
    }
}

/// What else may be tried.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::InFile { source, .. } => advice(source),
        Error::Cell { expected, .. } if expected.contains("categor") => Some(
            "With --unknown-category missing such a cell counts as missing, with --unknown-category unseen as a \
             category that no split lists.",
        ),
        _ => None,
    }
}

/// The text with an end, where it has none.
fn sentence(text: &str) -> String {
    // Names from outside must not steer the terminal.
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}
