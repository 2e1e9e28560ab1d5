//! What layers do while a network learns, and while it is checked.

use ::burn::tensor::module::batch_norm_train;
use ::burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::burn::interpret::Stage;

/// What is added to the variance of a batch, as everywhere.
pub(super) const EPSILON: f64 = 1e-5;
/// How much of a batch's statistics goes into the running ones, as in PyTorch.
const NEWS: f64 = 0.1;

/// The running mean and variance of a norm's channels.
pub(super) type Running = Option<[Tensor<1>; 2]>;

/// Learning: norms by the batch's own statistics, and dropout.
pub(super) struct Learn<'a> {
    /// For each layer that normalises by batch statistics.
    pub running: &'a mut [Running],
    /// For each layer, the share of its output that is dropped.
    pub dropout: &'a [f64],
    /// The seed of this step.
    pub seed: u64,
}

impl Stage for Learn<'_> {
    fn batch_norm(&mut self, layer: usize, x: Tensor<3>, scale: Tensor<3>, shift: Tensor<3>) -> Tensor<3> {
        let Some([mean, variance]) = &mut self.running[layer] else { return x * scale + shift };
        let [n, channels, places] = x.dims();
        let own = batch_norm_train(x, scale.reshape([channels]), shift.reshape([channels]), EPSILON);
        let count = (n * places) as f64;
        let unbiased = own.variance.inner() * (count / (count - 1.0).max(1.0));
        *mean = mean.clone() * (1.0 - NEWS) + own.mean.inner() * NEWS;
        *variance = variance.clone() * (1.0 - NEWS) + unbiased * NEWS;
        own.output
    }

    fn leave(&mut self, layer: usize, output: Tensor<2>) -> Tensor<2> {
        let rate = self.dropout[layer];
        if rate == 0.0 {
            return output;
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(layer as u64);
        let dims = output.dims();
        let kept = (1.0 / (1.0 - rate)) as f32;
        let mask: Vec<f32> =
            (0..dims[0] * dims[1]).map(|_| if random.random::<f32>() < rate as f32 { 0.0 } else { kept }).collect();
        let device = output.device().without_autodiff();
        output * Tensor::from_data(TensorData::new(mask, dims), &device)
    }
}

/// Checking: norms by the running statistics.
pub(super) struct Check<'a> {
    pub running: &'a [Running],
}

impl Stage for Check<'_> {
    fn batch_norm(&mut self, layer: usize, x: Tensor<3>, scale: Tensor<3>, shift: Tensor<3>) -> Tensor<3> {
        let Some([mean, variance]) = &self.running[layer] else { return x * scale + shift };
        let channels = x.dims()[1];
        let wide = |p: &Tensor<1>| p.clone().reshape([1, channels, 1]);
        (x - wide(mean)) / (wide(variance) + EPSILON).sqrt() * scale + shift
    }
}
