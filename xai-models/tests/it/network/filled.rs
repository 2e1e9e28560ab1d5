//! Boxes that are filled: the short way against filled copies.

use std::borrow::Borrow;
use std::ops::Range;

use ndarray::{Array1, Array2, Array3, Array4, ArrayD, Axis, IxDyn, Slice, concatenate};
use proptest::prelude::*;
use xai_core::{Cell, Cells, Error, Model, Table};
use xai_models::network::{Convolution, Network, Node, Op, Window};

use super::random::Dice;

type Image = ndarray::ArrayRef4<f32>;
type Series = ndarray::ArrayRef3<f32>;

/// Sums of a few hundred products in f32, added up in another order, relative to the largest score.
const ROUNDING: f64 = 1e-6;
/// A random network may blow up roundings, as by a softmax of hundreds; see `laws.rs`.
const BLOWN_UP: f64 = 3e-4;

fn boxes(dice: &mut Dice, shape: &[usize]) -> Vec<Vec<Range<usize>>> {
    let mut range = |n: usize| {
        let start = dice.below(n);
        start..start + 1 + dice.below((n - start).min(4))
    };
    (0..6).map(|_| shape.iter().map(|&n| range(n)).collect()).collect()
}

/// The scores of filled copies, in the order of the short way.
fn copies<B: Cells + ?Sized>(
    network: &Network<B>,
    batch: &B,
    boxes: &[Vec<Range<usize>>],
    fill: f64,
) -> ndarray::Array3<f64> {
    let scores = boxes.iter().map(|hole| {
        let mut cells = batch.cells().to_owned();
        let along = |axis: ndarray::AxisDescription| match axis.axis.index() {
            0 => Slice::from(..),
            axis => Slice::from(hole[axis - 1].clone()),
        };
        cells.slice_each_axis_mut(along).fill(B::Cell::of(fill));
        network.predict(B::of_cells(cells).unwrap().borrow()).unwrap().insert_axis(Axis(1))
    });
    let scores: Vec<_> = scores.collect();
    concatenate(Axis(1), &scores.iter().map(|one| one.view()).collect::<Vec<_>>()).unwrap()
}

fn compare<B: Cells + ?Sized>(network: &Network<B>, batch: &B, dice: &mut Dice, tolerance: f64) {
    let shape = batch.sample_shape();
    let boxes = boxes(dice, &shape);
    let fill = f64::from(dice.number());
    let found = network.predict_filled(batch, &boxes, fill).unwrap().unwrap();
    let expected = copies(network, batch, &boxes, fill);
    let scale = expected.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
    assert_eq!(found.len(), expected.len());
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "score {i}: {a} instead of {b}, of at most {scale}");
    }
    // The bits hang on the sample alone.
    let last = batch.n_samples() - 1;
    let alone = network.predict_filled(batch.samples(last..last + 1).borrow(), &boxes, fill).unwrap().unwrap();
    assert_eq!(alone, found.slice_axis(Axis(0), Slice::from(last * boxes.len()..)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn filled_images_are_their_copies(seed: u64) {
        let dice = &mut Dice(seed);
        // No more cells than a random network may have anywhere.
        let shape = (3, 1 + dice.below(3), 1 + dice.below(11), 1 + dice.below(11));
        let batch = Array4::from_shape_simple_fn(shape, || dice.number());
        let network = Network::<Image>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice, BLOWN_UP);
    }

    #[test]
    fn filled_series_are_their_copies(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = Array3::from_shape_simple_fn((3, 1 + dice.below(4), 1 + dice.below(24)), || dice.number());
        let network = Network::<Series>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice, BLOWN_UP);
    }

    #[test]
    fn filled_tables_are_their_copies(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = Array2::from_shape_simple_fn((3, 1 + dice.below(40)), || f64::from(dice.number()));
        let network = Network::<Table>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice, BLOWN_UP);
    }

    /// A network as they are used: padding, strides, norms, a residual block, pools, dense layers; numbers of all sizes.
    #[test]
    fn filled_photographs_are_their_copies(seed: u64) {
        let dice = &mut Dice(seed);
        let mut number = || dice.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0;
        let network = residual(&mut number);
        let batch = Array4::from_shape_simple_fn((9, 3, 24, 24), &mut number);
        compare(&network, &batch, dice, ROUNDING);
    }
}

fn residual(number: &mut dyn FnMut() -> f32) -> Network<Image> {
    let mut kernel = |outputs: usize, inputs: usize, stride: usize| {
        let scale = 1.0 / (3.0 * inputs as f32).sqrt();
        let weight = ArrayD::from_shape_simple_fn(IxDyn(&[outputs, inputs, 3, 3]), || number() * scale);
        let bias = Some(Array1::from_shape_simple_fn(outputs, &mut *number));
        Op::Convolution(Convolution {
            stride: vec![stride; 2],
            padding: vec![[1, 1]; 2],
            ..Convolution::new(weight, bias)
        })
    };
    let mut nodes = vec![
        Node::new("stem", kernel(5, 3, 1), vec![0]),
        Node::new("relu0", Op::Relu, vec![1]),
        Node::new("one", kernel(5, 5, 1), vec![2]),
        Node::new("relu1", Op::Relu, vec![3]),
        Node::new("two", kernel(5, 5, 1), vec![4]),
        Node::new("sum", Op::Add, vec![5, 2]),
        Node::new("pool", Op::MaxPool(Window { padding: vec![[1, 1]; 2], ..Window::new(vec![3, 2]) }), vec![6]),
        Node::new("down", kernel(6, 5, 2), vec![7]),
    ];
    let mut vector = |n: usize| Array1::from_shape_simple_fn(n, &mut *number);
    nodes.push(Node::new("norm", Op::BatchNorm { scale: vector(6), shift: vector(6) }, vec![8]));
    nodes.push(Node::new("relu2", Op::Relu, vec![9]));
    nodes.push(Node::new("flat", Op::Flatten, vec![10]));
    let size = nodes.iter().skip(1).fold(vec![5, 24, 24], |shape, node| match node.op {
        Op::Add => shape,
        ref op => op.output_shape(&[&shape]).unwrap(),
    });
    let weight = Array2::from_shape_simple_fn((4, size[0]), || number() / 8.0);
    nodes.push(Node::new("scores", Op::Linear { weight, bias: None }, vec![11]));
    Network::new(&[3, 24, 24], nodes).unwrap()
}

#[test]
fn boxes_that_do_not_fit_are_refused() {
    let network = residual(&mut || 0.5);
    let batch = Array4::<f32>::zeros((1, 3, 24, 24));
    for hole in [vec![0..1, 0..25, 0..1], vec![0..1, 0..1], vec![0..4, 0..1, 0..1]] {
        assert!(matches!(network.predict_filled(&batch, &[hole], 0.0), Err(Error::Parameter { .. })));
    }
    assert!(matches!(network.predict_filled(&batch, &[], f64::NAN), Err(Error::Parameter { .. })));
    assert!(matches!(network.predict_filled(&batch, &[], 1e300), Err(Error::Parameter { .. })));
    let none = network.predict_filled(&batch, &[], 0.0).unwrap().unwrap();
    assert_eq!(none.dim(), (0, 4));
    let empty = network.predict_filled(&batch, &[vec![1..1, 0..3, 0..3]], 5.0).unwrap().unwrap();
    assert_eq!(empty, network.predict(&batch).unwrap());
}
