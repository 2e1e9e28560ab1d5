//! How long networks take, forward and back: `network [repeats]`, on as many threads as `RAYON_NUM_THREADS` says.
//!
//! The shapes are those of `benches/peers/captum_bench.py`: random weights, 256 samples.

use std::time::Instant;

use ndarray::{Array1, Array2, Array4, ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai::core::{Cells, Differentiable, Model, Result, Table};
use xai::models::network::{Convolution, Network, Op, Window};

const SAMPLES: usize = 256;
const POINTS: usize = 50;

struct Random(ChaCha8Rng);

impl Random {
    fn number(&mut self) -> f32 {
        self.0.random_range(-1.0..1.0)
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Op {
        let scale = 1.0 / (inputs as f32).sqrt();
        let weight = Array2::from_shape_simple_fn((outputs, inputs), || self.number() * scale);
        Op::Linear { weight, bias: Some(Array1::from_shape_simple_fn(outputs, || self.number() * scale)) }
    }

    fn convolution(&mut self, inputs: usize, outputs: usize) -> Op {
        let scale = 1.0 / (9.0 * inputs as f32).sqrt();
        let weight = ArrayD::from_shape_simple_fn(IxDyn(&[outputs, inputs, 3, 3]), || self.number() * scale);
        let bias = Some(Array1::from_shape_simple_fn(outputs, || self.number() * scale));
        Op::Convolution(Convolution { padding: vec![[1, 1]; 2], ..Convolution::new(weight, bias) })
    }

    fn dense(&mut self, widths: &[usize]) -> Result<Network<Table>> {
        let mut layers = Vec::new();
        for (i, pair) in widths.windows(2).enumerate() {
            layers.push((format!("linear{i}"), self.linear(pair[0], pair[1])));
            layers.push((format!("relu{i}"), Op::Relu));
        }
        layers.pop();
        Network::sequence(&widths[..1], layers)
    }

    fn images(&mut self) -> Result<Network<ndarray::ArrayRef4<f32>>> {
        let pool = || Op::MaxPool(Window::new(vec![2, 2]));
        let layers = [
            ("conv1", self.convolution(1, 16)),
            ("relu1", Op::Relu),
            ("pool1", pool()),
            ("conv2", self.convolution(16, 32)),
            ("relu2", Op::Relu),
            ("pool2", pool()),
            ("flatten", Op::Flatten),
            ("linear1", self.linear(1568, 128)),
            ("relu3", Op::Relu),
            ("linear2", self.linear(128, 10)),
        ];
        Network::sequence(&[1, 28, 28], layers)
    }
}

/// The least of `repeats` runs in milliseconds, after one that does not count.
fn least<T>(repeats: usize, mut work: impl FnMut() -> Result<T>) -> Result<f64> {
    work()?;
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        work()?;
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}

fn time<B: Cells + ?Sized>(name: &str, network: &Network<B>, from: &B, batch: &B, repeats: usize) -> Result<()> {
    let weights = [Array2::ones((SAMPLES, network.n_outputs()))];
    let points: Vec<(f64, f64)> =
        (0..POINTS).map(|i| ((i as f64 + 0.5) / POINTS as f64, 1.0 / POINTS as f64)).collect();
    let forward = least(repeats, || network.predict(batch))?;
    let gradient = least(repeats, || network.vjp(batch, &weights[0]))?;
    let line = least(repeats.div_ceil(4), || network.line_vjps(from, batch, &points, &weights))?;
    println!("{name:16} forward {forward:9.3} ms   gradient {gradient:9.3} ms   line of {POINTS} {line:9.3} ms");
    Ok(())
}

fn main() -> Result<()> {
    let repeats = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20);
    let random = &mut Random(ChaCha8Rng::seed_from_u64(1));
    for widths in [&[30, 64, 64, 2][..], &[784, 256, 128, 10]] {
        let network = random.dense(widths)?;
        let batch = Array2::from_shape_simple_fn((SAMPLES, widths[0]), || f64::from(random.number()));
        let zeros = Array2::zeros(batch.raw_dim());
        time(&format!("MLP {}", widths[0]), &network, &zeros, &batch, repeats)?;
    }
    let network = random.images()?;
    let batch = Array4::from_shape_simple_fn((SAMPLES, 1, 28, 28), || random.number());
    let zeros = Array4::zeros(batch.raw_dim());
    time("CNN 28x28", &network, &zeros, &batch, repeats)
}
