//! A model, and what more it can tell about itself.

use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2};

use crate::{Batch, Feature, Output, Result, Table, TreeEnsemble};

/// Something that scores samples.
///
/// Two methods are required; names are optional. Prediction takes `&self` and may be called from several threads.
///
/// # Example
/// ```
/// use ndarray::{Array2, Axis};
/// use xai_core::{Model, Result, Table};
/// struct Sum;
/// impl Model for Sum {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// }
/// assert_eq!(Sum.predict(&ndarray::array![[1.0, 2.0]]).unwrap()[[0, 0]], 3.0);
/// ```
pub trait Model: Send + Sync {
    /// The form of its input, such as [`Table`].
    type Batch: Batch + ?Sized;

    /// The number of scores that each sample gets.
    fn n_outputs(&self) -> usize;

    /// Scores every sample: (sample, output), finite.
    ///
    /// # Errors
    /// Whatever makes scoring impossible: [`Error::Shape`](crate::Error::Shape) for a batch of another width, or
    /// [`Error::Model`](crate::Error::Model) around an error of the model's own.
    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>>;

    /// The scores of copies of every sample, in each of which the cells of one box hold `fill`: (sample · box, output),
    /// all boxes of a sample after each other. `None` where the model knows no way that is shorter than to score the
    /// copies; then the caller does.
    ///
    /// # Shapes
    /// A box has one range for each axis of a sample.
    ///
    /// # Errors
    /// As [`Model::predict`]; [`Error::Parameter`](crate::Error::Parameter) for a box that reaches beyond the sample.
    fn predict_filled(
        &self,
        batch: &Self::Batch,
        boxes: &[Vec<Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        let _ = (batch, boxes, fill);
        Ok(None)
    }

    /// Its inputs by name, in order of the columns; empty when they have no names.
    fn features(&self) -> &[Feature] {
        &[]
    }

    /// Its outputs by name; empty when they have no names.
    fn outputs(&self) -> &[Output] {
        &[]
    }
}

/// A model that is a function of a table through an ensemble of decision trees.
///
/// [`Model::predict`] returns the margins of [`TreeStructured::trees`]: the sums of the leaves, before any link.
pub trait TreeStructured: Model<Batch = Table> {
    /// The trees.
    fn trees(&self) -> &TreeEnsemble;
}

/// A model whose scores are `intercept + batch · coefficients`.
pub trait LinearStructured: Model<Batch = Table> {
    /// The slope of every output by every feature: (feature, output).
    fn coefficients(&self) -> &ArrayRef2<f64>;
    /// The score of the zero sample: (output).
    fn intercept(&self) -> &ArrayRef1<f64>;
}

/// A model of tables whose first step is a matrix product, such as a network whose first layer is dense: scores =
/// head(x·W).
///
/// What masks players can then mask the products of a few columns instead of the samples, and skip most of that step.
pub trait LinearFirst: Model<Batch = Table> {
    /// W: (feature, unit).
    fn first_weights(&self) -> &ArrayRef2<f64>;

    /// The scores (sample, output) of samples of which only x·W is known; a bias belongs to this part.
    ///
    /// # Shapes
    /// `products` (sample, unit) → (sample, output).
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>>;
}

/// A model that can be differentiated by its input.
pub trait Differentiable: Model {
    /// Vector-Jacobian product: for every sample, the gradient of Σₖ `weights`ₖ·scoreₖ by the input.
    ///
    /// # Shapes
    /// `weights` (sample, output); the result has the shape of `batch`.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>>;

    /// The scores (sample, output), and one vector-Jacobian product for each of `weights`. A model that keeps its forward
    /// pass runs it once for all of them.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn scores_and_vjps(&self, batch: &Self::Batch, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
        let gradients = weights.iter().map(|weights| self.vjp(batch, weights)).collect::<Result<_>>()?;
        Ok((self.predict(batch)?, gradients))
    }

    /// Sums of gradients along straight lines: for each of `weights`, Σ over `points` (t, c) of c times the
    /// vector-Jacobian product at `from` + t·(`to` − `from`), sample by sample. `None` where the model knows no way that
    /// is shorter than asking for every point; then the caller does.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn line_vjps(
        &self,
        from: &Self::Batch,
        to: &Self::Batch,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<Self>>>> {
        let _ = (from, to, points, weights);
        Ok(None)
    }
}

/// A batch of the kind that a model takes, owned.
pub type Owned<M> = <<M as Model>::Batch as ToOwned>::Owned;

/// References and boxes of models are models.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: Model + ?Sized> Model for $pointer {
            type Batch = M::Batch;
            fn n_outputs(&self) -> usize {
                (**self).n_outputs()
            }
            fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
                (**self).predict(batch)
            }
            fn predict_filled(
                &self,
                batch: &Self::Batch,
                boxes: &[Vec<Range<usize>>],
                fill: f64,
            ) -> Result<Option<Array2<f64>>> {
                (**self).predict_filled(batch, boxes, fill)
            }
            fn features(&self) -> &[Feature] {
                (**self).features()
            }
            fn outputs(&self) -> &[Output] {
                (**self).outputs()
            }
        }
        impl<M: TreeStructured + ?Sized> TreeStructured for $pointer {
            fn trees(&self) -> &TreeEnsemble {
                (**self).trees()
            }
        }
        impl<M: LinearStructured + ?Sized> LinearStructured for $pointer {
            fn coefficients(&self) -> &ArrayRef2<f64> {
                (**self).coefficients()
            }
            fn intercept(&self) -> &ArrayRef1<f64> {
                (**self).intercept()
            }
        }
        impl<M: LinearFirst + ?Sized> LinearFirst for $pointer {
            fn first_weights(&self) -> &ArrayRef2<f64> {
                (**self).first_weights()
            }
            fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
                (**self).head(products)
            }
        }
        impl<M: Differentiable + ?Sized> Differentiable for $pointer {
            fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
                (**self).vjp(batch, weights)
            }
            fn scores_and_vjps(
                &self,
                batch: &Self::Batch,
                weights: &[Array2<f64>],
            ) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
                (**self).scores_and_vjps(batch, weights)
            }
            fn line_vjps(
                &self,
                from: &Self::Batch,
                to: &Self::Batch,
                points: &[(f64, f64)],
                weights: &[Array2<f64>],
            ) -> Result<Option<Vec<Owned<Self>>>> {
                (**self).line_vjps(from, to, points, weights)
            }
        }
    )*};
}
forward!(&M, Box<M>, std::sync::Arc<M>);

/// The names of the inputs of a table model: its own, or `x0`, `x1`, … when it has none.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when the model names another number of features than the batch has.
pub fn feature_names<M: Model<Batch = Table> + ?Sized>(model: &M, batch: &Table) -> Result<Vec<Feature>> {
    match model.features() {
        [] => Ok(Feature::unnamed(batch.ncols())),
        named => {
            crate::error::same_shape("features of the batch", &[named.len()], &[batch.ncols()])?;
            Ok(named.to_vec())
        }
    }
}

/// The names of a model's outputs: its own, or `y0`, `y1`, … when it has none.
pub fn output_names<M: Model + ?Sized>(model: &M) -> Vec<Output> {
    match model.outputs() {
        named if named.len() == model.n_outputs() => named.to_vec(),
        _ => Output::unnamed(model.n_outputs()),
    }
}
