//! Windows over the places of a channel, one axis or two; one axis counts as one row.

use super::super::op::{Convolution, Window};

/// Windows over a channel of `length` places (rows, columns).
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Grid {
    /// Rows and columns of a channel.
    pub length: [usize; 2],
    /// Rows and columns of the windows.
    pub windows: [usize; 2],
    /// Rows and columns of one window.
    pub size: [usize; 2],
    pub stride: [usize; 2],
    /// How far the first window begins before the edge.
    pub before: [usize; 2],
    /// How far padding reaches beyond the far edge.
    pub after: [usize; 2],
    pub dilation: [usize; 2],
}

impl Grid {
    pub fn of_window(window: &Window, input: &[usize], output: &[usize]) -> Self {
        Grid::new(&window.size, &window.stride, &window.padding, &window.dilation, input, output)
    }

    pub fn of_convolution(own: &Convolution, input: &[usize], output: &[usize]) -> Self {
        Grid::new(&own.weight.shape()[2..], &own.stride, &own.padding, &own.dilation, input, output)
    }

    fn new(
        size: &[usize],
        stride: &[usize],
        padding: &[[usize; 2]],
        dilation: &[usize],
        input: &[usize],
        output: &[usize],
    ) -> Self {
        let before: Vec<usize> = padding.iter().map(|p| p[0]).collect();
        let after: Vec<usize> = padding.iter().map(|p| p[1]).collect();
        Grid {
            length: plane(&input[1..], 1),
            windows: plane(&output[1..], 1),
            size: plane(size, 1),
            stride: plane(stride, 1),
            before: plane(&before, 0),
            after: plane(&after, 0),
            dilation: plane(dilation, 1),
        }
    }

    /// The place on `axis` that tap `k` of window `i` meets, if it lies within the edges.
    pub fn place(&self, axis: usize, i: usize, k: usize) -> Option<usize> {
        let at = i * self.stride[axis] + k * self.dilation[axis];
        at.checked_sub(self.before[axis]).filter(|&at| at < self.length[axis])
    }

    /// Calls `each` with the place in the channel of every tap of the window (row, column) that lies within the edges.
    pub fn taps(&self, [row, column]: [usize; 2], mut each: impl FnMut(usize)) {
        for r in (0..self.size[0]).filter_map(|k| self.place(0, row, k)) {
            for c in (0..self.size[1]).filter_map(|k| self.place(1, column, k)) {
                each(r * self.length[1] + c);
            }
        }
    }

    /// How many taps of window `i` on `axis` lie within the edges, or within the padding too.
    pub fn count(&self, axis: usize, i: usize, with_padding: bool) -> usize {
        let padded = self.before[axis] + self.length[axis] + self.after[axis];
        let inside = |k: usize| match with_padding {
            true => i * self.stride[axis] + k * self.dilation[axis] < padded,
            false => self.place(axis, i, k).is_some(),
        };
        (0..self.size[axis]).filter(|&k| inside(k)).count()
    }

    /// Whether all windows are two by two, side by side and within the edges.
    pub fn halves(&self) -> bool {
        let alone = self.size == [2, 2] && self.stride == [2, 2] && self.dilation == [1, 1] && self.before == [0, 0];
        alone && [0, 1].iter().all(|&axis| (1..=self.length[axis] / 2).contains(&self.windows[axis]))
    }

    /// The places of a channel.
    pub fn places(&self) -> usize {
        self.length[0] * self.length[1]
    }

    /// The windows, row by row.
    pub fn each_window(&self) -> impl Iterator<Item = [usize; 2]> {
        let [rows, columns] = self.windows;
        (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
    }
}

/// One axis or two as rows and columns.
fn plane(axes: &[usize], fill: usize) -> [usize; 2] {
    match *axes {
        [columns] => [fill, columns],
        [rows, columns] => [rows, columns],
        _ => [fill, fill],
    }
}
