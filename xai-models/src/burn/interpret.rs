//! The layers of a described network on burn's tensors.
//!
//! Activations are (sample, cell) from layer to layer; the axes of a sample come back where an op needs them.

use ::burn::tensor::activation as curve;
use ::burn::tensor::module::{adaptive_avg_pool1d, adaptive_avg_pool2d, avg_pool1d, avg_pool2d, conv1d, conv2d};
use ::burn::tensor::module::{max_pool1d, max_pool2d};
use ::burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use ::burn::tensor::{Int, Tensor, TensorData};
use xai_core::{Cells, Error, Layer, Layered, Result};

use crate::network::{Convolution, Network, Op, Window};

/// The layers of a network, the input first.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub layers: Vec<Layer>,
    pub ops: Vec<Option<Op>>,
}

/// A layer whose turn it is.
struct Turn<'a> {
    place: usize,
    /// Samples.
    n: usize,
    /// The axes of a sample of each input.
    shapes: &'a [&'a [usize]],
    /// The layer's parameters.
    own: &'a [Tensor<1>],
    /// The network's input.
    input: &'a Tensor<2>,
}

/// What differs between training and prediction.
pub(crate) trait Stage {
    /// x·scale + shift of each channel; `x` is (sample, channel, place), the others (1, channel, 1).
    fn batch_norm(&mut self, _layer: usize, x: Tensor<3>, scale: Tensor<3>, shift: Tensor<3>) -> Tensor<3> {
        x * scale + shift
    }

    /// What becomes of an output on its way to the layers that read it.
    fn leave(&mut self, _layer: usize, output: Tensor<2>) -> Tensor<2> {
        output
    }
}

/// Prediction.
pub(crate) struct Fixed;

impl Stage for Fixed {}

/// The axes that broadcasting and reordering work on, the samples not counted.
const MOST_AXES: usize = 5;

impl Plan {
    pub fn new<B: Cells + ?Sized>(network: &Network<B>) -> Result<Self>
    where
        Network<B>: Layered,
    {
        let layers = network.layers().to_vec();
        let ops: Vec<Option<Op>> = (0..layers.len()).map(|layer| network.op(layer).cloned()).collect();
        for (layer, op) in layers.iter().zip(&ops) {
            let refuse =
                |what: &str| Err(Error::unsupported(format!("{what} in layer {:?} on burn", layer.name), ADVICE));
            match op {
                Some(Op::AveragePool { window, .. }) if window.dilation.iter().any(|&d| d != 1) => {
                    return refuse("a dilated average");
                }
                Some(Op::Add | Op::Multiply | Op::Permute(_))
                    if layer.inputs.iter().chain(&[0]).any(|&i| layers[i].shape.len() > MOST_AXES) =>
                {
                    return refuse("more than five axes");
                }
                _ => {}
            }
        }
        Ok(Plan { layers, ops })
    }

    /// The parameters of each layer, flat, in the order of [`Op::parameters`].
    pub fn parameters(&self) -> Vec<Vec<Vec<f32>>> {
        let flat = |op: &Op| op.parameters().into_iter().map(|(_, cells)| cells.iter().copied().collect()).collect();
        self.ops.iter().map(|op| op.as_ref().map_or_else(Vec::new, flat)).collect()
    }

    /// The scores (sample, output) of `input` (sample, cell) with these parameters.
    pub fn run(&self, parameters: &[Vec<Tensor<1>>], input: Tensor<2>, stage: &mut dyn Stage) -> Tensor<2> {
        let n = input.dims()[0];
        let mut last_use = vec![0; self.layers.len()];
        for (place, layer) in self.layers.iter().enumerate() {
            layer.inputs.iter().for_each(|&read| last_use[read] = place);
        }
        let mut outputs: Vec<Option<Tensor<2>>> = vec![Some(stage.leave(0, input.clone()))];
        for (place, (layer, op)) in self.layers.iter().zip(&self.ops).enumerate().skip(1) {
            let Some(op) = op else { continue };
            let read = |&from: &usize| outputs[from].clone().unwrap_or_else(|| input.clone());
            let inputs: Vec<Tensor<2>> = layer.inputs.iter().map(read).collect();
            // What nobody reads any more may be worked on in place.
            for &from in layer.inputs.iter().filter(|&&from| last_use[from] == place) {
                outputs[from] = None;
            }
            let shapes: Vec<&[usize]> = layer.inputs.iter().map(|&from| &self.layers[from].shape[..]).collect();
            let at = Turn { place, n, shapes: &shapes, own: &parameters[place], input: &input };
            let output = self.one(op, inputs, at, stage);
            outputs.push(Some(stage.leave(place, output)));
        }
        outputs.pop().flatten().unwrap_or(input)
    }

