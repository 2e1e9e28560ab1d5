//! Methods by name: what the command line, configuration files and services choose from.

mod games;
mod global;
mod inputs;
mod local;
mod maskers;
mod networks;
mod only_predicts;
mod proxies;
mod settings;
mod spec;
mod trees;

use std::collections::BTreeMap;

pub use inputs::{ArrayInputs, Arrays, Inputs, LayeredModel, Subject, TableModel};
pub use only_predicts::OnlyPredicts;
pub use settings::Settings;
pub use spec::{Form, Kind, Need, Parameter, Scope, Spec};
use xai_core::{Document, Error, Explainer, Result};

use crate::nearest::nearest;

/// A method that can be called by its name.
pub trait Method: Send + Sync {
    /// Its name, parameters and needs.
    fn spec(&self) -> &Spec;

    /// Explains `inputs.batch`, with parameters that fit [`Method::spec`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the inputs lack what the method needs; those of the method.
    fn explain(&self, inputs: &Inputs, settings: &Settings) -> Result<Document>;

    /// Explains series or images, with parameters that fit [`Method::spec`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a method of tables; those of the method.
    fn explain_arrays(&self, inputs: &ArrayInputs, settings: &Settings) -> Result<Document> {
        let _ = settings;
        let what = format!("{} with {}", self.spec().name, inputs.arrays.form().label());
        Err(Error::unsupported(what, "it explains tables; segment-shap and integrated-gradients explain arrays"))
    }
}

/// The methods that can be called by name: ours, and those that a user adds.
///
/// # Example
/// ```
/// use xai::registry::Registry;
/// let registry = Registry::standard();
/// assert!(registry.names().any(|name| name == "tree-shap"));
/// let error = registry.get("tree-shp").err().unwrap();
/// assert!(error.to_string().contains("did you mean \"tree-shap\"?"));
/// ```
#[derive(Default)]
pub struct Registry {
    methods: BTreeMap<String, Box<dyn Method>>,
}

impl Registry {
    /// No method at all.
    pub fn new() -> Self {
        Registry::default()
    }

    /// All methods of this toolkit.
    pub fn standard() -> Self {
        let mut registry = Registry::new();
        local::add(&mut registry);
        networks::add(&mut registry);
        global::add(&mut registry);
        registry
    }

    /// Adds a method, in place of one of the same name.
    pub fn add(&mut self, method: impl Method + 'static) {
        self.methods.insert(method.spec().name.clone(), Box::new(method));
    }

    /// Adds a method as a function of inputs and settings.
    pub fn add_fn<F>(&mut self, spec: Spec, explain: F)
    where
        F: Fn(&Inputs, &Settings) -> Result<Document> + Send + Sync + 'static,
    {
        self.add(FnMethod { spec, explain });
    }

    /// Adds an explainer of any table model, with the parameters that it was made with.
    ///
    /// # Example
    /// ```
    /// use ndarray::Array3;
    /// use xai::core::{Attribution, Explainer, Model, Provenance, Result, Run, Table};
    /// use xai::registry::{Registry, TableModel};
    /// /// Nothing matters.
    /// struct Mine;
    /// impl Explainer<TableModel<'_>> for Mine {
    ///     type Explanation = Attribution;
    ///     fn explain(&self, model: &TableModel, batch: &Table, run: &Run) -> Result<Attribution> {
    ///         let scores = model.predict(batch)?;
    ///         let values = Array3::zeros((batch.nrows(), batch.ncols(), model.n_outputs()));
    ///         Attribution::of_table(model, batch, values, scores.clone(), scores, Provenance::new("mine", run))
    ///     }
    /// }
    /// let mut registry = Registry::standard();
    /// registry.add_explainer("mine", "my own method", Mine);
    /// assert!(registry.get("mine").is_ok());
    /// ```
    pub fn add_explainer<E>(&mut self, name: &str, summary: &str, explainer: E)
    where
        E: for<'m> Explainer<TableModel<'m>, Explanation: Into<Document>> + 'static,
    {
        let spec = Spec::new(name, Scope::Local, summary);
        self.add_fn(spec, move |inputs, _| {
            Ok(explainer.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
        });
    }

    /// The method called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the name most like it.
    pub fn get(&self, name: &str) -> Result<&dyn Method> {
        let known = || self.methods.keys().cloned().collect::<Vec<_>>();
        self.methods.get(name).map(Box::as_ref).ok_or_else(|| Error::Unknown {
            kind: "method".into(),
            name: name.into(),
            nearest: nearest(name, self.methods.keys()),
            known: known(),
        })
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }

    /// All methods, in alphabetical order of their names.
    pub fn methods(&self) -> impl Iterator<Item = &dyn Method> {
        self.methods.values().map(Box::as_ref)
    }
}

struct FnMethod<F> {
    spec: Spec,
    explain: F,
}

impl<F> Method for FnMethod<F>
where
    F: Fn(&Inputs, &Settings) -> Result<Document> + Send + Sync,
{
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn explain(&self, inputs: &Inputs, settings: &Settings) -> Result<Document> {
        (self.explain)(inputs, settings)
    }
}
