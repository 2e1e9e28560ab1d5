//! How a layer shares its relevance out among its inputs.

use std::cmp::Ordering::Less;
use std::fmt;

use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

/// A rule of propagation: the share of a unit's relevance Rⱼ that each of its inputs xᵢ gets.
///
/// zᵢⱼ is xᵢ·wᵢⱼ, zⱼ the unit's sum of them with its bias bⱼ; ()⁺ and ()⁻ are positive and negative parts. Denominators
/// are kept from zero by 1e-6 of their own sign.
///
/// # Laws
/// `rules_equal_their_formulas`, `rules_conserve_relevance`.
///
/// # Source
/// Bach et al. 2015, equations 58 and 60 (epsilon, alpha-beta); Montavon et al. 2017, section 4 (z⁺, z-box, w²); Montavon
/// et al. 2019, section 10.2 (gamma), Andéol et al. 2021 (for inputs of both signs); Lapuschkin et al. 2019 (flat).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// zᵢⱼ / (zⱼ + ε·sign zⱼ). A large ε keeps what is small and contradictory from the inputs.
    Epsilon {
        /// ε, above 0.
        epsilon: f32,
    },
    /// As epsilon with wᵢⱼ + γ·wᵢⱼ⁺ for wᵢⱼ: what argues for the score counts more.
    Gamma {
        /// γ, 0 or more.
        gamma: f32,
    },
    /// zᵢⱼ⁺ / (Σᵢ zᵢⱼ⁺ + bⱼ⁺): only what argues for the score counts.
    ZPlus,
    /// α·zᵢⱼ⁺ / (Σᵢ zᵢⱼ⁺ + bⱼ⁺) − β·zᵢⱼ⁻ / (Σᵢ zᵢⱼ⁻ + bⱼ⁻), with α − β = 1.
    AlphaBeta {
        /// α, 1 or more.
        alpha: f32,
        /// β, α − 1.
        beta: f32,
    },
    /// (zᵢⱼ − lᵢ·wᵢⱼ⁺ − hᵢ·wᵢⱼ⁻) / Σᵢ of it, for inputs between lᵢ and hᵢ, such as pixels.
    ZBox(Bounds),
    /// wᵢⱼ² / Σᵢ wᵢⱼ², for inputs that may be anything: the input's value does not count.
    WSquare,
    /// The same share for every input that the unit reads: relevance is spread where the layers above put it.
    Flat,
    /// zᵢⱼ / Σᵢ zᵢⱼ: the bias gets nothing.
    Norm,
    /// All relevance stays in its place.
    Pass,
}

/// Between what the inputs of a layer lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lowest values: one, or one for each channel (axis 1 of the batch).
    pub low: Vec<f32>,
    /// The highest values, as many.
    pub high: Vec<f32>,
}

impl Bounds {
    /// The same bounds for all cells.
    pub fn all(low: f32, high: f32) -> Self {
        Bounds { low: vec![low], high: vec![high] }
    }
}

impl Rule {
    /// The usual ε: enough to keep denominators from zero, too little to be seen.
    pub const EPSILON: Rule = Rule::Epsilon { epsilon: 1e-6 };

    /// Itself, if its parameters make sense.
    ///
    /// # Errors
    /// [`Error::Parameter`] that names the one that does not.
    pub fn checked(&self) -> Result<&Self> {
        let refuse = |name: &str, value: String, expected: &str| Err(Error::parameter(name, value, expected));
        match self {
            Rule::Epsilon { epsilon } if !(*epsilon > 0.0 && epsilon.is_finite()) => {
                refuse("epsilon", epsilon.to_string(), "a number above 0")
            }
            Rule::Gamma { gamma } if !(*gamma >= 0.0 && gamma.is_finite()) => {
                refuse("gamma", gamma.to_string(), "0 or more")
            }
            Rule::AlphaBeta { alpha, beta } if !(*beta >= 0.0 && (alpha - beta - 1.0).abs() <= 1e-6) => {
                refuse("alpha and beta", format!("{alpha} and {beta}"), "beta 0 or more, and alpha one more than beta")
            }
            Rule::ZBox(Bounds { low, high }) if low.is_empty() || low.len() != high.len() => refuse(
                "bounds",
                format!("{} low and {} high", low.len(), high.len()),
                "as many low as high, one at least",
            ),
            Rule::ZBox(Bounds { low, high }) => {
                match low.iter().zip(high).find(|(low, high)| low.partial_cmp(high) != Some(Less)) {
                    Some((low, high)) => refuse("bounds", format!("{low} to {high}"), "low below high"),
                    None => Ok(self),
                }
            }
            _ => Ok(self),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Epsilon { epsilon } => write!(f, "epsilon {epsilon}"),
            Rule::Gamma { gamma } => write!(f, "gamma {gamma}"),
            Rule::ZPlus => f.write_str("z-plus"),
            Rule::AlphaBeta { alpha, beta } => write!(f, "alpha-beta {alpha} {beta}"),
            Rule::ZBox(Bounds { low, high }) => write!(f, "z-box {low:?} to {high:?}"),
            Rule::WSquare => f.write_str("w-square"),
            Rule::Flat => f.write_str("flat"),
            Rule::Norm => f.write_str("norm"),
            Rule::Pass => f.write_str("pass"),
        }
    }
}
