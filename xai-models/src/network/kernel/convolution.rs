//! Convolutions.

use super::super::op::Convolution;
use super::grid::Grid;

/// Calls `each` with the places of weight, input cell and output cell of every product of one sample.
fn products(own: &Convolution, shape: &[usize], out: &[usize], mut each: impl FnMut([usize; 3], usize, usize)) {
    let grid = Grid::of_convolution(own, shape, out);
    let (of_group, outputs_of_group) = (own.weight.shape()[1], own.weight.shape()[0] / own.groups);
    let windows = grid.windows[0] * grid.windows[1];
    for output in 0..out[0] {
        let group = output / outputs_of_group.max(1);
        for (window, [row, column]) in grid.each_window().enumerate() {
            for i in 0..of_group {
                let channel = (group * of_group + i) * grid.places();
                for k in 0..grid.size[0] {
                    let Some(r) = grid.place(0, row, k) else { continue };
                    for l in 0..grid.size[1] {
                        let Some(c) = grid.place(1, column, l) else { continue };
                        let place = channel + r * grid.length[1] + c;
                        each([output, i, k * grid.size[1] + l], place, output * windows + window);
                    }
                }
            }
        }
    }
}

pub(super) fn forward(own: &Convolution, shape: &[usize], out: &[usize], input: &[f32], output: &mut [f32]) {
    let (inputs, outputs) = (shape.iter().product::<usize>(), out.iter().product::<usize>());
    let weight: Vec<f32> = own.weight.iter().copied().collect();
    let (of_group, taps) = (own.weight.shape()[1], own.weight.shape()[2..].iter().product::<usize>());
    for (sample, result) in input.chunks_exact(inputs.max(1)).zip(output.chunks_exact_mut(outputs.max(1))) {
        result.fill(0.0);
        if let Some(bias) = &own.bias {
            let windows = out[1..].iter().product::<usize>();
            result.chunks_exact_mut(windows.max(1)).zip(bias).for_each(|(channel, &bias)| channel.fill(bias));
        }
        products(own, shape, out, |[o, i, k], from, to| {
            result[to] += weight[(o * of_group + i) * taps + k] * sample[from]
        });
    }
}

pub(super) fn backward(own: &Convolution, shape: &[usize], out: &[usize], gradient: &[f32], sum: &mut [f32]) {
    let (inputs, outputs) = (shape.iter().product::<usize>(), out.iter().product::<usize>());
    let weight: Vec<f32> = own.weight.iter().copied().collect();
    let (of_group, taps) = (own.weight.shape()[1], own.weight.shape()[2..].iter().product::<usize>());
    for (sum, gradient) in sum.chunks_exact_mut(inputs.max(1)).zip(gradient.chunks_exact(outputs.max(1))) {
        products(own, shape, out, |[o, i, k], from, to| {
            sum[from] += weight[(o * of_group + i) * taps + k] * gradient[to]
        });
    }
}
