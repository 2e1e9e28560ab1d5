//! A method, and what it says about how it worked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Model, Result, Run};

/// A method that explains what a model does with samples.
///
/// The model is an argument, so that an explainer is a plain struct of parameters that can be printed, stored and run
/// again on another model. What a method needs of the model is a bound on `M`: any [`Model`], or a capability such as
/// [`TreeStructured`](crate::TreeStructured).
///
/// # Example
/// ```
/// use ndarray::{Array2, Axis};
/// use xai_core::{Attribution, Explainer, Model, Provenance, Result, Run, Table};
/// /// Gives every feature the same share of the score.
/// struct Fair;
/// impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for Fair {
///     type Explanation = Attribution;
///     fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
///         let scores = model.predict(batch)?;
///         let share = scores.clone().insert_axis(Axis(1)) / batch.ncols() as f64;
///         let values = share.broadcast((batch.nrows(), batch.ncols(), model.n_outputs())).unwrap().to_owned();
///         Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, Provenance::new("fair", run))
///     }
/// }
/// ```
pub trait Explainer<M: Model + ?Sized>: Send + Sync {
    /// What comes out.
    type Explanation: Explanation;

    /// Explains every sample of `batch` (a local method), or the model on the data `batch` (a global one).
    ///
    /// # Errors
    /// Anything that would make the explanation wrong or incomplete; see [`Error`](crate::Error).
    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Self::Explanation>;
}

impl<M: Model + ?Sized, E: Explainer<M> + ?Sized> Explainer<M> for Box<E> {
    type Explanation = E::Explanation;
    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Self::Explanation> {
        (**self).explain(model, batch, run)
    }
}

/// What every explanation carries.
pub trait Explanation {
    /// How it was made.
    fn provenance(&self) -> &Provenance;
}

/// How an explanation was made: enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The method's name in kebab case, such as `tree-shap`.
    pub method: String,
    /// The version of this toolkit.
    pub version: String,
    /// The method's parameters by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// The seed of the run.
    pub seed: u64,
    /// How many samples the model was asked to score.
    pub evaluations: u64,
    /// What a reader must know to read the numbers rightly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Provenance {
    /// Says that `method` ran in `run`; parameters and evaluations follow.
    pub fn new(method: impl Into<String>, run: &Run) -> Self {
        Provenance {
            method: method.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            parameters: BTreeMap::new(),
            seed: run.seed,
            evaluations: 0,
            notes: Vec::new(),
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Sets the number of evaluations.
    #[must_use]
    pub fn evaluations(mut self, evaluations: u64) -> Self {
        self.evaluations = evaluations;
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A word or text.
    Text(String),
    /// Several values.
    List(Vec<Value>),
}

macro_rules! value_from {
    ($($from:ty => $to:ident),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$to(value.into())
            }
        }
    )*};
}
value_from!(bool => Bool, i64 => Int, u32 => Int, i32 => Int, f64 => Float, &str => Text, String => Text);

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Text(value) => write!(f, "{value}"),
            Value::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}
