//! Names and kinds of what goes into a model and of what comes out.

use ndarray::Dimension;
use serde::{Deserialize, Serialize};

/// One input of a model, or one player of a game played over its inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The name that a reader knows it by.
    pub name: String,
    /// What its values mean.
    #[serde(default)]
    pub kind: FeatureKind,
    /// The feature that this column encodes together with others (one-hot columns of one category, for instance).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What the values of a feature mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureKind {
    /// A real number.
    #[default]
    Numeric,
    /// A whole number with an order, such as a count.
    Integer,
    /// 0 or 1.
    Binary,
    /// One of several names without order; the value is the index of the name.
    Categorical {
        /// The name of each index.
        categories: Vec<String>,
    },
    /// Several columns that are explained as one; it has no single value.
    Group {
        /// The names of the columns.
        members: Vec<String>,
    },
}

impl Feature {
    /// A feature of numbers called `name`.
    pub fn numeric(name: impl Into<String>) -> Self {
        Feature { name: name.into(), kind: FeatureKind::Numeric, group: None }
    }

    /// A feature called `name` whose value is an index into `categories`.
    pub fn categorical<S: Into<String>>(name: impl Into<String>, categories: impl IntoIterator<Item = S>) -> Self {
        let categories = categories.into_iter().map(Into::into).collect();
        Feature { name: name.into(), kind: FeatureKind::Categorical { categories }, group: None }
    }

    /// `n` numeric features called `x0`, `x1`, …: the names of inputs that nobody named.
    pub fn unnamed(n: usize) -> Vec<Self> {
        (0..n).map(|i| Feature::numeric(format!("x{i}"))).collect()
    }

    /// The cells of an array of `shape` in row-major order, called by their places: `2,0,1`.
    ///
    /// # Example
    /// ```
    /// let cells = xai_core::Feature::cells(&[2, 2]);
    /// assert_eq!(cells[2].name, "1,0");
    /// ```
    pub fn cells(shape: &[usize]) -> Vec<Self> {
        let places = ndarray::indices(shape).into_iter();
        let name = |place: ndarray::IxDyn| {
            let place: Vec<String> = place.as_array_view().iter().map(usize::to_string).collect();
            Feature::numeric(place.join(","))
        };
        places.map(name).collect()
    }

    /// The value as a reader wants to see it: the category's name, a number in at most four significant digits,
    /// `missing` for NaN. Negative zero reads `0`.
    ///
    /// # Example
    /// ```
    /// use xai_core::Feature;
    /// assert_eq!(Feature::categorical("sex", ["female", "male"]).display(1.0), "male");
    /// assert_eq!(Feature::numeric("age").display(39.0), "39");
    /// assert_eq!(Feature::numeric("income").display(f64::NAN), "missing");
    /// ```
    pub fn display(&self, value: f64) -> String {
        match &self.kind {
            FeatureKind::Group { members } => format!("{} columns", members.len()),
            _ if value.is_nan() => "missing".to_owned(),
            FeatureKind::Categorical { categories } => {
                let known = value >= 0.0 && value.fract() == 0.0 && value < categories.len() as f64;
                if known { categories[value as usize].clone() } else { format!("unknown ({})", number(value)) }
            }
            FeatureKind::Numeric | FeatureKind::Integer | FeatureKind::Binary => number(value),
        }
    }
}

/// One output of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The name that a reader knows it by, such as a class.
    pub name: String,
    /// The unit of its score.
    #[serde(default)]
    pub scale: Scale,
}

/// The unit of a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The unit of what is predicted, or none that is known.
    #[default]
    Natural,
    /// A margin before a link function that has no name of its own.
    Margin,
    /// Log-odds: the margin of a logistic link.
    LogOdds,
    /// The natural logarithm of what is predicted.
    Log,
    /// A probability from 0 to 1.
    Probability,
    /// A loss against a known label: lower is better.
    Loss,
}

impl Scale {
    /// The words for an axis label; empty for [`Scale::Natural`].
    pub fn label(self) -> &'static str {
        match self {
            Scale::Natural => "",
            Scale::Margin => "margin",
            Scale::LogOdds => "log-odds",
            Scale::Log => "log",
            Scale::Probability => "probability",
            Scale::Loss => "loss",
        }
    }
}

impl Output {
    /// An output called `name` on `scale`.
    pub fn new(name: impl Into<String>, scale: Scale) -> Self {
        Output { name: name.into(), scale }
    }

    /// `n` outputs called `y0`, `y1`, … (`y` when there is one): the names of outputs that nobody named.
    pub fn unnamed(n: usize) -> Vec<Self> {
        let name = |i: usize| if n == 1 { "y".to_owned() } else { format!("y{i}") };
        (0..n).map(|i| Output::new(name(i), Scale::Natural)).collect()
    }
}

/// A number in at most four significant digits, as it stands beside a feature's name.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    let magnitude = value.abs().log10().floor();
    if value.fract() == 0.0 && magnitude < 15.0 {
        return format!("{value}");
    }
    if !(-4.0..15.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
