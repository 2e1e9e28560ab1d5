//! Is the explanation of another output another one?

use ndarray::Array2;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::Similarity;
use crate::lanes::read;
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The mean similarity between the explanation of an output and those of all others.
///
/// Lower is better; 1 for a method that does not look at which output it explains.
///
/// *Pitfalls.* Outputs may share their reasons. With two outputs that sum to one, each explanation is the other's negative:
/// the similarity is −1 with signs and 1 without.
///
/// # Cost
/// No evaluation: an attribution holds all outputs.
///
/// # Errors
/// [`Error::Unsupported`] for a model with one output.
///
/// # Laws
/// `explanations_of_all_outputs_must_differ`; goldens beside Quantus.
///
/// # Source
/// Sixt, Granz, Landgraf 2020, "When explanations lie: why many modified BP attributions fail", section 4. *differs:* the mean
/// over all other outputs instead of one drawn at random.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RandomLogit {
    /// How alike explanations are.
    pub similarity: Similarity,
    /// Whether absolute shares are compared. Default: no.
    pub absolute: bool,
}

const NAME: &str = "random-logit";

impl<M: Model + ?Sized> Metric<M> for RandomLogit {
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        let (outputs, shape) = (values.dim().2, attribution.shape.as_deref());
        if outputs < 2 {
            return Err(Error::unsupported(NAME, "the model has one output"));
        }
        let mut failures = Failures::default();
        let mut found = Array2::zeros(attribution.scores.dim());
        let mut lanes = vec![Vec::new(); outputs];
        for sample in 0..values.dim().0 {
            lanes.iter_mut().enumerate().for_each(|(output, lane)| read(values, sample, output, lane));
            for output in 0..outputs {
                let others = (0..outputs).filter(|other| *other != output);
                let similar =
                    others.map(|other| self.similarity.of(self.absolute, shape, &lanes[output], &lanes[other]));
                found[[sample, output]] = match similar.sum::<std::result::Result<f64, _>>() {
                    Ok(sum) => sum / (outputs as f64 - 1.0),
                    Err(reason) => failures.add(sample, output, reason),
                };
            }
        }
        Ok(Measurement::new(NAME, Direction::Lower, found, failures, 0, run))
    }
}
