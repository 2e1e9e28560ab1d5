//! How much each feature contributes on average, whatever the direction.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Explainer, Importance, Model, Provenance, Result, Run};

/// The mean absolute contribution of each feature, by any local method.
///
/// | parameter | meaning |
/// |---|---|
/// | `explainer` | the method that attributes each sample's scores to its features |
///
/// # Units
/// Those of the attribution; the spread is the standard error of the mean over the samples.
///
/// # Cost
/// That of `explainer`.
///
/// # Errors
/// Those of `explainer` and of [`mean_absolute`].
///
/// # Source
/// Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanAbsolute<E> {
    /// The local method.
    pub explainer: E,
}

impl<M, E> Explainer<M> for MeanAbsolute<E>
where
    M: Model + ?Sized,
    E: Explainer<M, Explanation = Attribution>,
{
    type Explanation = Importance;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Importance> {
        mean_absolute(&self.explainer.explain(model, batch, run)?)
    }
}

/// The mean over the samples of the absolute contributions: Iⱼ = E |φᵢⱼ|.
///
/// The spread is the standard error of that mean over the samples, √(Var |φᵢⱼ| / n): how much Iⱼ would change with
/// other samples of the same kind. There is none for a single sample.
///
/// # Shapes
/// `attribution.values` (sample, feature, output) → values, spread (feature, output).
///
/// # Units
/// Those of the attribution.
///
/// # Errors
/// [`Error::Parameter`] without samples; [`Error::Shape`] or [`Error::NonFinite`] for an attribution whose parts do
/// not fit.
///
/// # Laws
/// `mean_absolute_equals_its_definition`.
///
/// # Source
/// Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees".
pub fn mean_absolute(attribution: &Attribution) -> Result<Importance> {
    let n = attribution.n_samples();
    if n == 0 {
        return Err(Error::parameter("attribution", "0 samples", "at least 1 sample"));
    }
    let shape = [n, attribution.features.len(), attribution.outputs.len()];
    same_shape("values (sample, feature, output)", &shape, attribution.values.shape())?;
    if let Some(((sample, column, _), &value)) = attribution.values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::NonFinite { what: "values".into(), sample, column, value });
    }
    let absolute = attribution.values.mapv(f64::abs);
    let values: Array2<f64> = absolute.sum_axis(Axis(0)) / n as f64;
    let spread = (n > 1).then(|| {
        let away = &absolute - &values;
        ((&away * &away).sum_axis(Axis(0)) / (n as f64 * (n as f64 - 1.0))).mapv(f64::sqrt)
    });
    Ok(Importance {
        provenance: account(attribution.provenance.clone(), n as u64),
        features: attribution.features.clone(),
        outputs: attribution.outputs.clone(),
        values,
        spread,
        repeats: None,
        base: None,
    })
}

/// How means over `n` samples were made, given how the attribution was.
pub(crate) fn account(mut provenance: Provenance, n: u64) -> Provenance {
    let explainer = std::mem::replace(&mut provenance.method, "mean-absolute-attribution".to_owned());
    let parameters = std::mem::take(&mut provenance.parameters);
    provenance.parameters = parameters.into_iter().map(|(k, v)| (format!("{explainer}.{k}"), v)).collect();
    provenance
        .with("explainer", explainer)
        .with("n_samples", usize::try_from(n).unwrap_or(usize::MAX))
        .note("the spread is the standard error of the mean over the samples")
}
