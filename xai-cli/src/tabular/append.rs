//! Flat tables written one after the other into one file.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use parquet::file::writer::SerializedFileWriter;
use xai::core::Error;

use super::{Column, Flat, parquet as columns};
use crate::args::Format;
use crate::failure::Failure;
use crate::files::Pending;

/// A file that grows by tables with the same columns.
pub struct Appender {
    sink: Sink,
    /// The file, for errors.
    path: PathBuf,
}

enum Sink {
    Csv {
        writer: Box<csv::Writer<Pending>>,
        named: bool,
    },
    Lines(BufWriter<Pending>),
    /// Parquet is written in groups of many rows, whatever the size of the tables.
    Parquet {
        target: Option<Pending>,
        writer: Option<Box<SerializedFileWriter<Pending>>>,
        waiting: Flat,
    },
}

/// How many cells make a row group: 32 MB of numbers.
const CELLS_PER_GROUP: usize = 1 << 22;

impl Appender {
    /// Writes to `target` in one of the forms that can grow.
    pub fn new(format: Format, target: Pending) -> Result<Self, Failure> {
        let path = target.path().to_owned();
        let sink = match format {
            Format::Csv => Sink::Csv { writer: Box::new(csv::Writer::from_writer(target)), named: false },
            Format::Jsonl => Sink::Lines(BufWriter::new(target)),
            Format::Parquet => Sink::Parquet { target: Some(target), writer: None, waiting: Flat::default() },
            Format::Json | Format::Table => {
                return Err(Failure::Use("--stream writes --format csv, jsonl or parquet, which can grow".into()));
            }
        };
        Ok(Appender { sink, path })
    }

    /// Adds the rows of a table.
    pub fn push(&mut self, flat: Flat) -> Result<(), Failure> {
        self.sink.push(flat).map_err(|error| broken(&self.path, error))
    }

    /// Writes what is left and gives the whole file its name.
    pub fn finish(self) -> Result<(), Failure> {
        self.sink.finish().map_err(|error| broken(&self.path, error))?.map_or(Ok(()), Pending::commit)
    }
}

impl Sink {
    fn push(&mut self, flat: Flat) -> std::io::Result<()> {
        match self {
            Sink::Csv { writer, named } => Ok(super::csv_rows(writer, &flat, !std::mem::replace(named, true))?),
            Sink::Lines(writer) => super::json_lines(writer, &flat),
            Sink::Parquet { target, writer, waiting } => {
                waiting.extend(flat);
                if waiting.n_rows() * waiting.columns.len().max(1) < CELLS_PER_GROUP {
                    return Ok(());
                }
                group(target, writer, std::mem::take(waiting))
            }
        }
    }

    /// Writes what is left; the file, which has no name yet.
    fn finish(self) -> std::io::Result<Option<Pending>> {
        Ok(match self {
            Sink::Csv { writer, .. } => Some(writer.into_inner().map_err(|error| error.into_error())?),
            Sink::Lines(writer) => Some(writer.into_inner().map_err(|error| error.into_error())?),
            Sink::Parquet { mut target, mut writer, waiting } => {
                if waiting.n_rows() > 0 {
                    group(&mut target, &mut writer, waiting)?;
                }
                let written = writer.map(|writer| writer.into_inner()).transpose();
                written.map_err(std::io::Error::other)?.or(target)
            }
        })
    }
}

/// Writes a row group, after the schema if it is the first.
fn group(
    target: &mut Option<Pending>,
    writer: &mut Option<Box<SerializedFileWriter<Pending>>>,
    flat: Flat,
) -> std::io::Result<()> {
    if let Some(target) = target.take() {
        *writer = Some(Box::new(columns::begin(&flat, target).map_err(std::io::Error::other)?));
    }
    writer.as_mut().map_or(Ok(()), |writer| columns::group(writer, &flat)).map_err(std::io::Error::other)
}

fn broken(path: &Path, source: std::io::Error) -> Failure {
    if source.kind() == std::io::ErrorKind::BrokenPipe {
        return Failure::Unread;
    }
    Error::Io { path: path.to_owned(), source }.into()
}

impl Flat {
    /// Adds the rows of a table with the same columns.
    fn extend(&mut self, other: Flat) {
        if self.columns.is_empty() {
            *self = other;
            return;
        }
        for ((_, mine), (_, theirs)) in self.columns.iter_mut().zip(other.columns) {
            match (mine, theirs) {
                (Column::Counts(mine), Column::Counts(theirs)) => mine.extend(theirs),
                (Column::Numbers(mine), Column::Numbers(theirs)) => mine.extend(theirs),
                (Column::Texts(mine), Column::Texts(theirs)) => mine.extend(theirs),
                _ => {}
            }
        }
    }
}
