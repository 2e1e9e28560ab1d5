//! A network of dense layers.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayRef2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::error::{all_finite, same_shape};
use xai_core::{Error, Feature, LinearFirst, Model, Output, Result, Table};

/// What a layer does with the sums of its units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + exp(−x)).
    Logistic,
    /// exp(xₖ) / Σⱼ exp(xⱼ) over the units of the layer.
    Softmax,
}

/// One layer: activation(x · weights + bias).
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// (input, unit).
    pub weights: Array2<f64>,
    /// (unit).
    pub bias: Array1<f64>,
    /// What the sums pass through.
    pub activation: Activation,
}

/// A network of dense layers, such as scikit-learn's multilayer perceptrons.
///
/// Its first step is a matrix product, which [`LinearFirst`] tells to methods that can make use of it. A row's scores
/// have the same bits in any batch.
///
/// Reads and writes as `{"layers": [{"weights": [[…], …], "bias": […], "activation": "relu"}, …]}` with one row of
/// weights for each input: `coefs_` and `intercepts_` of scikit-learn as they are.
///
/// # Cost
/// Rows go through all layers in blocks that stay in cache, and blocks are shared out among the threads.
///
/// # Laws
/// `dense_is_the_sums_spelled_out`, `dense_scores_have_the_same_bits_in_any_batch`, `dense_head_completes_the_products`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::dense::{Activation, Dense, Layer};
/// let hidden = Layer { weights: array![[1.0, -1.0]], bias: array![0.0, 0.5], activation: Activation::Relu };
/// let output = Layer { weights: array![[2.0], [4.0]], bias: array![1.0], activation: Activation::Identity };
/// let model = Dense::new(vec![hidden, output])?;
/// assert_eq!(model.predict(&array![[3.0], [-1.0]])?, array![[7.0], [7.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "File", into = "File")]
pub struct Dense {
    first: Layer,
    rest: Vec<Layer>,
    features: Vec<Feature>,
    outputs: Vec<Output>,
}

impl Dense {
    /// A network of `layers`, in order, without names.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no layer; [`Error::Shape`] when a layer does not fit the one before it or its
    /// own bias, [`Error::NonFinite`] when a weight is not finite.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        for (i, layer) in layers.iter().enumerate() {
            same_shape(format!("bias of layer {i} (unit)"), &[layer.weights.ncols()], layer.bias.shape())?;
            all_finite(&format!("weights of layer {i} (input, unit)"), &layer.weights)?;
            all_finite(&format!("bias of layer {i}"), &layer.bias.view().insert_axis(Axis(0)))?;
        }
        for (i, pair) in layers.windows(2).enumerate() {
            let inputs = format!("inputs of layer {}", i + 1);
            same_shape(inputs, &[pair[0].weights.ncols()], &[pair[1].weights.nrows()])?;
        }
        let mut layers = layers.into_iter();
        let Some(first) = layers.next() else {
            return Err(Error::parameter("layers", "none", "at least one layer"));
        };
        Ok(Dense { first, rest: layers.collect(), features: Vec::new(), outputs: Vec::new() })
    }

    /// Names features and outputs; either may be empty for no names.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are names, but not as many as features or outputs.
    pub fn named(mut self, features: Vec<Feature>, outputs: Vec<Output>) -> Result<Self> {
        if !features.is_empty() {
            same_shape("names of features", &[self.first.weights.nrows()], &[features.len()])?;
        }
        if !outputs.is_empty() {
            same_shape("names of outputs", &[self.n_outputs()], &[outputs.len()])?;
        }
        (self.features, self.outputs) = (features, outputs);
        Ok(self)
    }

    /// The layers, in order.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// Scores of rows, a block at a time: `start` fills the first layer's products of a block of them.
    fn scores(&self, rows: &ArrayRef2<f64>, start: impl Fn(&ArrayRef2<f64>, &mut Array2<f64>) + Sync) -> Array2<f64> {
        let mut scores = Array2::zeros((rows.nrows(), self.n_outputs()));
        let blocks = scores.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter();
        blocks.zip(rows.axis_chunks_iter(Axis(0), BLOCK)).for_each(|(mut scores, rows)| {
            let mut here = Array2::zeros((rows.nrows(), self.first.bias.len()));
            start(&rows, &mut here);
            self.first.activate(here.view_mut());
            for layer in &self.rest {
                let mut next = Array2::zeros((rows.nrows(), layer.bias.len()));
                general_mat_mul(1.0, &here, &layer.weights, 0.0, &mut next);
                layer.activate(next.view_mut());
                here = next;
            }
            scores.assign(&here);
        });
        scores
    }
}

