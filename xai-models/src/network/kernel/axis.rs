//! What works along an axis, and what moves cells.

use super::super::op::Op;

/// Calls `each` with the places of every run along `axis`: first place, distance, count.
fn runs(shape: &[usize], axis: usize, cells: usize, mut each: impl FnMut(&dyn Fn(usize) -> usize, usize)) {
    let (count, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let block = (count * inner).max(1);
    for start in (0..cells / block).map(|i| i * block) {
        for offset in 0..inner {
            each(&|k| start + offset + k * inner, count);
        }
    }
}

/// The greatest of a run and Σ exp(x − greatest).
fn scale(input: &[f32], at: &dyn Fn(usize) -> usize, count: usize) -> (f64, f64) {
    let top = (0..count).map(|k| f64::from(input[at(k)])).fold(f64::NEG_INFINITY, f64::max);
    (top, (0..count).map(|k| (f64::from(input[at(k)]) - top).exp()).sum())
}

pub(super) fn softmax(shape: &[usize], axis: usize, input: &[f32], output: &mut [f32]) {
    runs(shape, axis, input.len(), |at, count| {
        let (top, sum) = scale(input, at, count);
        (0..count).for_each(|k| output[at(k)] = ((f64::from(input[at(k)]) - top).exp() / sum) as f32);
    });
}

pub(super) fn softmax_backward(shape: &[usize], axis: usize, output: &[f32], gradient: &[f32], sum: &mut [f32]) {
    runs(shape, axis, output.len(), |at, count| {
        let mean: f64 = (0..count).map(|k| f64::from(output[at(k)]) * f64::from(gradient[at(k)])).sum();
        for place in (0..count).map(at) {
            sum[place] += (f64::from(output[place]) * (f64::from(gradient[place]) - mean)) as f32;
        }
    });
}

pub(super) fn log_softmax(shape: &[usize], axis: usize, input: &[f32], output: &mut [f32]) {
    runs(shape, axis, input.len(), |at, count| {
        let (top, sum) = scale(input, at, count);
        (0..count).for_each(|k| output[at(k)] = (f64::from(input[at(k)]) - top - sum.ln()) as f32);
    });
}

pub(super) fn log_softmax_backward(shape: &[usize], axis: usize, output: &[f32], gradient: &[f32], sum: &mut [f32]) {
    runs(shape, axis, output.len(), |at, count| {
        let total: f64 = (0..count).map(|k| f64::from(gradient[at(k)])).sum();
        for place in (0..count).map(at) {
            sum[place] += (f64::from(gradient[place]) - f64::from(output[place]).exp() * total) as f32;
        }
    });
}

/// For each cell of the output of a slice, a padding or another order of axes, the place of the input cell that it is;
/// none for padding.
fn sources(op: &Op, shape: &[usize], out: &[usize]) -> Vec<Option<usize>> {
    let mut step = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        step[axis - 1] = step[axis] * shape[axis];
    }
    let on_axis = |axis: usize, i: usize| match op {
        Op::Slice(ranges) => Some((ranges[axis][0] + i * ranges[axis][2]) * step[axis]),
        Op::Pad(padding) => i.checked_sub(padding[axis][0]).filter(|&i| i < shape[axis]).map(|i| i * step[axis]),
        Op::Permute(order) => Some(i * step[order[axis]]),
        _ => None,
    };
    let mut places = vec![Some(0)];
    for (axis, &n) in out.iter().enumerate() {
        let here: Vec<Option<usize>> = (0..n).map(|i| on_axis(axis, i)).collect();
        places = places.iter().flat_map(|a: &Option<usize>| here.iter().map(|b| Some((*a)? + (*b)?))).collect();
    }
    places
}

pub(super) fn rearrange(op: &Op, shape: &[usize], out: &[usize], input: &[f32], output: &mut [f32]) {
    let sources = sources(op, shape, out);
    let size = shape.iter().product::<usize>();
    for (i, result) in output.chunks_exact_mut(sources.len().max(1)).enumerate() {
        let sample = &input[i * size..(i + 1) * size];
        result.iter_mut().zip(&sources).for_each(|(y, from)| *y = from.map_or(0.0, |from| sample[from]));
    }
}

pub(super) fn rearrange_backward(op: &Op, shape: &[usize], out: &[usize], gradient: &[f32], sum: &mut [f32]) {
    let sources = sources(op, shape, out);
    let size = shape.iter().product::<usize>().max(1);
    for (gradient, sum) in gradient.chunks_exact(sources.len().max(1)).zip(sum.chunks_exact_mut(size)) {
        gradient.iter().zip(&sources).for_each(|(g, from)| from.iter().for_each(|&from| sum[from] += g));
    }
}
