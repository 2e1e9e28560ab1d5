//! What can be written behind `xai bench`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{Networks, Rows, Unknown, rows};

/// `xai bench`.
#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
    /// The model; without one, methods are compared on a forest trained on embedded data.
    #[arg(long, value_name = "FILE", requires = "data")]
    pub model: Option<PathBuf>,
    /// The rows: CSV with a header, or Parquet; for a network of images a folder of PNG, JPEG or BMP files, for one of
    /// series a table of one (row a step, column a channel).
    #[arg(long, value_name = "FILE", requires = "model")]
    pub data: Option<PathBuf>,
    /// The column that holds what the model should have predicted; it is no feature.
    #[arg(long, value_name = "COLUMN", requires = "model")]
    pub target: Option<String>,
    /// Samples that stand for absence, in the form of --data; when not given, the rows of --data, and zeros for images and
    /// series.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub background: Option<PathBuf>,
    /// Which features are evidence, for metrics of localisation: a table like --data, 0 where a cell is none; for images a
    /// picture of the same name for each, bright where the evidence is.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub masks: Option<PathBuf>,
    /// The right attribution of the samples of --data, for metrics of truth: JSON, as `xai explain` writes it.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub truth: Option<PathBuf>,
    /// The outputs of a network that explanations are compared for, by name or number; all when not given, or, of more
    /// than ten, those that samples score highest.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', requires = "model")]
    pub outputs: Vec<String>,
    /// Options for networks.
    #[command(flatten)]
    pub networks: Networks,
    /// The rows to explain: 10..20, ..100, 50..; at most 40, or 16 images, evenly spread, when not given.
    #[arg(long, value_name = "A..B", value_parser = rows, requires = "model")]
    pub rows: Option<Rows>,
    /// How many background rows are used at most, evenly spread.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_background: u32,
    /// What to do with a category that the model does not know.
    #[arg(long, value_enum, default_value_t = Unknown::Error)]
    pub unknown_category: Unknown,
    /// The methods to compare; all that fit when not given.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// The metrics to compare by, each with what it counts in the mean rank if not 1: deletion,sparseness=0.5.
    #[arg(long, value_name = "NAME,NAME=WEIGHT", value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Set a parameter of a method or a metric.
    #[arg(long, value_name = "NAME.KEY=VALUE")]
    pub set: Vec<String>,
    /// How many seconds it may take. No explanation and no measurement is begun after that, and each ends after half of
    /// the time that is left; what is left out or cut off is named.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// How many samples the model may score at most, for each explanation and each measurement.
    #[arg(long, value_name = "N")]
    pub max_evaluations: Option<u64>,
    /// A file that every step is written to; if it is there, the run goes on where it ended.
    #[arg(long, value_name = "FILE.jsonl")]
    pub resume: Option<PathBuf>,
    /// List the metrics and their parameters, and compare nothing.
    #[arg(long)]
    pub list_metrics: bool,
    /// The seed that everything random follows from.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How many threads to use; all cores when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where to write the league, as .json, .html, .svg or .png; a table on standard output when not given.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
