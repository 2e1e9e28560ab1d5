//! Networks, pictures for them, and where in the pictures the evidence lies.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, Array4, ArrayRef4, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai::core::{Error, Model, Result};
use xai::eval::truth;
use xai::models::file::{AnyModel, open};
use xai::models::image::{self, Fit};
use xai::models::network::{Convolution, Network, Op, description};

/// A network and pictures whose evidence is known.
pub struct Scene {
    /// What it is called in the results.
    pub title: String,
    /// The network.
    pub network: Network<ArrayRef4<f32>>,
    /// The pictures: (sample, channel, row, column).
    pub batch: Array4<f32>,
    /// A picture that stands for absence: (1, channel, row, column).
    pub background: Array4<f32>,
    /// Where the evidence lies: (sample, place).
    pub masks: Array2<bool>,
    /// The output that is explained, for each picture.
    pub outputs: Vec<usize>,
    /// How many of the strongest places are looked at; a tenth of them when `None`.
    pub k: Option<usize>,
}

/// A scene, or what is not there for it.
pub enum Found {
    /// The scene.
    Scene(Box<Scene>),
    /// A file of the shared data.
    Missing(PathBuf),
}

/// The side of the pictures with planted stripes, and of the blocks that they are planted in.
const SIDE: usize = 16;
const BLOCK: usize = 4;
/// What the match of a block with stripes must exceed, as for `truth::pictures`.
const THRESHOLD: f32 = 10.0;
/// Scores of the network and of the model that it is made after differ by rounding to `f32`.
const SAME: f64 = 1e-4;

/// Horizontal stripes in noise beside vertical ones as bright; the network finds the horizontal ones.
pub fn planted(n: usize, seed: u64) -> Result<Scene> {
    let known = truth::pictures(n, SIDE, seed)?;
    let stripe = |row: usize| if row.is_multiple_of(2) { 1.0 } else { -1.0 };
    let kernel = Array4::from_shape_fn((1, 1, BLOCK, BLOCK), |(.., row, _)| stripe(row)).into_dyn();
    let bias = Some(Array1::from_elem(1, -THRESHOLD));
    let blocks = (SIDE / BLOCK) * (SIDE / BLOCK);
    let network = Network::<ArrayRef4<f32>>::sequence(
        &[1, SIDE, SIDE],
        [
            ("match", Op::Convolution(Convolution { stride: vec![BLOCK; 2], ..Convolution::new(kernel, bias) })),
            ("above", Op::Relu),
            ("blocks", Op::Flatten),
            ("sum", Op::Linear { weight: Array2::ones((1, blocks)), bias: None }),
        ],
    )?;
    let (ours, theirs) = (network.predict(&known.batch)?, known.model.predict(&known.batch)?);
    if ours.iter().zip(&theirs).any(|(a, b)| (a - b).abs() > SAME) {
        return Err(Error::unsupported("planted stripes", "the network differs from the model with known evidence"));
    }
    Ok(Scene {
        title: format!("Planted stripes, {n} pictures of {SIDE} × {SIDE}"),
        network,
        outputs: vec![0; n],
        background: known.background,
        batch: known.batch,
        masks: known.evidence,
        k: Some(BLOCK * BLOCK),
    })
}

/// The brightest noise behind the digits, where ink is 255.
const NOISE: f32 = 100.0;
/// What is ink; the pale rim of a stroke is noise.
const INK: u8 = 127;

