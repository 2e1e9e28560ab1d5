//! The loop.

use std::fmt;

use ::burn::tensor::{Device, Tensor, TensorData};
use ndarray::ArrayRef2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Error, LayerKind, Layered, Model, Result};

use super::learner::Learner;
use super::stage::{Check, Learn};
use super::{Decay, Epoch, History, Loss, Optimizer, Scored, State, Watch, loss};
use crate::burn::Tensors;
use crate::burn::guard::{guarded, sweep};
use crate::burn::taps::cells;
use crate::burn::tensors::single;
use crate::network::Network;

/// How a network learns.
///
/// Batch normalisation learns with each batch's own mean and variance, and keeps running ones (a tenth of each new batch)
/// for afterwards: in the trained network they are folded into scale and shift. Constants do not learn.
///
/// | field | default | purpose |
/// |---|---|---|
/// | `epochs` | 20 | passes over all samples, at most |
/// | `batch` | 64 | samples a step; the last steps of an epoch share what is left evenly |
/// | `loss` | cross-entropy | what becomes small |
/// | `optimizer` | Adam | how parameters move |
/// | `rate` | 0.001 | how far |
/// | `decay` | cosine | how the rate falls over the epochs |
/// | `dropout` | none | layers, and the share of their outputs that is dropped while learning |
/// | `frozen` | none | layers that stay as they are |
/// | `batch_statistics` | true | whether batch norms normalise; false where they were folded, to tune a trained network |
/// | `clip` | none | the norm that a gradient is shortened to |
/// | `patience` | none | the epochs without a better loss after which it ends, and the best parameters come back |
/// | `seed` | 0 | the order of samples, and dropout |
///
/// # Cost
/// A forward and a backward pass for each sample and epoch. The samples are held once more as `f32`.
///
/// # Laws
/// `training_repeats_with_its_seed`, `training_goes_on_from_a_checkpoint_bit_for_bit`,
/// `training_steps_are_those_worked_out_by_hand`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Passes over all samples, at most.
    pub epochs: usize,
    /// Samples a step.
    pub batch: usize,
    /// What becomes small.
    pub loss: Loss,
    /// How parameters move.
    pub optimizer: Optimizer,
    /// How far they move.
    pub rate: f64,
    /// How the rate falls over the epochs.
    pub decay: Decay,
    /// Layers by name, and the share of their outputs that is dropped while learning.
    pub dropout: Vec<(String, f64)>,
    /// Layers by name that stay as they are.
    pub frozen: Vec<String>,
    /// Whether batch norms normalise by the batch; else they learn their scale and shift like any other layer.
    pub batch_statistics: bool,
    /// The norm that a greater gradient is shortened to.
    pub clip: Option<f64>,
    /// The epochs without a better loss, on the samples for checking where there are some, after which it ends.
    pub patience: Option<usize>,
    /// The order of samples, and dropout.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            epochs: 20,
            batch: 64,
            loss: Loss::default(),
            optimizer: Optimizer::default(),
            rate: 1e-3,
            decay: Decay::default(),
            dropout: vec![],
            frozen: vec![],
            batch_statistics: true,
            clip: None,
            patience: None,
            seed: 0,
        }
    }
}

/// A network that has learned.
pub struct Trained<B: ?Sized> {
    /// The network, ready for prediction.
    pub network: Network<B>,
    /// What went on.
    pub history: History,
    /// Where the training stands, to go on.
    pub state: State,
}

impl<B: ?Sized> fmt::Debug for Trained<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trained").field("history", &self.history).finish_non_exhaustive()
    }
}

/// Samples as one run of cells, and what they shall score.
struct Data {
    cells: Vec<f32>,
    targets: Vec<f32>,
    width: usize,
    outputs: usize,
}

impl Data {
    fn new<B: Tensors + ?Sized>(training: &Training, network: &Network<B>, of: (&B, &ArrayRef2<f64>)) -> Result<Self>
    where
        Network<B>: Model,
    {
        let (batch, targets) = of;
        let (n, outputs) = (batch.n_samples(), network.n_outputs());
        same_shape("one sample", network.input_shape(), &batch.sample_shape())?;
        same_shape("targets (sample, output)", &[n, outputs], targets.shape())?;
        loss::check(training.loss, targets)?;
        if n == 0 {
            return Err(Error::parameter("samples", 0, "at least one"));
        }
        let targets = targets.iter().map(|&target| target as f32).collect();
        Ok(Data { cells: single(batch, 0, n)?, targets, width: network.input_shape().iter().product(), outputs })
    }

    fn len(&self) -> usize {
        self.targets.len() / self.outputs
    }

