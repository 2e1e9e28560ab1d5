//! The arithmetic of layers on flat slices: cells of samples one after another, each in the order of its axes.

mod axis;
mod convolution;
mod curve;
mod grid;
mod linear;
mod merge;
mod norm;
mod pool;
mod prepared;
mod tile;

pub(super) use grid::Grid;
pub(super) use norm::affine;
pub(super) use prepared::Prepared;

use super::op::Op;
use super::operator::Function;

/// Fills `output` for `n` samples.
pub(super) fn forward(function: &Function, n: usize, inputs: &[&[f32]], output: &mut [f32]) {
    let Function { op, inputs: shapes, shape, .. } = function;
    let first = || (inputs[0], &shapes[0][..]);
    match op {
        Op::Linear { .. } | Op::Convolution(_) => match function.prepared_forward() {
            Prepared::Matrix(matrix) => matrix.run::<false>(inputs[0], output),
            Prepared::Pass(pass) => pass.run::<false>(inputs[0], output),
            Prepared::Nothing => {}
        },
        Op::BatchNorm { scale, shift } => norm::affine(scale, shift, n, inputs[0], output),
        Op::LayerNorm { scale, shift, epsilon } => norm::forward(scale, shift, *epsilon, inputs[0], output),
        Op::MaxPool(window) => pool::greatest(window, &shapes[0], shape, inputs[0], output),
        Op::AveragePool { window, count_include_pad } => {
            pool::mean(window, *count_include_pad, &shapes[0], shape, inputs[0], output);
        }
        Op::AdaptiveAveragePool(_) | Op::GlobalAveragePool => {
            pool::adaptive(&shapes[0], shape, inputs[0], output);
        }
        Op::Softmax { axis } => axis::softmax(first().1, *axis, first().0, output),
        Op::LogSoftmax { axis } => axis::log_softmax(first().1, *axis, first().0, output),
        Op::Add => merge::add(shapes, shape, n, inputs, output),
        Op::Multiply => merge::multiply(shapes, shape, n, inputs, output),
        Op::Concatenate { axis } => merge::concatenate(shapes, *axis, n, inputs, output),
        Op::Slice(_) | Op::Pad(_) | Op::Permute(_) => axis::rearrange(op, &shapes[0], shape, inputs[0], output),
        Op::Flatten | Op::Reshape(_) | Op::Identity => output.copy_from_slice(inputs[0]),
        Op::Constant(value) => {
            let value: Vec<f32> = value.iter().copied().collect();
            if !value.is_empty() {
                output.chunks_exact_mut(value.len()).for_each(|sample| sample.copy_from_slice(&value));
            }
        }
        _ => curve::forward(op, inputs[0], output),
    }
}

/// Adds to `sum` the vector-Jacobian product of `gradient` by the input at `place`.
pub(super) fn backward(
    function: &Function,
    n: usize,
    inputs: &[&[f32]],
    output: &[f32],
    gradient: &[f32],
    place: usize,
    sum: &mut [f32],
) {
    let Function { op, inputs: shapes, shape, .. } = function;
    match op {
        Op::Linear { .. } | Op::Convolution(_) => match function.prepared_backward() {
            Prepared::Matrix(matrix) => matrix.run::<true>(gradient, sum),
            Prepared::Pass(pass) => pass.run::<true>(gradient, sum),
            Prepared::Nothing => {}
        },
        Op::BatchNorm { scale, .. } => norm::affine_backward(scale, n, gradient, sum),
        Op::LayerNorm { scale, epsilon, .. } => norm::backward(scale, *epsilon, inputs[0], gradient, sum),
        Op::MaxPool(window) => pool::greatest_backward(window, &shapes[0], shape, inputs[0], output, gradient, sum),
        Op::AveragePool { window, count_include_pad } => {
            pool::mean_backward(window, *count_include_pad, &shapes[0], shape, gradient, sum);
        }
        Op::AdaptiveAveragePool(_) | Op::GlobalAveragePool => {
            pool::adaptive_backward(&shapes[0], shape, gradient, sum);
        }
        Op::Softmax { axis } => axis::softmax_backward(&shapes[0], *axis, output, gradient, sum),
        Op::LogSoftmax { axis } => axis::log_softmax_backward(&shapes[0], *axis, output, gradient, sum),
        Op::Add => merge::add_backward(shapes, shape, n, gradient, place, sum),
        Op::Multiply => merge::multiply_backward(shapes, shape, n, inputs, gradient, place, sum),
        Op::Concatenate { axis } => merge::concatenate_backward(shapes, *axis, n, gradient, place, sum),
        Op::Slice(_) | Op::Pad(_) | Op::Permute(_) => axis::rearrange_backward(op, &shapes[0], shape, gradient, sum),
        Op::Flatten | Op::Reshape(_) | Op::Identity => add_to(sum, gradient),
        Op::Constant(_) => {}
        _ => curve::backward(op, inputs[0], output, gradient, sum),
    }
}

/// Fills `cells`, the input of a function of one input that is not needed any more, with its output, where that can be
/// done in place.
pub(super) fn forward_in_place(function: &Function, cells: &mut [f32]) -> bool {
    match &function.op {
        Op::Flatten | Op::Reshape(_) | Op::Identity => true,
        op => curve::forward_in_place(op, cells),
    }
}

/// Whether a function of one input can be computed in place, each cell by itself.
pub(super) fn is_in_place(function: &Function) -> bool {
    matches!(function.op, Op::Flatten | Op::Reshape(_) | Op::Identity | Op::Clip { .. })
        || function.op.kind().is_elementwise()
}

/// Adds to the output of a linear layer the products of some of its inputs, which are `places`.
pub(super) fn add_products(function: &Function, places: &[usize], inputs: &[f32], output: &mut [f32]) {
    if let Prepared::Matrix(matrix) = function.prepared_forward() {
        matrix.add_some(places, inputs, output);
    }
}

/// Makes of the gradient by the output that by the only input, where that can be done in place.
pub(super) fn backward_in_place(function: &Function, inputs: &[&[f32]], output: &[f32], gradient: &mut [f32]) -> bool {
    match &function.op {
        Op::Flatten | Op::Reshape(_) | Op::Identity => true,
        op => curve::backward_in_place(op, inputs, output, gradient),
    }
}

/// Whether the way back needs the inputs, and whether it needs the output.
pub(super) fn needs(op: &Op) -> [bool; 2] {
    match op {
        Op::Relu | Op::Sigmoid | Op::Tanh | Op::Softmax { .. } | Op::LogSoftmax { .. } => [false, true],
        Op::MaxPool(_) => [true, true],
        Op::LayerNorm { .. } | Op::Multiply => [true, false],
        Op::LeakyRelu(_) | Op::Elu(_) | Op::Celu(_) | Op::Selu | Op::Gelu { .. } => [true, false],
        Op::Silu | Op::Softplus | Op::Clip { .. } => [true, false],
        _ => [false, false],
    }
}

/// sum += more.
pub(super) fn add_to(sum: &mut [f32], more: &[f32]) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}
