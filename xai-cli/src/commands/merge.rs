//! `xai merge`: parts of one job put together.

use std::path::Path;

use xai::core::{Document, Error, Result};
use xai::global::running::Running;

use crate::args::{Format, MergeArgs};
use crate::failure::Failure;
use crate::{files, tabular};

/// Reads the parts, and writes what they are together.
pub fn run(args: &MergeArgs) -> std::result::Result<(), Failure> {
    for output in [&args.summary, &args.output] {
        files::not_over(output.as_deref(), args.inputs.iter().map(|path| path.as_path()))?;
    }
    let mut whole = Running::default();
    for (place, path) in args.inputs.iter().enumerate() {
        if args.inputs[..place].contains(path) {
            return Err(Failure::Use(format!("{} stands there twice", path.display())));
        }
        whole.merge(&read(path)?).map_err(|error| error.in_file(path))?;
    }
    if let Some(path) = &args.summary {
        files::write(Some(path), &serde_json::to_vec(&whole).map_err(Error::model)?)?;
    }
    let importance = whole.importance()?;
    let format = args.format.or_else(|| Format::of(args.output.as_deref())).unwrap_or(Format::Table);
    let bytes = match format {
        // The form that `xai plot` draws.
        Format::Json => tabular::render(&Document::from(importance), format, 0)?,
        _ => tabular::render_flat(&tabular::aggregate::readings(&whole, &importance)?, format)?,
    };
    files::write(args.output.as_deref(), &bytes)
}

fn read(path: &Path) -> Result<Running> {
    let text = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        Error::Malformed { format: "summary", at, problem: error.to_string() }.in_file(path)
    })
}
