//! What can be written behind `xai`.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

mod bench;
mod layers;
mod networks;
mod plot;
mod range;
mod streaming;

pub use bench::BenchArgs;
pub use layers::LayersArgs;
pub use networks::{Drawing, Fitting, Networks, Style};
pub use plot::{Picture, PlotArgs, ThemeName};
pub use range::Rows;
use range::rows;
pub use streaming::{MergeArgs, Streaming};

/// Explains machine-learning models.
///
/// Without a command: trains a forest on embedded data, explains it, writes xai-report.html.
#[derive(Debug, Parser)]
#[command(name = "xai", version, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a forest on embedded data, explain it, write a report.
    Demo(DemoArgs),
    /// Score the rows of a table.
    Predict(PredictArgs),
    /// Explain single rows: what every feature contributes to every score.
    Explain(ExplainArgs),
    /// Put summaries of streams together, and say how much each feature matters.
    Merge(MergeArgs),
    /// Say how much each feature matters to the model as a whole.
    Importance(GlobalArgs),
    /// Show how scores change with a feature, or with two.
    Effects(EffectsArgs),
    /// Write a self-contained HTML report; without a model, on embedded data.
    Report(ReportArgs),
    /// Let methods compete on a model and its rows; without a model, on embedded data.
    Bench(BenchArgs),
    /// Draw an explanation that was saved as JSON.
    Plot(PlotArgs),
    /// Tell what the layers of a network hold and put out.
    Layers(LayersArgs),
    /// List the methods, or describe one.
    Methods(MethodsArgs),
}

impl Default for Command {
    fn default() -> Self {
        Command::Demo(DemoArgs { seed: 0, output: PathBuf::from("xai-report.html") })
    }
}

/// `xai demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// The seed that everything random follows from.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Where to write the report.
    #[arg(long, value_name = "FILE", default_value = "xai-report.html")]
    pub output: PathBuf,
}

/// The model and the table.
#[derive(Debug, ClapArgs)]
pub struct Source {
    /// The model: XGBoost (JSON, UBJSON), LightGBM (text), CatBoost (JSON), ONNX, a network's description (JSON).
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The samples: CSV with a header, or Parquet, columns matched to the model's features by name; for a network of
    /// images a PNG, JPEG or BMP file or a folder of them, for one of series a table of one (row a step, column a channel).
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// The column that holds what the model should have predicted; it is no feature.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// The rows to use, counted from 0, the last one not included: 10..20, ..100, 50..
    #[arg(long, value_name = "A..B", value_parser = rows)]
    pub rows: Option<Rows>,
    /// What to do with a category that the model does not know.
    #[arg(long, value_enum, default_value_t = Unknown::Error)]
    pub unknown_category: Unknown,
    /// The boosting iterations of the model to use; all when not given.
    #[arg(long, value_name = "A..B", value_parser = rows)]
    pub iterations: Option<Rows>,
}

/// How to run, and where results go.
#[derive(Debug, ClapArgs)]
pub struct Running {
    /// The seed that everything random follows from.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How many threads to use; all cores when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The form of the result; when not given, that of the output's name (.csv, .parquet, .jsonl), otherwise json.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Where to write the result; standard output when not given.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Running {
    /// The form that was asked for, or that the output's name tells.
    pub fn format(&self) -> Format {
        self.format.or_else(|| Format::of(self.output.as_deref())).unwrap_or(Format::Json)
    }
}

