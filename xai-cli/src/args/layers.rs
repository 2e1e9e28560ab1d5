//! `xai layers`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::Networks;

/// `xai layers`.
#[derive(Debug, ClapArgs)]
pub struct LayersArgs {
    /// The network: its description (JSON), or ONNX.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Samples to look at activations on, as for `xai explain`; without them only parameters are told.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub networks: Networks,
    /// Where to write: a picture as .svg or .png, otherwise JSON; a table in the terminal when not given.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
