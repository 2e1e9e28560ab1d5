//! Curves through which each cell passes alone.

use std::sync::OnceLock;

use super::super::op::Op;
use super::add_to;
use super::tile::{Loops, wide};

/// The scale of self-normalising networks, and their α.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
/// √(2/π), and the weight of the cube in the approximate Φ.
const TANH_SLOPE: f64 = 0.797_884_560_802_865_4;
const TANH_CUBE: f64 = 0.044_715;

pub(super) fn forward(op: &Op, input: &[f32], output: &mut [f32]) {
    output.copy_from_slice(input);
    forward_in_place(op, output);
}

/// Whether `op` is a curve; then `cells` have passed through it.
pub(super) fn forward_in_place(op: &Op, cells: &mut [f32]) -> bool {
    match *op {
        // Not `max`, which would make a number of NaN; nor `clamp`, which panics for bounds that are none.
        Op::Relu => wide(Map(cells, |x: f32| if x < 0.0 { 0.0 } else { x })),
        Op::LeakyRelu(slope) => wide(Map(cells, |x: f32| if x > 0.0 { x } else { slope * x })),
        Op::Clip { low, high } => {
            let below = |x: f32| if x > high { high } else { x };
            wide(Map(cells, |x: f32| if x < low { low } else { below(x) }));
        }
        ref op if !op.kind().is_elementwise() => return false,
        ref op => Map(cells, |x| value(op, f64::from(x)) as f32).run(),
    }
    true
}

pub(super) fn backward(op: &Op, input: &[f32], output: &[f32], gradient: &[f32], sum: &mut [f32]) {
    let mut own = gradient.to_vec();
    backward_in_place(op, &[input], output, &mut own);
    add_to(sum, &own);
}

/// Whether `op` is a curve; then `gradient` has been multiplied by its slope.
pub(super) fn backward_in_place(op: &Op, inputs: &[&[f32]], output: &[f32], gradient: &mut [f32]) -> bool {
    match *op {
        Op::Relu => wide(Scale(gradient, output, |g: f32, y: f32| if y > 0.0 { g } else { 0.0 })),
        Op::Sigmoid => wide(Scale(gradient, output, |g: f32, y: f32| g * (y * (1.0 - y)))),
        Op::Tanh => wide(Scale(gradient, output, |g: f32, y: f32| g * (1.0 - y * y))),
        Op::LeakyRelu(slope) => wide(Scale(gradient, inputs[0], |g: f32, x: f32| if x > 0.0 { g } else { slope * g })),
        Op::Clip { low, high } => {
            wide(Scale(gradient, inputs[0], |g: f32, x: f32| if (x > low) & (x < high) { g } else { 0.0 }));
        }
        ref op if !op.kind().is_elementwise() => return false,
        ref op => Scale(gradient, inputs[0], |g, x| (slope(op, f64::from(x)) * f64::from(g)) as f32).run(),
    }
    true
}

/// Each cell through a curve.
struct Map<'a, F>(&'a mut [f32], F);

impl<F: Fn(f32) -> f32> Loops for Map<'_, F> {
    #[inline(always)]
    fn run(self) {
        self.0.iter_mut().for_each(|x| *x = self.1(*x));
    }
}

/// Each gradient by what its cell says.
struct Scale<'a, F>(&'a mut [f32], &'a [f32], F);

impl<F: Fn(f32, f32) -> f32> Loops for Scale<'_, F> {
    #[inline(always)]
    fn run(self) {
        self.0.iter_mut().zip(self.1).for_each(|(g, x)| *g = self.2(*g, *x));
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The curve of `op` at x.
fn value(op: &Op, x: f64) -> f64 {
    let elu = |alpha: f64, rate: f64| if x > 0.0 { x } else { alpha * (x * rate).exp_m1() };
    match *op {
        Op::Elu(alpha) => elu(alpha.into(), 1.0),
        Op::Celu(alpha) => elu(alpha.into(), 1.0 / f64::from(alpha)),
        Op::Selu => SELU_SCALE * elu(SELU_ALPHA, 1.0),
        Op::Gelu { tanh: true } => 0.5 * x * (1.0 + (TANH_SLOPE * (x + TANH_CUBE * x * x * x)).tanh()),
        Op::Gelu { tanh: false } => x * normal(x).0,
        Op::Silu => x * sigmoid(x),
        Op::Sigmoid => sigmoid(x),
        Op::Tanh => x.tanh(),
        Op::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        _ => x,
    }
}

/// The slope of the curve of `op` at x; of those that are told from their value, nothing is asked.
fn slope(op: &Op, x: f64) -> f64 {
    let elu = |alpha: f64, rate: f64| if x > 0.0 { 1.0 } else { alpha * rate * (x * rate).exp() };
    match *op {
        Op::Elu(alpha) => elu(alpha.into(), 1.0),
        Op::Celu(alpha) => elu(alpha.into(), 1.0 / f64::from(alpha)),
        Op::Selu => SELU_SCALE * elu(SELU_ALPHA, 1.0),
        Op::Gelu { tanh: true } => {
            let t = (TANH_SLOPE * (x + TANH_CUBE * x * x * x)).tanh();
            0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * TANH_SLOPE * (1.0 + 3.0 * TANH_CUBE * x * x)
        }
        Op::Gelu { tanh: false } => {
            let (below, density) = normal(x);
            below + x * density
        }
        Op::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        Op::Softplus => sigmoid(x),
        _ => 1.0,
    }
}

/// Places where Φ is tabulated: so many on each unit, as far as it is neither 0 nor 1 in `f32`.
const PER_UNIT: f64 = 64.0;
const FAR: f64 = 14.0;

/// Φ(x) and φ(x) of the normal distribution: the Taylor series around the nearest of the tabulated places.
fn normal(x: f64) -> (f64, f64) {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    if x.is_nan() || x.abs() >= FAR {
        return (if x.is_nan() { x } else { f64::from(u8::from(x > 0.0)) }, 0.0);
    }
    let last = (FAR * PER_UNIT) as i32;
    let table = TABLE.get_or_init(|| (-last..=last).map(|i| below(f64::from(i) / PER_UNIT)).collect());
    let nearest = (x * PER_UNIT).round();
    let (middle, far) = (nearest / PER_UNIT, x - nearest / PER_UNIT);
    // The n-th derivative of φ is φ·hₙ with hₙ₊₁ = −x·hₙ − n·hₙ₋₁.
    let (mut sum, mut power, mut h, mut before) = (0.0, far, 1.0, 0.0);
    for n in 0..9 {
        sum += power * h;
        (h, before) = (-middle * h - f64::from(n) * before, h);
        power *= far / f64::from(n + 2);
    }
    (table[(nearest as i32 + last) as usize] + density(middle) * sum, density(x))
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Φ(x) by the series of its odd part near zero and the continued fraction of its tail beyond.
fn below(x: f64) -> f64 {
    let far = x.abs();
    if far < 3.0 {
        // Φ(x) = ½ + φ(x)·Σ x^(2k+1)/(1·3·…·(2k+1)).
        let (mut term, mut sum) = (x, x);
        for k in 1..60 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return 0.5 + density(x) * sum;
    }
    let tail = (1..=60).rev().fold(far, |below, k| far + f64::from(k) / below);
    let beyond = density(x) / tail;
    if x > 0.0 { 1.0 - beyond } else { beyond }
}
