//! A small network, and explainers that are known.

use ndarray::{Array1, Array2, Array3, ArrayD, ArrayRef2, ArrayViewMutD, Axis};
use xai_core::layers::{Layer, LayerKind};
use xai_core::model::{Owned, output_names};
use xai_core::{
    Attribution, Batch, Cells, Differentiable, Explainer, Feature, Layered, Model, Parametric, Probe, Probed,
    Provenance, Result, Run, Table,
};

/// scores = act(x·first + shift)·second + offset, with the hyperbolic tangent or nothing in between.
#[derive(Clone)]
pub struct Net {
    pub first: Array2<f64>,
    pub shift: Array1<f64>,
    pub second: Array2<f64>,
    pub offset: Array1<f64>,
    pub bends: bool,
    layers: Vec<Layer>,
}

impl Net {
    /// Few strong weights, as training leaves them: feature j is heard by unit j % hidden most.
    pub fn new(features: usize, hidden: usize, outputs: usize, bends: bool) -> Self {
        let weight = |i: usize, j: usize| ((i * 7 + j * 13 + 3) as f64).sin() / (1.0 + i as f64);
        let layer =
            |name: &str, kind, inputs: Vec<usize>, width| Layer { name: name.into(), kind, inputs, shape: vec![width] };
        Net {
            first: Array2::from_shape_fn((features, hidden), |(i, j)| weight(i, j)),
            shift: Array1::from_shape_fn(hidden, |j| 0.1 * j as f64),
            second: Array2::from_shape_fn((hidden, outputs), |(i, j)| weight(i, j + 1)),
            offset: Array1::zeros(outputs),
            bends,
            layers: vec![
                layer("input", LayerKind::Input, vec![], features),
                layer("sums", LayerKind::Linear, vec![0], hidden),
                layer("hidden", LayerKind::Tanh, vec![1], hidden),
                layer("scores", LayerKind::Linear, vec![2], outputs),
            ],
        }
    }

    pub fn hidden(&self, batch: &Table) -> Array2<f64> {
        let hidden = batch.dot(&self.first) + &self.shift;
        if self.bends { hidden.mapv(f64::tanh) } else { hidden }
    }
}

impl Model for Net {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.second.ncols()
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(self.hidden(batch).dot(&self.second) + &self.offset)
    }
}

impl Differentiable for Net {
    fn vjp(&self, batch: &Table, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        let slope = self.hidden(batch).mapv(|h| if self.bends { 1.0 - h * h } else { 1.0 });
        Ok((weights.dot(&self.second.t()) * slope).dot(&self.first.t()))
    }
}

impl Layered for Net {
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn probe(&self, batch: &Table, probe: &Probe) -> Result<Probed> {
        let read = |layer: &usize| -> ArrayD<f32> {
            let found = match layer {
                0 => batch.to_owned(),
                1 => batch.dot(&self.first) + &self.shift,
                2 => self.hidden(batch),
                _ => self.hidden(batch).dot(&self.second) + &self.offset,
            };
            found.mapv(|x| x as f32).into_dyn()
        };
        let activations = probe.read.iter().map(read).collect();
        Ok(Probed { scores: self.predict(batch)?, activations, gradients: vec![] })
    }
}

impl Parametric for Net {
    fn parameter_layers(&self) -> Vec<String> {
        vec!["hidden".into(), "scores".into()]
    }
    fn with_parameters(&self, change: &mut dyn FnMut(usize, &str, ArrayViewMutD<f64>)) -> Result<Self> {
        let mut other = self.clone();
        // As networks keep them: (output, input).
        change(0, "weight", other.first.view_mut().reversed_axes().into_dyn());
        change(0, "bias", other.shift.view_mut().into_dyn());
        change(1, "weight", other.second.view_mut().reversed_axes().into_dyn());
        Ok(other)
    }
}

/// An attribution to the cells of any batch of numbers.
pub fn of_cells<M>(model: &M, batch: &M::Batch, values: Array3<f64>, run: &Run) -> Result<Attribution>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let scores = model.predict(batch)?;
    Attribution {
        provenance: Provenance::new("known", run).evaluations(batch.n_samples() as u64),
        features: Feature::unnamed(values.dim().1),
        outputs: output_names(model),
        base: Array2::zeros(scores.dim()),
        values,
        scores,
        standard_error: None,
        data: None,
        fidelity: None,
        shape: None,
    }
    .checked()
}

fn flat<B: Cells + ?Sized>(batch: &B) -> Array2<f64> {
    let cells = batch.cells();
    let (n, width) = (batch.n_samples(), cells.len() / batch.n_samples().max(1));
    Array2::from_shape_vec((n, width), cells.iter().map(|cell| (*cell).into()).collect()).unwrap()
}

/// The gradient, times the input or not.
pub struct Gradient {
    pub times_input: bool,
}

impl<M> Explainer<M> for Gradient
where
    M: Differentiable,
    M::Batch: Cells,
{
    type Explanation = Attribution;
    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (x, outputs) = (flat(batch), model.n_outputs());
        let mut values = Array3::zeros((x.nrows(), x.ncols(), outputs));
        for output in 0..outputs {
            let weights = Array2::from_shape_fn((x.nrows(), outputs), |(_, k)| f64::from(u8::from(k == output)));
            let gradient: Owned<M> = model.vjp(batch, &weights)?;
            let mut slope = flat::<M::Batch>(std::borrow::Borrow::borrow(&gradient));
            if self.times_input {
                slope *= &x;
            }
            values.index_axis_mut(Axis(2), output).assign(&slope);
        }
        of_cells(model, batch, values, run)
    }
}

/// Always 1, 2, 3, …
pub struct Constant;

impl<M> Explainer<M> for Constant
where
    M: Model,
    M::Batch: Cells,
{
    type Explanation = Attribution;
    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (n, p) = flat(batch).dim();
        of_cells(model, batch, Array3::from_shape_fn((n, p, model.n_outputs()), |(_, j, _)| j as f64 + 1.0), run)
    }
}

/// The sample itself, whatever the model, and noise of the run's seed.
pub struct Input {
    pub noise: f64,
}

impl<M> Explainer<M> for Input
where
    M: Model,
    M::Batch: Cells,
{
    type Explanation = Attribution;
    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let x = flat(batch);
        let noise = |i: usize, j: usize| (run.seed_of(i).rotate_left(7 * j as u32) >> 11) as f64 / (1u64 << 53) as f64;
        let value = |(i, j, _): (usize, usize, usize)| x[[i, j]] + self.noise * noise(i, j);
        of_cells(model, batch, Array3::from_shape_fn((x.nrows(), x.ncols(), model.n_outputs()), value), run)
    }
}
