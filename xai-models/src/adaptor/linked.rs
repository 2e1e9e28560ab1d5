//! Scores behind a link, or behind the inverse of one.

use ndarray::{Array2, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{
    Differentiable, Error, Feature, Layer, Layered, LinearFirst, Link, Model, Output, Owned, Probe, Probed, Result,
    Scale,
};

/// A function of the scores of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// From margins to predictions.
    Link(Link),
    /// ln(p / (1 − p)): from probabilities to log-odds, output by output.
    Logit,
    /// ln(x), output by output.
    Log,
}

impl Transform {
    /// 1 / (1 + exp(−x)): from log-odds to probabilities, output by output.
    pub const PROBABILITY: Transform = Transform::Link(Link::LOGISTIC);
    /// From margins to probabilities that sum to 1 over the outputs.
    pub const SOFTMAX: Transform = Transform::Link(Link::Softmax);

    fn scale(self, before: Scale) -> Scale {
        match self {
            Transform::Link(Link::Identity) => before,
            Transform::Link(link) => link.prediction_scale(),
            Transform::Logit => Scale::LogOdds,
            Transform::Log => Scale::Log,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Transform::Link(Link::Identity) => "the identity",
            Transform::Link(Link::Logistic { .. }) => "the logistic link",
            Transform::Link(Link::Softmax) => "the softmax",
            Transform::Link(Link::Exp) => "the exponential",
            Transform::Link(Link::Softplus) => "the softplus",
            Transform::Link(Link::SignedSquare) => "the signed square",
            Transform::Link(Link::Step) => "the step",
            Transform::Logit => "the logit",
            Transform::Log => "the logarithm",
        }
    }

    fn apply(self, scores: &mut [f64]) {
        match self {
            Transform::Link(link) => link.apply(scores),
            // ln p − ln(1 − p), without the cancellation in 1 − p.
            Transform::Logit => scores.iter_mut().for_each(|p| *p = p.ln() - (-*p).ln_1p()),
            Transform::Log => scores.iter_mut().for_each(|x| *x = x.ln()),
        }
    }

    /// Turns weights of the transformed scores into weights of the `scores`: the product with the Jacobian.
    fn pull_back(self, scores: &[f64], weights: &mut [f64]) -> Result<()> {
        let mut after = scores.to_vec();
        self.apply(&mut after);
        let derivative = |k: usize| match self {
            Transform::Link(Link::Identity | Link::Softmax | Link::Step) => 1.0,
            Transform::Link(Link::Logistic { slope }) => slope * after[k] * (1.0 - after[k]),
            Transform::Link(Link::Exp) => after[k],
            Transform::Link(Link::Softplus) => {
                let mut x = [scores[k]];
                Link::LOGISTIC.apply(&mut x);
                x[0]
            }
            Transform::Link(Link::SignedSquare) => 2.0 * scores[k].abs(),
            Transform::Logit => 1.0 / (scores[k] * (1.0 - scores[k])),
            Transform::Log => 1.0 / scores[k],
        };
        match self {
            Transform::Link(Link::Step) => Err(Error::unsupported(
                "the gradient behind a step",
                "it is zero almost everywhere; differentiate the model before the link",
            )),
            Transform::Link(Link::Softmax) => {
                let mean: f64 = after.iter().zip(weights.iter()).map(|(p, w)| p * w).sum();
                after.iter().zip(weights).for_each(|(p, w)| *w = p * (*w - mean));
                Ok(())
            }
            _ => {
                weights.iter_mut().enumerate().for_each(|(k, w)| *w *= derivative(k));
                Ok(())
            }
        }
    }
}

impl From<Link> for Transform {
    fn from(link: Link) -> Self {
        Transform::Link(link)
    }
}

/// A model whose scores pass through a link or its inverse.
///
/// # Units
/// The outputs' [`Scale`] says what the scores are now.
///
/// # Errors
/// [`Model::predict`] says [`Error::NonFinite`] with sample and output where the function has no finite value: the
/// logit of 0 or 1, the logarithm of 0, an exponential beyond the largest number.
///
/// # Laws
/// `logit_undoes_the_logistic`, `linked_gradients_match_differences`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Model, Scale};
/// use xai_models::{adaptor::{Linked, Transform}, function::Function};
/// let model = Function::by_row(|x| [x[0]]);
/// let probability = Linked::new(&model, Transform::PROBABILITY).unwrap();
/// assert_eq!(probability.predict(&array![[0.0]]).unwrap(), array![[0.5]]);
/// assert_eq!(probability.outputs()[0].scale, Scale::Probability);
/// let logit = Linked::new(&model, Transform::Logit).unwrap();
/// assert!(logit.predict(&array![[1.0]]).unwrap_err().to_string().contains("sample 0"));
/// ```
#[derive(Debug, Clone)]
pub struct Linked<M> {
    model: M,
    transform: Transform,
    outputs: Vec<Output>,
}

