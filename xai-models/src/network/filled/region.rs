//! Boxes of cells within a layer.

use std::ops::Range;

/// A box of cells, or what such a box would be beyond the edges: where it begins and how long it is by channel, row and
/// column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Region {
    pub start: [isize; 3],
    pub len: [usize; 3],
}

impl Region {
    /// All cells of a layer.
    pub fn whole(shape: [usize; 3]) -> Self {
        Region { start: [0; 3], len: shape }
    }

    /// These channels, rows and columns.
    pub fn of(ranges: [Range<usize>; 3]) -> Self {
        let [a, b, c] = &ranges;
        Region { start: [a, b, c].map(|range| range.start as isize), len: [a, b, c].map(|range| range.len()) }
    }

    /// How many cells it has.
    pub fn cells(&self) -> usize {
        self.len.iter().product()
    }

    /// The least box that holds both.
    pub fn hull(&self, other: &Region) -> Self {
        let start: [isize; 3] = std::array::from_fn(|axis| self.start[axis].min(other.start[axis]));
        let end = |axis: usize| self.end(axis).max(other.end(axis));
        Region { start, len: std::array::from_fn(|axis| (end(axis) - start[axis]).unsigned_abs()) }
    }

    /// Where its cells lie in a layer of `shape`, in its own order.
    pub fn places(&self, shape: [usize; 3]) -> Vec<usize> {
        let along = |axis: usize| (self.start[axis]..self.end(axis)).map(isize::unsigned_abs);
        let mut places = Vec::with_capacity(self.cells());
        for channel in along(0) {
            for row in along(1) {
                places.extend(along(2).map(|column| (channel * shape[1] + row) * shape[2] + column));
            }
        }
        places
    }

    fn end(&self, axis: usize) -> isize {
        self.start[axis] + self.len[axis] as isize
    }

    /// The place of a cell among those of all samples.
    fn place(&self, sample: usize, at: [isize; 3]) -> usize {
        let step = |place: usize, axis: usize| place * self.len[axis] + (at[axis] - self.start[axis]).unsigned_abs();
        (0..3).fold(sample, step)
    }
}

/// Copies the cells that two boxes share, sample by sample, from one to the other.
pub(super) fn overlay(n: usize, (source, from): (&[f32], &Region), (target, to): (&mut [f32], &Region)) {
    let first: [isize; 3] = std::array::from_fn(|axis| from.start[axis].max(to.start[axis]));
    let end: [isize; 3] = std::array::from_fn(|axis| from.end(axis).min(to.end(axis)));
    if (0..3).any(|axis| first[axis] >= end[axis]) {
        return;
    }
    let width = (end[2] - first[2]).unsigned_abs();
    for sample in 0..n {
        for channel in first[0]..end[0] {
            for row in first[1]..end[1] {
                let at = [channel, row, first[2]];
                let (read, write) = (from.place(sample, at), to.place(sample, at));
                target[write..write + width].copy_from_slice(&source[read..read + width]);
            }
        }
    }
}
