//! A window that slides over the sample.

use std::borrow::Borrow;
use std::ops::Range;

use ndarray::{Array2, Array3, Axis, AxisDescription, Slice, Zip, concatenate};
use xai_core::{Attribution, Batch, Cell, Cells, Error, Explainer, Meter, Model, Provenance, Result, Run};

use super::{planned, scores_of_copies};
use crate::gradient::passes::parts;

/// Samples of which all windows are hidden in one call.
const SAMPLES_AT_ONCE: usize = 256;

/// Slides a box over every sample and says how far each score falls when the cells below it are replaced: a cell's value
/// is the mean of f(x) − f(x without the window) over the windows that cover it.
///
/// Works for arrays of any rank: a window `[3, 8, 8]` hides all channels of eight by eight pixels, `[1, 10]` ten steps of
/// one channel of a series, `[1]` one column of a table after the other.
///
/// | parameter | meaning |
/// |---|---|
/// | `window` | the lengths of the window, one for each axis of a sample |
/// | `strides` | how far it moves, one for each axis; not farther than its length, so that no cell is left out |
/// | `fill` | the number that replaces the cells, 0 by default |
///
/// *Pitfalls.* A replaced window is an edge that the model never saw. Evidence that is there twice gets nothing, since one
/// copy is left when the other is hidden.
///
/// # Units
/// Those of the scores, by window: values of overlapping windows are averaged, so they sum to nothing in particular.
/// `base` is 0.
///
/// # Cost
/// 1 + Π over axes of (1 + ⌈(length − window) / stride⌉) evaluations a sample. A model that knows
/// [`predict_filled`](Model::predict_filled), as networks do, only works out what the window can change.
///
/// # Errors
/// [`Error::Parameter`] for a window or strides that do not fit the sample, and a fill that is no number.
///
/// # Laws
/// `occlusion_of_a_linear_model_is_its_terms`, `occlusion_equals_its_definition`, `perturbation_counts_its_evaluations`.
///
/// # Source
/// Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2; windows and averages as in
/// Captum.
///
/// # Example
/// ```
/// use ndarray::{Array2, array};
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_local::perturbation::Occlusion;
/// struct Product;
/// impl Model for Product {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
///         Ok(Array2::from_shape_fn((batch.nrows(), 1), |(i, _)| batch[[i, 0]] * batch[[i, 1]] + batch[[i, 2]]))
///     }
/// }
/// let values = Occlusion::new([1]).explain(&Product, &array![[2.0, 3.0, 1.0]], &Run::default())?.values;
/// assert_eq!(values.into_raw_vec_and_offset().0, [6.0, 6.0, 1.0]); // each factor carries the whole product
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Occlusion {
    /// The lengths of the window.
    pub window: Vec<usize>,
    /// How far it moves.
    pub strides: Vec<usize>,
    /// What replaces the cells.
    pub fill: f64,
}

impl Occlusion {
    /// A window that moves by one cell, and hides by zeros.
    pub fn new(window: impl Into<Vec<usize>>) -> Self {
        let window = window.into();
        Occlusion { strides: vec![1; window.len()], window, fill: 0.0 }
    }

    /// The same, moving by `strides`.
    #[must_use]
    pub fn strides(self, strides: impl Into<Vec<usize>>) -> Self {
        Occlusion { strides: strides.into(), ..self }
    }

