//! A network spelled out by the definitions: one sample, cell by cell, in `f64` numbers that carry a derivative along.

use xai_core::Layer;
use xai_models::network::{Node, Op, Window};

/// A number and its derivative in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual(pub f64, pub f64);

impl Dual {
    fn plus(self, other: Dual) -> Dual {
        Dual(self.0 + other.0, self.1 + other.1)
    }
    fn times(self, other: Dual) -> Dual {
        Dual(self.0 * other.0, self.1 * other.0 + self.0 * other.1)
    }
    fn scaled(self, by: f64) -> Dual {
        Dual(self.0 * by, self.1 * by)
    }
    fn through(self, value: f64, slope: f64) -> Dual {
        Dual(value, slope * self.1)
    }
    fn exp(self) -> Dual {
        self.through(self.0.exp(), self.0.exp())
    }
    fn ln(self) -> Dual {
        self.through(self.0.ln(), 1.0 / self.0)
    }
    fn inverse(self) -> Dual {
        self.through(1.0 / self.0, -1.0 / (self.0 * self.0))
    }
}

const ZERO: Dual = Dual(0.0, 0.0);
const ONE: Dual = Dual(1.0, 0.0);

/// The cells of every layer; `layer` moves in `direction`.
pub fn run(layers: &[Layer], nodes: &[Node], input: &[f64], layer: usize, direction: &[f64]) -> Vec<Vec<Dual>> {
    let mut all = vec![input.iter().map(|&x| Dual(x, 0.0)).collect::<Vec<_>>()];
    for (i, node) in nodes.iter().enumerate() {
        move_along(&mut all, layer, i, direction);
        let inputs: Vec<(&[Dual], &[usize])> =
            node.inputs.iter().map(|&input| (&all[input][..], &layers[input].shape[..])).collect();
        let output = compute(&node.op, &inputs, &layers[i + 1].shape);
        all.push(output);
    }
    move_along(&mut all, layer, nodes.len(), direction);
    all
}

fn move_along(all: &mut [Vec<Dual>], layer: usize, here: usize, direction: &[f64]) {
    if layer == here {
        all[layer].iter_mut().zip(direction).for_each(|(cell, d)| cell.1 = *d);
    }
}

/// Every index into `shape`, in order.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![Vec::new()], |front, &n| {
        front.iter().flat_map(|index| (0..n).map(|i| [&index[..], &[i]].concat()).collect::<Vec<_>>()).collect()
    })
}

fn at(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |place, (i, n)| place * n + i)
}

