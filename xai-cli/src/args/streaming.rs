//! Options for more rows than fit in memory.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::Format;

/// How to explain more rows than fit in memory.
#[derive(Debug, ClapArgs)]
pub struct Streaming {
    /// Read, explain and write batch by batch, in the same memory for any number of rows (csv, jsonl, parquet).
    #[arg(long)]
    pub stream: bool,
    /// How many rows are explained at a time.
    #[arg(long, value_name = "N", default_value = "4096", requires = "stream")]
    pub batch_rows: NonZeroUsize,
    /// Write only the K features that contribute most to each score, and the sum of the others.
    #[arg(long, value_name = "K", requires = "stream")]
    pub top: Option<NonZeroUsize>,
    /// Write means, quantiles and histograms of all contributions here, for `xai merge`; the rows themselves are then
    /// written only with --output.
    #[arg(long, value_name = "FILE", requires = "stream")]
    pub summary: Option<PathBuf>,
}

/// `xai merge`.
#[derive(Debug, ClapArgs)]
pub struct MergeArgs {
    /// Summaries of parts of one job, from `xai explain --stream --summary`.
    #[arg(value_name = "FILE", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Write the summary of all parts together here.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// The form of the importances; when not given, that of the output's name, otherwise a table for a reader.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Where to write the importances; standard output when not given.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
