//! What a method called by name works on.

use ndarray::{ArrayD, ArrayRef3, ArrayRef4};
use xai_core::{Composed, Error, Groups, LinearStructured, Model, Result, Run, Table, TreeStructured};

use super::{Form, Need, Spec};

/// Any model of tables.
pub type TableModel<'m> = dyn Model<Batch = Table> + 'm;

/// Any network of batches `B`.
pub type LayeredModel<'m, B> = dyn Composed<Batch = B> + 'm;

/// A table model with the capabilities that it is known to have.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The model.
    pub model: &'a TableModel<'a>,
    /// The model again, if it is made of trees.
    pub trees: Option<&'a (dyn TreeStructured<Batch = Table> + 'a)>,
    /// The model again, if it is linear.
    pub linear: Option<&'a (dyn LinearStructured<Batch = Table> + 'a)>,
    /// The model again, if it is a network.
    pub network: Option<&'a LayeredModel<'a, Table>>,
}

impl<'a> Subject<'a> {
    /// A model of which nothing more is known.
    pub fn opaque(model: &'a TableModel<'a>) -> Self {
        Subject { model, trees: None, linear: None, network: None }
    }

    /// A model made of trees.
    pub fn of_trees(model: &'a (dyn TreeStructured<Batch = Table> + 'a)) -> Self {
        Subject { model, trees: Some(model), linear: None, network: None }
    }

    /// A linear model.
    pub fn of_linear(model: &'a (dyn LinearStructured<Batch = Table> + 'a)) -> Self {
        Subject { model, trees: None, linear: Some(model), network: None }
    }

    /// A network.
    pub fn of_network(model: &'a LayeredModel<'a, Table>) -> Self {
        Subject { model, trees: None, linear: None, network: Some(model) }
    }
}

/// Everything that a method may need, and a run.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What is explained.
    pub subject: Subject<'a>,
    /// The samples: (sample, feature).
    pub batch: &'a Table,
    /// Rows that stand for absence: (row, feature).
    pub background: Option<&'a Table>,
    /// How much each of these rows counts, at least 0; all the same when `None`.
    pub background_weights: Option<&'a [f64]>,
    /// What the model should have predicted, for each sample.
    pub labels: Option<&'a xai_global::Labels>,
    /// Which columns are explained together; every column for itself when `None`.
    pub groups: Option<&'a Groups>,
    /// Seed, budget, observer.
    pub run: &'a Run<'a>,
}

/// A network of series or images, and samples for it.
#[derive(Clone, Copy)]
pub enum Arrays<'a> {
    /// Series: (sample, channel, step).
    Series(&'a LayeredModel<'a, ArrayRef3<f32>>, &'a ArrayRef3<f32>),
    /// Images: (sample, channel, row, column).
    Images(&'a LayeredModel<'a, ArrayRef4<f32>>, &'a ArrayRef4<f32>),
}

impl Arrays<'_> {
    /// What its samples are.
    pub fn form(&self) -> Form {
        match self {
            Arrays::Series(..) => Form::Series,
            Arrays::Images(..) => Form::Image,
        }
    }
}

/// Everything that a method of series or images may need, and a run.
#[derive(Clone, Copy)]
pub struct ArrayInputs<'a> {
    /// What is explained, and on which samples.
    pub arrays: Arrays<'a>,
    /// Samples that stand for absence: (sample, axes …).
    pub background: Option<&'a ArrayD<f64>>,
    /// Seed, budget, observer.
    pub run: &'a Run<'a>,
}

impl<'a> Inputs<'a> {
    /// The trees.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the model is not known to be made of trees.
    pub fn trees(&self, spec: &Spec) -> Result<&'a (dyn TreeStructured<Batch = Table> + 'a)> {
        self.subject.trees.ok_or_else(|| lacks(spec, Need::Trees, "use kernel-shap, which explains any model"))
    }

    /// The linear model.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the model is not known to be linear.
    pub fn linear(&self, spec: &Spec) -> Result<&'a (dyn LinearStructured<Batch = Table> + 'a)> {
        self.subject.linear.ok_or_else(|| lacks(spec, Need::Linear, "use kernel-shap, which explains any model"))
    }

    /// The network.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the model is not known to be a network.
    pub fn network(&self, spec: &Spec) -> Result<&'a LayeredModel<'a, Table>> {
        self.subject.network.ok_or_else(|| lacks(spec, Need::Network, "use kernel-shap, which explains any model"))
    }

    /// The background.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when there is none, or when its rows have weights and the method knows none.
    pub fn background(&self, spec: &Spec) -> Result<&'a Table> {
        self.weighs(spec)?;
        let advice = "give rows that stand for absence, such as a sample of the training data (--background)";
        self.background.filter(|rows| rows.nrows() > 0).ok_or_else(|| lacks(spec, Need::Background, advice))
    }

    /// Refuses weights that the method would ignore.
    pub(super) fn weighs(&self, spec: &Spec) -> Result<()> {
        if self.background_weights.is_none() || spec.weights {
            return Ok(());
        }
        let advice = "it takes all rows alike; leave the weights out (--background-weights)";
        Err(Error::unsupported(format!("{} with weights of background rows", spec.name), advice))
    }

    /// The labels.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when there are none.
    pub fn labels(&self, spec: &Spec) -> Result<&'a xai_global::Labels> {
        self.labels.ok_or_else(|| lacks(spec, Need::Labels, "name the column that holds them (--target)"))
    }
}

pub(super) fn lacks(spec: &Spec, need: Need, advice: &str) -> Error {
    Error::unsupported(format!("{} without {}", spec.name, need.label()), advice)
}
