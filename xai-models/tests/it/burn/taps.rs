//! Layers of burn modules: read, replaced, differentiated.

use burn::tensor::Device;
use ndarray::{Array2, Array4, ArrayD, Axis, IxDyn};
use xai_core::{Differentiable, Error, Layered, Model, Probe};
use xai_models::burn::BurnModel;

use super::adaptor::noise;
use super::modules::Cnn;

/// Sums of a few dozen `f32` in two orders.
const ROUNDING: f32 = 1e-5;

type Images = ndarray::ArrayRef4<f32>;

fn cnn() -> (BurnModel<Images, Cnn>, Array4<f32>) {
    let device = Device::flex();
    let model = BurnModel::images(Cnn::new(&device), [2, 6, 6], &device, Cnn::forward).unwrap();
    let cells = noise((5, 72), 7).mapv(|x| x as f32);
    (model.rows(2), cells.into_shape_with_order((5, 2, 6, 6)).unwrap())
}

fn close(a: &ArrayD<f32>, b: &ArrayD<f32>) -> bool {
    a.shape() == b.shape() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < ROUNDING)
}

#[test]
fn burn_layers_are_those_tapped() {
    let (model, batch) = cnn();
    let names: Vec<&str> = model.layers().iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["input", "maps", "hidden", "scores"]);
    assert_eq!(model.layers()[1].shape, [3, 4, 4]);
    let weights = [noise((5, 2), 8), noise((5, 2), 9)];
    let seen = model.probe(&batch, &Probe { read: &[3, 1, 0], replace: None, weights: &weights }).unwrap();
    assert_eq!(seen.scores, model.predict(&batch).unwrap());
    assert_eq!(seen.activations[0].mapv(f64::from), seen.scores.clone().into_dyn());
    assert_eq!(seen.activations[2], batch.clone().into_dyn());
    for (weights, gradients) in weights.iter().zip(&seen.gradients) {
        assert_eq!(gradients[0], weights.mapv(|x| x as f32).into_dyn());
        assert!(close(&gradients[2], &model.vjp(&batch, weights).unwrap().into_dyn()));
    }
}

#[test]
fn burn_gradients_of_a_layer_follow_its_replacement() {
    let (model, batch) = cnn();
    let weights = [noise((5, 2), 10)];
    let seen = model.probe(&batch, &Probe { read: &[2], replace: None, weights: &weights }).unwrap();
    // Put back what was there: nothing changes, and gradients begin there.
    let hidden = &seen.activations[0];
    let put = |hidden: &ArrayD<f32>| {
        model.probe(&batch, &Probe { read: &[0, 2], replace: Some((2, hidden)), weights: &weights }).unwrap()
    };
    let same = put(hidden);
    assert_eq!(same.scores, seen.scores);
    assert!(close(&same.gradients[0][1], &seen.gradients[0][0]));
    assert!(same.gradients[0][0].iter().all(|&slope| slope == 0.0));
    // The scores are linear in the hidden layer: a step along the gradient gains its square.
    let gradient = &seen.gradients[0][0];
    let gain = ((put(&(hidden + gradient)).scores - &seen.scores) * &weights[0]).sum_axis(Axis(1));
    for (gain, gradient) in gain.iter().zip(gradient.outer_iter()) {
        let square = gradient.iter().map(|&x| f64::from(x * x)).sum::<f64>();
        assert!((gain - square).abs() < f64::from(ROUNDING), "{gain} {square}");
    }
}

#[test]
fn burn_probes_that_do_not_fit_are_refused() {
    let (model, batch) = cnn();
    let none = model.probe(&batch, &Probe { read: &[4], replace: None, weights: &[] });
    assert!(matches!(none, Err(Error::Parameter { .. })));
    let small = ArrayD::zeros(IxDyn(&[4, 8]));
    let wrong = model.probe(&batch, &Probe { read: &[], replace: Some((2, &small)), weights: &[] });
    assert!(matches!(wrong, Err(Error::Shape { .. })));
    let weights = [Array2::zeros((5, 3))];
    assert!(model.probe(&batch, &Probe { read: &[], replace: None, weights: &weights }).is_err());
}
