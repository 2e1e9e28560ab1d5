//! Layers that look at windows, run on the windows that meet a box.

use xai_core::Result;

use super::super::kernel::{self, Grid};
use super::super::op::{Op, Window};
use super::super::operator::Function;
use super::super::run::Pool;
use super::{Part, Region, State, Untouched, plane};

/// How a layer looks at windows.
pub(super) struct Looks {
    pub grid: Grid,
    /// What it sees beyond the edges.
    pub outside: f32,
    /// Whether each channel is looked at alone.
    pub apart: bool,
}

impl Untouched<'_> {
    /// The windows that meet what changed.
    pub(super) fn windows(
        &mut self,
        layer: usize,
        input: usize,
        part: &mut Part,
        looks: &Looks,
        pool: &mut Pool,
    ) -> Result<Option<State>> {
        let Some(out) = plane(&self.plan.layers[layer].shape) else { return Ok(None) };
        let grid = &looks.grid;
        let reach = [0, 1].map(|axis| (grid.size[axis] - 1) * grid.dilation[axis]);
        let [down, across] = [0, 1].map(|axis| {
            let from = part.region.start[axis + 1].unsigned_abs() + grid.before[axis];
            let last = (from + part.region.len[axis + 1]).saturating_sub(1) / grid.stride[axis];
            from.saturating_sub(reach[axis]).div_ceil(grid.stride[axis])..(last + 1).min(grid.windows[axis])
        });
        let channels = part.region.start[0].unsigned_abs()..part.region.start[0].unsigned_abs() + part.region.len[0];
        let (read, written) = if looks.apart { (channels.clone(), channels) } else { (0..part.shape[0], 0..out[0]) };
        let met = Region::of([written, down.clone(), across.clone()]);
        if met.cells() == 0 {
            return Ok(Some(State::Same));
        }
        if 2 * met.cells() > self.plan.sizes[layer] {
            return Ok(None);
        }
        let begin = |axis: usize, first: usize| (first * grid.stride[axis]) as isize - grid.before[axis] as isize;
        let length = |axis: usize, windows: usize| (windows - 1) * grid.stride[axis] + reach[axis] + 1;
        let seen = Region {
            start: [read.start as isize, begin(0, down.start), begin(1, across.start)],
            len: [read.len(), length(0, down.len()), length(1, across.len())],
        };
        let shape = part.shape;
        let now = State::Part(Part { cells: std::mem::take(&mut part.cells), ..*part });
        let cropped = self.crop(input, &now, shape, seen, looks.outside, pool);
        if let State::Part(now) = now {
            part.cells = now.cells;
        }
        let n = self.n;
        let mut cells = pool.take(n * met.cells());
        if let Some(function) = self.cut(layer, seen.len)? {
            kernel::forward(function, n, &[&cropped], &mut cells);
        }
        pool.give(cropped);
        Ok(Some(State::Part(Part { shape: out, region: met, cells })))
    }

    /// A layer that looks at windows, for an input of these axes that needs no padding.
    fn cut(&mut self, layer: usize, axes: [usize; 3]) -> Result<Option<&Function>> {
        let key = (layer, axes);
        if !self.cut.contains_key(&key) {
            let Some(function) = &self.plan.functions[layer] else { return Ok(None) };
            let bare = |window: &Window| Window {
                padding: vec![[0, 0]; window.size.len()],
                ceil_mode: false,
                ..window.clone()
            };
            let op = match &function.op {
                Op::Convolution(own) => {
                    let mut own = own.clone();
                    own.padding.fill([0, 0]);
                    Op::Convolution(own)
                }
                Op::MaxPool(window) => Op::MaxPool(bare(window)),
                Op::AveragePool { window, count_include_pad } => {
                    Op::AveragePool { window: bare(window), count_include_pad: *count_include_pad }
                }
                _ => return Ok(None),
            };
            let shape = if function.shape.len() == 2 { vec![axes[0], axes[2]] } else { axes.to_vec() };
            self.cut.insert(key, Function::new(op, vec![shape])?);
        }
        Ok(self.cut.get(&key))
    }
}
