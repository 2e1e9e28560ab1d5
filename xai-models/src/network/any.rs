//! Networks from files, by what goes into them.

use ndarray::ArrayRef;
use ndarray::{Ix3, Ix4};
use xai_core::{Cells, Error, Feature, LayerKind, Output, Result, Scale, Table};

use super::{Network, Node};
use crate::file::FileKind;

/// A network from a file, by the kind of batch that it takes: one axis a sample is a table, two are a series (channel,
/// step), three are images (channel, row, column).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyNetwork {
    /// Of rows of numbers.
    Table(LoadedNetwork<Table>),
    /// Of channels over time.
    Series(LoadedNetwork<ArrayRef<f32, Ix3>>),
    /// Of images.
    Images(LoadedNetwork<ArrayRef<f32, Ix4>>),
}

/// A network with what its file says about it.
#[derive(Debug)]
pub struct LoadedNetwork<B: ?Sized> {
    /// The network.
    pub network: Network<B>,
    /// How images are prepared for it; nothing for other inputs.
    pub preparation: Preparation,
    /// What the file is.
    pub kind: FileKind,
    /// What a model card says, name and value, as for [`Loaded`](crate::file::Loaded): always `file`, `input`, `layers`,
    /// `parameters`, `outputs`.
    pub facts: Vec<(String, String)>,
}

impl<B: ?Sized> Clone for LoadedNetwork<B> {
    fn clone(&self) -> Self {
        let LoadedNetwork { network, preparation, kind, facts } = self;
        LoadedNetwork { network: network.clone(), preparation: preparation.clone(), kind: *kind, facts: facts.clone() }
    }
}

/// How the pixels of an image, from 0 to 1, become the cells that a network was trained on: (pixel − mean)/std.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preparation {
    /// By channel; 0 where it is empty.
    pub mean: Vec<f32>,
    /// By channel; 1 where it is empty.
    pub std: Vec<f32>,
}

impl Preparation {
    /// Checks that there is one number for each channel, or none.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::Parameter`] for a `std` that is not positive or a `mean` that is not finite.
    pub fn new(channels: usize, mean: Vec<f64>, std: Vec<f64>) -> Result<Self> {
        for (what, list) in [("mean of the input", &mean), ("std of the input", &std)] {
            if !list.is_empty() {
                xai_core::error::same_shape(what, &[channels], &[list.len()])?;
            }
        }
        if let Some(mean) = mean.iter().find(|mean| !mean.is_finite()) {
            return Err(Error::parameter("mean of the input", mean, "finite numbers"));
        }
        if let Some(std) = std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
            return Err(Error::parameter("std of the input", std, "positive numbers"));
        }
        let narrow = |list: Vec<f64>| list.into_iter().map(|x| x as f32).collect();
        Ok(Preparation { mean: narrow(mean), std: narrow(std) })
    }

    /// The cell that a pixel from 0 to 1 becomes.
    pub fn cell(&self, channel: usize, pixel: f32) -> f32 {
        (pixel - self.mean.get(channel).unwrap_or(&0.0)) / self.std.get(channel).unwrap_or(&1.0)
    }

    /// The pixel that a cell was.
    pub fn pixel(&self, channel: usize, cell: f32) -> f32 {
        cell * self.std.get(channel).unwrap_or(&1.0) + self.mean.get(channel).unwrap_or(&0.0)
    }
}

/// What a file says of a network beside its layers.
pub(crate) struct Face {
    pub features: Vec<Feature>,
    /// Names; none when they have no names.
    pub outputs: Vec<String>,
    pub preparation: Preparation,
    pub kind: FileKind,
    pub facts: Vec<(String, String)>,
}

