//! A burn module as a model of this toolkit.

use std::fmt;
use std::sync::Arc;

use ::burn::module::Module;
use ::burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array2, ArrayD, ArrayRef2, ArrayRef3, ArrayRef4, Axis, IxDyn, Slice};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Differentiable, Error, Feature, Layer, LayerKind, Model, Output, Result, Table};

use super::guard::{guarded, sweep};
use super::taps::{Order, cells};
use super::tensors::single;
use super::{Taps, Tensors};

type Forward<B, M> = dyn Fn(&M, <B as Tensors>::Tensor, &mut Taps) -> Tensor<2> + Send + Sync;

/// Any burn module, explained: for batches of kind `B`, a forward function says how it scores them.
///
/// The module is put on the device that is named, and into the state for prediction (`valid()`), whatever state it was
/// in: dropout and batch statistics are off. The forward function gets the module, a tensor (sample, axes of one sample
/// …) and the [`Taps`], through which it may pass activations that shall be layers; it returns the scores (sample,
/// output). Cells of a table are rounded to `f32`.
///
/// Predictions build no graph. Gradients build one for each run of rows and consume it, also after an error. A panic in the
/// forward function comes back as [`Error::Model`] with its words, after the panic hook has had its say.
///
/// # Cost
/// Rows are scored [`BurnModel::rows`] at a time, 64 unless told otherwise, and these runs shared out among the threads.
/// Several gradients of one batch repeat the forward pass: burn consumes a graph with its first gradient.
///
/// # Laws
/// `burn_gradients_are_finite_differences`, `burn_scores_have_the_same_bits_on_any_threads`, `burn_leaves_no_graph_behind`.
///
/// # Example
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, activation::relu};
/// use xai_core::{Differentiable, Model};
/// use xai_models::burn::BurnModel;
/// let device = Device::flex();
/// let layer: Linear = LinearConfig::new(2, 1).init(&device);
/// let model = BurnModel::table(layer, 2, &device, |layer, x, _| relu(layer.forward(x)))?;
/// let rows = ndarray::array![[0.5, -1.0], [2.0, 3.0]];
/// assert_eq!(model.predict(&rows)?.dim(), (2, 1));
/// assert_eq!(model.vjp(&rows, &ndarray::array![[1.0], [1.0]])?.dim(), (2, 2));
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct BurnModel<B: Tensors + ?Sized, M> {
    pub(super) module: M,
    pub(super) device: Device,
    forward: Arc<Forward<B, M>>,
    pub(super) layers: Vec<Layer>,
    rows: usize,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

/// What a run of rows gave.
pub(super) struct Seen {
    pub scores: Array2<f64>,
    pub activations: Vec<ArrayD<f32>>,
    pub gradients: Vec<ArrayD<f32>>,
}

impl<M: Module + Sync> BurnModel<Table, M> {
    /// A module that scores rows of `n_features` cells.
    ///
    /// # Errors
    /// As [`BurnModel::new`].
    pub fn table(
        module: M,
        n_features: usize,
        device: &Device,
        forward: impl Fn(&M, Tensor<2>, &mut Taps) -> Tensor<2> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::new(module, &[n_features], device, forward)
    }
}

impl<M: Module + Sync> BurnModel<ArrayRef3<f32>, M> {
    /// A module that scores series of `shape` (channel, step).
    ///
    /// # Errors
    /// As [`BurnModel::new`].
    pub fn series(
        module: M,
        shape: [usize; 2],
        device: &Device,
        forward: impl Fn(&M, Tensor<3>, &mut Taps) -> Tensor<2> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::new(module, &shape, device, forward)
    }
}

impl<M: Module + Sync> BurnModel<ArrayRef4<f32>, M> {
    /// A module that scores images of `shape` (channel, row, column).
    ///
    /// # Errors
    /// As [`BurnModel::new`].
    pub fn images(
        module: M,
        shape: [usize; 3],
        device: &Device,
        forward: impl Fn(&M, Tensor<4>, &mut Taps) -> Tensor<2> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::new(module, &shape, device, forward)
    }
}

impl<B: Tensors + ?Sized, M: Module + Sync> BurnModel<B, M> {
    /// A module that scores samples of `shape`, its outputs and layers found by scoring one sample of zeros.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of axes than `B` has; [`Error::Model`] when the forward function panics;
    /// [`Error::Unsupported`] when it gives no scores.
    pub fn new(
        module: M,
        shape: &[usize],
        device: &Device,
        forward: impl Fn(&M, B::Tensor, &mut Taps) -> Tensor<2> + Send + Sync + 'static,
    ) -> Result<Self> {
        same_shape("axes of one sample", &[B::AXES - 1], &[shape.len()])?;
        let device = device.clone().without_autodiff();
        let module = guarded("the module, moved to the device,", || Ok(module.valid().to_device(&device).valid()))?;
        let forward: Arc<Forward<B, M>> = Arc::new(forward);
        let input = Layer { name: "input".into(), kind: LayerKind::Input, inputs: vec![], shape: shape.to_vec() };
        let mut model =
            BurnModel { module, device, forward, layers: vec![input], rows: 64, features: vec![], outputs: vec![] };
        let n_cells = shape.iter().try_fold(1usize, |n, &axis| n.checked_mul(axis)).filter(|&n| n <= MOST_CELLS);
        let Some(n_cells) = n_cells else {
            let found = shape.iter().fold(1u64, |n, &axis| n.saturating_mul(axis as u64));
            return Err(Error::TooLarge { what: "cells of a sample".into(), limit: MOST_CELLS as u64, found });
        };
        let mut taps = Taps::new(1, Order::default());
        guarded("the forward function", || model.pass(vec![0.0; n_cells], 1, &mut taps))?;
        model.layers = taps.layers()?;
        model.layers[0].kind = LayerKind::Input;
        if model.n_outputs() == 0 {
            return Err(Error::unsupported("a module without scores", "let forward return (sample, output)"));
        }
        Ok(model)
    }

    /// Names the columns of the input, in order, and the outputs; either may be empty for no names.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are names, but not as many as cells or outputs.
    pub fn named(mut self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        if !features.is_empty() {
            same_shape("names of features", &[self.layers[0].shape.iter().product()], &[features.len()])?;
        }
        if !outputs.is_empty() {
            same_shape("names of outputs", &[self.n_outputs()], &[outputs.len()])?;
        }
        (self.features, self.outputs) = (features, outputs);
        Ok(self)
    }

    /// Scores `rows` samples at a time; more suit an accelerator, fewer a large model. At least 1.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows.max(1);
        self
    }

    /// The module, ready for prediction.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// The same model around another module of the same kind.
    pub(super) fn around(&self, module: M) -> Self {
        let (forward, layers) = (self.forward.clone(), self.layers.clone());
        let (features, outputs) = (self.features.clone(), self.outputs.clone());
        BurnModel { module, device: self.device.clone(), forward, layers, rows: self.rows, features, outputs }
    }

    /// One forward pass, the input and the scores tapped like any layer.
    fn pass(&self, input: Vec<f32>, n: usize, taps: &mut Taps) -> Result<Tensor<2>> {
        let shape: Vec<usize> = std::iter::once(n).chain(self.layers[0].shape.iter().copied()).collect();
        let x = B::tapped(taps, "input", B::tensor(input, &shape, &self.device));
        let scores = (self.forward)(&self.module, x, taps);
        Ok(taps.tap("scores", scores))
    }

    /// Runs the samples `from .. to`, and backward if there are weights.
    fn run(&self, batch: &B, (from, to): (usize, usize), wish: &Wish, weights: Option<&Array2<f64>>) -> Result<Seen> {
        let n = to - from;
        let part = Slice::from(from..to);
        let replace = wish
            .replace
            .map(|(layer, cells)| (layer, cells.slice_axis(Axis(0), part).iter().copied().collect::<Vec<f32>>()));
        let replaced = replace.is_some();
        let order = Order {
            read: wish.read.to_vec(),
            activations: wish.activations,
            gradients: weights.is_some(),
            replace,
            known: Some(self.layers.clone()),
        };
        let mut taps = Taps::new(n, order);
        let input = single(batch, from, to)?;
        let scores = self.pass(input, n, &mut taps)?;
        taps.layers()?;
        let mut gradients = None;
        if let Some(weights) = weights {
            if scores.is_tracked() {
                let weights = weights.slice_axis(Axis(0), part).iter().map(|&w| w as f32).collect::<Vec<_>>();
                let weights = Tensor::<2>::from_data(TensorData::new(weights, [n, self.n_outputs()]), &self.device);
                gradients = Some((scores.clone() * weights.autodiff()).sum().backward());
            } else {
                // Nothing will consume what hangs before the place where the path ends.
                taps.cut();
                sweep(&self.device);
            }
        }
        let scores = cells(scores)?.into_iter().map(f64::from).collect();
        let scores = Array2::from_shape_vec((n, self.n_outputs()), scores).map_err(Error::model)?;
        let (mut activations, mut slopes) = (Vec::new(), Vec::new());
        for &layer in wish.read {
            if wish.activations {
                activations.push(taps.activation(&self.layers[layer], layer)?);
            }
            if weights.is_some() {
                let found = match gradients.as_mut() {
                    Some(gradients) => taps.gradient(&self.layers[layer], layer, gradients)?,
                    None => None,
                };
                slopes.push(match found {
                    Some(gradient) => gradient,
                    // Nothing before a layer that was replaced matters any more.
                    None if replaced => ArrayD::zeros(IxDyn(&[&[n], &self.layers[layer].shape[..]].concat())),
                    None => return Err(self.no_path(layer)),
                });
            }
        }
        Ok(Seen { scores, activations, gradients: slopes })
    }

    fn no_path(&self, layer: usize) -> Error {
        let what = format!("a gradient of this module by its layer {:?}", self.layers[layer].name);
        Error::unsupported(what, "no path leads from there to the scores: forward detaches a tensor or reads its data")
    }

    /// Runs the whole batch, [`BurnModel::rows`] samples at a time.
    pub(super) fn run_all(&self, batch: &B, wish: &Wish, weights: Option<&Array2<f64>>) -> Result<Seen> {
        let n = batch.n_samples();
        same_shape("one sample of the batch", &self.layers[0].shape, &batch.sample_shape())?;
        if let Some(weights) = weights {
            same_shape("weights of the scores", &[n, self.n_outputs()], weights.shape())?;
        }
        let starts: Vec<usize> = (0..n).step_by(self.rows).collect();
        let parts: Vec<Result<Seen>> = starts
            .into_par_iter()
            .map(|from| {
                let rows = (from, n.min(from + self.rows));
                let seen = guarded("the module", || self.run(batch, rows, wish, weights));
                if seen.is_err() && weights.is_some() {
                    sweep(&self.device);
                }
                seen
            })
            .collect();
        let mut all = self.nothing(n, wish, weights.is_some());
        let mut from = 0;
        for part in parts {
            let part = part?;
            let rows = Slice::from(from..from + part.scores.nrows());
            from += part.scores.nrows();
            all.scores.slice_axis_mut(Axis(0), rows).assign(&part.scores);
            let pairs = all.activations.iter_mut().zip(&part.activations);
            for (whole, part) in pairs.chain(all.gradients.iter_mut().zip(&part.gradients)) {
                whole.slice_axis_mut(Axis(0), rows).assign(part);
            }
        }
        Ok(all)
    }

    fn nothing(&self, n: usize, wish: &Wish, gradients: bool) -> Seen {
        let zeros = |wanted: bool| -> Vec<ArrayD<f32>> {
            let layers = wish.read.iter().filter(|_| wanted).map(|&layer| &self.layers[layer].shape);
            layers.map(|shape| ArrayD::zeros(IxDyn(&[&[n], &shape[..]].concat()))).collect()
        };
        let (activations, gradients) = (zeros(wish.activations), zeros(gradients));
        Seen { scores: Array2::zeros((n, self.n_outputs())), activations, gradients }
    }
}