impl Format {
    /// The form that a file's name tells.
    pub fn of(path: Option<&Path>) -> Option<Self> {
        match path?.extension()?.to_str()? {
            "json" => Some(Format::Json),
            "jsonl" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

/// How to explain.
#[derive(Debug, ClapArgs)]
pub struct Explaining {
    /// Rows that stand for absence, in the form of --data.
    #[arg(long, value_name = "FILE")]
    pub background: Option<PathBuf>,
    /// The column of --background that says how much each of its rows counts; they count alike when not given.
    #[arg(long, value_name = "COLUMN", requires = "background")]
    pub background_weights: Option<String>,
    /// Set a parameter of the method; `xai methods NAME` lists them.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// How many samples the model may score at most.
    #[arg(long, value_name = "N")]
    pub max_evaluations: Option<u64>,
    /// What to explain: the model's margins, or its predictions (such as probabilities) as any function.
    #[arg(long, value_enum, default_value_t = Scale::Margin)]
    pub scale: Scale,
    #[command(flatten)]
    pub grouping: Grouping,
}

/// Which columns are explained as one.
#[derive(Debug, Default, ClapArgs)]
pub struct Grouping {
    /// Explain the columns of a category that was one-hot encoded for the model as one feature.
    #[arg(long)]
    pub group_one_hot: bool,
    /// Explain these columns as one feature.
    #[arg(long, value_name = "NAME=COLUMN,COLUMN")]
    pub group: Vec<String>,
}

/// `xai predict`.
#[derive(Debug, ClapArgs)]
pub struct PredictArgs {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub networks: Networks,
}

/// `xai explain`.
#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub source: Source,
    /// The method: `xai methods` lists them.
    #[arg(long, value_name = "NAME")]
    pub method: String,
    #[command(flatten)]
    pub explaining: Explaining,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub streaming: Streaming,
    #[command(flatten)]
    pub networks: Networks,
    #[command(flatten)]
    pub drawing: Drawing,
}

/// `xai importance`.
#[derive(Debug, ClapArgs)]
pub struct GlobalArgs {
    #[command(flatten)]
    pub source: Source,
    /// permutation-importance, or mean-absolute-attribution; the former where there are labels, when not given.
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    #[command(flatten)]
    pub explaining: Explaining,
    #[command(flatten)]
    pub running: Running,
}

/// `xai effects`.
#[derive(Debug, ClapArgs)]
pub struct EffectsArgs {
    #[command(flatten)]
    pub source: Source,
    /// partial-dependence, individual-conditional-expectation or accumulated-local-effects.
    #[arg(long, value_name = "NAME", default_value = "partial-dependence")]
    pub method: String,
    #[command(flatten)]
    pub explaining: Explaining,
    #[command(flatten)]
    pub running: Running,
}

/// `xai report`.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    /// The model; without one the report is about a forest trained on embedded data.
    #[arg(long, value_name = "FILE", requires = "data")]
    pub model: Option<PathBuf>,
    /// The rows: CSV with a header, or Parquet; for a network also an image, a series, or a folder of them.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub data: Option<PathBuf>,
    /// The column that holds what the model should have predicted.
    #[arg(long, value_name = "COLUMN", requires = "model")]
    pub target: Option<String>,
    /// Rows that stand for absence, in the form of --data.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub background: Option<PathBuf>,
    /// The rows to use: 10..20, ..100, 50..
    #[arg(long, value_name = "A..B", value_parser = rows, requires = "model")]
    pub rows: Option<Rows>,
    /// What to do with a category that the model does not know.
    #[arg(long, value_enum, default_value_t = Unknown::Error)]
    pub unknown_category: Unknown,
    #[command(flatten)]
    pub grouping: Grouping,
    /// The methods whose maps are shown of images and series; a few that fit when not given.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', requires = "model")]
    pub methods: Vec<String>,
    #[command(flatten)]
    pub networks: Networks,
    /// The title of the report.
    #[arg(long, requires = "model")]
    pub title: Option<String>,
    /// The seed that everything random follows from.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How many threads to use; all cores when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where to write the report.
    #[arg(long, value_name = "FILE", default_value = "xai-report.html")]
    pub output: PathBuf,
}

/// `xai methods`.
#[derive(Debug, ClapArgs)]
pub struct MethodsArgs {
    /// The method to describe.
    pub name: Option<String>,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// Forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The versioned JSON form.
    Json,
    /// A JSON object for each row, a line each.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Apache Parquet, snappy-compressed.
    Parquet,
    /// A table for a reader.
    Table,
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table for a reader.
    Table,
    /// JSON.
    Json,
}

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// What the trees' leaves sum to, such as log-odds.
    Margin,
    /// What the model predicts, such as a probability.
    Prediction,
}

/// What to do with unknown categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unknown {
    /// Refuse the table.
    Error,
    /// Take the cell as missing.
    Missing,
    /// Take it as a category that no split lists.
    Unseen,
}
