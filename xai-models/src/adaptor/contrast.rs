//! One output weighed against others.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{Error, Feature, LinearStructured, Model, Output, Result, Scale};

/// A weighted sum of a model's outputs: Σₖ `weights`ₖ · scoreₖ.
///
/// Two outputs before a softmax differ by the logarithm of the ratio of their probabilities, so that
/// [`Contrast::between`] answers "why class 3 and not class 5?". For a method that looks at trees, make a model of
/// [`contrast_trees`](super::contrast_trees).
///
/// # Laws
/// `contrast_is_the_weighted_sum`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::{adaptor::Contrast, function::Function};
/// let model = Function::by_row(|x| [x[0], 10.0 * x[0], 100.0 * x[0]]);
/// let contrast = Contrast::between(&model, 2, 0).unwrap();
/// assert_eq!(contrast.predict(&array![[7.0]]).unwrap(), array![[693.0]]);
/// assert_eq!(contrast.outputs()[0].name, "y2 − y0");
/// ```
#[derive(Debug, Clone)]
pub struct Contrast<M> {
    model: M,
    weights: Array1<f64>,
    outputs: [Output; 1],
    linear: OnceLock<(Array2<f64>, Array1<f64>)>,
}

impl<M: Model> Contrast<M> {
    /// The sum of the outputs times `weights`, which has an entry for every output.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of weights; [`Error::Parameter`] when one is not finite or all are zero.
    pub fn new(model: M, weights: &[f64]) -> Result<Self> {
        same_shape("weights of the contrast (output)", &[model.n_outputs()], &[weights.len()])?;
        if let Some(weight) = weights.iter().find(|weight| !weight.is_finite()) {
            return Err(Error::parameter("weights", weight, "finite numbers"));
        }
        if weights.iter().all(|&weight| weight == 0.0) {
            return Err(Error::parameter("weights", "only zeros", "at least one weight that is not zero"));
        }
        let outputs = [describe(&output_names(&model), weights)];
        Ok(Contrast { model, weights: Array1::from(weights.to_vec()), outputs, linear: OnceLock::new() })
    }

    /// The output `plus` less the output `minus`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the model lacks one of them, or they are the same.
    pub fn between(model: M, plus: usize, minus: usize) -> Result<Self> {
        let n_outputs = model.n_outputs();
        if let Some(index) = [plus, minus].into_iter().find(|&index| index >= n_outputs) {
            return Err(Error::parameter("outputs", index, format!("an index below {n_outputs}")));
        }
        if plus == minus {
            return Err(Error::parameter("outputs", format!("{plus} against itself"), "two different outputs"));
        }
        let mut weights = vec![0.0; n_outputs];
        (weights[plus], weights[minus]) = (1.0, -1.0);
        Self::new(model, &weights)
    }

    /// The weighted sum along the last axis, in the order of the outputs; an output of weight 0 takes no part.
    fn sum(&self, row: impl IntoIterator<Item = f64>) -> f64 {
        row.into_iter().zip(&self.weights).filter(|(_, w)| **w != 0.0).fold(0.0, |sum, (score, w)| sum + score * w)
    }
}

impl<M: Model> Model for Contrast<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
        self.summed(self.model.predict(batch)?)
    }

    fn predict_filled(
        &self,
        batch: &Self::Batch,
        boxes: &[Vec<std::ops::Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        self.model.predict_filled(batch, boxes, fill)?.map(|scores| self.summed(scores)).transpose()
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<M: Model> Contrast<M> {
    /// Weights of the contrast as weights of all outputs.
    fn widened(&self, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("weights (output)", &[1], &[weights.ncols()])?;
        Ok(Array2::from_shape_fn((weights.nrows(), self.weights.len()), |(s, k)| {
            if self.weights[k] == 0.0 { 0.0 } else { weights[[s, 0]] * self.weights[k] }
        }))
    }

    fn summed(&self, scores: Array2<f64>) -> Result<Array2<f64>> {
        same_shape("outputs of the model", &[self.weights.len()], &[scores.ncols()])?;
        Ok(scores.map_axis(Axis(1), |row| self.sum(row.iter().copied())).insert_axis(Axis(1)))
    }
}

super::forward_weighted!(Contrast, widened, summed);

impl<M: LinearStructured> Contrast<M> {
    fn linear(&self) -> &(Array2<f64>, Array1<f64>) {
        self.linear.get_or_init(|| {
            let slopes = self.model.coefficients().map_axis(Axis(1), |row| self.sum(row.iter().copied()));
            let intercept = self.sum(self.model.intercept().iter().copied());
            (slopes.insert_axis(Axis(1)), Array1::from(vec![intercept]))
        })
    }
}

impl<M: LinearStructured> LinearStructured for Contrast<M> {
    fn coefficients(&self) -> &ArrayRef2<f64> {
        &self.linear().0
    }

    fn intercept(&self) -> &ArrayRef1<f64> {
        &self.linear().1
    }
}

/// The sum as a formula of the outputs' names, positive terms first, and the scale that all terms share.
fn describe(names: &[Output], weights: &[f64]) -> Output {
    let mut terms: Vec<(&Output, f64)> =
        names.iter().zip(weights.iter().copied()).filter(|(_, weight)| *weight != 0.0).collect();
    if let [(only, 1.0)] = terms[..] {
        return only.clone();
    }
    terms.sort_by_key(|(_, weight)| *weight < 0.0);
    let mut name = String::new();
    for (place, (output, weight)) in terms.iter().enumerate() {
        name.push_str(match (place, *weight < 0.0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        });
        if weight.abs() != 1.0 {
            name.push_str(&format!("{}·", weight.abs()));
        }
        name.push_str(&output.name);
    }
    let all = |allowed: &[Scale]| terms.iter().all(|(output, _)| allowed.contains(&output.scale));
    let scale = if all(&[Scale::Margin, Scale::LogOdds]) {
        Scale::Margin
    } else if all(&[Scale::Log]) {
        Scale::Log
    } else {
        Scale::Natural
    };
    Output::new(name, scale)
}