impl AnyNetwork {
    /// A network by the axes of one sample.
    pub(crate) fn new(input_shape: &[usize], nodes: Vec<Node>, face: Face) -> Result<Self> {
        match input_shape.len() {
            1 => LoadedNetwork::new(input_shape, nodes, face).map(AnyNetwork::Table),
            2 => LoadedNetwork::new(input_shape, nodes, face).map(AnyNetwork::Series),
            3 => LoadedNetwork::new(input_shape, nodes, face).map(AnyNetwork::Images),
            axes => Err(Error::unsupported(
                format!("a network whose samples have {axes} axes, {input_shape:?}"),
                "tables (1), series (2: channel, step) and images (3: channel, row, column) are served",
            )),
        }
    }

    /// What the file says, as [`LoadedNetwork::facts`].
    pub fn facts(&self) -> &[(String, String)] {
        match self {
            AnyNetwork::Table(loaded) => &loaded.facts,
            AnyNetwork::Series(loaded) => &loaded.facts,
            AnyNetwork::Images(loaded) => &loaded.facts,
        }
    }

    /// The network of tables.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when something else goes in.
    pub fn table(self) -> Result<LoadedNetwork<Table>> {
        match self {
            AnyNetwork::Table(loaded) => Ok(loaded),
            AnyNetwork::Series(_) => Err(other("a table", "series")),
            AnyNetwork::Images(_) => Err(other("a table", "images")),
        }
    }

    /// The network of series.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when something else goes in.
    pub fn series(self) -> Result<LoadedNetwork<ArrayRef<f32, Ix3>>> {
        match self {
            AnyNetwork::Series(loaded) => Ok(loaded),
            AnyNetwork::Table(_) => Err(other("a series", "tables")),
            AnyNetwork::Images(_) => Err(other("a series", "images")),
        }
    }

    /// The network of images.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when something else goes in.
    pub fn images(self) -> Result<LoadedNetwork<ArrayRef<f32, Ix4>>> {
        match self {
            AnyNetwork::Images(loaded) => Ok(loaded),
            AnyNetwork::Table(_) => Err(other("an image", "tables")),
            AnyNetwork::Series(_) => Err(other("an image", "series")),
        }
    }
}

fn other(wanted: &str, taken: &str) -> Error {
    Error::unsupported(format!("{wanted} for this network"), format!("it takes {taken}"))
}

impl<B: Cells + ?Sized> LoadedNetwork<B> {
    fn new(input_shape: &[usize], nodes: Vec<Node>, face: Face) -> Result<Self> {
        let network = Network::<B>::new(input_shape, nodes)?;
        let layers = network.plan.layers.as_slice();
        let n_outputs = network.plan.n_outputs();
        let scale = scale_of(&network);
        let outputs = match face.outputs.is_empty() {
            true => Output::unnamed(n_outputs).into_iter().map(|output| Output::new(output.name, scale)).collect(),
            false => face.outputs.into_iter().map(|name| Output::new(name, scale)).collect(),
        };
        let axes: Vec<String> = input_shape.iter().map(usize::to_string).collect();
        let counts = [
            ("input", axes.join(" × ")),
            ("layers", (layers.len() - 1).to_string()),
            ("parameters", network.n_parameters().to_string()),
            ("outputs", n_outputs.to_string()),
        ];
        let mut facts = vec![("file".to_owned(), face.kind.to_string())];
        facts.extend(face.facts);
        facts.extend(counts.map(|(name, value)| (name.to_owned(), value)));
        let network = network.named(face.features, outputs)?;
        Ok(LoadedNetwork { network, preparation: face.preparation, kind: face.kind, facts })
    }
}

/// The unit of the scores, from the last layer that changes any number.
fn scale_of<B: Cells + ?Sized>(network: &Network<B>) -> Scale {
    let layers = network.plan.layers.as_slice();
    let mut layer = &layers[layers.len() - 1];
    loop {
        match (layer.kind, layer.inputs.as_slice()) {
            (LayerKind::Softmax | LayerKind::Sigmoid, _) => return Scale::Probability,
            (LayerKind::LogSoftmax, _) => return Scale::Log,
            (LayerKind::Identity | LayerKind::Reshape, &[before]) => layer = &layers[before],
            _ => return Scale::Natural,
        }
    }
}