    /// The samples of `order`, and their targets, on `device`.
    fn take(&self, order: &[usize], device: &Device) -> (Tensor<2>, Tensor<2>, Vec<f32>) {
        let rows = |of: &[f32], width: usize| -> Vec<f32> {
            order.iter().flat_map(|&row| &of[row * width..(row + 1) * width]).copied().collect()
        };
        let (x, t) = (rows(&self.cells, self.width), rows(&self.targets, self.outputs));
        let targets = Tensor::from_data(TensorData::new(t.clone(), [order.len(), self.outputs]), device);
        (Tensor::from_data(TensorData::new(x, [order.len(), self.width]), device), targets, t)
    }
}

/// What is the same for all steps of an epoch.
struct Terms<'a> {
    rate: f64,
    /// The share to drop behind each layer.
    dropout: &'a [f64],
    device: &'a Device,
}

impl Training {
    /// Trains `network`, from the parameters that it has ([`fresh`](super::fresh) makes new ones), on samples and their
    /// targets (sample, output); `check` are samples that it shall not learn from.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a field, or a last layer, that makes no sense; [`Error::Unknown`] for the name of a layer;
    /// [`Error::Shape`] and [`Error::NonFinite`] for samples and targets; [`Error::NonFinite`] when the loss is no number
    /// any more; [`Error::Unsupported`] for a layer that burn cannot run; those of the watcher.
    pub fn run<B: Tensors + ?Sized>(
        &self,
        network: &Network<B>,
        device: &Device,
        samples: (&B, &ArrayRef2<f64>),
        check: Option<(&B, &ArrayRef2<f64>)>,
        watch: &mut dyn Watch,
    ) -> Result<Trained<B>>
    where
        Network<B>: Layered + Model<Batch = B>,
    {
        self.resume(network, device, samples, check, watch, None)
    }

    /// As [`Training::run`], from where a training of the same network, samples and fields stood. The best epoch, for
    /// [`Training::patience`], is sought from there on.
    ///
    /// # Errors
    /// As [`Training::run`]; [`Error::Unknown`] and [`Error::Shape`] for a state of another network.
    pub fn resume<B: Tensors + ?Sized>(
        &self,
        network: &Network<B>,
        device: &Device,
        samples: (&B, &ArrayRef2<f64>),
        check: Option<(&B, &ArrayRef2<f64>)>,
        watch: &mut dyn Watch,
        from: Option<&State>,
    ) -> Result<Trained<B>>
    where
        Network<B>: Layered + Model<Batch = B>,
    {
        let device = &device.clone().without_autodiff();
        let dropout = self.sound(network.layers())?;
        let data = Data::new(self, network, samples)?;
        let check = check.map(|check| Data::new(self, network, check)).transpose()?;
        let mut learner =
            guarded("burn", || Learner::new(network, device, &self.optimizer, &self.frozen, self.batch_statistics))?;
        let mut state = learner.state(0)?;
        if let Some(from) = from {
            guarded("burn", || learner.put(from, device))?;
            state = from.clone();
        }
        let (mut history, mut best): (History, Option<(f64, State)>) = (History::default(), None);
        for epoch in state.epochs..self.epochs {
            let done = guarded("burn", || self.epoch(&mut learner, &data, check.as_ref(), epoch, &dropout, device));
            let done = done.inspect_err(|_| sweep(device))?;
            state = learner.state(epoch + 1)?;
            let watched = done.checked.unwrap_or(done.learned).loss;
            let go_on = watch.epoch(&done, &state)?.is_continue();
            history.epochs.push(done);
            let Some(patience) = self.patience else {
                history.best = epoch + 1;
                if go_on { continue } else { break }
            };
            if best.as_ref().is_none_or(|(loss, _)| watched < *loss) {
                best = Some((watched, state.clone()));
                history.best = epoch + 1;
            }
            if !go_on || epoch + 1 - history.best >= patience {
                break;
            }
        }
        if let Some((_, best)) = best {
            learner.put(&best, device)?;
            state = best;
        }
        Ok(Trained { network: learner.network(network)?, history, state })
    }