fn compute(op: &Op, inputs: &[(&[Dual], &[usize])], out: &[usize]) -> Vec<Dual> {
    let each = |cell: &dyn Fn(&[usize]) -> Dual| indices(out).iter().map(|index| cell(index)).collect::<Vec<_>>();
    let broadcast = |(cells, shape): &(&[Dual], &[usize]), index: &[usize]| {
        let own = &index[index.len() - shape.len()..];
        let own: Vec<usize> = own.iter().zip(*shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
        cells[at(&own, shape)]
    };
    if let Op::Constant(value) = op {
        return value.iter().map(|&x| Dual(x.into(), 0.0)).collect();
    }
    let (x, shape) = inputs[0];
    match op {
        Op::Linear { weight, bias } => each(&|index| {
            let (o, front) = index.split_last().unwrap();
            let start = Dual(bias.as_ref().map_or(0.0, |bias| bias[*o].into()), 0.0);
            (0..weight.ncols())
                .fold(start, |sum, i| sum.plus(x[at(&[front, &[i]].concat(), shape)].scaled(weight[[*o, i]].into())))
        }),
        Op::Convolution(own) => each(&|index| {
            let per_group = own.weight.shape()[0] / own.groups;
            let group = index[0] / per_group;
            let mut sum = Dual(own.bias.as_ref().map_or(0.0, |bias| bias[index[0]].into()), 0.0);
            for tap in indices(&own.weight.shape()[1..]) {
                let channel = group * own.weight.shape()[1] + tap[0];
                let place = place(&index[1..], &tap[1..], &own.stride, &own.padding, &own.dilation, &shape[1..]);
                if let Some(place) = place {
                    let weight = own.weight[&[&[index[0]], &tap[..]].concat()[..]];
                    sum = sum.plus(x[at(&[&[channel], &place[..]].concat(), shape)].scaled(weight.into()));
                }
            }
            sum
        }),
        Op::BatchNorm { scale, shift } => each(&|index| {
            let cell = x[at(index, shape)].scaled(scale[index[0]].into());
            cell.plus(Dual(shift[index[0]].into(), 0.0))
        }),
        Op::LayerNorm { scale, shift, epsilon } => each(&|index| {
            let front = &index[..index.len() - scale.ndim()];
            let row: Vec<Dual> =
                indices(scale.shape()).iter().map(|own| x[at(&[front, own].concat(), shape)]).collect();
            let n = row.len() as f64;
            let mean = row.iter().fold(ZERO, |sum, x| sum.plus(*x)).scaled(1.0 / n);
            let far = |x: Dual| x.plus(mean.scaled(-1.0));
            let variance = row.iter().fold(ZERO, |sum, x| sum.plus(far(*x).times(far(*x)))).scaled(1.0 / n);
            let root = variance.0 + f64::from(*epsilon);
            let root = variance.through(root.sqrt(), 0.5 / root.sqrt());
            let own = &index[front.len()..];
            let unit = far(x[at(index, shape)]).times(root.inverse());
            unit.scaled(scale[own].into()).plus(Dual(shift[own].into(), 0.0))
        }),
        Op::MaxPool(window) => each(&|index| {
            let mut cells = meets(window, index, shape).into_iter().map(|place| x[place]);
            let first = cells.next().unwrap();
            cells.fold(first, |best, x| if x.0 > best.0 { x } else { best })
        }),
        Op::AveragePool { window, count_include_pad } => each(&|index| {
            let cells = meets(window, index, shape);
            let count = if *count_include_pad { reach(window, index, shape) } else { cells.len() };
            cells.iter().fold(ZERO, |sum, &place| sum.plus(x[place])).scaled(1.0 / count as f64)
        }),
        Op::AdaptiveAveragePool(_) | Op::GlobalAveragePool => each(&|index| {
            let mut cells = vec![vec![index[0]]];
            for (axis, &i) in index.iter().enumerate().skip(1) {
                let (n, m) = (shape[axis], out[axis]);
                let span = (0..n).filter(|&j| j >= i * n / m && j < ((i + 1) * n).div_ceil(m));
                let span: Vec<usize> = span.collect();
                cells = cells
                    .iter()
                    .flat_map(|c| span.iter().map(|&j| [&c[..], &[j]].concat()).collect::<Vec<_>>())
                    .collect();
            }
            let sum = cells.iter().fold(ZERO, |sum, cell| sum.plus(x[at(cell, shape)]));
            sum.scaled(1.0 / cells.len() as f64)
        }),
        Op::Softmax { axis } => each(&|index| softmax(x, shape, index, *axis)),
        Op::LogSoftmax { axis } => each(&|index| {
            let (own, sum) = parts(x, shape, index, *axis);
            own.plus(sum.ln().scaled(-1.0))
        }),
        Op::Add => each(&|index| inputs.iter().fold(ZERO, |sum, input| sum.plus(broadcast(input, index)))),
        Op::Multiply => each(&|index| inputs.iter().fold(ONE, |product, input| product.times(broadcast(input, index)))),
        Op::Concatenate { axis } => each(&|index| {
            let mut index = index.to_vec();
            for (cells, shape) in inputs {
                if index[*axis] < shape[*axis] {
                    return cells[at(&index, shape)];
                }
                index[*axis] -= shape[*axis];
            }
            unreachable!("the inputs are as long as the output")
        }),
        Op::Slice(ranges) => each(&|index| {
            let own: Vec<usize> = index.iter().zip(ranges).map(|(i, [start, _, step])| start + i * step).collect();
            x[at(&own, shape)]
        }),
        Op::Pad(padding) => each(&|index| {
            let own: Option<Vec<usize>> = (index.iter().zip(padding).zip(shape))
                .map(|((i, [before, _]), n)| i.checked_sub(*before).filter(|i| i < n))
                .collect();
            own.map_or(ZERO, |own| x[at(&own, shape)])
        }),
        Op::Permute(order) => each(&|index| {
            let mut own = vec![0; index.len()];
            order.iter().zip(index).for_each(|(&axis, &i)| own[axis] = i);
            x[at(&own, shape)]
        }),
        Op::Flatten | Op::Reshape(_) | Op::Identity => x.to_vec(),
        _ => x.iter().map(|&x| curve(op, x)).collect(),
    }
}

fn softmax(x: &[Dual], shape: &[usize], index: &[usize], axis: usize) -> Dual {
    let (own, sum) = parts(x, shape, index, axis);
    own.exp().times(sum.inverse())
}

/// A cell of a run less the greatest of it, so that no power overflows, and the sum of all such powers.
fn parts(x: &[Dual], shape: &[usize], index: &[usize], axis: usize) -> (Dual, Dual) {
    let along: Vec<Dual> = (0..shape[axis])
        .map(|k| {
            let mut other = index.to_vec();
            other[axis] = k;
            x[at(&other, shape)]
        })
        .collect();
    let top = along.iter().fold(f64::NEG_INFINITY, |top, x| top.max(x.0));
    let less = |x: Dual| Dual(x.0 - top, x.1);
    (less(x[at(index, shape)]), along.iter().fold(ZERO, |sum, x| sum.plus(less(*x).exp())))
}

fn place(
    window: &[usize],
    tap: &[usize],
    stride: &[usize],
    padding: &[[usize; 2]],
    dilation: &[usize],
    lengths: &[usize],
) -> Option<Vec<usize>> {
    let axis = |a: usize| {
        let far = window[a] * stride[a] + tap[a] * dilation[a];
        far.checked_sub(padding[a][0]).filter(|&at| at < lengths[a])
    };
    (0..lengths.len()).map(axis).collect()
}

/// The cells that a window meets, in order.
fn meets(window: &Window, index: &[usize], shape: &[usize]) -> Vec<usize> {
    let Window { size, stride, padding, dilation, .. } = window;
    let cells = indices(size).into_iter().filter_map(|tap| {
        let place = place(&index[1..], &tap, stride, padding, dilation, &shape[1..])?;
        Some(at(&[&index[..1], &place].concat(), shape))
    });
    cells.collect()
}

/// How many taps of a window lie within the edges or their padding.
fn reach(window: &Window, index: &[usize], shape: &[usize]) -> usize {
    let inside = |tap: &Vec<usize>| {
        (0..tap.len()).all(|a| {
            let far = index[a + 1] * window.stride[a] + tap[a] * window.dilation[a];
            far < window.padding[a][0] + shape[a + 1] + window.padding[a][1]
        })
    };
    indices(&window.size).iter().filter(|tap| inside(tap)).count()
}

fn curve(op: &Op, x: Dual) -> Dual {
    let at = x.0;
    let elu = |alpha: f64, scale: f64, rate: f64| match at > 0.0 {
        true => x.scaled(scale),
        false => x.through(scale * alpha * ((at * rate).exp() - 1.0), scale * alpha * rate * (at * rate).exp()),
    };
    // Powers of negative numbers only: those of large ones overflow.
    let share = |t: f64| if t < 0.0 { t.exp() / (1.0 + t.exp()) } else { 1.0 / (1.0 + (-t).exp()) };
    let sigmoid = |x: Dual| x.through(share(x.0), share(x.0) * share(-x.0));
    let tanh = |x: Dual| x.through(x.0.tanh(), 1.0 - x.0.tanh().powi(2));
    match *op {
        Op::Relu => x.scaled(f64::from(u8::from(at > 0.0))),
        Op::LeakyRelu(slope) => x.scaled(if at > 0.0 { 1.0 } else { slope.into() }),
        Op::Elu(alpha) => elu(alpha.into(), 1.0, 1.0),
        Op::Celu(alpha) => elu(alpha.into(), 1.0, 1.0 / f64::from(alpha)),
        Op::Selu => elu(1.6732632423543772, 1.0507009873554805, 1.0),
        Op::Gelu { tanh: true } => {
            let inner = x.plus(x.times(x).times(x).scaled(0.044715)).scaled((2.0 / std::f64::consts::PI).sqrt());
            x.scaled(0.5).times(ONE.plus(tanh(inner)))
        }
        Op::Gelu { tanh: false } => {
            let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
            // The trapezoid rule on a curve that vanishes at both ends is exact to rounding.
            let step = 1.0 / 256.0;
            let from = -12.0;
            let end = at.min(12.0);
            let n = ((end - from) / step) as usize;
            let inner: f64 = (1..=n).map(|i| density(end - i as f64 * step)).sum();
            let edge = density(end) / 2.0;
            // Euler-Maclaurin: one end does not vanish.
            let slope = -at * density(at);
            let third = (3.0 * at - at.powi(3)) * density(at);
            let area = step * (inner + edge) - step.powi(2) / 12.0 * slope + step.powi(4) / 720.0 * third;
            x.times(x.through(area, density(at)))
        }
        Op::Silu => x.times(sigmoid(x)),
        Op::Sigmoid => sigmoid(x),
        Op::Tanh => tanh(x),
        Op::Softplus => x.through(at.max(0.0) + (1.0 + (-at.abs()).exp()).ln(), share(at)),
        Op::Clip { low, high } => {
            let (low, high) = (f64::from(low), f64::from(high));
            x.through(at.clamp(low, high), f64::from(u8::from(at > low && at < high)))
        }
        ref other => unreachable!("{other:?} has no definition here"),
    }
}
