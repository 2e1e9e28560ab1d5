//! Metrics of explanations by name: what the command line and configuration files choose from.

mod beside;
mod faithfulness;
mod makers;
mod properties;
mod randomisation;
mod stability;

use std::collections::BTreeMap;

use makers::Makers;
pub use makers::{NetworkMaker, NetworkMakers};
use ndarray::ArrayRef4;
use serde::Serialize;
use xai_core::{Error, Result, Table};
use xai_eval::{Direction, Metric, Need};
use xai_models::network::Network;

use crate::contest::Sample;
use crate::nearest::nearest;
use crate::registry::{Form, Kind, Parameter, Scope, Settings, Spec, TableModel};

/// A metric of any table model.
pub type TableMetric = dyn for<'m> Metric<TableModel<'m>>;

/// A metric as its users see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricSpec {
    /// Its name in kebab case.
    pub name: String,
    /// What it asks about.
    pub family: Family,
    /// The question, in one sentence.
    pub summary: String,
    /// Which values are better.
    pub direction: Direction,
    /// What must be there besides the model, the samples and the explanation.
    pub needs: Vec<Need>,
    /// What samples it can be asked of; those that need layers or parameters, of networks only.
    pub forms: Vec<Form>,
    /// What it counts in a mean rank when nothing else is said.
    pub weight: f64,
    /// What can be set.
    pub parameters: Vec<Parameter>,
}

/// What a metric asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Does the model do what the explanation says?
    Faithfulness,
    /// Do nearly the same samples have nearly the same explanation?
    Stability,
    /// Does the explanation keep its promises? Those that do differ by rounding alone, which is no merit: such metrics
    /// count nothing unless told to.
    Axioms,
    /// How much must a reader take in? No virtue in itself: such metrics count nothing unless told to.
    Complexity,
    /// Does it lie where the evidence is?
    Localisation,
    /// Does it say what is known to be right?
    Truth,
    /// Does it hang on what the model learnt? To fail is a fault, to pass by far is no merit: such metrics count nothing
    /// unless told to.
    Randomisation,
}

/// The metrics that can be called by name.
///
/// # Example
/// ```
/// use xai::metrics::Metrics;
/// let metrics = Metrics::standard();
/// let deletion = metrics.make("deletion", ["n_steps=10"], &[])?;
/// assert_eq!(deletion.name(), "deletion");
/// let error = metrics.get("delition").err().unwrap();
/// assert!(error.to_string().contains("did you mean \"deletion\"?"));
/// # Ok::<(), xai::core::Error>(())
/// ```
pub struct Metrics {
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    spec: MetricSpec,
    makers: Makers,
}

impl Metrics {
    /// All metrics of this toolkit that have a name.
    pub fn standard() -> Self {
        let mut metrics = Metrics { entries: BTreeMap::new() };
        faithfulness::add(&mut metrics);
        stability::add(&mut metrics);
        properties::add(&mut metrics);
        beside::add(&mut metrics);
        randomisation::add(&mut metrics);
        metrics
    }

    /// The metric called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the name most like it.
    pub fn get(&self, name: &str) -> Result<&MetricSpec> {
        self.entry(name).map(|entry| &entry.spec)
    }

    /// All metrics, in alphabetical order of their names.
    pub fn specs(&self) -> impl Iterator<Item = &MetricSpec> {
        self.entries.values().map(|entry| &entry.spec)
    }

    /// The metric called `name` for any table model, with parameters as texts of the form `key=value`. Noise is measured
    /// in `scales`, the standard deviation of each feature; in 1 where there are none.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name or a parameter that there is not; [`Error::Parameter`] for a value of another kind;
    /// [`Error::Unsupported`] for a metric that asks for the inside of a network.
    pub fn make<S: AsRef<str>>(
        &self,
        name: &str,
        pairs: impl IntoIterator<Item = S>,
        scales: &[f64],
    ) -> Result<Box<TableMetric>> {
        let (entry, settings) = self.set(name, pairs)?;
        let make = entry.makers.table.as_ref().ok_or_else(|| {
            let needs: Vec<String> = entry.spec.needs.iter().map(ToString::to_string).collect();
            let why = format!("it needs {}, which only networks show", needs.join(" and "));
            Error::unsupported(format!("{name} with this model"), why)
        })?;
        Ok(make(&settings, (!scales.is_empty()).then_some(scales)))
    }