impl<M: Model> Linked<M> {
    /// `model` behind `transform`, which is a [`Transform`] or a [`Link`].
    ///
    /// # Errors
    /// [`Error::Parameter`] for a softmax over fewer than two outputs, or a logistic slope that is zero or not finite.
    pub fn new(model: M, transform: impl Into<Transform>) -> Result<Self> {
        let transform = transform.into();
        match transform {
            Transform::Link(Link::Softmax) if model.n_outputs() < 2 => {
                return Err(Error::parameter("link", "softmax over one output", "at least two outputs, or logistic"));
            }
            Transform::Link(Link::Logistic { slope }) if !slope.is_finite() || slope == 0.0 => {
                return Err(Error::parameter("slope", slope, "a finite number that is not zero"));
            }
            _ => {}
        }
        let outputs = output_names(&model).into_iter().map(|o| Output { scale: transform.scale(o.scale), ..o });
        Ok(Linked { outputs: outputs.collect(), model, transform })
    }
}

impl<M: Model> Model for Linked<M> {
    type Batch = M::Batch;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &Self::Batch) -> Result<Array2<f64>> {
        self.transformed(self.model.predict(batch)?)
    }

    fn predict_filled(
        &self,
        batch: &Self::Batch,
        boxes: &[Vec<std::ops::Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        self.model.predict_filled(batch, boxes, fill)?.map(|scores| self.transformed(scores)).transpose()
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<M> Linked<M> {
    fn transformed(&self, mut scores: Array2<f64>) -> Result<Array2<f64>> {
        for (sample, mut row) in scores.axis_iter_mut(Axis(0)).enumerate() {
            let before = row.to_vec();
            let mut after = before.clone();
            self.transform.apply(&mut after);
            if let Some(column) = after.iter().position(|value| !value.is_finite()) {
                let what = format!("{} of the score {}", self.transform.name(), before[column]);
                return Err(Error::NonFinite { what, sample, column, value: after[column] });
            }
            row.iter_mut().zip(after).for_each(|(slot, value)| *slot = value);
        }
        Ok(scores)
    }
}

impl<M: LinearFirst> LinearFirst for Linked<M> {
    fn first_weights(&self) -> &ArrayRef2<f64> {
        self.model.first_weights()
    }

    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        self.transformed(self.model.head(products)?)
    }
}

impl<M: Model> Linked<M> {
    /// Weights of the transformed scores as weights of the `scores`.
    fn pulled_back(&self, scores: &Array2<f64>, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("weights (sample, output)", scores.shape(), weights.shape())?;
        let mut inner = weights.to_owned();
        for (mut weights, scores) in inner.rows_mut().into_iter().zip(scores.rows()) {
            let mut row = weights.to_vec();
            self.transform.pull_back(&scores.to_vec(), &mut row)?;
            weights.iter_mut().zip(row).for_each(|(slot, value)| *slot = value);
        }
        Ok(inner)
    }
}

/// # Cost
/// One prediction of the batch besides the inner model's own products: what they are weighted by hangs on the scores.
impl<M: Differentiable> Differentiable for Linked<M> {
    fn vjp(&self, batch: &Self::Batch, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        let scores = self.model.predict(batch)?;
        self.model.vjp(batch, &self.pulled_back(&scores, weights)?)
    }

    fn scores_and_vjps(&self, batch: &Self::Batch, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<Owned<Self>>)> {
        let scores = self.model.predict(batch)?;
        let weights = weights.iter().map(|w| self.pulled_back(&scores, w)).collect::<Result<Vec<_>>>()?;
        let gradients = self.model.scores_and_vjps(batch, &weights)?.1;
        Ok((self.transformed(scores)?, gradients))
    }
}

/// The layers are the inner model's, before the link.
impl<M: Layered> Layered for Linked<M> {
    fn layers(&self) -> &[Layer] {
        self.model.layers()
    }

    fn probe(&self, batch: &Self::Batch, probe: &Probe) -> Result<Probed> {
        let mut probed = self.model.probe(batch, &Probe { weights: &[], ..*probe })?;
        if !probe.weights.is_empty() {
            let back = |w: &Array2<f64>| self.pulled_back(&probed.scores, w);
            let weights = probe.weights.iter().map(back).collect::<Result<Vec<_>>>()?;
            probed = self.model.probe(batch, &Probe { weights: &weights, ..*probe })?;
        }
        Ok(Probed { scores: self.transformed(probed.scores)?, ..probed })
    }
}
