//! What a method is called, what it needs, and which parameters it takes.

use serde::Serialize;
use xai_core::Value;

/// A method as its users see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// Its name in kebab case.
    pub name: String,
    /// Whether it explains single samples or the model.
    pub scope: Scope,
    /// What it does, in one sentence.
    pub summary: String,
    /// The forms of samples that it explains.
    pub forms: Vec<Form>,
    /// What must be there besides a model and samples.
    pub needs: Vec<Need>,
    /// Whether several columns can be one player.
    pub groups: bool,
    /// Whether rows of the background can count differently.
    pub weights: bool,
    /// What can be set.
    pub parameters: Vec<Parameter>,
    /// The paper that it comes from.
    pub paper: String,
}

/// What a method explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every sample for itself.
    Local,
    /// What sets of features do together, in every sample for itself.
    Interactions,
    /// How much the features matter to the model.
    Importance,
    /// How scores change with the features.
    Effects,
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A row of a table.
    Table,
    /// Channels over time.
    Series,
    /// An image.
    Image,
}

impl Form {
    /// All forms.
    pub const ALL: [Form; 3] = [Form::Table, Form::Series, Form::Image];

    /// Several of them in words.
    pub fn label(self) -> &'static str {
        match self {
            Form::Table => "tables",
            Form::Series => "series",
            Form::Image => "images",
        }
    }
}

/// What a method needs besides a model and samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A model made of decision trees.
    Trees,
    /// A linear model.
    Linear,
    /// A network whose layers are known.
    Network,
    /// Rows that stand for absence.
    Background,
    /// What the model should have predicted.
    Labels,
}

impl Need {
    /// The need in words.
    pub fn label(self) -> &'static str {
        match self {
            Need::Trees => "a model made of decision trees",
            Need::Linear => "a linear model",
            Need::Network => "a network whose layers are known",
            Need::Background => "a background table",
            Need::Labels => "the label column",
        }
    }
}

/// One parameter of a method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name in snake case.
    pub name: String,
    /// What it may be.
    pub kind: Kind,
    /// What it is when not set; `None` where the method decides from the work at hand.
    pub default: Option<Value>,
    /// What it does.
    pub purpose: String,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number from `min` to `max`.
    Int {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A real number from `min` to `max`, finite.
    Float {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// One of these words.
    Choice(Vec<String>),
    /// Words with commas between them, such as the names of features.
    Words,
}

impl Kind {
    /// A count of at least one.
    pub const COUNT: Kind = Kind::Int { min: 1, max: i64::MAX };

    /// One of `words`.
    pub fn choice<const N: usize>(words: [&str; N]) -> Kind {
        Kind::Choice(words.map(str::to_owned).to_vec())
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Bool => write!(f, "true or false"),
            Kind::Int { min, max: i64::MAX } => write!(f, "a whole number from {min}"),
            Kind::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Float { min, max } if (*min, *max) == (f64::MIN_POSITIVE, f64::MAX) => write!(f, "a number above 0"),
            Kind::Float { min, max } if *max == f64::MAX => write!(f, "a number from {min}"),
            Kind::Float { min, max } => write!(f, "a number from {min} to {max}"),
            Kind::Choice(words) => write!(f, "{}", words.join(" or ")),
            Kind::Words => write!(f, "words with commas between them"),
        }
    }
}

impl Spec {
    /// A method of tables without needs or parameters.
    pub fn new(name: impl Into<String>, scope: Scope, summary: impl Into<String>) -> Self {
        let (name, summary) = (name.into(), summary.into());
        Spec {
            name,
            scope,
            summary,
            forms: vec![Form::Table],
            needs: Vec::new(),
            groups: false,
            weights: false,
            parameters: Vec::new(),
            paper: String::new(),
        }
    }

    /// Sets the forms of samples that it explains.
    #[must_use]
    pub fn forms(mut self, forms: &[Form]) -> Self {
        self.forms = forms.to_vec();
        self
    }

    /// Adds a need.
    #[must_use]
    pub fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// Says that several columns can be one player.
    #[must_use]
    pub fn groups(mut self) -> Self {
        self.groups = true;
        self
    }

    /// Says that rows of the background can count differently.
    #[must_use]
    pub fn weights(mut self) -> Self {
        self.weights = true;
        self
    }

    /// Names the paper.
    #[must_use]
    pub fn paper(mut self, paper: impl Into<String>) -> Self {
        self.paper = paper.into();
        self
    }

    /// Adds a parameter with a default.
    #[must_use]
    pub fn parameter(self, name: &str, kind: Kind, default: impl Into<Value>, purpose: &str) -> Self {
        self.push(name, kind, Some(default.into()), purpose)
    }

    /// Adds a parameter whose default the method decides from the work at hand.
    #[must_use]
    pub fn optional(self, name: &str, kind: Kind, purpose: &str) -> Self {
        self.push(name, kind, None, purpose)
    }

    fn push(mut self, name: &str, kind: Kind, default: Option<Value>, purpose: &str) -> Self {
        self.parameters.push(Parameter { name: name.into(), kind, default, purpose: purpose.into() });
        self
    }
}