/// Digits pasted on noise that the network reads rightly; the strokes are the evidence.
pub fn digits(folder: &Path, n: usize, seed: u64) -> Result<Found> {
    let names =
        ["models/mnist-cnn.onnx", "images/mnist-t10k-images-idx3-ubyte.gz", "images/mnist-t10k-labels-idx1-ubyte.gz"];
    let [model, images, labels] = names.map(|name| folder.join(name));
    if let Some(missing) = [&model, &images, &labels].into_iter().find(|path| !path.exists()) {
        return Ok(Found::Missing(missing.clone()));
    }
    let AnyModel::Network(network) = open(&model)? else {
        return Err(Error::unsupported(model.display().to_string(), "a network is needed"));
    };
    let network = network.images()?.network;
    let (images, labels) = (unpacked(&images, 16)?, unpacked(&labels, 8)?);
    let (side, cells) = (28, 28 * 28);
    let (mut pictures, mut masks, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut n_read = 0usize;
    for (digit, &label) in images.chunks_exact(cells).zip(&labels) {
        if outputs.len() == n {
            break;
        }
        let picture: Vec<f32> = digit
            .iter()
            .map(|&grey| {
                let noise = rng.random_range(0.0..NOISE);
                if grey > INK { f32::from(grey) } else { noise }
            })
            .collect();
        n_read += 1;
        let one = Array4::from_shape_vec((1, 1, side, side), picture.clone()).map_err(Error::model)?;
        let scores = network.predict(&one)?;
        let best = scores.row(0).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(place, _)| place);
        if best == Some(usize::from(label)) {
            pictures.extend(picture);
            masks.extend(digit.iter().map(|&grey| grey > INK));
            outputs.push(usize::from(label));
        }
    }
    let n = outputs.len();
    Ok(Found::Scene(Box::new(Scene {
        title: format!("Digits on noise, {n} that the network reads rightly of {n_read}"),
        network,
        batch: Array4::from_shape_vec((n, 1, side, side), pictures).map_err(Error::model)?,
        background: Array4::zeros((1, 1, side, side)),
        masks: Array2::from_shape_vec((n, cells), masks).map_err(Error::model)?,
        outputs,
        k: None,
    })))
}

/// The bytes of a packed idx file behind its header.
fn unpacked(path: &Path, header: usize) -> Result<Vec<u8>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).map_err(io)?).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes.split_off(header.min(bytes.len())))
}

/// The photograph of a bird at the size of CIFAR-10's pictures; a place is evidence where most of it shows the bird.
pub fn bird(folder: &Path) -> Result<Found> {
    let names = ["models/resnet20-cifar10.th", "images/bird.bmp", "images/bird-mask.bmp"];
    let [weights, photograph, mask] = names.map(|name| folder.join(name));
    if let Some(missing) = [&weights, &photograph, &mask].into_iter().find(|path| !path.exists()) {
        return Ok(Found::Missing(missing.clone()));
    }
    let text = include_bytes!("../../../../docs/src/networks/resnet20-cifar10.json");
    let loaded = description::read_bytes(text, None, Some(&weights))?.images()?;
    let shape = loaded.network.input_shape();
    let shape = [shape[0], shape[1], shape[2]];
    let batch = image::read(&[&photograph], shape, Fit::Centre, &loaded.preparation)?;
    let bytes = std::fs::read(&mask).map_err(|source| Error::Io { path: mask.clone(), source })?;
    let mask = image::fitted(&image::decode(&bytes, 1)?, shape[1], shape[2], Fit::Centre)?;
    // The mask's own grey of a bird, whatever it is.
    let brightest = mask.iter().copied().fold(0.0, f32::max);
    let masks: Array2<bool> = mask
        .mapv(|grey| grey > brightest / 2.0)
        .into_shape_with_order((1, shape[1] * shape[2]))
        .map_err(Error::model)?;
    let name = |output: &xai::core::Output| output.name == "bird";
    let output = loaded.network.outputs().iter().position(name).unwrap_or_default();
    let scores = loaded.network.predict(&batch)?;
    let rank = scores.row(0).iter().filter(|score| **score > scores[[0, output]]).count() + 1;
    Ok(Found::Scene(Box::new(Scene {
        title: format!("A photograph of a bird at 32 × 32, ResNet-20, \"bird\" at rank {rank} of its outputs"),
        background: batch.mean_axis(Axis(0)).map_or_else(|| batch.clone(), |mean| 0.0 * mean.insert_axis(Axis(0))),
        network: loaded.network,
        batch,
        masks,
        outputs: vec![output],
        k: None,
    })))
}
