//! Scores of samples in which a box of cells is filled: only what the box can change is computed anew.
//!
//! Layers that look at windows are run on the windows that meet the box. A linear layer adds the products of the cells
//! that changed to what it was. What changes by more than half of a layer is computed as a whole.

mod boxes;
mod region;
mod windows;

use std::collections::HashMap;

use ndarray::{Array1, Axis, Slice};
use xai_core::Result;

use super::graph::Plan;
use super::kernel::{self, Grid};
use super::op::Op;
use super::operator::Function;
use super::run::{Cells, Pool};
use region::{Region, overlay};
use windows::Looks;

/// Some samples, run once as they are.
struct Untouched<'a> {
    plan: &'a Plan,
    n: usize,
    cells: Cells,
    /// Layers for smaller inputs without padding, by layer and axes of the input.
    cut: HashMap<(usize, [usize; 3]), Function>,
}

/// What became of a layer.
enum State {
    /// Nothing changed.
    Same,
    /// These cells may have changed.
    Part(Part),
    /// All cells anew.
    All(Vec<f32>),
}

struct Part {
    /// The axes of the layer, or of the one that it shows under other axes.
    shape: [usize; 3],
    region: Region,
    /// (sample, cell of the region).
    cells: Vec<f32>,
}

/// The axes of a sample as channels, rows and columns.
fn plane(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [cells] => Some([cells, 1, 1]),
        [channels, columns] => Some([channels, 1, columns]),
        [channels, rows, columns] => Some([channels, rows, columns]),
        _ => None,
    }
}

impl<'a> Untouched<'a> {
    /// Runs the samples forward; `input` are their cells.
    fn new(plan: &'a Plan, n: usize, input: Vec<f32>, pool: &mut Pool) -> Self {
        let mut cells = plan.nothing();
        cells[0] = Some(input);
        plan.forward(n, &mut cells, &|_| true, pool);
        Untouched { plan, n, cells, cut: HashMap::new() }
    }

    /// The scores (sample, output) when the cells of a box hold `fill`.
    fn scores(&mut self, hole: Region, fill: f32, pool: &mut Pool) -> Result<Vec<f32>> {
        let Some(shape) = plane(&self.plan.layers[0].shape) else { return Ok(self.cells(0).to_vec()) };
        let filled = Part { shape, region: hole, cells: vec![fill; self.n * hole.cells()] };
        let mut states = vec![State::Part(filled)];
        let last = self.plan.layers.len() - 1;
        for layer in 1..=last {
            let state = self.run(layer, &mut states, pool)?;
            states.push(state);
            let mut done = self.plan.layers[layer].inputs.iter().filter(|&&i| self.plan.last_reader[i] == layer);
            done.by_ref().for_each(|&input| match std::mem::replace(&mut states[input], State::Same) {
                State::Part(Part { cells, .. }) | State::All(cells) => pool.give(cells),
                State::Same => {}
            });
        }
        let state = states.pop().unwrap_or(State::Same);
        Ok(self.whole(last, &state, pool).unwrap_or_else(|| self.cells(last).to_vec()))
    }

    fn give_back(self, pool: &mut Pool) {
        self.cells.into_iter().flatten().for_each(|buffer| pool.give(buffer));
    }

    fn cells(&self, layer: usize) -> &[f32] {
        self.cells[layer].as_deref().unwrap_or_default()
    }

    /// All cells of a layer where any changed.
    fn whole(&self, layer: usize, state: &State, pool: &mut Pool) -> Option<Vec<f32>> {
        match state {
            State::Same => None,
            State::All(cells) => Some(pool.copy(cells)),
            State::Part(part) => {
                let mut cells = pool.copy(self.cells(layer));
                overlay(self.n, (&part.cells, &part.region), (&mut cells, &Region::whole(part.shape)));
                Some(cells)
            }
        }
    }

    fn run(&mut self, layer: usize, states: &mut [State], pool: &mut Pool) -> Result<State> {
        let plan = self.plan;
        let Some(function) = &plan.functions[layer] else { return Ok(State::Same) };
        let reads = &plan.layers[layer].inputs;
        if reads.iter().all(|&input| matches!(states[input], State::Same)) {
            return Ok(State::Same);
        }
        let part = match (&function.op, &reads[..]) {
            (Op::Add, _) => self.sum(layer, states, pool),
            (_, &[input]) => self.one(layer, function, input, states, pool)?,
            _ => None,
        };
        if let Some(state) = part {
            return Ok(state);
        }
        let made: Vec<_> = reads.iter().map(|&input| self.whole(input, &states[input], pool)).collect();
        let inputs: Vec<&[f32]> =
            made.iter().zip(reads).map(|(made, &input)| made.as_deref().unwrap_or(self.cells(input))).collect();
        let mut output = pool.take(self.n * plan.sizes[layer]);
        kernel::forward(function, self.n, &inputs, &mut output);
        made.into_iter().flatten().for_each(|buffer| pool.give(buffer));
        Ok(State::All(output))
    }

