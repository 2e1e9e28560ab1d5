//! Which rule each layer gets.

use std::fmt;

use serde::{Deserialize, Serialize};
use xai_core::{Error, LayerKind, Result};

use super::rule::{Bounds, Rule};

/// Rules for layers, in order: a layer gets the first that fits it.
///
/// A layer that none fits gets the rule of its kind: [`Rule::EPSILON`] where there are weights, in additions, average
/// pooling and layer norms; [`Rule::Pass`] in activations; the winner takes all in max pooling.
///
/// # Example
/// ```
/// use xai_core::LayerKind;
/// use xai_local::relevance::{Composite, Rule, Which};
/// let composite = Composite::epsilon_plus().first(Which::Name("stem".into()), Rule::Flat);
/// assert_eq!(composite.rule("stem", LayerKind::Convolution, true), Some(&Rule::Flat));
/// assert_eq!(composite.rule("layer1", LayerKind::Convolution, false), Some(&Rule::ZPlus));
/// assert_eq!(composite.to_string(), "stem: flat; Convolution: z-plus; Linear: epsilon 0.000001");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Composite {
    /// Which layers get which rule.
    pub rules: Vec<(Which, Rule)>,
}

/// Some layers of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The layer of this name.
    Name(String),
    /// Layers of these kinds.
    Kinds(Vec<LayerKind>),
    /// Layers of these kinds that have weights and get the model's input through none that has.
    First(Vec<LayerKind>),
}

/// Where relevance is usually told apart by signs, and where not.
const WEIGHTS: [LayerKind; 3] = [LayerKind::Linear, LayerKind::Convolution, LayerKind::BatchNorm];

/// The names that [`Composite::named`] knows.
pub const NAMES: [&str; 6] =
    ["epsilon", "epsilon-plus", "epsilon-plus-flat", "epsilon-alpha2-beta1", "epsilon-alpha2-beta1-flat", "excitation"];

impl Composite {
    /// One rule for all layers with weights.
    pub fn everywhere(rule: Rule) -> Self {
        Composite { rules: vec![(Which::Kinds(WEIGHTS.to_vec()), rule)] }
    }

    /// z⁺ in convolutions, ε in linear layers.
    pub fn epsilon_plus() -> Self {
        Self::split(Rule::ZPlus)
    }

    /// [`Composite::epsilon_plus`] with the flat rule in the first layer.
    pub fn epsilon_plus_flat() -> Self {
        Self::epsilon_plus().first(Which::First(WEIGHTS.to_vec()), Rule::Flat)
    }

    /// αβ with α = 2 and β = 1 in convolutions, ε in linear layers.
    pub fn epsilon_alpha2_beta1() -> Self {
        Self::split(Rule::AlphaBeta { alpha: 2.0, beta: 1.0 })
    }

    /// [`Composite::epsilon_alpha2_beta1`] with the flat rule in the first layer.
    pub fn epsilon_alpha2_beta1_flat() -> Self {
        Self::epsilon_alpha2_beta1().first(Which::First(WEIGHTS.to_vec()), Rule::Flat)
    }

    /// γ = 0.25 in convolutions, the z-box rule in the first of them, ε in linear layers.
    pub fn epsilon_gamma_box(bounds: Bounds) -> Self {
        let convolution = vec![LayerKind::Convolution];
        Self::split(Rule::Gamma { gamma: 0.25 }).first(Which::First(convolution), Rule::ZBox(bounds))
    }

    /// z⁺ in all layers with weights: excitation backpropagation (Zhang et al. 2016), begun with 1
    /// ([`Start::One`](super::Start::One)).
    pub fn excitation() -> Self {
        Self::everywhere(Rule::ZPlus)
    }

    /// The composite called `name`, one of [`NAMES`].
    ///
    /// # Errors
    /// [`Error::Unknown`] with the names there are.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "epsilon" => Ok(Self::everywhere(Rule::EPSILON)),
            "epsilon-plus" => Ok(Self::epsilon_plus()),
            "epsilon-plus-flat" => Ok(Self::epsilon_plus_flat()),
            "epsilon-alpha2-beta1" => Ok(Self::epsilon_alpha2_beta1()),
            "epsilon-alpha2-beta1-flat" => Ok(Self::epsilon_alpha2_beta1_flat()),
            "excitation" => Ok(Self::excitation()),
            _ => Err(Error::Unknown {
                kind: "composite".into(),
                name: name.into(),
                nearest: None,
                known: NAMES.map(String::from).to_vec(),
            }),
        }
    }

    /// With a rule that goes before all others.
    #[must_use]
    pub fn first(mut self, which: Which, rule: Rule) -> Self {
        self.rules.insert(0, (which, rule));
        self
    }

    /// With a rule for the layers that none has fitted yet.
    #[must_use]
    pub fn then(mut self, which: Which, rule: Rule) -> Self {
        self.rules.push((which, rule));
        self
    }

    /// The rule for a layer; `first` says whether it gets the model's input through no layer with weights.
    pub fn rule(&self, name: &str, kind: LayerKind, first: bool) -> Option<&Rule> {
        let fits = |which: &Which| match which {
            Which::Name(wanted) => wanted == name,
            Which::Kinds(kinds) => kinds.contains(&kind),
            Which::First(kinds) => first && kinds.contains(&kind),
        };
        self.rules.iter().find(|(which, _)| fits(which)).map(|(_, rule)| rule)
    }

    fn split(convolution: Rule) -> Self {
        let kinds = |kind| Which::Kinds(vec![kind]);
        Composite {
            rules: vec![(kinds(LayerKind::Convolution), convolution), (kinds(LayerKind::Linear), Rule::EPSILON)],
        }
    }
}

impl fmt::Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = |kinds: &[LayerKind]| kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        for (place, (which, rule)) in self.rules.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            match which {
                Which::Name(name) => write!(f, "{separator}{name}: {rule}")?,
                Which::Kinds(list) => write!(f, "{separator}{}: {rule}", kinds(list))?,
                Which::First(list) => write!(f, "{separator}first of {}: {rule}", kinds(list))?,
            }
        }
        Ok(())
    }
}
