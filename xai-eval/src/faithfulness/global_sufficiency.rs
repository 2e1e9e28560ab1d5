//! Does the same explanation always go with the same decision?

use ndarray::{Array2, ArrayView2, Axis};
use xai_core::{Attribution, Error, Meter, Model, Result, Run};

use super::decision::{decides, winner};
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need};

/// Of the other samples whose attribution is like a sample's, the share for which the model decides for the same output.
///
/// Attributions are alike when their distance, with every feature divided by its standard deviation over the samples, is
/// at most `threshold` times the largest distance of two samples. Higher is better, at most 1. NaN for a sample whose
/// attribution is like no other's.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `threshold` | 0.6 | how near alike is, as a share of the largest distance: 0 to 1 |
///
/// *Pitfalls.* It compares samples, so it depends on which are there; a handful says nothing. A constant explanation is
/// like all others and gets the share of the commonest decision, not 0. One outlier widens what counts as alike.
///
/// # Units
/// None: a share.
///
/// # Cost
/// n_samples evaluations; n_samples² · n_features · n_outputs steps.
///
/// # Errors
/// [`Error::Unsupported`] for a model of one output; [`Error::Parameter`] for a threshold that is none; else those of
/// [`Metric::measure`].
///
/// # Laws
/// `quantus_sufficiency`, `global_sufficiency_of_known_decisions`.
///
/// # Source
/// Dasgupta, Frost, Moshkovitz 2022, "Framework for evaluating faithfulness of local explanations" (global sufficiency).
/// *differs:* Quantus 0.6 gives 0 to a sample that is like no other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlobalSufficiency {
    /// How near alike is.
    pub threshold: f64,
}

impl Default for GlobalSufficiency {
    fn default() -> Self {
        GlobalSufficiency { threshold: 0.6 }
    }
}

const NAME: &str = "global-sufficiency";

impl<M: Model + ?Sized> Metric<M> for GlobalSufficiency {
    fn name(&self) -> &str {
        NAME
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn needs(&self) -> &[Need] {
        &[]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        let values = case.values(attribution)?;
        decides(NAME, case.model)?;
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(Error::parameter("threshold", self.threshold, "0 to 1"));
        }
        let (n_samples, _, n_outputs) = values.dim();
        let meter = Meter::planned(run, n_samples as u64)?;
        let decisions: Vec<usize> = match n_samples {
            0 => Vec::new(),
            _ => meter.predict(case.model, case.batch)?.outer_iter().map(winner).collect(),
        };
        let (mut found, mut failures) = (Array2::zeros((n_samples, n_outputs)), Failures::default());
        for k in 0..n_outputs {
            let distances = Distances::new(values.index_axis(Axis(2), k));
            let largest = (0..n_samples).flat_map(|i| (0..i).map(move |j| (i, j)));
            let largest = largest.map(|(i, j)| distances.between(i, j)).fold(0.0, f64::max);
            for i in 0..n_samples {
                let alike = (0..n_samples).filter(|&j| j != i);
                let alike: Vec<usize> =
                    alike.filter(|&j| distances.between(i, j) <= self.threshold * largest).collect();
                let same = alike.iter().filter(|&&j| decisions[j] == decisions[i]).count();
                let share = same as f64 / alike.len() as f64;
                found[[i, k]] = failures.finite(i, k, share, "no other sample has an attribution like this one");
            }
        }
        Ok(Measurement::new(NAME, Direction::Higher, found, failures, meter.evaluations(), run))
    }
}

/// Distances of attributions, each feature in units of its variance.
struct Distances<'a> {
    values: ArrayView2<'a, f64>,
    weights: Vec<f64>,
}

impl<'a> Distances<'a> {
    fn new(values: ArrayView2<'a, f64>) -> Self {
        let n = values.nrows() as f64;
        let weight = |column: ndarray::ArrayView1<f64>| {
            let mean = column.sum() / n;
            let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // A feature that does not vary sets no two samples apart.
            if variance > 0.0 { 1.0 / variance } else { 0.0 }
        };
        let weights = values.columns().into_iter().map(weight).collect();
        Distances { values, weights }
    }

    fn between(&self, i: usize, j: usize) -> f64 {
        let pairs = self.values.row(i).into_iter().zip(self.values.row(j)).zip(&self.weights);
        pairs.map(|((a, b), weight)| weight * (a - b).powi(2)).sum::<f64>().sqrt()
    }
}
