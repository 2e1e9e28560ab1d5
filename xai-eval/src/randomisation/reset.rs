//! Models whose parameters were never learnt.

use ndarray::ArrayViewMutD;
use xai_core::{Parametric, Result};

use crate::draws::Draws;

/// What takes the place of learnt parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reset {
    /// Numbers as PyTorch starts with: evenly spread within ±1/√(inputs of a unit) for weights and biases; 1 for scales and
    /// 0 for shifts of a normalisation.
    #[default]
    Initial,
    /// The learnt numbers in another order: their distribution stays.
    Shuffled,
}

/// A copy of `model` in which every layer for which `chosen` says so has random parameters, which follow from the seed and
/// the layer's place alone.
///
/// # Errors
/// Those of [`Parametric::with_parameters`].
pub fn randomised<M: Parametric>(model: &M, chosen: impl Fn(usize) -> bool, reset: Reset, seed: u64) -> Result<M> {
    // A bias follows the weight of its layer and takes its width.
    let mut width = (usize::MAX, 1.0);
    let mut seen = std::collections::HashMap::new();
    model.with_parameters(&mut |layer, name, array| {
        let nth: &mut u64 = seen.entry(layer).or_insert(0);
        *nth += 1;
        if !chosen(layer) {
            return;
        }
        let mut draws = Draws::nth(seed ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15), layer);
        match reset {
            Reset::Shuffled => shuffle(array, &mut draws),
            Reset::Initial => {
                if array.ndim() > 1 {
                    width = (layer, array.shape()[1..].iter().product::<usize>() as f64);
                } else if width.0 != layer {
                    width = (layer, array.len().max(1) as f64);
                }
                initial(name, array, width.1, &mut draws);
            }
        }
    })
}

fn initial(name: &str, mut array: ArrayViewMutD<f64>, width: f64, draws: &mut Draws) {
    match name {
        "scale" => array.fill(1.0),
        "shift" => array.fill(0.0),
        _ => {
            let bound = 1.0 / width.max(1.0).sqrt();
            array.iter_mut().for_each(|cell| *cell = bound * (2.0 * draws.uniform() - 1.0));
        }
    }
}

fn shuffle(mut array: ArrayViewMutD<f64>, draws: &mut Draws) {
    let mut cells: Vec<f64> = array.iter().copied().collect();
    for i in (1..cells.len()).rev() {
        cells.swap(i, draws.below(i + 1));
    }
    array.iter_mut().zip(cells).for_each(|(cell, shuffled)| *cell = shuffled);
}
