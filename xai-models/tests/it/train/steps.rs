//! Single steps, worked out apart.

use burn::tensor::Device;
use ndarray::{Array1, Array2, Array4, Axis, array};
use xai_core::{Model, Parametric, Table};
use xai_models::network::{Network, Op};
use xai_models::train::{Decay, Loss, Optimizer, Quiet, Training};

use super::{cnn, images, noise};

/// A few dozen steps in `f32` against `f64`.
const STEPS: f64 = 1e-4;
/// A slope over steps of [`MOVE`] in `f32` scores: rounding alone is 1e-7 / 0.01.
const SLOPE: f64 = 1e-3;
const MOVE: f64 = 0.01;

/// One step a batch of all samples.
fn whole(epochs: usize, n: usize, rate: f64, optimizer: Optimizer, loss: Loss) -> Training {
    Training { epochs, batch: n, rate, optimizer, loss, decay: Decay::Constant, ..Training::default() }
}

#[test]
fn training_steps_are_those_worked_out_by_hand() {
    let (x, y) = (noise((12, 2), 1), noise((12, 1), 2));
    let start = array![[0.5_f32, -0.25]];
    let sgd = Optimizer::Sgd { momentum: 0.9, decay: 0.1 };
    let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, decay: 0.2 };
    for optimizer in [sgd, adam] {
        let layer = Op::Linear { weight: start.clone(), bias: Some(array![0.75]) };
        let network = Network::<Table>::sequence(&[2], [("scores", layer)]).unwrap();
        let training = whole(20, 12, 0.05, optimizer, Loss::MeanSquare);
        let trained = training.run(&network, &Device::flex(), (&x, &y), None, &mut Quiet).unwrap();
        // The same in `f64`: the first two parameters are weights, which decay, the third is the bias.
        let mut w = array![0.5, -0.25, 0.75];
        let wide = ndarray::concatenate![Axis(1), x, Array2::ones((12, 1))];
        let (mut a, mut b) = (Array1::<f64>::zeros(3), Array1::<f64>::zeros(3));
        for step in 1..=20 {
            let gap = wide.dot(&w) - y.column(0);
            let g = wide.t().dot(&gap) * (2.0 / 12.0);
            for i in 0..3 {
                let decays = if i < 2 { 1.0 } else { 0.0 };
                match optimizer {
                    Optimizer::Sgd { momentum, decay } => {
                        a[i] = momentum * a[i] + g[i] + decays * decay * w[i];
                        w[i] -= 0.05 * a[i];
                    }
                    Optimizer::Adam { beta1, beta2, epsilon, decay } => {
                        w[i] -= 0.05 * decays * decay * w[i];
                        a[i] = beta1 * a[i] + (1.0 - beta1) * g[i];
                        b[i] = beta2 * b[i] + (1.0 - beta2) * g[i] * g[i];
                        let (mean, square) = (a[i] / (1.0 - beta1.powi(step)), b[i] / (1.0 - beta2.powi(step)));
                        w[i] -= 0.05 * mean / (square.sqrt() + epsilon);
                    }
                }
            }
        }
        let found = trained.network.predict(&array![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).unwrap();
        let expected = [w[0] + w[2], w[1] + w[2], w[2]];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < STEPS), "{found} {expected:?}");
        let before = (wide.dot(&array![0.5, -0.25, 0.75]) - y.column(0)).mapv(|gap| gap * gap).mean().unwrap();
        assert!((trained.history.epochs[0].learned.loss - before).abs() < STEPS);
    }
}

/// The loss of the network by the engine of this crate, without burn.
fn loss_of(network: &Network<ndarray::ArrayRef4<f32>>, x: &Array4<f32>, targets: &Array2<f64>, loss: Loss) -> f64 {
    let scores = network.predict(x).unwrap();
    let rows = scores.outer_iter().zip(targets.outer_iter());
    let of = |(s, t): (ndarray::ArrayView1<f64>, ndarray::ArrayView1<f64>)| match loss {
        Loss::CrossEntropy => {
            let all = s.iter().map(|s| s.exp()).sum::<f64>().ln();
            s.iter().zip(t).map(|(s, t)| t * (all - s)).sum::<f64>()
        }
        Loss::BinaryCrossEntropy => s.iter().zip(t).map(|(s, t)| s.exp().ln_1p() - t * s).sum::<f64>() / s.len() as f64,
        Loss::MeanSquare => s.iter().zip(t).map(|(s, t)| (s - t).powi(2)).sum::<f64>() / s.len() as f64,
    };
    rows.map(of).sum::<f64>() / x.shape()[0] as f64
}

