//! Trains a small convolutional network on handwritten digits: 8,000 of the MNIST test images, checked on the other 2,000.
//!
//! `cargo run --release -p xai-models --features train --example train_mnist [folder with the idx.gz files] [page.html]`

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, Array4, ArrayRef4, Axis};
use xai_models::network::{Convolution, Network, Op, Window};
use xai_models::train::{TextView, Training, fresh, one_hot};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| PathBuf::from("../shared/data/images"), PathBuf::from);
    if !folder.join("mnist-t10k-images-idx3-ubyte.gz").exists() {
        println!("skipped: no MNIST in {}", folder.display());
        return Ok(());
    }
    let images = idx(&folder.join("mnist-t10k-images-idx3-ubyte.gz"), 16)?;
    let digits = idx(&folder.join("mnist-t10k-labels-idx1-ubyte.gz"), 8)?;
    let images = Array4::from_shape_vec((digits.len(), 1, 28, 28), images)?.mapv(|grey| f32::from(grey) / 255.0);
    let targets = one_hot(&digits.iter().map(|&digit| usize::from(digit)).collect::<Vec<_>>(), 10)?;
    let split = 8000;
    let (learned, checked) = images.view().split_at(Axis(0), split);
    let (wanted, expected) = targets.view().split_at(Axis(0), split);

    let training =
        Training { epochs: 8, batch: 64, rate: 4e-3, dropout: vec![("flat".into(), 0.2)], ..Training::default() };
    let started = Instant::now();
    let trained = training.run(
        &fresh(&network()?, 0)?,
        &Device::flex(),
        (&learned, &wanted),
        Some((&checked, &expected)),
        &mut TextView::new(std::io::stdout(), true),
    )?;
    let last = trained.history.epochs.last().and_then(|epoch| epoch.checked?.accuracy).unwrap_or(0.0);
    println!("{:.2} % of {} digits in {:.1} s", last * 100.0, digits.len() - split, started.elapsed().as_secs_f64());
    if let Some(page) = arguments.next() {
        std::fs::write(page, trained.history.html())?;
    }
    Ok(())
}

/// Two convolutions, each with norm, ReLU and pool, and one linear layer.
fn network() -> xai_core::Result<Network<ArrayRef4<f32>>> {
    let kernel = |outputs: usize, inputs: usize| {
        let weight = Array4::zeros((outputs, inputs, 3, 3)).into_dyn();
        Op::Convolution(Convolution { padding: vec![[1, 1]; 2], ..Convolution::new(weight, None) })
    };
    let norm = |channels: usize| Op::BatchNorm { scale: Array1::ones(channels), shift: Array1::zeros(channels) };
    let pool = || Op::MaxPool(Window::new(vec![2, 2]));
    let layers = [
        ("conv1", kernel(8, 1)),
        ("norm1", norm(8)),
        ("relu1", Op::Relu),
        ("pool1", pool()),
        ("conv2", kernel(16, 8)),
        ("norm2", norm(16)),
        ("relu2", Op::Relu),
        ("pool2", pool()),
        ("flat", Op::Flatten),
        ("scores", Op::Linear { weight: Array2::zeros((10, 784)), bias: Some(Array1::zeros(10)) }),
    ];
    Network::sequence(&[1, 28, 28], layers)
}

/// The bytes of an idx file behind its header.
fn idx(path: &Path, header: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = vec![];
    GzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes.split_off(header))
}