/// Rows that go through the layers together.
const BLOCK: usize = 256;

impl Layer {
    /// From the sums of the units, without bias, to their outputs.
    fn activate(&self, mut sums: ArrayViewMut2<f64>) {
        for mut row in sums.outer_iter_mut() {
            row += &self.bias;
            match self.activation {
                Activation::Identity => {}
                // Not `max`, which would make a number of NaN.
                Activation::Relu => row.mapv_inplace(|x| if x < 0.0 { 0.0 } else { x }),
                Activation::Tanh => row.mapv_inplace(f64::tanh),
                Activation::Logistic => row.mapv_inplace(|x| 1.0 / (1.0 + (-x).exp())),
                Activation::Softmax => {
                    let top = row.fold(f64::NEG_INFINITY, |top, &x| top.max(x));
                    row.mapv_inplace(|x| (x - top).exp());
                    let sum = row.sum();
                    row /= sum;
                }
            }
        }
    }
}

impl Model for Dense {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.rest.last().unwrap_or(&self.first).bias.len()
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.first.weights.nrows()], &[batch.ncols()])?;
        Ok(self.scores(batch, |rows, products| general_mat_mul(1.0, rows, &self.first.weights, 0.0, products)))
    }

    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl LinearFirst for Dense {
    fn first_weights(&self) -> &ArrayRef2<f64> {
        &self.first.weights
    }

    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("products (sample, unit)", &[products.nrows(), self.first.bias.len()], products.shape())?;
        Ok(self.scores(products, |rows, products| products.assign(rows)))
    }
}

/// The form in which a network is stored.
#[derive(Serialize, Deserialize)]
struct File {
    layers: Vec<FileLayer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<Feature>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output>,
}

#[derive(Serialize, Deserialize)]
struct FileLayer {
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
    #[serde(default)]
    activation: Activation,
}

impl TryFrom<File> for Dense {
    type Error = Error;

    fn try_from(file: File) -> Result<Self> {
        let layer = |(i, layer): (usize, FileLayer)| {
            let units = layer.bias.len();
            if let Some((input, row)) = layer.weights.iter().enumerate().find(|(_, row)| row.len() != units) {
                same_shape(format!("weights of input {input} of layer {i}"), &[units], &[row.len()])?;
            }
            let inputs = layer.weights.len();
            let cells = layer.weights.into_iter().flatten().collect();
            let weights = Array2::from_shape_vec((inputs, units), cells).map_err(Error::model)?;
            Ok(Layer { weights, bias: Array1::from(layer.bias), activation: layer.activation })
        };
        let layers = file.layers.into_iter().enumerate().map(layer).collect::<Result<_>>()?;
        Dense::new(layers)?.named(file.features, file.outputs)
    }
}

impl From<Dense> for File {
    fn from(model: Dense) -> Self {
        let layer = |layer: &Layer| FileLayer {
            weights: layer.weights.outer_iter().map(|row| row.to_vec()).collect(),
            bias: layer.bias.to_vec(),
            activation: layer.activation,
        };
        File { layers: model.layers().map(layer).collect(), features: model.features, outputs: model.outputs }
    }
}