    /// Where each window lies: for every axis, from and to.
    fn windows(&self, shape: &[usize]) -> Result<Vec<Vec<Range<usize>>>> {
        let fits = |lengths: &[usize], most: &[usize]| {
            lengths.len() == shape.len() && lengths.iter().zip(most).all(|(l, m)| (1..=*m).contains(l))
        };
        if !fits(&self.window, shape) {
            let expected = format!("1 to {shape:?}, one length for each axis of a sample");
            return Err(Error::parameter("window", format!("{:?}", self.window), expected));
        }
        if !fits(&self.strides, &self.window) {
            let expected = format!("1 to {:?}, one for each axis: farther, and cells would be left out", self.window);
            return Err(Error::parameter("strides", format!("{:?}", self.strides), expected));
        }
        if !self.fill.is_finite() {
            return Err(Error::parameter("fill", self.fill, "a finite number"));
        }
        let mut windows = vec![Vec::new()];
        for ((&length, &window), &stride) in shape.iter().zip(&self.window).zip(&self.strides) {
            let n = 1 + (length - window).div_ceil(stride);
            let along = |i: usize| i * stride..(i * stride + window).min(length);
            windows = windows
                .into_iter()
                .flat_map(|before: Vec<Range<usize>>| {
                    (0..n).map(move |i| before.iter().cloned().chain([along(i)]).collect())
                })
                .collect();
        }
        Ok(windows)
    }
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for Occlusion {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (samples, shape, outputs) = (batch.n_samples(), batch.sample_shape(), model.n_outputs());
        let windows = self.windows(&shape)?;
        let meter = Meter::planned(run, planned(samples, windows.len()))?;
        let scores = meter.predict(model, batch)?;
        let hidden = self.hidden(model, batch, &windows, &meter)?;

        let mut axes = vec![samples];
        axes.extend(&shape);
        axes.push(outputs);
        let mut sums = ndarray::ArrayD::<f64>::zeros(axes);
        let mut counts = ndarray::ArrayD::<f64>::zeros(shape.as_slice());
        for (place, window) in windows.iter().enumerate() {
            counts.slice_each_axis_mut(|axis| Slice::from(window[axis.axis.index()].clone())).mapv_inplace(|n| n + 1.0);
            for sample in 0..samples {
                let mut cells = sums.index_axis_mut(Axis(0), sample);
                let mut cells = cells.slice_each_axis_mut(|axis| match window.get(axis.axis.index()) {
                    Some(range) => Slice::from(range.clone()),
                    None => Slice::from(..),
                });
                let fall = &scores.row(sample) - &hidden.row(sample * windows.len() + place);
                Zip::from(cells.lanes_mut(Axis(shape.len()))).for_each(|mut lane| lane += &fall);
            }
        }
        let counts = counts.insert_axis(Axis(shape.len()));
        for mut cells in sums.outer_iter_mut() {
            cells /= &counts;
        }
        let cells = shape.iter().product();
        let values = Array3::from_shape_vec((samples, cells, outputs), sums.into_raw_vec_and_offset().0);
        let provenance = Provenance::new("occlusion", run)
            .with("window", self.window.clone())
            .with("strides", self.strides.clone())
            .with("fill", self.fill)
            .evaluations(meter.evaluations())
            .note("values are falls of the score when a window is hidden; they do not sum to it");
        let base = ndarray::Array2::zeros(scores.dim());
        Attribution::of_cells(model, &shape, values.map_err(Error::model)?, base, scores, provenance)
    }
}

impl Occlusion {
    /// The scores (sample · window, output) when each window is hidden.
    fn hidden<M: Model<Batch: Cells> + ?Sized>(
        &self,
        model: &M,
        batch: &M::Batch,
        windows: &[Vec<Range<usize>>],
        meter: &Meter,
    ) -> Result<Array2<f64>> {
        let mut scores = Vec::new();
        for samples in parts(batch.n_samples(), SAMPLES_AT_ONCE) {
            let here = batch.samples(samples);
            match meter.predict_filled(model, here.borrow(), windows, self.fill)? {
                Some(found) => scores.push(found),
                None => {
                    let fill = <M::Batch as Cells>::Cell::of(self.fill);
                    return scores_of_copies(model, batch, windows.len(), meter, |_, copy, mut cells| {
                        let along = |axis: AxisDescription| Slice::from(windows[copy][axis.axis.index()].clone());
                        cells.slice_each_axis_mut(along).fill(fill);
                    });
                }
            }
        }
        let views: Vec<_> = scores.iter().map(|scores| scores.view()).collect();
        match views.is_empty() {
            true => Ok(Array2::zeros((0, model.n_outputs()))),
            false => concatenate(Axis(0), &views).map_err(Error::model),
        }
    }
}
