//! Described networks on burn against the engine of this crate: two programs, one description.

use burn::tensor::Device;
use ndarray::{Array1, Array2, ArrayD, ArrayRef3, ArrayRef4, IxDyn};
use xai_core::{Differentiable, Layered, Model, Table};
use xai_models::burn::{OnDevice, Tensors};
use xai_models::network::{Convolution, Network, Node, Op, Window};

use super::adaptor::noise;

/// Two orders of summing a few hundred `f32` around 1, and two approximations of the same curves.
const AGREES: f64 = 1e-5;

fn cells(shape: &[usize], seed: u64) -> ArrayD<f32> {
    let size = shape.iter().product();
    noise((1, size), seed).mapv(|x| x as f32).into_shape_with_order(IxDyn(shape)).unwrap()
}

fn vector(length: usize, seed: u64) -> Array1<f32> {
    noise((1, length), seed).row(0).mapv(|x| x as f32)
}

fn matrix(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    noise((rows, columns), seed).mapv(|x| x as f32)
}

/// Both on five samples; between the op and the scores lies a layer that weighs every cell by its own number.
fn agree<B: Tensors + ?Sized>(name: &str, shape: &[usize], mut nodes: Vec<Node>)
where
    Network<B>: Layered + Model<Batch = B>,
    B::Owned: std::borrow::Borrow<B>,
{
    use std::borrow::Borrow;
    let from = nodes.len();
    let open = Network::<B>::new(shape, [nodes.clone(), vec![Node::new("flat", Op::Flatten, vec![from])]].concat());
    let width = open.unwrap_or_else(|error| panic!("{name}: {error}")).n_outputs();
    nodes.push(Node::new("flat", Op::Flatten, vec![from]));
    let last = Op::Linear { weight: matrix(3, width, 90) / (width as f32).sqrt(), bias: Some(vector(3, 91)) };
    nodes.push(Node::new("last", last, vec![from + 1]));
    let network = Network::<B>::new(shape, nodes).unwrap();
    let other = OnDevice::new(&network, &Device::flex()).unwrap();
    let batch = cells(&[&[5], shape].concat(), 92).mapv(|x| <B::Cell as xai_core::Cell>::of(f64::from(x) * 2.0));
    let (batch, weights) = (B::of_cells(batch).unwrap(), [noise((5, 3), 93), noise((5, 3), 94)]);
    let (scores, slopes) = network.scores_and_vjps(batch.borrow(), &weights).unwrap();
    let (others, other_slopes) = other.scores_and_vjps(batch.borrow(), &weights).unwrap();
    assert!(far(&scores.into_dyn(), &others.into_dyn()) < AGREES, "scores of {name}");
    for (a, b) in slopes.iter().zip(&other_slopes) {
        let wide = |x: &B::Owned| x.borrow().cells().mapv(Into::<f64>::into);
        let (a, b) = (wide(a), wide(b));
        assert!(a.iter().any(|&slope| slope != 0.0), "{name} has no slope at all");
        let gap = far(&a, &b);
        assert!(gap < AGREES, "gradient of {name}: {gap}\n{a}\n{b}");
    }
}

fn far(a: &ArrayD<f64>, b: &ArrayD<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f64::max)
}

fn one(op: Op) -> Vec<Node> {
    vec![Node::new("op", op, vec![0])]
}

#[test]
fn burn_agrees_with_the_engine_on_every_curve() {
    let curves = [
        ("relu", Op::Relu),
        ("leaky", Op::LeakyRelu(0.1)),
        ("elu", Op::Elu(0.7)),
        ("celu", Op::Celu(1.5)),
        ("selu", Op::Selu),
        ("gelu", Op::Gelu { tanh: false }),
        ("gelu by tanh", Op::Gelu { tanh: true }),
        ("silu", Op::Silu),
        ("sigmoid", Op::Sigmoid),
        ("tanh", Op::Tanh),
        ("softplus", Op::Softplus),
        ("clip", Op::Clip { low: -0.5, high: 0.75 }),
        ("clip above", Op::Clip { low: f32::NEG_INFINITY, high: 0.75 }),
        ("identity", Op::Identity),
    ];
    for (name, op) in curves {
        agree::<Table>(name, &[7], one(op.clone()));
        agree::<ArrayRef4<f32>>(name, &[2, 3, 4], one(op));
    }
}

#[test]
fn burn_agrees_with_the_engine_on_sums() {
    let linear = |o, i| Op::Linear { weight: matrix(o, i, 1), bias: Some(vector(o, 2)) };
    agree::<Table>("linear", &[6], one(linear(4, 6)));
    agree::<Table>("linear without bias", &[6], one(Op::Linear { weight: matrix(4, 6, 1), bias: None }));
    agree::<ArrayRef3<f32>>("linear on the last axis", &[3, 6], one(linear(4, 6)));
    let norm = Op::BatchNorm { scale: vector(3, 3), shift: vector(3, 4) };
    agree::<Table>("batch norm", &[3], one(norm.clone()));
    agree::<ArrayRef3<f32>>("batch norm", &[3, 5], one(norm.clone()));
    agree::<ArrayRef4<f32>>("batch norm", &[3, 4, 5], one(norm));
    for shape in [vec![5], vec![4, 5], vec![3, 4, 5]] {
        let (scale, shift) = (cells(&shape, 5), cells(&shape, 6));
        let norm = Op::LayerNorm { scale, shift, epsilon: 1e-5 };
        agree::<ArrayRef4<f32>>("layer norm", &[3, 4, 5], one(norm));
    }
    for axis in 0..3 {
        agree::<ArrayRef4<f32>>("softmax", &[3, 4, 5], one(Op::Softmax { axis }));
        agree::<ArrayRef4<f32>>("log softmax", &[3, 4, 5], one(Op::LogSoftmax { axis }));
    }
}

