//! Convolutions, and what adds gradients back through them, as one kind of pass.
//!
//! A pass lays the channels of one group out as sheets with zeros around them, one sheet for each remainder that places
//! can leave when divided by the stride. On flat sheets each tap of the kernel is a fixed offset, so a convolution is a
//! [`Product`] whose columns are the places of a sheet; the few columns that run over the edge are dropped.

use super::super::op::Convolution;
use super::grid::Grid;
use super::tile::{COLUMNS, Product, ROWS, grouped};

/// How the cells of one sample go from one side of a convolution to the other.
#[derive(Debug, Clone)]
pub(in super::super) struct Pass {
    groups: usize,
    /// Channels of a group that are read, and that are written.
    channels: [usize; 2],
    /// Rows and columns of a channel that is read, and of one that is written.
    planes: [[usize; 2]; 2],
    /// Where each sheet begins in the channel, and how far apart its places are there.
    sheets: Vec<[isize; 2]>,
    step: [usize; 2],
    /// Rows and columns of a sheet.
    sheet: [usize; 2],
    parts: Vec<Part>,
    /// (output channel), zeros where there is none.
    bias: Vec<f32>,
}

/// The places that are written by the same taps.
#[derive(Debug, Clone)]
struct Part {
    /// Where each product reads, from the start of the sheets.
    offsets: Vec<usize>,
    /// (group of channels, block of rows, product).
    weights: Vec<[f32; ROWS]>,
    /// Rows and columns that are written, where the first of them lies and how far apart they are.
    count: [usize; 2],
    start: [usize; 2],
    step: [usize; 2],
}

impl Pass {
    /// From input to output.
    pub fn forward(own: &Convolution, shape: &[usize], out: &[usize]) -> Self {
        let grid = Grid::of_convolution(own, shape, out);
        let [taps_down, taps_across] = [0, 1].map(|axis| Taps::new(&grid, axis));
        let sheet = [0, 1].map(|axis| {
            let most = (grid.size[axis] - 1) * grid.dilation[axis] / grid.stride[axis];
            grid.windows[axis] + most
        });
        let mut sheets = Vec::new();
        for down in &taps_down.remainders {
            for across in &taps_across.remainders {
                sheets.push([*down as isize - grid.before[0] as isize, *across as isize - grid.before[1] as isize]);
            }
        }
        let (of_group, outputs) = (own.weight.shape()[1], own.weight.shape()[0] / own.groups);
        let plane = sheet[0] * sheet[1];
        let mut offsets = Vec::new();
        for channel in 0..of_group {
            for (remainder_down, shift_down) in &taps_down.each {
                for (remainder_across, shift_across) in &taps_across.each {
                    let sheet_number = remainder_down * taps_across.remainders.len() + remainder_across;
                    offsets
                        .push((channel * sheets.len() + sheet_number) * plane + shift_down * sheet[1] + shift_across);
                }
            }
        }
        let weight = own.weight.as_standard_layout();
        let weight = weight.as_slice().unwrap_or_default();
        let depth = offsets.len();
        let of = |group: usize| grouped(outputs, depth, move |row, k| weight[(group * outputs + row) * depth + k]);
        let weights = (0..own.groups).flat_map(of).collect();
        let part = Part { offsets, weights, count: grid.windows, start: [0, 0], step: [1, 1] };
        Pass {
            groups: own.groups,
            channels: [of_group, outputs],
            planes: [grid.length, grid.windows],
            sheets,
            step: grid.stride,
            sheet,
            parts: vec![part],
            bias: own.bias.as_ref().map_or_else(|| vec![0.0; own.weight.shape()[0]], |bias| bias.to_vec()),
        }
    }

