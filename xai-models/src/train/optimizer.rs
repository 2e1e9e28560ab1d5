//! How parameters move.

use ::burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

/// A rule by which gradients move parameters.
///
/// # Source
/// Sutskever et al. 2013, as PyTorch has it: the momentum is not damped. Kingma and Ba 2015, algorithm 1. Loshchilov and
/// Hutter 2019, algorithm 2: the decay of weights is apart from the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// v ← `momentum`·v + g + `decay`·w, w ← w − rate·v.
    Sgd {
        /// How much of the last step goes on, 0 to 1.
        momentum: f64,
        /// How much of a weight is added to its gradient.
        decay: f64,
    },
    /// Steps of mean over root mean square of the gradients; with a decay it is AdamW.
    Adam {
        /// How much of the mean is kept.
        beta1: f64,
        /// How much of the mean square is kept.
        beta2: f64,
        /// What is added to the root.
        epsilon: f64,
        /// w ← w − rate·`decay`·w before each step.
        decay: f64,
    },
}

impl Default for Optimizer {
    /// Adam as in its paper.
    fn default() -> Self {
        Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 }
    }
}

/// How the rate falls over the epochs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// It stays.
    Constant,
    /// By half a cosine from the whole rate to zero after the last epoch (Loshchilov and Hutter 2017, eq. 5).
    #[default]
    Cosine,
}

impl Decay {
    /// The share of the rate that is left for `epoch` of `epochs`, from 0.
    pub(super) fn share(self, epoch: usize, epochs: usize) -> f64 {
        match self {
            Decay::Constant => 1.0,
            Decay::Cosine => (1.0 + (std::f64::consts::PI * epoch as f64 / epochs.max(1) as f64).cos()) / 2.0,
        }
    }
}

impl Optimizer {
    pub(super) fn check(&self) -> Result<()> {
        let share = |name: &str, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::parameter(name, value, "0 to less than 1")),
        };
        let positive = |name: &str, value: f64, from: f64| match value >= from && value.is_finite() {
            true => Ok(()),
            false => Err(Error::parameter(name, value, format!("at least {from}"))),
        };
        match *self {
            Optimizer::Sgd { momentum, decay } => share("momentum", momentum).and(positive("decay", decay, 0.0)),
            Optimizer::Adam { beta1, beta2, epsilon, decay } => share("beta1", beta1)
                .and(share("beta2", beta2))
                .and(positive("epsilon", epsilon, f64::MIN_POSITIVE))
                .and(positive("decay", decay, 0.0)),
        }
    }

    /// How many arrays it keeps for each parameter.
    pub(super) fn n_moments(&self) -> usize {
        match self {
            Optimizer::Sgd { .. } => 1,
            Optimizer::Adam { .. } => 2,
        }
    }

    /// The parameter after `step`, counted from 1. A parameter that does not decay is a bias or belongs to a norm.
    pub(super) fn step(
        &self,
        rate: f64,
        step: u64,
        decays: bool,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        moments: &mut [Tensor<1>],
    ) -> Tensor<1> {
        match (*self, moments) {
            (Optimizer::Sgd { momentum, decay }, [velocity]) => {
                let pulled = if decays && decay > 0.0 { gradient + parameter.clone() * decay } else { gradient };
                *velocity = velocity.clone() * momentum + pulled;
                parameter - velocity.clone() * rate
            }
            (Optimizer::Adam { beta1, beta2, epsilon, decay }, [mean, square]) => {
                *mean = mean.clone() * beta1 + gradient.clone() * (1.0 - beta1);
                *square = square.clone() * beta2 + gradient.square() * (1.0 - beta2);
                let so_far = |beta: f64| 1.0 - beta.powf(step as f64);
                let root = (square.clone() / so_far(beta2)).sqrt() + epsilon;
                let kept = if decays && decay > 0.0 { parameter * (1.0 - rate * decay) } else { parameter };
                kept - mean.clone() / root * (rate / so_far(beta1))
            }
            // As many moments as `n_moments` says are always there.
            _ => parameter,
        }
    }
}