#[test]
fn burn_agrees_with_the_engine_on_convolutions() {
    let plain = Convolution::new(cells(&[4, 2, 3, 2], 10), Some(vector(4, 11)));
    agree::<ArrayRef4<f32>>("convolution", &[2, 6, 7], one(Op::Convolution(plain.clone())));
    let rich = Convolution {
        weight: cells(&[4, 1, 3, 2], 12),
        bias: None,
        stride: vec![2, 1],
        padding: vec![[1, 2], [0, 1]],
        dilation: vec![2, 3],
        groups: 2,
    };
    agree::<ArrayRef4<f32>>("convolution in groups", &[2, 6, 7], one(Op::Convolution(rich)));
    let series = Convolution {
        stride: vec![2],
        padding: vec![[2, 1]],
        dilation: vec![2],
        ..Convolution::new(cells(&[4, 2, 3], 13), Some(vector(4, 14)))
    };
    agree::<ArrayRef3<f32>>("convolution of series", &[2, 9], one(Op::Convolution(series)));
}

#[test]
fn burn_agrees_with_the_engine_on_pools() {
    let windows = |axes: usize| {
        let plain = Window::new(vec![2; axes]);
        let padded = Window { stride: vec![2; axes], padding: vec![[1, 1]; axes], ..Window::new(vec![3; axes]) };
        let uneven = Window { padding: vec![[0, 1]; axes], ..padded.clone() };
        let ceiled = Window { ceil_mode: true, ..padded.clone() };
        let overlapping = Window { stride: vec![1; axes], ..plain.clone() };
        [plain, padded, uneven, ceiled, overlapping]
    };
    for (at, (flat, long)) in windows(2).into_iter().zip(windows(1)).enumerate() {
        agree::<ArrayRef4<f32>>(&format!("max pool {at}"), &[2, 6, 7], one(Op::MaxPool(flat.clone())));
        agree::<ArrayRef3<f32>>(&format!("max pool {at} of series"), &[2, 7], one(Op::MaxPool(long.clone())));
        for count_include_pad in [true, false] {
            let name = format!("average pool {at} {count_include_pad}");
            let pool = |window: &Window| one(Op::AveragePool { window: window.clone(), count_include_pad });
            agree::<ArrayRef4<f32>>(&name, &[2, 6, 7], pool(&flat));
            agree::<ArrayRef3<f32>>(&name, &[2, 7], pool(&long));
        }
    }
    let dilated = Window { dilation: vec![2, 1], ..Window::new(vec![2, 2]) };
    agree::<ArrayRef4<f32>>("dilated max pool", &[2, 6, 7], one(Op::MaxPool(dilated)));
    agree::<ArrayRef4<f32>>("global average", &[2, 6, 7], one(Op::GlobalAveragePool));
    agree::<ArrayRef3<f32>>("global average", &[2, 6], one(Op::GlobalAveragePool));
    agree::<ArrayRef4<f32>>("adaptive average", &[2, 6, 7], one(Op::AdaptiveAveragePool(vec![4, 3])));
    agree::<ArrayRef3<f32>>("adaptive average", &[2, 7], one(Op::AdaptiveAveragePool(vec![3])));
}

#[test]
fn burn_agrees_with_the_engine_on_joints() {
    let side = |op: Op, narrow: &[usize]| {
        vec![
            Node::new("tanh", Op::Tanh, vec![0]),
            Node::new("other", Op::Constant(cells(narrow, 20)), vec![]),
            Node::new("both", op, vec![1, 0, 2]),
        ]
    };
    for op in [Op::Add, Op::Multiply] {
        agree::<ArrayRef4<f32>>("joint", &[2, 3, 4], side(op.clone(), &[2, 3, 4]));
        agree::<ArrayRef4<f32>>("joint, repeated", &[2, 3, 4], side(op.clone(), &[2, 1, 1]));
        agree::<ArrayRef4<f32>>("joint, fewer axes", &[2, 3, 4], side(op.clone(), &[4]));
        agree::<Table>("joint", &[4], side(op, &[4]));
    }
    for axis in 0..3 {
        agree::<ArrayRef4<f32>>("concatenated", &[2, 3, 4], side(Op::Concatenate { axis }, &[2, 3, 4]));
    }
    agree::<ArrayRef4<f32>>("reshaped", &[2, 3, 4], one(Op::Reshape(vec![6, 4])));
    agree::<ArrayRef4<f32>>("other order", &[2, 3, 4], one(Op::Permute(vec![2, 0, 1])));
    agree::<Table>("other order", &[4], one(Op::Permute(vec![0])));
    let part = Op::Slice(vec![[1, 2, 1], [0, 3, 2], [1, 4, 1]]);
    agree::<ArrayRef4<f32>>("a part", &[2, 3, 4], one(part));
    agree::<ArrayRef4<f32>>("padded", &[2, 3, 4], one(Op::Pad(vec![[0, 1], [0, 0], [2, 1]])));
}

#[test]
fn burn_says_which_layer_it_cannot_run() {
    let window = Window { dilation: vec![2, 2], ..Window::new(vec![2, 2]) };
    let mut nodes = one(Op::AveragePool { window, count_include_pad: true });
    nodes.push(Node::new("flat", Op::Flatten, vec![1]));
    let network = Network::<ArrayRef4<f32>>::new(&[1, 5, 5], nodes).unwrap();
    let error = OnDevice::new(&network, &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("\"op\""), "{error}");
}