    fn one(&self, op: &Op, mut inputs: Vec<Tensor<2>>, at: Turn, stage: &mut dyn Stage) -> Tensor<2> {
        let Turn { place, n, shapes, own, input } = at;
        let shape = &self.layers[place].shape;
        let cells: usize = shape.iter().product();
        match op {
            Op::Constant(value) => {
                let one = own[0].clone().reshape([1, value.len()]);
                one.repeat_dim(0, n)
            }
            Op::Add | Op::Multiply => {
                let (mut sum, mut axes) = (inputs.remove(0), shapes[0].to_vec());
                for (other, &others) in inputs.into_iter().zip(&shapes[1..]) {
                    if axes == others {
                        sum = if matches!(op, Op::Add) { sum + other } else { sum * other };
                        continue;
                    }
                    let (a, b) = (spread(sum, n, &axes), spread(other, n, others));
                    let both = if matches!(op, Op::Add) { a + b } else { a * b };
                    axes = both.dims()[1..].to_vec();
                    let size = axes.iter().product::<usize>();
                    sum = both.reshape([n, size]);
                }
                sum.reshape([n, cells])
            }
            Op::Concatenate { axis } => {
                let before: usize = shape[..*axis].iter().product();
                let part = |(x, shape): (Tensor<2>, &&[usize])| {
                    x.reshape([n * before, shape[*axis..].iter().product::<usize>()])
                };
                Tensor::cat(inputs.into_iter().zip(shapes).map(part).collect(), 1).reshape([n, cells])
            }
            _ => match inputs.pop() {
                Some(x) => unary(place, op, x, n, shapes[0], own, stage).reshape([n, cells]),
                None => input.clone(),
            },
        }
    }
}

const ADVICE: &str = "use the network itself, which runs every layer";

