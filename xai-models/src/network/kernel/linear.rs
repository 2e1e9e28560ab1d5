//! Matrix products.

use ndarray::{Array1, Array2};

pub(super) fn forward(weight: &Array2<f32>, bias: Option<&Array1<f32>>, input: &[f32], output: &mut [f32]) {
    let (outputs, inputs) = weight.dim();
    for (row, result) in rows(input, inputs, output.len() / outputs.max(1)).zip(output.chunks_exact_mut(outputs.max(1)))
    {
        for (o, (y, weights)) in result.iter_mut().zip(weight.outer_iter()).enumerate() {
            let start = bias.map_or(0.0, |bias| bias[o]);
            *y = weights.iter().zip(row).fold(start, |sum, (w, x)| w.mul_add(*x, sum));
        }
    }
}

pub(super) fn backward(weight: &Array2<f32>, gradient: &[f32], sum: &mut [f32]) {
    let (outputs, inputs) = weight.dim();
    for (gradient, sum) in gradient.chunks_exact(outputs.max(1)).zip(sum.chunks_exact_mut(inputs.max(1))) {
        for (&g, weights) in gradient.iter().zip(weight.outer_iter()) {
            sum.iter_mut().zip(weights).for_each(|(sum, w)| *sum = w.mul_add(g, *sum));
        }
    }
}

/// `n` rows of `width` cells, which may be none.
fn rows(cells: &[f32], width: usize, n: usize) -> impl Iterator<Item = &[f32]> {
    (0..n).map(move |i| &cells[i * width..(i + 1) * width])
}
