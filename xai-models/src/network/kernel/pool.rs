//! Pooling.

use super::super::op::Window;
use super::grid::Grid;
use super::tile::{Loops, wide};

/// Channels of input and output side by side.
fn channels<'a>(
    grid: &Grid,
    input: &'a [f32],
    output: &'a mut [f32],
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    let windows = grid.windows[0] * grid.windows[1];
    input.chunks_exact(grid.places().max(1)).zip(output.chunks_exact_mut(windows.max(1)))
}

/// Calls `each` with the row of windows, the row of places, the first place in it and the range of windows, for every
/// tap of every row of windows that meets places within the edges.
#[inline(always)]
fn taps(grid: &Grid, mut each: impl FnMut(usize, usize, usize, std::ops::Range<usize>)) {
    for row in 0..grid.windows[0] {
        for down in (0..grid.size[0]).filter_map(|k| grid.place(0, row, k)) {
            for tap in 0..grid.size[1] {
                let (reach, stride) = (tap * grid.dilation[1], grid.stride[1]);
                let first = grid.before[1].saturating_sub(reach).div_ceil(stride);
                let last =
                    (grid.before[1] + grid.length[1]).saturating_sub(reach).div_ceil(stride).min(grid.windows[1]);
                if first < last {
                    each(row, down, first * stride + reach - grid.before[1], first..last);
                }
            }
        }
    }
}

pub(super) fn greatest(window: &Window, shape: &[usize], out: &[usize], input: &[f32], output: &mut [f32]) {
    wide(Greatest { grid: Grid::of_window(window, shape, out), input, output });
}

/// The greatest of each window.
struct Greatest<'a> {
    grid: Grid,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Loops for Greatest<'_> {
    #[inline(always)]
    fn run(self) {
        let Greatest { grid, input, output } = self;
        for (channel, result) in channels(&grid, input, output) {
            if grid.halves() {
                let pairs = rows_of_pairs(&grid, channel);
                for ((top, low), result) in pairs.zip(result.chunks_exact_mut(grid.windows[1])) {
                    for ((y, [a, b]), [c, d]) in result.iter_mut().zip(top).zip(low) {
                        *y = greater(greater(*a, *b), greater(*c, *d));
                    }
                }
                continue;
            }
            result.fill(f32::NEG_INFINITY);
            taps(&grid, |row, down, place, windows| {
                let cells = &channel[down * grid.length[1] + place..(down + 1) * grid.length[1]];
                let best = &mut result[row * grid.windows[1]..][windows];
                strided(cells, grid.stride[1], best.len(), |i, x| best[i] = greater(best[i], x));
            });
        }
    }
}

/// The greater of two, the first if they are equal. What is no number stays, to be seen by whoever checks the scores.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// Rows of a channel two by two, in pairs of columns.
#[inline(always)]
fn rows_of_pairs<'a>(grid: &Grid, channel: &'a [f32]) -> impl Iterator<Item = (&'a [[f32; 2]], &'a [[f32; 2]])> {
    let (columns, windows) = (grid.length[1], grid.windows[1]);
    channel.chunks_exact(2 * columns).map(move |rows| {
        let (top, low) = rows.split_at(columns);
        (&top.as_chunks().0[..windows], &low.as_chunks().0[..windows])
    })
}

pub(super) fn greatest_backward(
    window: &Window,
    shape: &[usize],
    out: &[usize],
    input: &[f32],
    output: &[f32],
    gradient: &[f32],
    sum: &mut [f32],
) {
    wide(GreatestBack { grid: Grid::of_window(window, shape, out), input, output, gradient, sum });
}

/// The gradient of each window, given to the first of its greatest.
struct GreatestBack<'a> {
    grid: Grid,
    input: &'a [f32],
    output: &'a [f32],
    gradient: &'a [f32],
    sum: &'a mut [f32],
}

impl Loops for GreatestBack<'_> {
    #[inline(always)]
    fn run(self) {
        let GreatestBack { grid, input, output, gradient, sum } = self;
        let windows = (grid.windows[0] * grid.windows[1]).max(1);
        let places = grid.places().max(1);
        // The gradient that no tap has taken yet.
        let mut left = vec![0.0; windows];
        let pairs = input.chunks_exact(places).zip(sum.chunks_exact_mut(places));
        let results = output.chunks_exact(windows).zip(gradient.chunks_exact(windows));
        for ((channel, sum), (result, gradient)) in pairs.zip(results) {
            if grid.halves() {
                halves_back(&grid, channel, sum, result, gradient);
                continue;
            }
            left.copy_from_slice(gradient);
            taps(&grid, |row, down, place, windows| {
                let from = down * grid.length[1] + place;
                let here = row * grid.windows[1] + windows.start..row * grid.windows[1] + windows.end;
                let (left, result) = (&mut left[here.clone()], &result[here]);
                let sum = &mut sum[from..];
                strided(&channel[from..], grid.stride[1], left.len(), |i, x| {
                    let taken = if x == result[i] { left[i] } else { 0.0 };
                    sum[i * grid.stride[1]] += taken;
                    left[i] -= taken;
                });
            });
        }
    }
}