fn unary(
    place: usize,
    op: &Op,
    x: Tensor<2>,
    n: usize,
    shape: &[usize],
    own: &[Tensor<1>],
    stage: &mut dyn Stage,
) -> Tensor<2> {
    let cells: usize = shape.iter().product();
    let flat = |size: usize| [n, size];
    match op {
        Op::Linear { weight, bias } => {
            let (outputs, inputs) = weight.dim();
            let rows = n * (cells / inputs.max(1));
            let y = x.reshape([rows, inputs]).matmul(own[0].clone().reshape([outputs, inputs]).transpose());
            let y = if bias.is_some() { y + own[1].clone().reshape([1, outputs]) } else { y };
            y.reshape(flat(rows / n.max(1) * outputs))
        }
        Op::Convolution(convolution) => convolve(convolution, x, n, shape, own),
        Op::BatchNorm { scale, .. } => {
            let channels = scale.len();
            let wide = |p: &Tensor<1>| p.clone().reshape([1, channels, 1]);
            let x = x.reshape([n, channels, cells / channels.max(1)]);
            stage.batch_norm(place, x, wide(&own[0]), wide(&own[1])).reshape(flat(cells))
        }
        Op::LayerNorm { scale, epsilon, .. } => {
            let size = scale.len();
            let x = x.reshape([n * (cells / size), size]);
            let x = x.clone() - x.mean_dim(1);
            let deviation = (x.clone().square().mean_dim(1) + *epsilon).sqrt();
            let y = x / deviation * own[0].clone().reshape([1, size]) + own[1].clone().reshape([1, size]);
            y.reshape(flat(cells))
        }
        Op::MaxPool(window) => pool(window, x, n, shape, None),
        Op::AveragePool { window, count_include_pad } => pool(window, x, n, shape, Some(*count_include_pad)),
        Op::AdaptiveAveragePool(size) => match (<[usize; 2]>::try_from(&size[..]), shape) {
            (Ok([rows, columns]), &[c, h, w]) => {
                let y = adaptive_avg_pool2d(x.reshape([n, c, h, w]), [rows, columns]);
                y.reshape(flat(c * rows * columns))
            }
            _ => {
                let y = adaptive_avg_pool1d(x.reshape([n, shape[0], shape[1]]), size[0]);
                y.reshape(flat(shape[0] * size[0]))
            }
        },
        Op::GlobalAveragePool => {
            let channels = shape[0];
            x.reshape([n, channels, cells / channels.max(1)]).mean_dim(2).reshape(flat(channels))
        }
        Op::Relu => curve::relu(x),
        Op::LeakyRelu(slope) => curve::leaky_relu(x, f64::from(*slope)),
        Op::Elu(alpha) => curve::elu(x, f64::from(*alpha)),
        Op::Celu(alpha) => curve::celu(x, f64::from(*alpha)),
        Op::Selu => curve::selu(x),
        Op::Gelu { tanh: false } => curve::gelu(x),
        Op::Gelu { tanh: true } => curve::gelu_approximate(x),
        Op::Silu => curve::silu(x),
        Op::Sigmoid => curve::sigmoid(x),
        Op::Tanh => x.tanh(),
        Op::Softplus => curve::softplus(x, 1.0),
        Op::Clip { low, high } => {
            let x = if low.is_finite() { x.clamp_min(*low) } else { x };
            if high.is_finite() { x.clamp_max(*high) } else { x }
        }
        Op::Softmax { axis } | Op::LogSoftmax { axis } => {
            let (before, after) =
                (shape[..*axis].iter().product::<usize>(), shape[axis + 1..].iter().product::<usize>());
            let x = x.reshape([n * before, shape[*axis], after]);
            let y = if matches!(op, Op::Softmax { .. }) { curve::softmax(x, 1) } else { curve::log_softmax(x, 1) };
            y.reshape(flat(cells))
        }
        Op::Slice(ranges) => cut(x, n, shape, ranges),
        Op::Pad(padding) => pad(x, n, shape, padding),
        Op::Permute(order) => {
            let lacking = MOST_AXES - shape.len();
            let mut axes = [0; MOST_AXES + 1];
            for (place, axis) in axes.iter_mut().enumerate() {
                *axis = if place <= lacking { place } else { order[place - lacking - 1] + lacking + 1 };
            }
            spread(x, n, shape).permute(axes.map(|axis| axis as isize)).reshape(flat(cells))
        }
        _ => x,
    }
}

/// (sample, axes …) with axes of one place in front of those of the sample.
fn spread(x: Tensor<2>, n: usize, shape: &[usize]) -> Tensor<{ MOST_AXES + 1 }> {
    let mut dims = [1; MOST_AXES + 1];
    dims[0] = n;
    dims[MOST_AXES + 1 - shape.len()..].copy_from_slice(shape);
    x.reshape(dims)
}

fn convolve(own: &Convolution, x: Tensor<2>, n: usize, shape: &[usize], parameters: &[Tensor<1>]) -> Tensor<2> {
    let bias = own.bias.as_ref().map(|_| parameters[1].clone());
    let (weight, pair) = (parameters[0].clone(), |axis: usize| (own.padding[axis][0], own.padding[axis][1]));
    let kernel = own.weight.shape();
    if let (&[c, h, w], &[o, i, rows, columns]) = (shape, kernel) {
        let options = ConvOptions::<2> {
            stride: [own.stride[0], own.stride[1]],
            padding: [pair(0), pair(1)],
            dilation: [own.dilation[0], own.dilation[1]],
            groups: own.groups,
        };
        return flattened(n, conv2d(x.reshape([n, c, h, w]), weight.reshape([o, i, rows, columns]), bias, options));
    }
    let options = ConvOptions::<1> {
        stride: [own.stride[0]],
        padding: [pair(0)],
        dilation: [own.dilation[0]],
        groups: own.groups,
    };
    let weight = weight.reshape([kernel[0], kernel[1], kernel[2]]);
    flattened(n, conv1d(x.reshape([n, shape[0], shape[1]]), weight, bias, options))
}

