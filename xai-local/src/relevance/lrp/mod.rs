//! Layer-wise relevance propagation.
//!
//! Its authors say that the method is patented (US 11,238,337 and others) and may be used free of charge only for personal
//! and scientific purposes. Whether that binds you is for you to find out: the feature `lrp` is off unless asked for.

mod composite;
mod norm;
mod plan;
mod rule;
mod shares;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Batch, Cells, Composed, Explainer, Meter, Provenance, Result, Run};

pub use composite::{Composite, NAMES, Which};
pub use rule::{Bounds, Rule};

use super::deep_lift::left_over;
use super::trace::{Ends, Signals, Trace, in_portions, walk};
use crate::gradient::passes::of_inputs;
use plan::Plan;

/// Layer-wise relevance propagation: the score is handed back from layer to layer, each sharing what it gets out among its
/// inputs by a [`Rule`], until it lies on the input's cells.
///
/// | layer | what it does | rules that it may be given |
/// |---|---|---|
/// | linear, convolution, batch norm | ε | all; [`Rule::Pass`] where nothing changes shape |
/// | batch norm that alone reads a linear layer or convolution | one layer with it | that layer's |
/// | addition | shares by what each input adds | ε, norm, flat |
/// | average pooling | shares by what each cell adds | ε, norm, flat |
/// | max pooling | the winner gets all | |
/// | activations, also ReLU6 and others between bounds | pass, also where a unit is off or at its bound | pass |
/// | layer norm | ε with the sample's own scale held fixed | ε, pass |
/// | product | refused | flat |
/// | softmax, others | refused by name: explain the scores before them | |
///
/// # Units
/// Shares of the score: `base` is 0, and the values sum to the score less what biases and stabilisers keep;
/// [`Attribution::completeness_residual`] tells how much that is.
///
/// # Cost
/// One forward pass and, for each output, one pass back of one to four vector-Jacobian products a layer, by its rule.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) names a layer without a rule, or one that its rule does not suit;
/// [`Error::Unknown`](xai_core::Error::Unknown) a layer that the composite names and the model lacks;
/// [`Error::Parameter`](xai_core::Error::Parameter) for parameters of rules, and inputs outside the bounds of a z-box.
///
/// # Laws
/// `rules_equal_their_formulas`, `rules_conserve_relevance`, `rules_match_zennit`, `rules_match_captum`,
/// `folding_a_batch_norm_changes_nothing`.
///
/// # Source
/// Bach et al., *On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation*,
/// 2015; Montavon et al., *Layer-wise relevance propagation: an overview*, 2019. Layer norm: Ali et al., *XAI for
/// transformers: better explanations through conservative propagation*, 2022.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lrp {
    /// Which layers get which rule.
    pub composite: Composite,
    /// What begins at the output.
    pub start: Start,
}

/// What an output hands back to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Its score: values are shares of it.
    #[default]
    Score,
    /// One: values are probabilities where all rules are positive, as in excitation backpropagation.
    One,
}

impl Default for Lrp {
    /// z⁺ in convolutions, ε in linear layers.
    fn default() -> Self {
        Lrp { composite: Composite::epsilon_plus(), start: Start::Score }
    }
}

impl<M> Explainer<M> for Lrp
where
    M: Composed + ?Sized,
    M::Batch: Cells,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let plan = Plan::new(model, &self.composite)?;
        let meter = Meter::new(run, (batch.n_samples() as u64).saturating_mul(model.n_outputs() as u64));
        let ends = Ends::new(model, &meter, batch);
        let (scores, values) = in_portions(model, &meter, batch, 1, &|trace| {
            walk(model.layers(), self.begin(ends.weights(trace)?, trace), &plan.with(trace))
        })?;
        let base = Array2::zeros(scores.raw_dim());
        let note = match self.start {
            Start::Score => left_over(&scores, &base, &values),
            Start::One => "values share out 1, not the score: base is 0 and they do not sum to it".into(),
        };
        let provenance = Provenance::new("lrp", run)
            .with("composite", self.composite.to_string())
            .with("start", if self.start == Start::One { "one" } else { "score" })
            .note(note)
            .evaluations(meter.evaluations());
        of_inputs(model, batch, values, base, scores, provenance)
    }
}

impl Lrp {
    fn begin(&self, weights: Signals, trace: &Trace) -> Signals {
        let Some(last) = trace.activations.last().filter(|_| self.start == Start::Score) else { return weights };
        weights.into_iter().map(|weights| weights * last).collect()
    }
}
