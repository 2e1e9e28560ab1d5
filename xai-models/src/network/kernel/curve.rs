//! Curves through which each cell passes alone.

use super::super::op::Op;
use super::add_to;
use super::tile::wide;

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
        // Not `max`, which would make a number of NaN.
        Op::Relu => wide(|| map(cells, |x| if x < 0.0 { 0.0 } else { x })),
        Op::LeakyRelu(slope) => wide(|| map(cells, |x| if x > 0.0 { x } else { slope * x })),
        // Not `clamp`, which makes a panic of bounds that are none.
        Op::Clip { low, high } => wide(|| {
            map(cells, |x| {
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            })
        }),
        ref op if !op.kind().is_elementwise() => return false,
        ref op => map(cells, |x| value(op, f64::from(x)) as f32),
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
        Op::Relu => wide(|| gradient.iter_mut().zip(output).for_each(|(g, y)| *g = if *y > 0.0 { *g } else { 0.0 })),
        Op::Sigmoid => wide(|| gradient.iter_mut().zip(output).for_each(|(g, y)| *g *= y * (1.0 - y))),
        Op::Tanh => wide(|| gradient.iter_mut().zip(output).for_each(|(g, y)| *g *= 1.0 - y * y)),
        Op::LeakyRelu(slope) => {
            gradient.iter_mut().zip(inputs[0]).for_each(|(g, x)| *g *= if *x > 0.0 { 1.0 } else { slope })
        }
        Op::Clip { low, high } => {
            gradient.iter_mut().zip(inputs[0]).for_each(|(g, x)| *g = if *x > low && *x < high { *g } else { 0.0 });
        }
        ref op if !op.kind().is_elementwise() => return false,
        ref op => {
            gradient.iter_mut().zip(inputs[0]).for_each(|(g, x)| *g = (slope(op, f64::from(*x)) * f64::from(*g)) as f32)
        }
    }
    true
}

#[inline(always)]
fn map(cells: &mut [f32], curve: impl Fn(f32) -> f32) {
    cells.iter_mut().for_each(|x| *x = curve(*x));
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

/// Φ(x) and φ(x) of the normal distribution.
///
/// Φ by the series of its even part near zero and the continued fraction of its tail beyond, to about 1e-15.
fn normal(x: f64) -> (f64, f64) {
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let far = x.abs();
    if far < 3.0 {
        // Φ(x) = ½ + φ(x)·Σ x^(2k+1)/(1·3·…·(2k+1)).
        let (mut term, mut sum) = (x, x);
        for k in 1..60 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return (0.5 + density * sum, density);
    }
    let tail = (1..=60).rev().fold(far, |below, k| far + f64::from(k) / below);
    let beyond = density / tail;
    (if x > 0.0 { 1.0 - beyond } else { beyond }, density)
}