/// The greatest of each window, or its mean.
fn pool(window: &Window, x: Tensor<2>, n: usize, shape: &[usize], include_pad: Option<bool>) -> Tensor<2> {
    let pair = |axis: usize| (window.padding[axis][0], window.padding[axis][1]);
    let ceil_mode = window.ceil_mode;
    if let &[c, h, w] = shape {
        let (x, stride) = (x.reshape([n, c, h, w]), [window.stride[0], window.stride[1]]);
        let (kernel_size, padding) = ([window.size[0], window.size[1]], [pair(0), pair(1)]);
        let dilation = [window.dilation[0], window.dilation[1]];
        return flattened(
            n,
            match include_pad {
                None => max_pool2d(x, MaxPoolOptions { kernel_size, stride, padding, dilation, ceil_mode }),
                Some(count_include_pad) => {
                    avg_pool2d(x, AvgPoolOptions { kernel_size, stride, padding, count_include_pad, ceil_mode })
                }
            },
        );
    }
    let (x, stride) = (x.reshape([n, shape[0], shape[1]]), [window.stride[0]]);
    let (kernel_size, padding, dilation) = ([window.size[0]], [pair(0)], [window.dilation[0]]);
    flattened(
        n,
        match include_pad {
            None => max_pool1d(x, MaxPoolOptions { kernel_size, stride, padding, dilation, ceil_mode }),
            Some(count_include_pad) => {
                avg_pool1d(x, AvgPoolOptions { kernel_size, stride, padding, count_include_pad, ceil_mode })
            }
        },
    )
}

fn flattened<const D: usize>(n: usize, x: Tensor<D>) -> Tensor<2> {
    let size = x.dims()[1..].iter().product::<usize>();
    x.reshape([n, size])
}

fn cut(mut x: Tensor<2>, n: usize, shape: &[usize], ranges: &[[usize; 3]]) -> Tensor<2> {
    let mut shape = shape.to_vec();
    for (axis, &[start, end, step]) in ranges.iter().enumerate() {
        let (before, after) = (shape[..axis].iter().product::<usize>(), shape[axis + 1..].iter().product::<usize>());
        let places: Vec<i64> = (start..end).step_by(step).map(|place| place as i64).collect();
        let device = x.device().without_autodiff();
        let count = places.len();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device);
        let parts = x.reshape([n * before, shape[axis], after]);
        shape[axis] = count;
        let size = shape.iter().product::<usize>();
        x = parts.select(1, places).reshape([n, size]);
    }
    x
}

fn pad(mut x: Tensor<2>, n: usize, shape: &[usize], padding: &[[usize; 2]]) -> Tensor<2> {
    let mut shape = shape.to_vec();
    for (axis, &[front, back]) in padding.iter().enumerate().filter(|(_, p)| **p != [0, 0]) {
        let (before, after) = (shape[..axis].iter().product::<usize>(), shape[axis + 1..].iter().product::<usize>());
        let parts = x.reshape([n * before, shape[axis], after]);
        let zeros = |count: usize| Tensor::<3>::zeros([n * before, count, after], &parts.device());
        let mut all = vec![];
        if front > 0 {
            all.push(zeros(front));
        }
        let end = (back > 0).then(|| zeros(back));
        all.push(parts);
        all.extend(end);
        shape[axis] += front + back;
        let size = shape.iter().product::<usize>();
        x = Tensor::cat(all, 1).reshape([n, size]);
    }
    x
}
