//! What a metric is.

use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Model, Result, Run};

use crate::{Case, Measurement};

/// A question to an explanation that has a number as its answer.
///
/// A metric is a plain struct of parameters. It takes an attribution, whatever made it (another tool's JSON file,
/// for instance), and looks at the rest of the [`Case`] only as far as it [`needs`](Metric::needs) to. What it needs of
/// the model is a bound on `M`.
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use xai_core::{Attribution, Model, Result, Run};
/// use xai_eval::{Case, Direction, Failures, Measurement, Metric, Need};
/// /// How much of the shares stands on the first feature.
/// struct First;
/// impl<M: Model + ?Sized> Metric<M> for First {
///     fn name(&self) -> &str { "first" }
///     fn direction(&self) -> Direction { Direction::Higher }
///     fn needs(&self) -> &[Need] { &[] }
///     fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
///         let values = case.values(attribution)?;
///         let mut failures = Failures::default();
///         let share = Array2::from_shape_fn((values.dim().0, values.dim().2), |(i, k)| {
///             let all: f64 = (0..values.dim().1).map(|j| values[[i, j, k]].abs()).sum();
///             if all == 0.0 { failures.add(i, k, "all shares are zero") } else { values[[i, 0, k]].abs() / all }
///         });
///         Ok(Measurement::new("first", Direction::Higher, share, failures, 0, run))
///     }
/// }
/// ```
pub trait Metric<M: Model + ?Sized>: Send + Sync {
    /// Its name in kebab case, such as `faithfulness-correlation`.
    fn name(&self) -> &str;

    /// Which values are better.
    fn direction(&self) -> Direction;

    /// What a case must hold for it, besides the model, the batch and the attribution.
    fn needs(&self) -> &[Need];

    /// Measures the attribution of every sample of `case`.
    ///
    /// # Errors
    /// [`Error::Unsupported`](xai_core::Error::Unsupported) when a need is absent; [`Error::Parameter`] for parameters
    /// that make no sense; [`Error::Shape`] for an attribution of something else; [`Error::Budget`], before any
    /// evaluation where their number is known; those of the model, the masker and the explainer.
    ///
    /// [`Error::Parameter`]: xai_core::Error::Parameter
    /// [`Error::Shape`]: xai_core::Error::Shape
    /// [`Error::Budget`]: xai_core::Error::Budget
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement>;
}

/// References and boxes of metrics are metrics.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: Model + ?Sized, T: Metric<M> + ?Sized> Metric<M> for $pointer {
            fn name(&self) -> &str {
                (**self).name()
            }
            fn direction(&self) -> Direction {
                (**self).direction()
            }
            fn needs(&self) -> &[Need] {
                (**self).needs()
            }
            fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
                (**self).measure(case, attribution, run)
            }
        }
    )*};
}
forward!(&T, Box<T>);

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Large ones.
    Higher,
    /// Small ones.
    Lower,
}

impl Direction {
    /// Whether `a` is better than `b`; false when either is NaN.
    pub fn prefers(self, a: f64, b: f64) -> bool {
        match self {
            Direction::Higher => a > b,
            Direction::Lower => a < b,
        }
    }
}

/// Something that a metric asks for besides the model, the batch and the attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Need {
    /// What absence means, with the attribution's features as players: [`Case::masker`].
    Masker,
    /// The method, to explain other samples or another model: [`Case::explainer`].
    Explainer,
    /// Which features are evidence: [`Case::masks`].
    Masks,
    /// The right attribution: [`Case::truth`].
    Truth,
    /// What the model should have answered: [`Case::labels`].
    Labels,
    /// A batch of arrays of numbers; a bound on the model.
    Cells,
    /// Gradients; a bound on the model.
    Gradients,
    /// Named layers; a bound on the model.
    Layers,
    /// Parameters that can be replaced; a bound on the model.
    Parameters,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Need::Masker => "a masker",
            Need::Explainer => "the explainer",
            Need::Masks => "masks of the evidence",
            Need::Truth => "true attributions",
            Need::Labels => "labels",
            Need::Cells => "a batch of arrays of numbers",
            Need::Gradients => "gradients of the model",
            Need::Layers => "layers of the model",
            Need::Parameters => "parameters of the model",
        })
    }
}