    /// Checks the fields, and gives the share to drop for each layer.
    fn sound(&self, layers: &[xai_core::Layer]) -> Result<Vec<f64>> {
        self.optimizer.check()?;
        if self.batch == 0 {
            return Err(Error::parameter("batch", 0, "at least 1"));
        }
        for (name, value) in [("rate", Some(self.rate)), ("clip", self.clip)] {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && value.is_finite())) {
                return Err(Error::parameter(name, value, "a positive number"));
            }
        }
        let last = layers.last().map(|layer| layer.kind);
        let wrong = match self.loss {
            Loss::MeanSquare => false,
            Loss::CrossEntropy | Loss::BinaryCrossEntropy => {
                matches!(last, Some(LayerKind::Softmax | LayerKind::LogSoftmax | LayerKind::Sigmoid))
            }
        };
        if let (true, Some(kind)) = (wrong, last) {
            let expected = "one that gives scores: the loss takes softmax or sigmoid itself; add it after the training";
            return Err(Error::parameter("last layer", kind, expected));
        }
        let mut dropout = vec![0.0; layers.len()];
        for (name, share) in &self.dropout {
            if !(0.0..1.0).contains(share) {
                return Err(Error::parameter(format!("dropout of {name}"), share, "0 to less than 1"));
            }
            dropout[xai_core::layers::layer_named(layers, name)?] = *share;
        }
        Ok(dropout)
    }

    fn epoch(
        &self,
        learner: &mut Learner,
        data: &Data,
        check: Option<&Data>,
        epoch: usize,
        dropout: &[f64],
        device: &Device,
    ) -> Result<Epoch> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(&mut random);
        let n_steps = order.len().div_ceil(self.batch);
        let rate = self.rate * self.decay.share(epoch, self.epochs);
        let (mut sum, mut right) = (0.0, None);
        let mut squares = vec![0.0; learner.layers.len()];
        for step in 0..n_steps {
            // Even shares: no last step of one sample, which has no variance.
            let rows = &order[order.len() * step / n_steps..order.len() * (step + 1) / n_steps];
            let (loss, hits) = self.step(learner, data, rows, &Terms { rate, dropout, device }, &mut squares)?;
            if !loss.is_finite() {
                let what = format!("loss in epoch {}, step {}", epoch + 1, step + 1);
                return Err(Error::NonFinite { what, sample: rows[0], column: 0, value: loss });
            }
            sum += loss * rows.len() as f64;
            right = hits.map(|hits| hits + right.unwrap_or(0.0));
        }
        let n = order.len() as f64;
        Ok(Epoch {
            epoch: epoch + 1,
            of: self.epochs,
            learned: Scored { loss: sum / n, accuracy: right.map(|right: f64| right / n) },
            checked: check.map(|check| self.check(learner, check, device)).transpose()?,
            rate,
            gradient_norm: (squares.iter().sum::<f64>() / n_steps as f64).sqrt(),
            layers: learner.layer_states(&squares, n_steps)?,
        })
    }

    /// One step; the loss before it, and how many samples were right.
    fn step(
        &self,
        learner: &mut Learner,
        data: &Data,
        rows: &[usize],
        terms: &Terms,
        squares: &mut [f64],
    ) -> Result<(f64, Option<f64>)> {
        let Terms { rate, dropout, device } = *terms;
        let (x, targets, wanted) = data.take(rows, device);
        let leaves = learner.tracked();
        learner.steps += 1;
        // A step's stream of random numbers is its own: a resumed training draws the same.
        let seed = self.seed ^ learner.steps.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut stage = Learn { running: &mut learner.running, dropout, seed };
        let scores = learner.plan.run(&leaves, x, &mut stage);
        let loss = self.loss.of(scores.clone(), targets);
        let value = f64::from(cells(loss.clone())?[0]);
        let right = self.loss.right(&cells(scores)?, &wanted, data.outputs);
        if !loss.is_tracked() {
            return Err(Error::unsupported("training this network", "no layer in front of the scores learns"));
        }
        let mut found = loss.backward();
        let gradients: Vec<Vec<Option<Tensor<1>>>> =
            leaves.iter().map(|layer| layer.iter().map(|leaf| leaf.grad_remove(&mut found)).collect()).collect();
        let mut square = 0.0;
        for (sum, layer) in squares.iter_mut().zip(&gradients) {
            for gradient in layer.iter().flatten() {
                let own = f64::from(cells(gradient.clone().square().sum())?[0]);
                (*sum, square) = (*sum + own, square + own);
            }
        }
        let shorter = self.clip.map_or(1.0, |clip| (clip / square.sqrt()).min(1.0));
        for (layer, gradients) in learner.layers.iter_mut().zip(gradients) {
            for (own, gradient) in layer.iter_mut().zip(gradients) {
                let (true, Some(gradient)) = (own.learns, gradient) else { continue };
                let gradient = if shorter < 1.0 { gradient * shorter } else { gradient };
                let decays = own.name == "weight";
                own.value =
                    self.optimizer.step(rate, learner.steps, decays, own.value.clone(), gradient, &mut own.moments);
            }
        }
        Ok((value, right))
    }

    fn check(&self, learner: &Learner, data: &Data, device: &Device) -> Result<Scored> {
        const ROWS: usize = 256;
        let values = learner.values();
        let (mut sum, mut right) = (0.0, None);
        let order: Vec<usize> = (0..data.len()).collect();
        for rows in order.chunks(ROWS) {
            let (x, targets, wanted) = data.take(rows, device);
            let scores = learner.plan.run(&values, x, &mut Check { running: &learner.running });
            let loss = self.loss.of(scores.clone(), targets);
            sum += f64::from(cells(loss)?[0]) * rows.len() as f64;
            let hits = self.loss.right(&cells(scores)?, &wanted, data.outputs);
            right = hits.map(|hits| hits + right.unwrap_or(0.0));
        }
        let n = data.len() as f64;
        Ok(Scored { loss: sum / n, accuracy: right.map(|right: f64| right / n) })
    }
}
