//! What can be written behind `xai plot`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// `xai plot`.
#[derive(Debug, ClapArgs)]
pub struct PlotArgs {
    /// The explanation: JSON from `xai explain`, `xai importance`, `xai effects` or `xai bench`; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// The kind of picture; chosen from the explanation when not given.
    #[arg(long, value_enum)]
    pub kind: Option<Picture>,
    /// The sample to draw, counted from 0 within the explanation; 0 for pictures of one sample, all of them for those
    /// of many when not given.
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// The output to draw, by name or number.
    #[arg(long, value_name = "NAME", default_value = "0")]
    pub class: String,
    /// The feature of a dependence plot or a curve, by name; the most important one when not given.
    #[arg(long, value_name = "NAME")]
    pub feature: Option<String>,
    /// How many features (or sets of them) to show at most; 15, or 8 for a matrix, when not given.
    #[arg(long, value_name = "N")]
    pub most: Option<usize>,
    /// Light or dark.
    #[arg(long, value_enum, default_value_t = ThemeName::Light)]
    pub theme: ThemeName,
    /// Where to write the picture, as .svg or .png; drawn in the terminal when not given.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// One sample, from base to score.
    Waterfall,
    /// One sample on a line.
    Force,
    /// Values of one sample, or mean |value|; of features, or of sets of features.
    Bar,
    /// What features contribute alone and in pairs.
    Matrix,
    /// Every sample's values.
    Beeswarm,
    /// Values of one feature against its data.
    Dependence,
    /// Samples by features.
    Heatmap,
    /// Paths of samples from base to score.
    Decision,
    /// Importance with its spread.
    Importance,
    /// Response curves.
    Curve,
    /// Methods by metrics.
    League,
    /// What quality costs.
    Cost,
    /// Which methods agree.
    Agreement,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// For white paper.
    Light,
    /// For dark screens.
    Dark,
}
