//! Models and data that the benches share: the sizes of real work, made from a seed, without a file.

pub mod known;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai::core::trees::{Comparison, Missing};
use xai::core::{Feature, Link, Output, Scale};
use xai::models::dense::{Activation, Dense, Layer};
use xai::models::trees::{Split, TreeBuilder, TreeModel};

/// The size of an ensemble.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How it is called in the results.
    pub name: &'static str,
    /// Trees.
    pub trees: usize,
    /// Splits on every path.
    pub depth: u32,
    /// Columns.
    pub features: usize,
}

/// Adult's size: 100 trees of depth 6 over 12 columns.
pub const SMALL: Size = Size { name: "100x6", trees: 100, depth: 6, features: 12 };
/// A large ensemble: 500 trees of depth 8 over 30 columns.
pub const LARGE: Size = Size { name: "500x8", trees: 500, depth: 8, features: 30 };

/// `n` rows of uniform numbers in 0..1.
pub fn rows(n: usize, features: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, features), || rng.random_range(0.0..1.0))
}

/// Full binary trees with random splits; every node's cover is its share of a uniform population of 10,000.
///
/// # Panics
/// Never: what it builds passes the check.
pub fn ensemble(size: Size, seed: u64) -> TreeModel {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut builder = TreeBuilder::new(size.features, vec![0.0], Link::LOGISTIC, Comparison::SINGLE_LESS);
    for _ in 0..size.trees {
        builder.start_tree(Some(0));
        let splits = (1u32 << size.depth) - 1;
        let mut cover = vec![10_000.0; 2 * splits as usize + 1];
        for node in 0..splits {
            let threshold = f64::from(rng.random_range(0.2f32..0.8));
            let (left, right) = (2 * node + 1, 2 * node + 2);
            let here = cover[node as usize];
            cover[left as usize] = here * threshold;
            cover[right as usize] = here - here * threshold;
            let feature = rng.random_range(0..size.features as u32);
            let split = Split { feature, left, right, default_left: rng.random(), missing: Missing::Nan };
            builder.number_split(split, threshold, here);
        }
        for cover in &cover[splits as usize..] {
            builder.leaf(&[rng.random_range(-0.1..0.1)], *cover);
        }
    }
    let trees = builder.finish().expect("full binary trees are sound");
    let outputs = vec![Output::new("y", Scale::LogOdds)];
    TreeModel::new(trees, Feature::unnamed(size.features), outputs).expect("as many names as columns")
}

/// A network with two hidden layers of 64 units each and one output, of random weights that keep the sums near one.
///
/// # Panics
/// Never: the layers fit.
pub fn network(features: usize, activation: Activation, seed: u64) -> Dense {
    let widths = [features, 64, 64, 1];
    let layer = |i: usize| Layer {
        weights: (rows(widths[i], widths[i + 1], seed + i as u64) - 0.5) * (12.0 / widths[i] as f64).sqrt(),
        bias: rows(1, widths[i + 1], seed + 10 + i as u64).row(0).to_owned() - 0.5,
        activation: if i < 2 { activation } else { Activation::Identity },
    };
    Dense::new((0..3).map(layer).collect()).expect("every layer fits the one before it")
}

/// The time that all threads of this process have spent on a processor, where the system tells it.
pub fn processor_seconds() -> Option<f64> {
    #[cfg(unix)]
    {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(spent.tv_sec as f64 + spent.tv_nsec as f64 * 1e-9)
    }
    #[cfg(not(unix))]
    None
}