    /// The same for networks of samples `B`; `scales` are those of the cells.
    ///
    /// # Errors
    /// As [`Metrics::make`]; [`Error::Unsupported`] for a metric that cannot be asked of such samples.
    pub fn make_for<B: Sample + ?Sized, S: AsRef<str>>(
        &self,
        name: &str,
        pairs: impl IntoIterator<Item = S>,
        scales: &[f64],
    ) -> Result<Box<dyn Metric<Network<B>>>> {
        let (entry, settings) = self.set(name, pairs)?;
        let make = B::maker(&entry.makers.network).ok_or_else(|| {
            let forms: Vec<&str> = entry.spec.forms.iter().map(|form| form.label()).collect();
            let why = format!("it is a metric of {}", forms.join(" and "));
            Error::unsupported(format!("{name} with {}", B::FORM.label()), why)
        })?;
        Ok(make(&settings, (!scales.is_empty()).then_some(scales)))
    }

    fn set<S: AsRef<str>>(&self, name: &str, pairs: impl IntoIterator<Item = S>) -> Result<(&Entry, Settings)> {
        let entry = self.entry(name)?;
        let mut spec = Spec::new(name, Scope::Local, "");
        spec.parameters.clone_from(&entry.spec.parameters);
        Ok((entry, Settings::from_pairs(&spec, pairs)?))
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        self.entries.get(name).ok_or_else(|| Error::Unknown {
            kind: "metric".into(),
            name: name.into(),
            nearest: nearest(name, self.entries.keys()),
            known: self.entries.keys().cloned().collect(),
        })
    }

    /// Adds a metric of any model; its name, direction and needs are those of the metric made with defaults.
    fn add<T: makers::OfAny>(
        &mut self,
        what: (Family, &str),
        parameters: &[Parameter],
        make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static,
    ) {
        let made = make(&Settings::default(), None);
        let spec = described::<TableModel<'static>, T>(what, parameters, &made, &Form::ALL);
        self.entries.insert(spec.name.clone(), Entry { spec, makers: Makers::of_any(make) });
    }

    /// Adds a metric of networks.
    fn add_of_networks<T: makers::OfNetworks>(
        &mut self,
        what: (Family, &str),
        parameters: &[Parameter],
        make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static,
    ) {
        let made = make(&Settings::default(), None);
        let spec = described::<Network<Table>, T>(what, parameters, &made, &Form::ALL);
        self.entries.insert(spec.name.clone(), Entry { spec, makers: Makers::of_networks(make) });
    }

    /// Adds a metric of networks of images.
    fn add_of_images<T: Metric<Network<ArrayRef4<f32>>> + 'static>(
        &mut self,
        what: (Family, &str),
        make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static,
    ) {
        let made = make(&Settings::default(), None);
        let spec = described::<Network<ArrayRef4<f32>>, T>(what, &[], &made, &[Form::Image]);
        self.entries.insert(spec.name.clone(), Entry { spec, makers: Makers::of_images(make) });
    }
}

fn described<M: xai_core::Model + ?Sized, T: Metric<M>>(
    (family, summary): (Family, &str),
    parameters: &[Parameter],
    made: &T,
    forms: &[Form],
) -> MetricSpec {
    let free = matches!(family, Family::Complexity | Family::Axioms | Family::Randomisation);
    MetricSpec {
        name: made.name().to_owned(),
        family,
        summary: summary.into(),
        direction: made.direction(),
        needs: made.needs().to_vec(),
        forms: forms.to_vec(),
        weight: if free { 0.0 } else { 1.0 },
        parameters: parameters.to_vec(),
    }
}

/// A parameter that counts something, at least one.
fn count(name: &str, default: usize, purpose: &str) -> Parameter {
    Parameter { name: name.into(), kind: Kind::COUNT, default: Some(default.into()), purpose: purpose.into() }
}
