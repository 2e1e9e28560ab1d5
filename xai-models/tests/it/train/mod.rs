//! Networks that learn: each step against arithmetic, the whole against what it must reach.

mod course;
mod steps;
mod views;

use ndarray::{Array1, Array2, Array4, ArrayRef4};
use rand08::{Rng, SeedableRng, rngs::StdRng};
use xai_core::Table;
use xai_models::network::{Convolution, Network, Op, Window};
use xai_models::train::{fresh, one_hot};

pub fn noise(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    Array2::from_shape_simple_fn(shape, || f64::from(random.gen_range(-1.0_f32..1.0)))
}

pub fn linear(inputs: usize, outputs: usize) -> Op {
    Op::Linear { weight: Array2::zeros((outputs, inputs)), bias: Some(Array1::zeros(outputs)) }
}

/// Points on a plane; output 1 is right inside a circle.
pub fn circle(n: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let points = noise((n, 2), seed);
    let inside: Vec<usize> = points.outer_iter().map(|p| usize::from(p[0] * p[0] + p[1] * p[1] < 0.5)).collect();
    (points, one_hot(&inside, 2).unwrap())
}

pub fn mlp(seed: u64) -> Network<Table> {
    let layers = [("first", linear(2, 16)), ("relu", Op::Relu), ("last", linear(16, 2))];
    fresh(&Network::sequence(&[2], layers).unwrap(), seed).unwrap()
}

/// Convolution, norm, curve, pool and scores, for images of 2 channels of 6 by 6.
pub fn cnn(norm: bool) -> Network<ArrayRef4<f32>> {
    let kernel =
        Convolution { padding: vec![[1, 1]; 2], ..Convolution::new(Array4::zeros((3, 2, 3, 3)).into_dyn(), None) };
    let between = match norm {
        true => Op::BatchNorm { scale: Array1::ones(3), shift: Array1::zeros(3) },
        false => Op::Identity,
    };
    let layers = [
        ("convolution", Op::Convolution(kernel)),
        ("norm", between),
        ("curve", Op::Silu),
        ("pool", Op::AveragePool { window: Window::new(vec![2, 2]), count_include_pad: false }),
        ("flat", Op::Flatten),
        ("last", linear(27, 3)),
    ];
    fresh(&Network::sequence(&[2, 6, 6], layers).unwrap(), 1).unwrap()
}

pub fn images(n: usize, seed: u64) -> (Array4<f32>, Array2<f64>) {
    let cells = noise((n, 72), seed).mapv(|x| x as f32).into_shape_with_order((n, 2, 6, 6)).unwrap();
    let outputs: Vec<usize> = (0..n).map(|i| i % 3).collect();
    (cells, one_hot(&outputs, 3).unwrap())
}
