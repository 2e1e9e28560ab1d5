//! The models and data of the league.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, Array4, ArrayD, ArrayRef4, Axis};
use xai::contest::evenly;
use xai::core::{Error, Feature, Model, Result, Table};
use xai::eval::truth::{Known, Words};
use xai::models::file::AnyModel;
use xai::models::network::{AnyNetwork, Convolution, Network, Op, description};
use xai::models::table::align;
use xai::models::trees::TreeModel;

use crate::Outcome;
use crate::truth::categories;

/// Every third row is held out, as in `tools/reference/league_models.py`, which trained the models.
const HELD_OUT: usize = 3;

/// The breast cancer data: (row, feature).
pub struct Tumours {
    /// Rows that the models were trained on.
    pub training: Array2<f64>,
    /// Rows that they have not seen.
    pub held: Array2<f64>,
}

impl Tumours {
    /// Rows to explain, evenly spread.
    pub fn rows(&self, n: usize) -> Array2<f64> {
        self.held.select(Axis(0), &evenly(self.held.nrows(), n))
    }

    /// Rows that stand for absence, evenly spread.
    pub fn background(&self, n: usize) -> Array2<f64> {
        self.training.select(Axis(0), &evenly(self.training.nrows(), n))
    }
}

pub fn tumours() -> Result<Tumours> {
    let (table, _) = xai::data::breast_cancer()?.split_label("diagnosis")?;
    let matrix = align(&table, &[])?.matrix;
    let pick = |held: bool| {
        let rows: Vec<usize> = (0..matrix.nrows()).filter(|row| (row % HELD_OUT == 0) == held).collect();
        matrix.select(Axis(0), &rows)
    };
    Ok(Tumours { training: pick(false), held: pick(true) })
}

pub fn xgboost() -> Result<TreeModel> {
    Ok(xai::models::file::load_bytes(include_bytes!("../../../assets/league/trees.json"))?.model)
}

pub fn mlp() -> Result<Network<Table>> {
    let text = include_bytes!("../../../assets/league/mlp.json");
    Ok(description::read_bytes(text, None, None)?.table()?.network)
}

/// The planted pictures' model as layers: stripes of 4 x 4 cells, a threshold, a sum.
pub fn picture_network(side: usize) -> Result<Network<ArrayRef4<f32>>> {
    let kernel = ArrayD::from_shape_fn(vec![1, 1, 4, 4], |at| if at[2] % 2 == 0 { 1.0 } else { -1.0 });
    let threshold = Array1::from_elem(1, -10.0);
    let stripes = Convolution { stride: vec![4, 4], ..Convolution::new(kernel, Some(threshold)) };
    let blocks = (side / 4).pow(2);
    let layers = [
        ("stripes", Op::Convolution(stripes)),
        ("relu", Op::Relu),
        ("flat", Op::Flatten),
        ("sum", Op::Linear { weight: Array2::ones((1, blocks)), bias: None }),
    ];
    Network::sequence(&[1, side, side], layers)
}

/// Texts as rows: a column for each place, a category for each word.
pub struct WordsAsTable<'a> {
    model: &'a Words,
    words: Vec<String>,
    features: Vec<Feature>,
}

impl<'a> WordsAsTable<'a> {
    pub fn of(known: &'a Known<Words>) -> Result<Self> {
        let texts = known.batch.iter().chain(&known.background);
        let mut words: Vec<String> = texts.flat_map(|text| text.split(' ').map(str::to_owned)).collect();
        words.sort();
        words.dedup();
        let features = categories(known.truth.features.len(), &words);
        Ok(WordsAsTable { model: &known.model, words, features })
    }

    /// Rows of the places of words.
    pub fn rows(&self, texts: &[String]) -> Result<Array2<f64>> {
        let mut rows = Array2::zeros((texts.len(), self.features.len()));
        for (text, mut row) in texts.iter().zip(rows.outer_iter_mut()) {
            for (word, cell) in text.split(' ').zip(&mut row) {
                let place = self.words.binary_search_by(|known| known.as_str().cmp(word));
                *cell = place.map_err(|_| Error::parameter("word", word, "one of those known"))? as f64;
            }
        }
        Ok(rows)
    }
}

impl Model for WordsAsTable<'_> {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let word = |code: &f64| self.words.get(*code as usize).map_or("", String::as_str);
        let text = |row: ndarray::ArrayView1<f64>| row.iter().map(word).collect::<Vec<_>>().join(" ");
        self.model.predict(&batch.outer_iter().map(text).collect::<Vec<_>>())
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }
}

/// Handwritten digits and a network for them.
pub struct Digits {
    pub network: Network<ArrayRef4<f32>>,
    /// From 0 to 255.
    pub images: Array4<f32>,
    /// How many of them the network tells rightly.
    pub accuracy: f64,
}

/// How many of the test images are looked at: the network's accuracy is taken on them.
const DIGITS: usize = 1000;

/// The MNIST test images and a network for them, where they are.
pub fn digits(folder: &Path) -> Outcome<Option<Digits>> {
    let [model, images, labels] =
        ["models/mnist-cnn.onnx", "images/mnist-t10k-images-idx3-ubyte.gz", "images/mnist-t10k-labels-idx1-ubyte.gz"]
            .map(|name| folder.join(name));
    if ![&model, &images, &labels].iter().all(|path| path.is_file()) {
        return Ok(None);
    }
    let AnyModel::Network(AnyNetwork::Images(loaded)) = xai::models::file::open(&model)? else {
        return Err(format!("{}: no network of images", model.display()).into());
    };
    let (pixels, labels) = (idx(&images, 16)?, idx(&labels, 8)?);
    let (n, cells) = (DIGITS.min(labels.len()), 28 * 28);
    let images = Array4::from_shape_vec((n, 1, 28, 28), pixels[..n * cells].iter().map(|&p| f32::from(p)).collect())?;
    let scores = loaded.network.predict(&images)?;
    let best = |row: ndarray::ArrayView1<f64>| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|b| b.0);
    let right = scores.outer_iter().zip(&labels).filter(|(row, label)| best(*row) == Some(usize::from(**label)));
    let accuracy = right.count() as f64 / n as f64;
    Ok(Some(Digits { network: loaded.network, images, accuracy }))
}

/// The bytes of an idx file behind its header.
fn idx(path: &Path, header: usize) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes.split_off(header.min(bytes.len())))
}