/// The way back through windows of two by two that lie side by side.
#[inline(always)]
fn halves_back(grid: &Grid, channel: &[f32], sum: &mut [f32], result: &[f32], gradient: &[f32]) {
    let (columns, windows) = (grid.length[1], grid.windows[1]);
    let places = [0, 1, columns, columns + 1];
    let results = result.chunks_exact(windows).zip(gradient.chunks_exact(windows));
    let rows = rows_of_pairs(grid, channel).zip(sum.chunks_exact_mut(2 * columns));
    for (((top, low), sum), (result, gradient)) in rows.zip(results) {
        let cells = top.iter().zip(low).zip(result.iter().zip(gradient));
        for (i, (([a, b], [c, _]), (&y, &g))) in cells.enumerate() {
            // Counted, not branched on: which of four is the greatest cannot be foreseen.
            let (first, second, third) = (*a != y, *b != y, *c != y);
            let which = usize::from(first) + usize::from(first & second) + usize::from(first & second & third);
            sum[2 * i + places[which]] += g;
        }
    }
}

/// Calls `each` with the first `n` of every `step`th cell.
#[inline(always)]
fn strided(cells: &[f32], step: usize, n: usize, mut each: impl FnMut(usize, f32)) {
    match step {
        1 => cells[..n].iter().enumerate().for_each(|(i, &x)| each(i, x)),
        2 => cells.chunks(2).take(n).enumerate().for_each(|(i, x)| each(i, x[0])),
        _ => cells.iter().step_by(step).take(n).enumerate().for_each(|(i, &x)| each(i, x)),
    }
}

/// One over the taps that each row of windows, and each column of them, counts.
fn shares(grid: &Grid, with_padding: bool) -> [Vec<f32>; 2] {
    [0, 1].map(|axis| (0..grid.windows[axis]).map(|i| grid.count(axis, i, with_padding) as f32).collect())
}

pub(super) fn mean(window: &Window, pads: bool, shape: &[usize], out: &[usize], input: &[f32], output: &mut [f32]) {
    let grid = Grid::of_window(window, shape, out);
    let [rows, columns] = shares(&grid, pads);
    for (channel, result) in channels(&grid, input, output) {
        for (window, result) in grid.each_window().zip(result) {
            let mut sum = 0.0;
            grid.taps(window, |place| sum += channel[place]);
            *result = sum / (rows[window[0]] * columns[window[1]]);
        }
    }
}

pub(super) fn mean_backward(
    window: &Window,
    pads: bool,
    shape: &[usize],
    out: &[usize],
    gradient: &[f32],
    sum: &mut [f32],
) {
    let grid = Grid::of_window(window, shape, out);
    let [rows, columns] = shares(&grid, pads);
    let windows = grid.windows[0] * grid.windows[1];
    for (gradient, sum) in gradient.chunks_exact(windows.max(1)).zip(sum.chunks_exact_mut(grid.places().max(1))) {
        for (window, &gradient) in grid.each_window().zip(gradient) {
            let share = gradient / (rows[window[0]] * columns[window[1]]);
            grid.taps(window, |place| sum[place] += share);
        }
    }
}

/// The places that window `i` of `windows` covers when they share out `length` places.
fn span(i: usize, windows: usize, length: usize) -> std::ops::Range<usize> {
    i * length / windows..((i + 1) * length).div_ceil(windows)
}

/// Calls `each` with window, place and number of places for every place of every window.
fn spans(shape: &[usize], out: &[usize], mut each: impl FnMut(usize, std::ops::Range<usize>, usize)) {
    let two = |axes: &[usize]| if axes.len() == 1 { [1, axes[0]] } else { [axes[0], axes[1]] };
    let ([rows, columns], [out_rows, out_columns]) = (two(&shape[1..]), two(&out[1..]));
    for i in 0..out_rows {
        let down = span(i, out_rows, rows);
        for j in 0..out_columns {
            let across = span(j, out_columns, columns);
            let count = down.len() * across.len();
            for r in down.clone() {
                each(i * out_columns + j, r * columns + across.start..r * columns + across.end, count);
            }
        }
    }
}

pub(super) fn adaptive(shape: &[usize], out: &[usize], input: &[f32], output: &mut [f32]) {
    let (places, windows) = (shape[1..].iter().product::<usize>(), out[1..].iter().product::<usize>());
    for (channel, result) in input.chunks_exact(places.max(1)).zip(output.chunks_exact_mut(windows.max(1))) {
        result.fill(0.0);
        // The count only depends on the window: sums first, then one division each.
        let mut counts = vec![1.0; result.len()];
        spans(shape, out, |window, places, count| {
            counts[window] = count as f32;
            result[window] = channel[places].iter().fold(result[window], |sum, x| sum + x);
        });
        result.iter_mut().zip(&counts).for_each(|(result, count)| *result /= count);
    }
}

pub(super) fn adaptive_backward(shape: &[usize], out: &[usize], gradient: &[f32], sum: &mut [f32]) {
    let (places, windows) = (shape[1..].iter().product::<usize>(), out[1..].iter().product::<usize>());
    for (gradient, sum) in gradient.chunks_exact(windows.max(1)).zip(sum.chunks_exact_mut(places.max(1))) {
        spans(shape, out, |window, places, count| {
            let share = gradient[window] / count as f32;
            sum[places].iter_mut().for_each(|sum| *sum += share);
        });
    }
}
