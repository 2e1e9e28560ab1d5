//! Whole trainings.

use std::ops::ControlFlow;

use burn::tensor::Device;
use xai_core::{Error, Model};
use xai_models::network::{Network, Op};
use xai_models::train::{Epoch, Loss, Optimizer, Quiet, State, Trained, Training, fresh, one_hot};

use super::{circle, cnn, images, linear, mlp, noise};

type Table = xai_core::Table;

/// Losses of one set of parameters by two programs in `f32`.
const LOSS: f64 = 1e-4;

fn quick(epochs: usize) -> Training {
    Training { epochs, batch: 20, rate: 0.02, ..Training::default() }
}

fn learn(training: &Training) -> Trained<Table> {
    let (x, y) = circle(300, 1);
    training.run(&mlp(1), &Device::flex(), (&x, &y), None, &mut Quiet).unwrap()
}

#[test]
fn training_learns_a_circle() {
    let (x, y) = circle(300, 1);
    let (other, wanted) = circle(200, 2);
    let trained = quick(40).run(&mlp(1), &Device::flex(), (&x, &y), Some((&other, &wanted)), &mut Quiet).unwrap();
    let scores = trained.network.predict(&other).unwrap();
    let right = scores.outer_iter().zip(wanted.outer_iter()).filter(|(s, t)| (s[1] > s[0]) == (t[1] > 0.5)).count();
    let last = trained.history.epochs.last().unwrap();
    assert!(right >= 180, "{right} of 200");
    assert_eq!(last.checked.unwrap().accuracy, Some(right as f64 / 200.0));
    assert_eq!((trained.history.epochs.len(), trained.history.best), (40, 40));
    assert_eq!(last.layers.iter().map(|layer| &layer.name[..]).collect::<Vec<_>>(), ["first", "last"]);
    assert_eq!(last.layers[0].weights.counts.iter().sum::<u64>(), 32);
    let parts: f64 = last.layers.iter().map(|layer| layer.gradient_norm.powi(2)).sum();
    assert!((parts.sqrt() - last.gradient_norm).abs() < 1e-9);
}