#[test]
fn training_gradients_are_finite_differences() {
    let (network, (x, targets)) = (cnn(false), images(5, 3));
    for loss in [Loss::CrossEntropy, Loss::BinaryCrossEntropy, Loss::MeanSquare] {
        // One step without momentum moves by the gradient.
        let training = whole(1, 5, 1.0, Optimizer::Sgd { momentum: 0.0, decay: 0.0 }, loss);
        let trained = training.run(&network, &Device::flex(), (&*x, &targets), None, &mut Quiet).unwrap();
        assert!((trained.history.epochs[0].learned.loss - loss_of(&network, &x, &targets, loss)).abs() < STEPS);
        let flat = |network: &Network<_>| {
            let mut all = vec![];
            network.with_parameters(&mut |_, _, cells| all.extend(cells.iter().copied())).unwrap();
            all
        };
        let (before, after) = (flat(&network), flat(&trained.network));
        assert_eq!(before.len(), 54 + 3 + 81 + 3);
        for at in (0..before.len()).filter(|at| !(54..57).contains(at)) {
            let moved = |by: f64| {
                let mut seen = 0;
                let moved = network.with_parameters(&mut |_, _, mut cells| {
                    cells.iter_mut().for_each(|cell| {
                        *cell += if seen == at { by } else { 0.0 };
                        seen += 1;
                    })
                });
                loss_of(&moved.unwrap(), &x, &targets, loss)
            };
            let slope = (moved(MOVE) - moved(-MOVE)) / (2.0 * MOVE);
            assert!((before[at] - after[at] - slope).abs() < SLOPE, "{loss:?} {at}: {slope}");
        }
    }
}

#[test]
fn training_norms_by_the_batch_and_keeps_running_statistics() {
    let x = noise((8, 3), 5);
    let norm = Op::BatchNorm { scale: array![1.0, 2.0, 0.5], shift: array![0.0, 1.0, -1.0] };
    let network = Network::<Table>::sequence(&[3], [("norm", norm)]).unwrap();
    let y = Array2::zeros((8, 3));
    let sgd = Optimizer::Sgd { momentum: 0.0, decay: 0.0 };
    let trained =
        whole(1, 8, 1e-12, sgd, Loss::MeanSquare).run(&network, &Device::flex(), (&*x, &*y), None, &mut Quiet).unwrap();
    let mean = x.mean_axis(Axis(0)).unwrap();
    let (biased, unbiased) = (x.var_axis(Axis(0), 0.0), x.var_axis(Axis(0), 1.0));
    // Scores of mean 0 and variance near 1 in each channel, then scale and shift: the mean square is known.
    let expected = (0..3).map(|k| {
        let [scale, shift] = [[1.0, 0.0], [2.0, 1.0], [0.5, -1.0]][k];
        scale * scale * biased[k] / (biased[k] + 1e-5) + shift * shift
    });
    let loss = trained.history.epochs[0].learned.loss;
    assert!((loss - expected.sum::<f64>() / 3.0).abs() < STEPS, "{loss}");
    let running = |name: &str| trained.state.tensors[name].mapv(f64::from);
    for k in 0..3 {
        assert!((running("norm.running_mean")[[k]] - 0.1 * mean[k]).abs() < STEPS);
        assert!((running("norm.running_var")[[k]] - (0.9 + 0.1 * unbiased[k])).abs() < STEPS);
    }
    // Afterwards the running statistics count.
    let after = trained.network.predict(&x).unwrap();
    let by_hand = 2.0 * (x[[4, 1]] - 0.1 * mean[1]) / (0.9 + 0.1 * unbiased[1] + 1e-5).sqrt() + 1.0;
    assert!((after[[4, 1]] - by_hand).abs() < STEPS, "{} {by_hand}", after[[4, 1]]);
    // Norms that were folded can learn without the batch.
    let tuned = Training { batch_statistics: false, ..whole(1, 8, 1e-12, sgd, Loss::MeanSquare) };
    let tuned = tuned.run(&network, &Device::flex(), (&*x, &*y), None, &mut Quiet).unwrap();
    assert_eq!(tuned.network.predict(&x).unwrap(), network.predict(&x).unwrap());
    // Before the first step, running statistics change nothing.
    let none = Training { epochs: 0, ..Training::default() };
    let none = none.run(&cnn(true), &Device::flex(), (&*images(2, 1).0, &images(2, 1).1), None, &mut Quiet).unwrap();
    let (before, after) = (cnn(true).predict(&images(4, 2).0).unwrap(), none.network.predict(&images(4, 2).0).unwrap());
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < STEPS));
}

#[test]
fn training_shortens_gradients_that_are_too_long() {
    let (x, y) = (noise((6, 2), 7), noise((6, 1), 8) * 100.0);
    let layer = Op::Linear { weight: array![[0.0, 0.0]], bias: None };
    let network = Network::<Table>::sequence(&[2], [("scores", layer)]).unwrap();
    let sgd = Optimizer::Sgd { momentum: 0.0, decay: 0.0 };
    let training = Training { clip: Some(0.5), ..whole(1, 6, 1.0, sgd, Loss::MeanSquare) };
    let trained = training.run(&network, &Device::flex(), (&*x, &*y), None, &mut Quiet).unwrap();
    let w = &trained.state.tensors["scores.weight"];
    let length = w.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt();
    assert!((length - 0.5).abs() < STEPS, "{length}");
    assert!(trained.history.epochs[0].gradient_norm > 0.5);
}
