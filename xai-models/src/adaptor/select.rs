//! Some outputs of a model.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{Error, Feature, LinearFirst, LinearStructured, Model, Output, Result, TreeEnsemble, TreeStructured};

use super::select_trees;

/// Only some outputs of a model, in the order asked for.
///
/// # Laws
/// `select_takes_columns`, `selected_trees_score_the_same_bits`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::{adaptor::Select, function::Function};
/// let model = Function::by_row(|x| [x[0], 10.0 * x[0], 100.0 * x[0]]);
/// let last = Select::new(&model, &[2]).unwrap();
/// assert_eq!(last.predict(&array![[7.0]]).unwrap(), array![[700.0]]);
/// assert_eq!(last.outputs()[0].name, "y2");
/// ```
#[derive(Debug, Clone)]
pub struct Select<M> {
    model: M,
    indices: Vec<usize>,
    outputs: Vec<Output>,
    trees: OnceLock<TreeEnsemble>,
    linear: OnceLock<(Array2<f64>, Array1<f64>)>,
}

impl<M: Model> Select<M> {
    /// The outputs `indices` of `model`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is none, or one that the model does not have.
    pub fn new(model: M, indices: &[usize]) -> Result<Self> {
        let n_outputs = model.n_outputs();
        if indices.is_empty() {
            return Err(Error::parameter("outputs", "none", "at least one output"));
        }
        if let Some(index) = indices.iter().find(|&&index| index >= n_outputs) {
            return Err(Error::parameter("outputs", index, format!("an index below {n_outputs}")));
        }
        let names = output_names(&model);
        let outputs = indices.iter().map(|&index| names[index].clone()).collect();
        Ok(Select { model, indices: indices.to_vec(), outputs, trees: OnceLock::new(), linear: OnceLock::new() })
    }
}

impl<M: Model> Model for Select<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.indices.len()
    }

    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
        self.selected(self.model.predict(batch)?)
    }

    fn predict_filled(
        &self,
        batch: &Self::Batch,
        boxes: &[Vec<std::ops::Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        self.model.predict_filled(batch, boxes, fill)?.map(|scores| self.selected(scores)).transpose()
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<M: Model> Select<M> {
    /// Weights of the selected outputs as weights of all. An output that was asked for twice gets both weights.
    fn widened(&self, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("weights (output)", &[self.indices.len()], &[weights.ncols()])?;
        let mut all = Array2::zeros((weights.nrows(), self.model.n_outputs()));
        for (&index, column) in self.indices.iter().zip(weights.columns()) {
            let mut target = all.column_mut(index);
            target += &column;
        }
        Ok(all)
    }

    fn selected(&self, scores: Array2<f64>) -> Result<Array2<f64>> {
        same_shape("outputs of the model", &[self.model.n_outputs()], &[scores.ncols()])?;
        Ok(scores.select(Axis(1), &self.indices))
    }
}

super::forward_weighted!(Select, widened, selected);

/// The trees that add to the selected outputs.
///
/// # Panics
/// When the inner model breaks its contract and has trees for other outputs than [`Model::n_outputs`] counts.
impl<M: TreeStructured> TreeStructured for Select<M> {
    fn trees(&self) -> &TreeEnsemble {
        let reduce = || select_trees(self.model.trees(), &self.indices);
        self.trees.get_or_init(|| reduce().expect("a tree model has trees for all its outputs"))
    }
}

impl<M: LinearFirst> LinearFirst for Select<M> {
    fn first_weights(&self) -> &ArrayRef2<f64> {
        self.model.first_weights()
    }

    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        self.selected(self.model.head(products)?)
    }
}

impl<M: LinearStructured> Select<M> {
    fn linear(&self) -> &(Array2<f64>, Array1<f64>) {
        self.linear.get_or_init(|| {
            let slopes = self.model.coefficients().select(Axis(1), &self.indices);
            (slopes, self.model.intercept().select(Axis(0), &self.indices))
        })
    }
}

impl<M: LinearStructured> LinearStructured for Select<M> {
    fn coefficients(&self) -> &ArrayRef2<f64> {
        &self.linear().0
    }

    fn intercept(&self) -> &ArrayRef1<f64> {
        &self.linear().1
    }
}
