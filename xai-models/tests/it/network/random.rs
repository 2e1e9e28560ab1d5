//! Random small networks.

use ndarray::{Array1, Array2, ArrayD, IxDyn};
use xai_models::network::{Convolution, Node, Op, Window};

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// A quarter of a small whole number: sums of products of them are exact, so that kinks and ties are met for real.
    pub fn number(&mut self) -> f32 {
        (self.below(17) as f32 - 8.0) / 4.0
    }

    pub fn numbers(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.number())
    }

    fn vector(&mut self, n: usize) -> Array1<f32> {
        (0..n).map(|_| self.number()).collect()
    }

    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Op {
        let weight = Array2::from_shape_simple_fn((outputs, inputs), || self.number());
        let bias = (self.below(3) > 0).then(|| self.vector(outputs));
        Op::Linear { weight, bias }
    }

    fn convolution(&mut self, shape: &[usize]) -> Op {
        let groups = if self.below(2) == 0 { 1 } else { shape[0] };
        let outputs = groups * (1 + self.below(if groups == 1 { 11 } else { 2 }));
        let axes = shape.len() - 1;
        let sizes: Vec<usize> = (0..axes).map(|_| 1 + self.below(3)).collect();
        let weight = self.numbers(&[&[outputs, shape[0] / groups], &sizes[..]].concat());
        let mut own = Convolution::new(weight, (self.below(3) > 0).then(|| self.vector(outputs)));
        for axis in 0..axes {
            own.stride[axis] = 1 + self.below(3);
            own.padding[axis] = [self.below(4), self.below(4)];
            own.dilation[axis] = 1 + self.below(2);
        }
        own.groups = groups;
        Op::Convolution(own)
    }

    fn window(&mut self, axes: usize, dilates: bool) -> Window {
        let mut window = Window::new((0..axes).map(|_| 1 + self.below(3)).collect());
        for axis in 0..axes {
            window.stride[axis] = 1 + self.below(3);
            let half = window.size[axis] / 2;
            window.padding[axis] = [self.below(half + 1), self.below(half + 1)];
            window.dilation[axis] = if dilates { 1 + self.below(2) } else { 1 };
        }
        window.ceil_mode = self.below(2) == 0;
        window
    }

    /// An op for an input of `shape`; one with a kink only where all is `exact` so far.
    fn op(&mut self, shape: &[usize], exact: bool) -> Op {
        let image = (2..=3).contains(&shape.len());
        let axis = self.below(shape.len());
        let n = shape.len();
        loop {
            return match self.below(26) {
                0 | 1 if image => self.convolution(shape),
                2 => {
                    let outputs = 1 + self.below(40);
                    self.linear(shape[n - 1], outputs)
                }
                3 => Op::BatchNorm { scale: self.vector(shape[0]), shift: self.vector(shape[0]) },
                4 => {
                    let last = &shape[n - 1 - self.below(n)..];
                    Op::LayerNorm { scale: self.numbers(last), shift: self.numbers(last), epsilon: 0.125 }
                }
                5 | 6 if image && exact => Op::MaxPool(self.window(n - 1, true)),
                7 if image => {
                    Op::AveragePool { window: self.window(n - 1, false), count_include_pad: self.below(2) == 0 }
                }
                8 if image => Op::AdaptiveAveragePool((1..n).map(|_| 1 + self.below(4)).collect()),
                9 if image => Op::GlobalAveragePool,
                10 | 11 if exact => Op::Relu,
                12 if exact => Op::LeakyRelu(0.25),
                13 if exact => Op::Clip { low: -1.0, high: 6.0 },
                14 => Op::Elu(0.5),
                15 => [Op::Celu(2.0), Op::Selu][self.below(2)].clone(),
                16 => Op::Gelu { tanh: self.below(2) == 0 },
                17 => [Op::Silu, Op::Sigmoid][self.below(2)].clone(),
                18 => [Op::Tanh, Op::Softplus][self.below(2)].clone(),
                19 => Op::Softmax { axis },
                20 => Op::LogSoftmax { axis },
                21 => Op::Slice(shape.iter().map(|&n| [self.below(n), n, 1 + self.below(2)]).collect()),
                22 => Op::Pad(shape.iter().map(|_| [self.below(2), self.below(2)]).collect()),
                23 => Op::Permute((0..n).rev().collect()),
                24 => Op::Reshape(vec![1, shape.iter().product()]),
                25 => Op::Identity,
                _ => continue,
            };
        }
    }

    /// Layers on an input of `shape`, with connections around them, down to a few scores.
    pub fn nodes(&mut self, shape: &[usize]) -> Vec<Node> {
        let mut sketch = Sketch { nodes: Vec::new(), shapes: vec![shape.to_vec()], exact: vec![true] };
        let mut tip = 0;
        for _ in 0..1 + self.below(7) {
            let op = self.op(&sketch.shapes[tip], sketch.exact[tip]);
            tip = sketch.add(op, &[tip]).unwrap_or(tip);
            let other = self.below(sketch.shapes.len());
            let joined = match self.below(6) {
                0 => Op::Add,
                1 => Op::Multiply,
                2 => Op::Concatenate { axis: self.below(sketch.shapes[tip].len()) },
                3 => {
                    let value = self.numbers(&sketch.shapes[tip]);
                    let Some(constant) = sketch.add(Op::Constant(value), &[]) else { continue };
                    tip = sketch.add(Op::Add, &[tip, constant]).unwrap_or(tip);
                    continue;
                }
                _ => continue,
            };
            tip = sketch.add(joined, &[tip, other]).unwrap_or(tip);
        }
        let flat = sketch.add(Op::Flatten, &[tip]).unwrap();
        let outputs = 1 + self.below(3);
        let scores = self.linear(sketch.shapes[flat][0], outputs);
        sketch.add(scores, &[flat]).unwrap();
        sketch.nodes
    }
}

struct Sketch {
    nodes: Vec<Node>,
    shapes: Vec<Vec<usize>>,
    exact: Vec<bool>,
}

impl Sketch {
    /// Adds a layer; none where it does not fit or grows too large.
    fn add(&mut self, op: Op, inputs: &[usize]) -> Option<usize> {
        use xai_core::LayerKind::*;
        let own: Vec<&[usize]> = inputs.iter().map(|&i| &self.shapes[i][..]).collect();
        let shape = op.output_shape(&own).ok()?;
        if shape.iter().product::<usize>() > 400 || shape.contains(&0) {
            return None;
        }
        let keeps = match op.kind() {
            Linear | Convolution | BatchNorm | MaxPool | Relu | LeakyRelu | Add | Multiply | Reshape | Rearrange => {
                true
            }
            Identity | Concatenate | Constant => true,
            _ => matches!(op, Op::Clip { .. }),
        };
        self.exact.push(keeps && inputs.iter().all(|&i| self.exact[i]));
        self.shapes.push(shape);
        self.nodes.push(Node::new(format!("layer {}", self.nodes.len()), op, inputs.to_vec()));
        Some(self.nodes.len())
    }
}
