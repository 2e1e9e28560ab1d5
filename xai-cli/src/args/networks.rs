//! Options for networks.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Options for networks.
#[derive(Debug, Default, ClapArgs)]
pub struct Networks {
    /// The file of weights, in place of the one that a network's description names.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How an image is brought to the size that the network takes.
    #[arg(long, value_enum, default_value_t = Fitting::Centre)]
    pub fit: Fitting,
}

/// How to draw a result whose output is a picture.
#[derive(Debug, Default, ClapArgs)]
pub struct Drawing {
    /// The outputs to draw, by name or number, for an --output that ends in .svg or .png; the highest score of each
    /// sample when not given.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub class: Vec<String>,
    /// How maps and images are put together in a picture.
    #[arg(long, value_enum, default_value_t = Style::Over)]
    pub style: Style,
}

/// How an image is brought to a size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Fitting {
    /// Scaled until it covers the size, then cut to its centre.
    #[default]
    Centre,
    /// Scaled on each axis by itself, which may distort it.
    Stretch,
    /// Not at all: another size is an error.
    Exact,
}

/// How a map and its image are put together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// The map over the paled image.
    #[default]
    Over,
    /// The map alone.
    Alone,
    /// The image where it speaks for the output, white elsewhere.
    Masked,
    /// A line around the tenth of the places that speak most for the output.
    Outlined,
}