    /// A layer that reads one other, where there is something shorter than to run it as a whole.
    fn one(
        &mut self,
        layer: usize,
        function: &Function,
        input: usize,
        states: &mut [State],
        pool: &mut Pool,
    ) -> Result<Option<State>> {
        let keep = self.plan.last_reader[input] != layer;
        let own = plane(&self.plan.layers[input].shape);
        let in_place = |cells: &mut [f32]| kernel::forward_in_place(function, cells);
        let part = match &mut states[input] {
            State::Same => return Ok(Some(State::Same)),
            State::All(_) if keep || !kernel::is_in_place(function) => return Ok(None),
            State::All(cells) => {
                let mut cells = std::mem::take(cells);
                in_place(&mut cells);
                return Ok(Some(State::All(cells)));
            }
            State::Part(part) => part,
        };
        if kernel::is_in_place(function) {
            let mut cells = if keep { pool.copy(&part.cells) } else { std::mem::take(&mut part.cells) };
            in_place(&mut cells);
            return Ok(Some(State::Part(Part { cells, ..*part })));
        }
        let shape = self.plan.layers[layer].shape.as_slice();
        let whole_layer = self.plan.layers[input].shape.as_slice();
        if own != Some(part.shape) && !matches!(function.op, Op::Linear { .. }) {
            return Ok(None);
        }
        match &function.op {
            Op::Linear { .. } if whole_layer.len() == 1 => Ok(self.linear(layer, function, input, part, pool)),
            Op::Convolution(own) => {
                let looks = Looks { grid: Grid::of_convolution(own, whole_layer, shape), outside: 0.0, apart: false };
                self.windows(layer, input, part, &looks, pool)
            }
            Op::MaxPool(window) => {
                let grid = Grid::of_window(window, whole_layer, shape);
                self.windows(layer, input, part, &Looks { grid, outside: f32::NEG_INFINITY, apart: true }, pool)
            }
            Op::AveragePool { window, .. } if !window.ceil_mode && window.padding.iter().all(|p| *p == [0, 0]) => {
                let grid = Grid::of_window(window, whole_layer, shape);
                self.windows(layer, input, part, &Looks { grid, outside: 0.0, apart: true }, pool)
            }
            Op::BatchNorm { scale, shift } => {
                let Region { start, len } = part.region;
                let channels = start[0].unsigned_abs()..start[0].unsigned_abs() + len[0];
                let of_these = |all: &Array1<f32>| all.slice_axis(Axis(0), Slice::from(channels.clone())).to_owned();
                let (scale, shift) = (of_these(scale), of_these(shift));
                let mut cells = pool.take(part.cells.len());
                kernel::affine(&scale, &shift, self.n, &part.cells, &mut cells);
                Ok(Some(State::Part(Part { cells, ..*part })))
            }
            _ => Ok(None),
        }
    }

    /// What changed of a sum of layers with the same axes.
    fn sum(&self, layer: usize, states: &[State], pool: &mut Pool) -> Option<State> {
        let reads = &self.plan.layers[layer].inputs;
        let shape = plane(&self.plan.layers[layer].shape)?;
        let mut region: Option<Region> = None;
        for &input in reads {
            if self.plan.layers[input].shape != self.plan.layers[layer].shape {
                return None;
            }
            match &states[input] {
                State::Same => {}
                State::Part(part) if part.shape == shape => {
                    region = Some(region.map_or(part.region, |region| region.hull(&part.region)));
                }
                _ => return None,
            }
        }
        let region = region.filter(|region| 2 * region.cells() <= self.plan.sizes[layer])?;
        let mut cells = pool.zeros(self.n * region.cells());
        for &input in reads {
            let term = self.crop(input, &states[input], shape, region, 0.0, pool);
            kernel::add_to(&mut cells, &term);
            pool.give(term);
        }
        Some(State::Part(Part { shape, region, cells }))
    }

    /// What a linear layer makes of the cells that changed.
    fn linear(&self, layer: usize, function: &Function, input: usize, part: &Part, pool: &mut Pool) -> Option<State> {
        if 2 * part.region.cells() > self.plan.sizes[input] {
            return None;
        }
        let places = part.region.places(part.shape);
        let mut changes = pool.take(part.cells.len());
        let pairs = changes.chunks_exact_mut(places.len().max(1)).zip(part.cells.chunks_exact(places.len().max(1)));
        for ((changes, new), old) in pairs.zip(self.cells(input).chunks_exact(self.plan.sizes[input].max(1))) {
            for ((change, new), &place) in changes.iter_mut().zip(new).zip(&places) {
                *change = new - old[place];
            }
        }
        let mut output = pool.copy(self.cells(layer));
        kernel::add_products(function, &places, &changes, &mut output);
        pool.give(changes);
        Some(State::All(output))
    }

    /// The cells of a box, which may reach beyond the edges, as they are now.
    fn crop(
        &self,
        input: usize,
        state: &State,
        shape: [usize; 3],
        region: Region,
        outside: f32,
        pool: &mut Pool,
    ) -> Vec<f32> {
        let mut cells = pool.take(self.n * region.cells());
        cells.fill(outside);
        overlay(self.n, (self.cells(input), &Region::whole(shape)), (&mut cells, &region));
        if let State::Part(part) = state {
            overlay(self.n, (&part.cells, &part.region), (&mut cells, &region));
        }
        cells
    }
}