/// What is wanted of the layers.
pub(super) struct Wish<'a> {
    pub read: &'a [usize],
    pub activations: bool,
    pub replace: Option<(usize, &'a ArrayD<f32>)>,
}

const SCORES: Wish<'static> = Wish { read: &[], activations: false, replace: None };
const BY_INPUT: Wish<'static> = Wish { read: &[0], activations: false, replace: None };

/// The most cells of one sample: 2 GiB of `f32`.
const MOST_CELLS: usize = 1 << 29;

impl<B: Tensors + ?Sized, M: Module + Sync> Model for BurnModel<B, M> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.layers.last().and_then(|scores| scores.shape.first()).copied().unwrap_or(0)
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        Ok(self.run_all(batch, &SCORES, None)?.scores)
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<B: Tensors + ?Sized, M: Module + Sync> BurnModel<B, M> {
    fn scores_and_vjp(&self, batch: &B, weights: &Array2<f64>) -> Result<(Array2<f64>, B::Owned)> {
        let mut seen = self.run_all(batch, &BY_INPUT, Some(weights))?;
        let gradient = seen.gradients.pop().unwrap_or_default().mapv(|x| <B::Cell as xai_core::Cell>::of(f64::from(x)));
        Ok((seen.scores, B::of_cells(gradient)?))
    }
}