    /// From the gradient by the output to that by the input.
    pub fn backward(own: &Convolution, shape: &[usize], out: &[usize]) -> Self {
        let grid = Grid::of_convolution(own, shape, out);
        let taps = [0, 1].map(|axis| Taps::new(&grid, axis));
        let most = [0, 1].map(|axis| (grid.size[axis] - 1) * grid.dilation[axis] / grid.stride[axis]);
        // Of the padded places that leave each remainder: those within the edges, counted in strides.
        let spans = [0, 1].map(|axis| {
            let span = |&remainder: &usize| {
                let at = |place: usize| place.saturating_sub(remainder).div_ceil(grid.stride[axis]);
                at(grid.before[axis])..at(grid.before[axis] + grid.length[axis])
            };
            taps[axis].remainders.iter().map(span).collect::<Vec<_>>()
        });
        let first = [0, 1].map(|axis| spans[axis].iter().map(|span| span.start).min().unwrap_or(0));
        let last = [0, 1].map(|axis| spans[axis].iter().map(|span| span.end).max().unwrap_or(0));
        let sheet = [0, 1].map(|axis| last[axis].saturating_sub(first[axis]) + most[axis]);
        let (of_group, outputs) = (own.weight.shape()[1], own.weight.shape()[0] / own.groups);
        let weight = own.weight.as_standard_layout();
        let weight = weight.as_slice().unwrap_or_default();
        let n_taps = grid.size[0] * grid.size[1];
        let mut parts = Vec::new();
        for (down, span_down) in spans[0].iter().enumerate() {
            for (across, span_across) in spans[1].iter().enumerate() {
                let (mut offsets, mut places) = (Vec::new(), Vec::new());
                for channel in 0..outputs {
                    for (k, &(_, shift_down)) in taps[0].each.iter().enumerate().filter(|(_, tap)| tap.0 == down) {
                        for (l, &(_, shift_across)) in
                            taps[1].each.iter().enumerate().filter(|(_, tap)| tap.0 == across)
                        {
                            let row = span_down.start - first[0] + most[0] - shift_down;
                            let column = span_across.start - first[1] + most[1] - shift_across;
                            offsets.push((channel * sheet[0] + row) * sheet[1] + column);
                            places.push((channel, k * grid.size[1] + l));
                        }
                    }
                }
                let depth = offsets.len();
                let of = |group: usize| {
                    let places = &places;
                    grouped(of_group, depth, move |row, k| {
                        let (channel, tap) = places[k];
                        weight[((group * outputs + channel) * of_group + row) * n_taps + tap]
                    })
                };
                let weights = (0..own.groups).flat_map(of).collect();
                let at = |axis: usize, span: &std::ops::Range<usize>, remainder: usize| {
                    (span.start * grid.stride[axis] + remainder).saturating_sub(grid.before[axis])
                };
                parts.push(Part {
                    offsets,
                    weights,
                    count: [span_down.len(), span_across.len()],
                    start: [at(0, span_down, taps[0].remainders[down]), at(1, span_across, taps[1].remainders[across])],
                    step: grid.stride,
                });
            }
        }
        let origin = [0, 1].map(|axis| first[axis] as isize - most[axis] as isize);
        Pass {
            groups: own.groups,
            channels: [outputs, of_group],
            planes: [grid.windows, grid.length],
            sheets: vec![origin],
            step: [1, 1],
            sheet,
            parts,
            bias: vec![0.0; of_group * own.groups],
        }
    }

    /// Fills `output`, or adds to it, sample by sample.
    pub fn run<const ADD: bool>(&self, input: &[f32], output: &mut [f32]) {
        let [read, written] = self.planes.map(|[rows, columns]| rows * columns);
        let [read_group, written_group] = [self.channels[0] * read, self.channels[1] * written];
        if read_group == 0 || written_group == 0 {
            return;
        }
        let plane = self.sheet[0] * self.sheet[1];
        // The last columns of a product may run over the end.
        let mut sheets = vec![0.0; self.channels[0] * self.sheets.len() * plane + self.sheet[1] + 2 * COLUMNS];
        let most = self.parts.iter().map(|part| self.width(part)).max().unwrap_or(0);
        let mut sums = vec![0.0; ROWS * most];
        let groups = input.chunks_exact(read_group).zip(output.chunks_exact_mut(written_group));
        for (i, (input, output)) in groups.enumerate() {
            let group = i % self.groups;
            self.lay_out(input, &mut sheets);
            for part in &self.parts {
                let depth = part.offsets.len();
                let width = self.width(part);
                let blocks = self.channels[1].div_ceil(ROWS);
                for block in 0..blocks {
                    let from = (group * blocks + block) * depth;
                    let (first, n) = (block * ROWS, ROWS.min(self.channels[1] - block * ROWS));
                    let bias = &self.bias[group * self.channels[1] + first..][..n];
                    let sums = &mut sums[..ROWS * width];
                    Product {
                        left: &part.weights[from..from + depth],
                        rows: n,
                        offsets: &part.offsets,
                        right: &sheets,
                        start: std::array::from_fn(|i| bias.get(i).copied().unwrap_or(0.0)),
                        out: sums,
                    }
                    .run();
                    let channels = output.chunks_exact_mut(written).skip(first).take(n);
                    for (channel, sums) in channels.zip(sums.chunks_exact(width.max(1))) {
                        self.put::<ADD>(part, sums, channel);
                    }
                }
            }
        }
    }

