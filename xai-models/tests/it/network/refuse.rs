//! Descriptions that make no sense, and batches that do not fit.

use ndarray::{Array1, Array2, Array4, ArrayD, IxDyn, array};
use proptest::prelude::*;
use xai_core::{Batch, Composed, Differentiable, Error, Layered, Model, Parametric, Probe, Table};
use xai_models::network::{Convolution, Network, Node, Op, Window};

use super::random::Dice;

type Image = ndarray::ArrayRef4<f32>;

fn image(shape: &[usize], op: Op) -> xai_core::Result<Network<Image>> {
    Network::new(shape, vec![Node::new("odd", op, vec![0]), Node::new("flat", Op::Flatten, vec![1])])
}

fn inner(error: Error) -> Error {
    match error {
        Error::InLayer { layer, source } => {
            assert_eq!(layer, "odd");
            *source
        }
        other => panic!("{other} does not name the layer"),
    }
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let window = |change: fn(&mut Window)| {
        let mut window = Window::new(vec![2, 2]);
        change(&mut window);
        Op::MaxPool(window)
    };
    let convolution = |change: fn(&mut Convolution)| {
        let mut own = Convolution::new(ArrayD::zeros(IxDyn(&[4, 2, 3, 3])), None);
        change(&mut own);
        Op::Convolution(own)
    };
    let odd = [
        Op::Linear { weight: Array2::zeros((2, 7)), bias: None },
        Op::Linear { weight: Array2::zeros((2, 5)), bias: Some(Array1::zeros(3)) },
        Op::Linear { weight: array![[f32::NAN, 0.0, 0.0, 0.0, 0.0]], bias: None },
        Op::BatchNorm { scale: Array1::zeros(3), shift: Array1::zeros(3) },
        Op::BatchNorm { scale: Array1::zeros(2), shift: Array1::from_elem(2, f32::INFINITY) },
        Op::LayerNorm { scale: ArrayD::zeros(IxDyn(&[4])), shift: ArrayD::zeros(IxDyn(&[4])), epsilon: 0.1 },
        Op::LayerNorm { scale: ArrayD::zeros(IxDyn(&[5])), shift: ArrayD::zeros(IxDyn(&[5])), epsilon: -1.0 },
        window(|w| w.stride = vec![0, 1]),
        window(|w| w.stride = vec![1]),
        window(|w| w.size = vec![7, 1]),
        window(|w| w.size = vec![usize::MAX, 1]),
        window(|w| w.dilation = vec![usize::MAX, usize::MAX]),
        window(|w| w.padding = vec![[2, 0], [0, 0]]),
        window(|w| w.padding = vec![[usize::MAX, 0], [0, 0]]),
        convolution(|c| c.groups = 0),
        convolution(|c| c.groups = 2),
        convolution(|c| c.groups = usize::MAX),
        convolution(|c| c.bias = Some(Array1::zeros(3))),
        convolution(|c| c.padding = vec![[usize::MAX, usize::MAX]; 2]),
        convolution(|c| c.dilation = vec![3, 3]),
        convolution(|c| c.stride = vec![]),
        Op::Convolution(Convolution::new(ArrayD::zeros(IxDyn(&[4])), None)),
        Op::Convolution(Convolution::new(ArrayD::zeros(IxDyn(&[4, 2, 0, 3])), None)),
        Op::AdaptiveAveragePool(vec![0, 1]),
        Op::AdaptiveAveragePool(vec![1]),
        Op::Softmax { axis: 3 },
        Op::Concatenate { axis: 3 },
        Op::Slice(vec![[0, 2, 1], [0, 5, 1]]),
        Op::Slice(vec![[0, 2, 0], [0, 5, 1], [0, 5, 1]]),
        Op::Slice(vec![[0, 3, 1], [0, 5, 1], [0, 5, 1]]),
        Op::Permute(vec![0, 1, 1]),
        Op::Reshape(vec![49]),
        Op::Celu(0.0),
        Op::LeakyRelu(f32::NAN),
        Op::Clip { low: 1.0, high: 0.0 },
        Op::Constant(ArrayD::zeros(IxDyn(&[1]))),
    ];
    for op in odd {
        let text = format!("{op:?}");
        match image(&[2, 5, 5], op) {
            Ok(network) => panic!("{text} was taken: {network:?}"),
            Err(error) => {
                let inner = inner(error);
                let named = matches!(inner, Error::Shape { .. } | Error::Parameter { .. } | Error::NonFinite { .. });
                assert!(named || matches!(inner, Error::TooLarge { .. }), "{text}: {inner:?}");
            }
        }
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let pad = |n: usize| Op::Pad(vec![[0, n], [0, 0], [0, 0]]);
    for n in [1 << 27, usize::MAX / 2, usize::MAX] {
        assert!(matches!(image(&[2, 5, 5], pad(n)).map_err(inner), Err(Error::TooLarge { .. })), "{n}");
    }
    let huge = Network::<Image>::new(&[usize::MAX, usize::MAX, 2], vec![]);
    assert!(matches!(huge, Err(Error::TooLarge { .. })));
    // Each fits, all together do not.
    let nodes = (0..200).map(|i| Node::new(format!("{i}"), Op::Relu, vec![i])).collect();
    assert!(matches!(Network::<Image>::new(&[1, 1000, 1000], nodes), Err(Error::TooLarge { .. })));
    // Little memory, but much work.
    let mut window = Window::new(vec![60_000]);
    window.stride = vec![1];
    window.padding = vec![[30_000, 30_000]];
    assert!(matches!(Op::MaxPool(window).output_shape(&[&[500, 60_000]]), Err(Error::TooLarge { .. })));
}

#[test]
fn graphs_that_make_no_sense_are_refused() {
    let relu = |name: &str, input: usize| Node::new(name, Op::Relu, vec![input]);
    for (nodes, why) in [
        (vec![], "none"),
        (vec![relu("a", 1)], "reads itself"),
        (vec![relu("a", 0), relu("a", 1)], "two of a name"),
        (vec![relu("input", 0)], "the name of the input"),
        (vec![Node::new("a", Op::Relu, vec![])], "reads nothing"),
        (vec![Node::new("a", Op::Relu, vec![0, 0])], "reads two"),
        (vec![Node::new("a", Op::Add, vec![])], "adds nothing"),
    ] {
        assert!(Network::<Table>::new(&[3], nodes).is_err(), "{why}");
    }
    assert!(Network::<Table>::new(&[3, 3], vec![relu("a", 0)]).is_err(), "scores on two axes");
    assert!(Op::batch_norm(&array![1.0], &array![1.0], &array![1.0], &array![-1.0], 0.5).is_err());
}

#[test]
fn batches_and_weights_are_checked_at_the_door() {
    let network = Network::<Table>::sequence(&[2], [("relu", Op::Relu)]).unwrap();
    let good = array![[1.0, 2.0]];
    assert!(matches!(network.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let error = network.predict(&array![[1.0, 2.0], [3.0, bad]]).unwrap_err();
        assert!(matches!(error, Error::NonFinite { sample: 1, column: 1, .. }), "{error}");
    }
    assert!(matches!(network.vjp(&good, &array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(network.line_vjps(&good, &array![[1.0, 2.0], [1.0, 2.0]], &[], &[]), Err(Error::Shape { .. })));
    assert!(network.line_vjps(&good, &good, &[(f64::NAN, 1.0)], &[]).is_err());
    assert!(matches!(network.operator(0), Err(Error::Parameter { .. })));
    assert!(matches!(network.operator(2), Err(Error::Parameter { .. })));
    assert!(network.probe(&good, &Probe { read: &[2], ..Probe::default() }).is_err());
    let other = ArrayD::zeros(IxDyn(&[2, 2]));
    let probe = Probe { replace: Some((1, &other)), ..Probe::default() };
    assert!(matches!(network.probe(&good, &probe), Err(Error::Shape { .. })));
    let operator = network.operator(1).unwrap();
    assert!(operator.forward(&[]).is_err());
    assert!(operator.forward(&[&ArrayD::zeros(IxDyn(&[]))]).is_err());
    assert!(operator.forward(&[&ArrayD::zeros(IxDyn(&[1, 3]))]).is_err());
}

/// Numbers that outgrow `f32` on the way are an error, not infinite scores.
#[test]
fn overflow_is_an_error_that_counts_samples_from_the_first() {
    let linear = |w: f32| Op::Linear { weight: array![[w]], bias: None };
    let network = Network::<Table>::sequence(&[1], [("a", linear(1e30)), ("b", linear(1e30))]).unwrap();
    let mut batch = Array2::zeros((200, 1));
    batch[[170, 0]] = 1.0;
    let error = network.predict(&batch).unwrap_err();
    assert!(matches!(error, Error::NonFinite { sample: 170, column: 0, .. }), "{error}");
    assert!(network.with_parameters(&mut |_, _, mut values| values.fill(1e300)).is_err());
}

proptest! {
    /// Any numbers in a description give a network that runs or an error.
    #[test]
    fn no_description_panics(seed: u64) {
        let dice = &mut Dice(seed);
        let mut n = || [0, 1, 2, 3, 5, 1 << 20, usize::MAX / 3, usize::MAX][dice.below(8)];
        let mut window = Window::new(vec![n(), n()]);
        window.stride = vec![n(), n()];
        window.padding = vec![[n(), n()], [n(), n()]];
        window.dilation = vec![n(), n()];
        window.ceil_mode = n() > 2;
        let mut own = Convolution::new(ArrayD::zeros(IxDyn(&[n() % 4, n() % 4, n() % 4, n() % 4])), None);
        own.stride = window.stride.clone();
        own.padding = window.padding.clone();
        own.dilation = window.dilation.clone();
        own.groups = n() % 5;
        let ops = [
            Op::MaxPool(window.clone()),
            Op::AveragePool { window, count_include_pad: n() > 2 },
            Op::Convolution(own),
            Op::AdaptiveAveragePool(vec![n(), n()]),
            Op::Slice(vec![[n(), n(), n()], [0, 4, n()], [0, 5, 1]]),
            Op::Pad(vec![[n(), 0], [0, n()], [0, 0]]),
            Op::Permute(vec![n(), n(), n()]),
            Op::Reshape(vec![n(), n(), n()]),
            Op::Softmax { axis: n() },
            Op::Concatenate { axis: n() },
        ];
        for op in ops {
            // What is large, but not too large, is not run here.
            let small = op.output_shape(&[&[2, 4, 5]]).is_ok_and(|shape| shape.iter().product::<usize>() < 10_000);
            if let (true, Ok(network)) = (small, image(&[2, 4, 5], op)) {
                let batch = Array4::ones((2, 2, 4, 5));
                let weights = Array2::ones((batch.n_samples(), network.n_outputs()));
                prop_assert!(network.vjp(&batch, &weights).is_ok());
            }
        }
    }
}