impl<B: Tensors + ?Sized, M: Module + Sync> Differentiable for BurnModel<B, M> {
    fn vjp(&self, batch: &B, weights: &ArrayRef2<f64>) -> Result<B::Owned> {
        Ok(self.scores_and_vjp(batch, &weights.to_owned())?.1)
    }

    fn scores_and_vjps(&self, batch: &B, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<B::Owned>)> {
        let Some((first, rest)) = weights.split_first() else { return Ok((self.predict(batch)?, vec![])) };
        let (scores, gradient) = self.scores_and_vjp(batch, first)?;
        let mut gradients = vec![gradient];
        for weights in rest {
            gradients.push(self.scores_and_vjp(batch, weights)?.1);
        }
        Ok((scores, gradients))
    }
}

impl<B: Tensors + ?Sized, M: Module> Clone for BurnModel<B, M> {
    fn clone(&self) -> Self {
        BurnModel {
            module: self.module.clone(),
            device: self.device.clone(),
            forward: self.forward.clone(),
            layers: self.layers.clone(),
            rows: self.rows,
            features: self.features.clone(),
            outputs: self.outputs.clone(),
        }
    }
}

impl<B: Tensors + ?Sized, M: Module> fmt::Debug for BurnModel<B, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BurnModel").field("module", &self.module).field("layers", &self.layers).finish_non_exhaustive()
    }
}
