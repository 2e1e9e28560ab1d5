//! The few features that matter most to each score.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Feature, Output, Provenance, Result};

/// The largest contributions to every score of every sample, and the sum of all others.
///
/// # Units
/// Those of the attribution: `base` + Σ `values` + `rest` is what `base` + Σ values of the whole was, up to rounding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopAttribution {
    /// How the attribution was made.
    pub provenance: Provenance,
    /// What indices point at: (feature).
    pub features: Vec<Feature>,
    /// What the scores are: (output).
    pub outputs: Vec<Output>,
    /// How many contributions are kept for each score.
    pub k: usize,
    /// The score when every feature is absent: (sample · output), the samples outside.
    pub base: Vec<f64>,
    /// What is explained: (sample · output).
    pub scores: Vec<f64>,
    /// The features, the largest contribution first: (sample · output · k).
    pub indices: Vec<u32>,
    /// Their contributions: (sample · output · k).
    pub values: Vec<f64>,
    /// The sum of the contributions that are left out: (sample · output).
    pub rest: Vec<f64>,
}

impl TopAttribution {
    /// The features that contribute most to a score, the largest contribution first; none where there is no such score.
    pub fn leading(&self, sample: usize, output: usize) -> impl Iterator<Item = (&Feature, f64)> {
        let row = (output < self.outputs.len()).then_some(sample.saturating_mul(self.outputs.len()) + output);
        let range = row.map_or(0..0, |row| row.saturating_mul(self.k)..row.saturating_add(1).saturating_mul(self.k));
        let indices = self.indices.get(range.clone()).unwrap_or_default();
        let values = self.values.get(range).unwrap_or_default();
        indices.iter().zip(values).filter_map(|(&j, &value)| Some((self.features.get(j as usize)?, value)))
    }
}

/// Keeps the `k` largest absolute contributions to each score, or all where there are fewer; of equals the first
/// feature's.
///
/// # Cost
/// Memory: 12 · k + 24 bytes a score.
///
/// # Errors
/// [`Error::Parameter`] for k = 0; [`Error::Shape`] or [`Error::NonFinite`] for an attribution whose parts do not fit.
///
/// # Laws
/// `the_top_is_the_head_of_the_sorted_contributions`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// let attribution = Attribution {
///     provenance: Provenance::new("own", &Run::default()),
///     features: Feature::unnamed(3), outputs: Output::unnamed(1),
///     base: array![[1.0]], values: array![[[0.5], [-2.0], [0.25]]], scores: array![[-0.25]],
///     standard_error: None, data: None, fidelity: None, shape: None,
/// };
/// let top = xai_global::running::top(&attribution, 1)?;
/// assert_eq!(top.leading(0, 0).next().map(|(feature, value)| (feature.name.as_str(), value)), Some(("x1", -2.0)));
/// assert_eq!(top.rest, [0.75]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn top(attribution: &Attribution, k: usize) -> Result<TopAttribution> {
    let (samples, features, outputs) = (attribution.n_samples(), attribution.features.len(), attribution.outputs.len());
    if k == 0 {
        return Err(Error::parameter("k", k, "at least 1"));
    }
    if samples > 0 {
        same_shape("values (sample, feature, output)", &[samples, features, outputs], attribution.values.shape())?;
        same_shape("scores (sample, output)", &[samples, outputs], attribution.scores.shape())?;
        same_shape("base (sample, output)", &[samples, outputs], attribution.base.shape())?;
    }
    if let Some(((sample, column, _), &value)) = attribution.values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::NonFinite { what: "values".into(), sample, column, value });
    }
    let limit = u64::from(u32::MAX);
    u32::try_from(features).map_err(|_| Error::TooLarge { what: "features".into(), limit, found: features as u64 })?;
    let k = k.min(features);
    let rows = samples * outputs;
    let (mut indices, mut values) = (Vec::with_capacity(rows * k), Vec::with_capacity(rows * k));
    let mut rest = Vec::with_capacity(rows);
    let mut order: Vec<u32> = Vec::with_capacity(features);
    for sample in attribution.values.outer_iter() {
        for row in sample.columns() {
            let larger = |a: &u32, b: &u32| -> Ordering {
                let [a_size, b_size] = [a, b].map(|&j| row[j as usize].abs());
                b_size.total_cmp(&a_size).then(a.cmp(b))
            };
            order.clear();
            order.extend(0..features as u32);
            if k < features {
                order.select_nth_unstable_by(k, larger);
            }
            order[..k].sort_unstable_by(larger);
            order[k..].sort_unstable();
            indices.extend_from_slice(&order[..k]);
            values.extend(order[..k].iter().map(|&j| row[j as usize]));
            rest.push(order[k..].iter().map(|&j| row[j as usize]).fold(0.0, |sum, value| sum + value));
        }
    }
    Ok(TopAttribution {
        provenance: attribution.provenance.clone(),
        features: attribution.features.clone(),
        outputs: attribution.outputs.clone(),
        k,
        base: attribution.base.iter().copied().collect(),
        scores: attribution.scores.iter().copied().collect(),
        indices,
        values,
        rest,
    })
}