#[test]
fn training_repeats_with_its_seed() {
    let training = Training { dropout: vec![("relu".into(), 0.25)], ..quick(3) };
    let run = |threads: usize, training: &Training| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| learn(training))
    };
    let (first, again) = (run(1, &training), run(3, &training));
    assert_eq!((&first.state, &first.history), (&again.state, &again.history));
    let other = learn(&Training { seed: 1, ..training.clone() });
    assert_ne!(first.state, other.state);
    let dry = learn(&Training { dropout: vec![], ..training });
    assert_ne!(first.state, dry.state);
    assert_eq!(
        fresh(&mlp(1), 5).unwrap().nodes().collect::<Vec<_>>(),
        fresh(&mlp(2), 5).unwrap().nodes().collect::<Vec<_>>()
    );
    // The same on images, through convolutions and norms.
    let (x, y) = images(30, 4);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let train = || quick(2).run(&cnn(true), &Device::flex(), (&*x, &y), None, &mut Quiet).unwrap().state;
        pool.install(train)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn training_goes_on_from_a_checkpoint_bit_for_bit() {
    let training = Training { dropout: vec![("curve".into(), 0.25)], ..quick(4) };
    let (x, y) = images(30, 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("second.safetensors");
    let mut keep = |epoch: &Epoch, state: &State| {
        if epoch.epoch == 2 {
            state.save(&path)?;
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    let network = cnn(true);
    let whole = training.run(&network, &Device::flex(), (&*x, &y), None, &mut keep).unwrap();
    let state = State::read(&path).unwrap();
    assert_eq!((state.epochs, state.steps), (2, 4));
    let rest = training.resume(&network, &Device::flex(), (&*x, &y), None, &mut Quiet, Some(&state)).unwrap();
    assert_eq!(rest.state, whole.state);
    assert_eq!(rest.network.predict(&x).unwrap(), whole.network.predict(&x).unwrap());
    assert_eq!(rest.history.epochs, whole.history.epochs[2..]);
    let bytes = state.to_bytes();
    for cut in [0, 7, 8, 20, bytes.len() - 1] {
        assert!(matches!(State::of_bytes(&bytes[..cut]), Err(Error::Malformed { .. })), "cut at {cut}");
    }
    let mut other = state.clone();
    other.tensors.remove("last.bias");
    let missing = training.resume(&network, &Device::flex(), (&*x, &y), None, &mut Quiet, Some(&other));
    assert!(missing.unwrap_err().to_string().contains("last.bias"));
}

#[test]
fn training_that_stops_early_gives_back_the_best() {
    // Few samples with wrong targets: it learns them by heart, and scores others worse and worse.
    let (x, y) = (noise((20, 2), 9), one_hot(&(0..20).map(|i| i * i % 2).collect::<Vec<_>>(), 2).unwrap());
    let (other, wanted) = circle(100, 3);
    let training = Training { patience: Some(3), rate: 0.1, ..quick(60) };
    let trained = training.run(&mlp(3), &Device::flex(), (&x, &y), Some((&other, &wanted)), &mut Quiet).unwrap();
    let history = &trained.history;
    assert!(history.epochs.len() < 60, "it never stopped");
    assert_eq!(history.epochs.len(), history.best + 3);
    let losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.checked.unwrap().loss).collect();
    assert!(losses.iter().all(|&loss| loss >= losses[history.best - 1]));
    let none = Training { epochs: history.best, ..training };
    let again = none.resume(&trained.network, &Device::flex(), (&x, &y), Some((&other, &wanted)), &mut Quiet, None);
    assert!(again.is_ok());
    // The parameters are those of the best epoch: a pass over the samples for checking gives its loss.
    let scores = trained.network.predict(&other).unwrap();
    let loss = scores.outer_iter().zip(wanted.outer_iter()).map(|(s, t)| {
        let all = s.iter().map(|s| s.exp()).sum::<f64>().ln();
        all - s[usize::from(t[1] > 0.5)]
    });
    let loss = loss.sum::<f64>() / 100.0;
    assert!((loss - losses[history.best - 1]).abs() < LOSS, "{loss} {losses:?}");
}

#[test]
fn training_leaves_frozen_layers_alone() {
    let frozen = Training { frozen: vec!["first".into()], ..quick(2) };
    let trained = learn(&frozen);
    let start: Vec<_> = mlp(1).nodes().collect();
    let end: Vec<_> = trained.network.nodes().collect();
    assert_eq!(start[0], end[0]);
    assert_ne!(start[2], end[2]);
    assert_eq!(trained.history.epochs[0].layers.len(), 1);
    let all = Training { frozen: vec!["first".into(), "last".into()], ..quick(2) };
    let (x, y) = circle(30, 1);
    let nothing = all.run(&mlp(1), &Device::flex(), (&x, &y), None, &mut Quiet);
    assert!(matches!(nothing, Err(Error::Unsupported { .. })));
}

#[test]
fn training_refuses_what_makes_no_sense() {
    let (x, y) = circle(30, 1);
    let run = |training: Training| training.run(&mlp(1), &Device::flex(), (&x, &y), None, &mut Quiet).map(|_| ());
    let sgd = |momentum: f64| Optimizer::Sgd { momentum, decay: 0.0 };
    for training in [
        Training { batch: 0, ..quick(1) },
        Training { rate: f64::NAN, ..quick(1) },
        Training { clip: Some(0.0), ..quick(1) },
        Training { optimizer: sgd(1.0), ..quick(1) },
        Training { dropout: vec![("relu".into(), 1.0)], ..quick(1) },
    ] {
        assert!(matches!(run(training.clone()), Err(Error::Parameter { .. })), "{training:?}");
    }
    for training in [
        Training { dropout: vec![("none".into(), 0.5)], ..quick(1) },
        Training { frozen: vec!["none".into()], ..quick(1) },
    ] {
        assert!(matches!(run(training), Err(Error::Unknown { .. })));
    }
    let wild = Training { rate: 1e30, optimizer: sgd(0.0), loss: Loss::MeanSquare, ..quick(9) };
    assert!(matches!(run(wild), Err(Error::NonFinite { .. })));
    let few = quick(1).run(&mlp(1), &Device::flex(), (&x, &circle(29, 1).1), None, &mut Quiet);
    assert!(matches!(few, Err(Error::Shape { .. })));
    let twos = quick(1).run(&mlp(1), &Device::flex(), (&x, &(&y * 2.0)), None, &mut Quiet);
    assert!(matches!(twos, Err(Error::Parameter { .. })));
    let layers = [("last", linear(2, 2)), ("softmax", Op::Softmax { axis: 0 })];
    let soft = Network::<Table>::sequence(&[2], layers).unwrap();
    let soft = quick(1).run(&soft, &Device::flex(), (&x, &y), None, &mut Quiet);
    assert!(soft.unwrap_err().to_string().contains("last layer"));
    assert!(one_hot(&[3], 3).is_err());
}