    /// The columns of a product: all rows of a part on the flat sheet.
    fn width(&self, part: &Part) -> usize {
        let [rows, columns] = part.count;
        if rows == 0 || columns == 0 { 0 } else { ((rows - 1) * self.sheet[1] + columns).next_multiple_of(COLUMNS) }
    }

    /// Copies the places of each sheet out of the channels; what lies around stays zero.
    fn lay_out(&self, input: &[f32], sheets: &mut [f32]) {
        let [rows, columns] = self.planes[0];
        let plane = self.sheet[0] * self.sheet[1];
        let mut rest = sheets;
        for channel in input.chunks_exact(rows * columns) {
            for &[down, across] in &self.sheets {
                let (sheet, behind) = rest.split_at_mut(plane);
                rest = behind;
                let (first, last) = within(across, self.step[1], columns, self.sheet[1]);
                for (i, row) in sheet.chunks_exact_mut(self.sheet[1].max(1)).enumerate() {
                    let at = down + (i * self.step[0]) as isize;
                    if at < 0 || at as usize >= rows || first >= last {
                        continue;
                    }
                    let from = at as usize * columns;
                    let column = (across + (first * self.step[1]) as isize) as usize;
                    let source = &channel[from + column..from + columns];
                    match self.step[1] {
                        1 => row[first..last].copy_from_slice(&source[..last - first]),
                        step => row[first..last].iter_mut().zip(source.iter().step_by(step)).for_each(|(y, x)| *y = *x),
                    }
                }
            }
        }
    }

    fn put<const ADD: bool>(&self, part: &Part, sums: &[f32], channel: &mut [f32]) {
        let [rows, columns] = part.count;
        for row in 0..rows {
            let sums = &sums[row * self.sheet[1]..row * self.sheet[1] + columns];
            let at = (part.start[0] + row * part.step[0]) * self.planes[1][1] + part.start[1];
            match (ADD, part.step[1]) {
                (false, 1) => channel[at..at + columns].copy_from_slice(sums),
                (true, 1) => channel[at..at + columns].iter_mut().zip(sums).for_each(|(y, x)| *y += x),
                (false, step) => channel[at..].iter_mut().step_by(step).zip(sums).for_each(|(y, x)| *y = *x),
                (true, step) => channel[at..].iter_mut().step_by(step).zip(sums).for_each(|(y, x)| *y += x),
            }
        }
    }
}

/// Which places of a sheet's row, from `start` on by `step`, lie on an axis of `length`.
fn within(start: isize, step: usize, length: usize, places: usize) -> (usize, usize) {
    let first = if start < 0 { start.unsigned_abs().div_ceil(step) } else { 0 };
    let room = length as isize - start;
    let last = if room > 0 { (room as usize).div_ceil(step) } else { 0 };
    (first, last.min(places))
}

/// The taps of a kernel on one axis, by remainder and quotient of their place divided by the stride.
struct Taps {
    /// The remainders that occur.
    remainders: Vec<usize>,
    /// For each tap the number of its remainder among them, and its quotient.
    each: Vec<(usize, usize)>,
}

impl Taps {
    fn new(grid: &Grid, axis: usize) -> Self {
        let stride = grid.stride[axis];
        let places = || (0..grid.size[axis]).map(|k| k * grid.dilation[axis]);
        let mut remainders: Vec<usize> = places().map(|place| place % stride).collect();
        remainders.sort_unstable();
        remainders.dedup();
        let number = |place: usize| remainders.partition_point(|&r| r < place % stride);
        let each = places().map(|place| (number(place), place / stride)).collect();
        Taps { remainders, each }
    }
}
