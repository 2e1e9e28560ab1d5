//! The rows of a table that may be of any length.

use std::ops::Range;
use std::path::Path;

use xai::core::{Error, Result};
use xai::models::table::{CsvBatches, CsvOptions, Frame, ParquetBatches, ParquetOptions};

use crate::args;
use crate::failure::Failure;

/// Tables of at most so many rows, one after the other.
pub struct Rows {
    /// The tables.
    pub batches: Box<dyn Iterator<Item = Result<Frame>> + Send>,
    /// The rows that are read, as the file counts them.
    pub range: Range<usize>,
}

/// Opens CSV or Parquet, whichever the content is.
pub fn open(path: &Path, per_batch: usize, wanted: Option<args::Rows>) -> std::result::Result<Rows, Failure> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if path == Path::new("-") || !std::fs::metadata(path).map_err(io)?.is_file() {
        let reason = "it is read twice, for its types and for its cells; save it as a file first";
        return Err(Error::unsupported(format!("--stream over {}", path.display()), reason).into());
    }
    let mut magic = [0; 4];
    let mut file = std::fs::File::open(path).map_err(io)?;
    let parquet = std::io::Read::read_exact(&mut file, &mut magic).is_ok() && &magic == b"PAR1";
    let range = |n: usize| {
        if n == 0 {
            let error = Error::parameter("data", "a table without rows", "at least one row");
            return Err(Failure::from(error.in_file(path)));
        }
        wanted.map_or(Ok(0..n), |rows| rows.of(n)).map_err(Failure::Use)
    };
    if parquet {
        let batches = ParquetBatches::open(path, &ParquetOptions::default(), per_batch)?;
        let range = range(batches.n_rows())?;
        return Ok(Rows { batches: Box::new(batches.between(range.clone())?), range });
    }
    let batches = CsvBatches::open(path, &CsvOptions::default(), per_batch)?;
    let range = range(batches.n_rows())?;
    Ok(Rows { batches: Box::new(batches.between(range.clone())?), range })
}

/// What `consume` makes of the items, while the next one is read on a thread of its own.
///
/// At most three items are in memory: the one in use, the one that waits and the one that is read.
pub fn read_ahead<T: Send, R>(
    items: impl Iterator<Item = Result<T>> + Send,
    consume: impl FnOnce(&mut dyn Iterator<Item = Result<T>>) -> R,
) -> R {
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        scope.spawn(move || {
            for item in items {
                let last = item.is_err();
                // Nobody listens any more, or nothing more is to be said.
                if sender.send(item).is_err() || last {
                    break;
                }
            }
        });
        // Dropped with its end of the channel, so that the reader ends as well.
        let mut items = receiver.into_iter();
        let result = consume(&mut items);
        drop(items);
        result
    })
}
