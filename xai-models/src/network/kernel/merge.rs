//! What joins several inputs.

use super::add_to;

/// For each cell of one sample of the output, the place of the cell of an input that is repeated to fit; `None` when it
/// fits as it is.
fn repeated(shape: &[usize], out: &[usize]) -> Option<Vec<usize>> {
    if shape == out {
        return None;
    }
    let lacking = out.len() - shape.len();
    let mut places = vec![0];
    for (axis, &n) in out.iter().enumerate() {
        let own = if axis < lacking { 1 } else { shape[axis - lacking] };
        let place = |at: &usize, i: usize| at * own + if own == 1 { 0 } else { i };
        places = places.iter().flat_map(|at| (0..n).map(move |i| place(at, i))).collect();
    }
    Some(places)
}

/// Joins every input into `output`, sample by sample.
fn join(
    shapes: &[Vec<usize>],
    out: &[usize],
    n: usize,
    inputs: &[&[f32]],
    output: &mut [f32],
    into: impl Fn(&mut f32, f32),
) {
    for (shape, input) in shapes.iter().zip(inputs) {
        let Some(places) = repeated(shape, out) else {
            output.iter_mut().zip(*input).for_each(|(y, x)| into(y, *x));
            continue;
        };
        let size = input.len() / n.max(1);
        for (i, result) in output.chunks_exact_mut(places.len().max(1)).enumerate() {
            let sample = &input[i * size..(i + 1) * size];
            result.iter_mut().zip(&places).for_each(|(y, &place)| into(y, sample[place]));
        }
    }
}

pub(super) fn add(shapes: &[Vec<usize>], out: &[usize], n: usize, inputs: &[&[f32]], output: &mut [f32]) {
    output.fill(0.0);
    join(shapes, out, n, inputs, output, |y, x| *y += x);
}

pub(super) fn multiply(shapes: &[Vec<usize>], out: &[usize], n: usize, inputs: &[&[f32]], output: &mut [f32]) {
    output.fill(1.0);
    join(shapes, out, n, inputs, output, |y, x| *y *= x);
}

pub(super) fn add_backward(
    shapes: &[Vec<usize>],
    out: &[usize],
    n: usize,
    gradient: &[f32],
    place: usize,
    sum: &mut [f32],
) {
    let Some(places) = repeated(&shapes[place], out) else { return add_to(sum, gradient) };
    let size = sum.len() / n.max(1);
    for (i, gradient) in gradient.chunks_exact(places.len().max(1)).enumerate() {
        let sum = &mut sum[i * size..(i + 1) * size];
        gradient.iter().zip(&places).for_each(|(g, &place)| sum[place] += g);
    }
}

pub(super) fn multiply_backward(
    shapes: &[Vec<usize>],
    out: &[usize],
    n: usize,
    inputs: &[&[f32]],
    gradient: &[f32],
    place: usize,
    sum: &mut [f32],
) {
    // The same layer may be read twice; each reading is a factor of its own.
    let mut others = gradient.to_vec();
    for other in (0..inputs.len()).filter(|&other| other != place) {
        join(&shapes[other..=other], out, n, &inputs[other..=other], &mut others, |y, x| *y *= x);
    }
    add_backward(shapes, out, n, &others, place, sum);
}

/// How many cells of each input lie side by side in the output.
fn widths(shapes: &[Vec<usize>], axis: usize) -> Vec<usize> {
    shapes.iter().map(|shape| shape[axis..].iter().product()).collect()
}

pub(super) fn concatenate(shapes: &[Vec<usize>], axis: usize, n: usize, inputs: &[&[f32]], output: &mut [f32]) {
    let widths = widths(shapes, axis);
    let rows = n * shapes[0][..axis].iter().product::<usize>();
    let mut rest = output;
    for row in 0..rows {
        for (input, &width) in inputs.iter().zip(&widths) {
            let (here, behind) = rest.split_at_mut(width);
            here.copy_from_slice(&input[row * width..(row + 1) * width]);
            rest = behind;
        }
    }
}

pub(super) fn concatenate_backward(
    shapes: &[Vec<usize>],
    axis: usize,
    n: usize,
    gradient: &[f32],
    place: usize,
    sum: &mut [f32],
) {
    let widths = widths(shapes, axis);
    let (before, width, whole) = (widths[..place].iter().sum::<usize>(), widths[place], widths.iter().sum::<usize>());
    for row in 0..n * shapes[0][..axis].iter().product::<usize>() {
        let from = row * whole + before;
        add_to(&mut sum[row * width..(row + 1) * width], &gradient[from..from + width]);
    }
}
