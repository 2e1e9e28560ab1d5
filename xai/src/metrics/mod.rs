//! Metrics of explanations of tables by name: what the command line and configuration files choose from.

mod faithfulness;
mod properties;
mod stability;

use std::collections::BTreeMap;

use serde::Serialize;
use xai_core::{Error, Result};
use xai_eval::{Direction, Metric, Need};

use crate::nearest::nearest;
use crate::registry::{Kind, Parameter, Scope, Settings, Spec, TableModel};

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

type Make = Box<dyn Fn(&Settings, Option<&[f64]>) -> Box<TableMetric> + Send + Sync>;

struct Entry {
    spec: MetricSpec,
    make: Make,
}

impl Metrics {
    /// All metrics that ask nothing of the model but scores.
    pub fn standard() -> Self {
        let mut metrics = Metrics { entries: BTreeMap::new() };
        faithfulness::add(&mut metrics);
        stability::add(&mut metrics);
        properties::add(&mut metrics);
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

    /// The metric called `name`, with parameters as texts of the form `key=value`. Noise is measured in `scales`, the
    /// standard deviation of each feature; in 1 where there are none.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name or a parameter that there is not; [`Error::Parameter`] for a value of another kind.
    pub fn make<S: AsRef<str>>(
        &self,
        name: &str,
        pairs: impl IntoIterator<Item = S>,
        scales: &[f64],
    ) -> Result<Box<TableMetric>> {
        let entry = self.entry(name)?;
        let mut spec = Spec::new(name, Scope::Local, "");
        spec.parameters.clone_from(&entry.spec.parameters);
        let settings = Settings::from_pairs(&spec, pairs)?;
        Ok((entry.make)(&settings, (!scales.is_empty()).then_some(scales)))
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        self.entries.get(name).ok_or_else(|| Error::Unknown {
            kind: "metric".into(),
            name: name.into(),
            nearest: nearest(name, self.entries.keys()),
            known: self.entries.keys().cloned().collect(),
        })
    }

    /// Adds a metric; its name, direction and needs are those of the metric made with defaults.
    fn add<T>(
        &mut self,
        (family, summary): (Family, &str),
        parameters: &[(&str, usize, &str)],
        make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static,
    ) where
        T: for<'m> Metric<TableModel<'m>> + 'static,
    {
        let parameter = |&(name, default, purpose): &(&str, usize, &str)| Parameter {
            name: name.into(),
            kind: Kind::COUNT,
            default: Some(default.into()),
            purpose: purpose.into(),
        };
        let parameters: Vec<Parameter> = parameters.iter().map(parameter).collect();
        let made: Box<TableMetric> = Box::new(make(&Settings::default(), None));
        let spec = MetricSpec {
            name: Metric::<TableModel>::name(&*made).to_owned(),
            family,
            summary: summary.into(),
            direction: Metric::<TableModel>::direction(&*made),
            needs: Metric::<TableModel>::needs(&*made).to_vec(),
            weight: if matches!(family, Family::Complexity | Family::Axioms) { 0.0 } else { 1.0 },
            parameters,
        };
        let make: Make = Box::new(move |settings, scales| Box::new(make(settings, scales)));
        self.entries.insert(spec.name.clone(), Entry { spec, make });
    }
}
