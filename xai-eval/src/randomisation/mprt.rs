//! Does the explanation change when layer after layer is made random?

use ndarray::{Array2, Array3, Axis};
use xai_core::{Attribution, Error, Parametric, Result, Run};

use super::{Reset, Similarity, randomised};
use crate::explaining::{Explaining, seed_for};
use crate::lanes::pairs;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The similarity between the explanation of the model and those of copies in which one layer after the other has random
/// parameters: the model parameter randomisation test.
///
/// Lower is better; 1 for a method that does not look at the parameters.
///
/// *Pitfalls.* Those of [the family](super). Noisy methods fall faster, which is no merit: [`SmoothMprt`](super::SmoothMprt).
/// A random model may have outputs that are all alike.
///
/// # Cost
/// Explains samples × layers with parameters.
///
/// # Errors
/// [`Error::Unsupported`] without an explainer, and for a model without parameters.
///
/// # Laws
/// `explainers_that_ignore_the_model_do_not_pass`, `gradients_of_a_randomised_network_are_others`; goldens beside Quantus.
///
/// # Source
/// Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mprt {
    /// In which order layers become random.
    pub order: LayerOrder,
    /// What takes the place of parameters.
    pub reset: Reset,
    /// How alike explanations are.
    pub similarity: Similarity,
    /// Whether absolute shares are compared.
    pub absolute: bool,
    /// What the layers say together.
    pub summary: Summary,
}

/// In which order layers become random.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LayerOrder {
    /// From the scores to the input; what was made random stays so.
    #[default]
    TopDown,
    /// From the input to the scores; what was made random stays so.
    BottomUp,
    /// Each alone, from the input to the scores.
    Independent,
}

/// What the similarities of all layers say together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Summary {
    /// Their mean.
    #[default]
    Mean,
    /// The last one: with [`LayerOrder::TopDown`] and [`LayerOrder::BottomUp`] that of a model without anything learnt.
    Last,
}

impl Default for Mprt {
    fn default() -> Self {
        Mprt {
            order: LayerOrder::default(),
            reset: Reset::default(),
            similarity: Similarity::default(),
            absolute: true,
            summary: Summary::default(),
        }
    }
}

/// How alike the explanations are after each layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSimilarities {
    /// The layers in the order in which they became random.
    pub layers: Vec<String>,
    /// The similarities, NaN where there is none: (layer, sample, output).
    pub values: Array3<f64>,
    /// How many samples the model was asked to score.
    pub evaluations: u64,
}

const NAME: &str = "mprt";

impl<M: Parametric> Metric<M> for Mprt {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Parameters]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        Ok(self.summary.measurement(NAME, self.similarities(case, attribution, run)?, run))
    }
}

impl Mprt {
    /// How alike the explanations are after each layer.
    ///
    /// # Errors
    /// Those of the case, of the model and of the explainer.
    pub fn similarities<M: Parametric>(
        &self,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<LayerSimilarities> {
        let mut explaining = Explaining::new(case.need_explainer(NAME)?, run);
        let values = case.values(attribution)?;
        let steps = self.order.steps(case.model, self.reset, seed_for(run, 4))?;
        let mut similarities = Vec::with_capacity(steps.layers.len());
        for step in 0..steps.layers.len() {
            let model = steps.model(case.model, step)?;
            let explained = explaining.explain(&model, case.batch, run.seed, run.first_sample, attribution)?;
            similarities.push(self.similarity.of_all(
                self.absolute,
                attribution.shape.as_deref(),
                values,
                &explained.values,
            ));
        }
        Ok(LayerSimilarities {
            values: stack(&similarities, attribution.scores.dim()),
            layers: steps.layers,
            evaluations: explaining.evaluations,
        })
    }
}

/// The models of a test, one after the other.
pub(super) struct Steps {
    /// What becomes random at each step.
    pub layers: Vec<String>,
    places: Vec<usize>,
    independent: bool,
    reset: Reset,
    seed: u64,
}

impl LayerOrder {
    /// # Errors
    /// [`Error::Unsupported`] for a model without parameters.
    pub(super) fn steps<M: Parametric>(self, model: &M, reset: Reset, seed: u64) -> Result<Steps> {
        let names = model.parameter_layers();
        if names.is_empty() {
            return Err(Error::unsupported(NAME, "the model has no layer with parameters"));
        }
        let mut places: Vec<usize> = (0..names.len()).collect();
        if self == LayerOrder::TopDown {
            places.reverse();
        }
        let layers = places.iter().map(|place| names[*place].clone()).collect();
        Ok(Steps { layers, places, independent: self == LayerOrder::Independent, reset, seed })
    }
}

impl Steps {
    /// The model of a step.
    pub fn model<M: Parametric>(&self, model: &M, step: usize) -> Result<M> {
        let random = if self.independent { &self.places[step..=step] } else { &self.places[..=step] };
        randomised(model, |layer| random.contains(&layer), self.reset, self.seed)
    }
}

impl Similarity {
    /// The similarity for every sample and output, NaN where there is none.
    pub(super) fn of_all(
        self,
        absolute: bool,
        shape: Option<&[usize]>,
        a: &Array3<f64>,
        b: &Array3<f64>,
    ) -> Array2<f64> {
        pairs(a, b, &mut Failures::default(), |a, b| self.of(absolute, shape, a, b))
    }
}

/// Tables (sample, output) one on the other.
pub(super) fn stack(tables: &[Array2<f64>], shape: (usize, usize)) -> Array3<f64> {
    Array3::from_shape_fn((tables.len(), shape.0, shape.1), |(step, sample, output)| tables[step][[sample, output]])
}

impl Summary {
    /// One number for every sample and output.
    pub(super) fn measurement(self, name: &str, found: LayerSimilarities, run: &Run) -> Measurement {
        let n = found.layers.len();
        let mut values = match self {
            Summary::Mean => found.values.sum_axis(Axis(0)) / n as f64,
            Summary::Last => found.values.index_axis(Axis(0), n - 1).to_owned(),
        };
        let mut failures = Failures::default();
        for ((sample, output), value) in values.indexed_iter_mut() {
            *value = failures.finite(
                sample,
                output,
                *value,
                "there is no similarity: all shares are the same, or have no structure",
            );
        }
        Measurement::new(name, Direction::Lower, values, failures, found.evaluations, run)
    }
}
