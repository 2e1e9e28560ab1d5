//! Does the explanation depend on what the labels said?

use xai_core::{Attribution, Result, Run};

use super::Similarity;
use crate::agreement::of_pairs;
use crate::{Direction, Measurement};

/// The similarity between the explanations of a model and of one that was trained in the same way on the same samples with
/// their labels shuffled.
///
/// Lower is better; 1 for a method that does not look at what was learnt.
///
/// *Pitfalls.* The second model must be trained to fit its labels: one that learnt nothing differs for another reason.
/// Training it is yours to do. One model trained on chance is one draw: take several.
///
/// # Cost
/// No evaluation.
///
/// # Errors
/// [`Error::Shape`](xai_core::Error::Shape) or [`Error::Parameter`](xai_core::Error::Parameter) when the attributions do not
/// speak of the same samples, features and outputs.
///
/// # Source
/// Adebayo et al. 2018, "Sanity checks for saliency maps", section 4 (data randomisation test).
pub fn label_randomisation(
    trained: &Attribution,
    on_shuffled_labels: &Attribution,
    similarity: Similarity,
    absolute: bool,
) -> Result<Measurement> {
    let metric = ("label-randomisation", Direction::Lower);
    let number = |a: &[f64], b: &[f64]| similarity.of(absolute, trained.shape.as_deref(), a, b);
    of_pairs(metric, trained, on_shuffled_labels, &Run::default(), number)
}
