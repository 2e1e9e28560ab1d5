//! What goes wrong in a module is an error, and leaves nothing behind.

use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use ndarray::{Array2, array};
use xai_core::{Differentiable, Error, Layered, Model, Probe, Table};
use xai_models::burn::BurnModel;

use super::modules::{Cnn, linear};

fn double(device: &Device) -> Linear {
    linear([[2.0], [0.0]], [0.0], device)
}

#[test]
fn burn_panics_become_errors() {
    let device = Device::flex();
    let error = BurnModel::table(double(&device), 3, &device, |layer, x, _| layer.forward(x)).unwrap_err();
    assert!(matches!(error, Error::Model(_)) && error.to_string().contains("panicked"), "{error}");
    // One that panics for some samples only, also on the graph.
    let model = BurnModel::table(double(&device), 2, &device, |layer, x, _| {
        assert!(x.clone().sum().into_scalar::<f32>() < 10.0, "the sum is too great");
        layer.forward(x)
    })
    .unwrap();
    for error in
        [model.predict(&array![[20.0, 0.0]]).unwrap_err(), model.vjp(&array![[20.0, 0.0]], &array![[1.0]]).unwrap_err()]
    {
        assert!(error.to_string().contains("the sum is too great"), "{error}");
    }
    assert_eq!(model.vjp(&array![[1.0, 1.0]], &array![[1.0]]).unwrap(), array![[2.0, 0.0]]);
}

#[test]
fn burn_modules_that_detach_are_named() {
    let device = Device::flex();
    let model = BurnModel::table(double(&device), 2, &device, |layer, x, _| layer.forward(x.detach())).unwrap();
    assert_eq!(model.predict(&array![[1.5, 1.0]]).unwrap(), array![[3.0]]);
    let error = model.vjp(&array![[1.5, 1.0]], &array![[1.0]]).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains("detaches"), "{error}");
    // Also where another layer still hangs on the graph.
    let model = BurnModel::table(double(&device), 2, &device, |layer, x, taps| {
        let x = taps.tap("cut", x.detach());
        layer.forward(x)
    })
    .unwrap();
    let weights = [array![[1.0]]];
    let by = |read: &[usize]| model.probe(&array![[1.5, 1.0]], &Probe { read, replace: None, weights: &weights });
    assert_eq!(by(&[1]).unwrap().gradients[0][0], array![[2.0, 0.0]].into_dyn());
    assert!(matches!(by(&[0, 1]), Err(Error::Unsupported { .. })));
}

#[test]
fn burn_batches_that_do_not_fit_are_refused() {
    let device = Device::flex();
    let model = BurnModel::table(double(&device), 2, &device, |layer, x, _| layer.forward(x)).unwrap();
    assert!(matches!(model.predict(&Array2::zeros((1, 3))), Err(Error::Shape { .. })));
    let weights = Array2::zeros((2, 1));
    assert!(matches!(model.vjp(&Array2::zeros((1, 2)), &weights), Err(Error::Shape { .. })));
    let great = model.predict(&array![[0.0, 0.0], [0.0, 1e300]]);
    assert!(matches!(great, Err(Error::NonFinite { sample: 1, column: 1, .. })), "{great:?}");
    assert!(BurnModel::table(double(&device), usize::MAX, &device, |layer, x, _| layer.forward(x)).is_err());
    let series = BurnModel::<Table, _>::new(double(&device), &[1, 2], &device, |layer, x, _| layer.forward(x));
    assert!(matches!(series, Err(Error::Shape { .. })));
    assert!(model.clone().named(vec![xai_core::Feature::numeric("a")], vec![]).is_err());
}

#[test]
fn burn_taps_that_change_are_errors() {
    let device = Device::flex();
    let twice = BurnModel::images(Cnn::new(&device), [2, 6, 6], &device, |cnn, x, taps| {
        let x = taps.tap("same", x);
        let x = taps.tap("same", x);
        cnn.forward(x, taps)
    });
    assert!(twice.unwrap_err().to_string().contains("two activations are named \"same\""));
    let moody = BurnModel::table(double(&device), 2, &device, |layer, x, taps| {
        let x = if x.dims()[0] == 1 { taps.tap("one", x) } else { x };
        layer.forward(x)
    })
    .unwrap();
    assert!(matches!(moody.predict(&Array2::zeros((2, 2))), Err(Error::Model(_))));
}

/// The memory of this process in MB.
#[cfg(target_os = "linux")]
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0 / 1e6
}

#[cfg(target_os = "linux")]
#[test]
fn burn_leaves_no_graph_behind() {
    // A graph of this model holds 64 x 4096 activations twice: 2 MB. 200 of them kept would be 400 MB; other tests of this
    // program take some dozens of MB meanwhile.
    const KEPT: f64 = 200.0;
    let device = Device::flex();
    let wide = LinearConfig::new(2, 4096).init(&device);
    let model = BurnModel::table(wide, 2, &device, |layer, x, taps| {
        let hidden = taps.tap("hidden", layer.forward(x).tanh()).exp();
        let scores = hidden.sum_dim(1);
        assert!(scores.clone().max().into_scalar::<f32>() < 5000.0, "too great");
        scores
    })
    .unwrap();
    let (rows, ones) = (Array2::from_elem((64, 2), 0.01), Array2::ones((64, 1)));
    let fatal = Array2::from_elem((64, 2), 100.0);
    model.vjp(&rows, &ones).unwrap();
    let before = resident();
    for _ in 0..200 {
        model.predict(&rows).unwrap();
    }
    for _ in 0..200 {
        model.vjp(&fatal, &ones).unwrap_err();
    }
    let grown = resident() - before;
    assert!(grown < KEPT, "{grown} MB");
}
