//! Parameters to begin with.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai_core::{Cells, Parametric, Result};

use crate::network::Network;

/// The same network with parameters that were never trained: weights uniform within ±√(6/inputs), biases zero, norms that
/// change nothing. The same seed gives the same bits.
///
/// # Source
/// He et al. 2015, section 2.2, for layers in front of a ReLU.
///
/// # Errors
/// As [`Parametric::with_parameters`].
pub fn fresh<B: Cells + ?Sized>(network: &Network<B>, seed: u64) -> Result<Network<B>>
where
    Network<B>: Parametric,
{
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    network.with_parameters(&mut |_, name, mut cells| match name {
        "weight" => {
            let inputs = cells.shape()[1..].iter().product::<usize>().max(1);
            let bound = (6.0 / inputs as f64).sqrt();
            cells.iter_mut().for_each(|cell| *cell = random.random_range(-bound..bound));
        }
        "bias" | "shift" => cells.fill(0.0),
        "scale" => cells.fill(1.0),
        _ => {}
    })
}
