//! A contest of methods of the registry by the metrics of [`crate::metrics`]: on a table model, or on a network of tables,
//! series or images, whose metrics may also ask for its layers and parameters.

mod fingerprint;
mod named;
mod networks;
mod sample;

use std::time::Duration;

pub use fingerprint::{Fingerprint, digest};
pub use named::{Named, NamedNetwork};
use ndarray::{Array2, Axis};
pub use networks::{Arena, evenly, outputs_compared, select, with_outputs};
pub use sample::Sample;
use xai_core::{Attribution, League, Model, Result, Run, Table};
use xai_eval::Case;
use xai_eval::tournament::{Step, Tournament};
use xai_local::masker::Background;

use crate::metrics::Metrics;
use crate::registry::{Form, Inputs, Need, Registry, Scope, Settings, Spec, Subject, TableModel};

/// What is compared, and how.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai::contest::{Contest, Entry};
/// use xai::core::Run;
/// use xai::models::function::Function;
/// use xai::registry::Subject;
/// let model = Function::by_row(|x: &[f64]| [x[0] * x[1] + 3.0 * x[2]]);
/// let background = array![[0.0, 0.0, 0.0], [1.0, -1.0, 0.5]];
/// let contest = Contest {
///     methods: vec![Entry::new("exact-shap"), Entry::new("lime")],
///     metrics: vec![Entry::new("faithfulness-correlation")],
///     ..Contest::default()
/// };
/// let batch = array![[2.0, 4.0, 1.0], [0.5, 2.0, -1.0], [1.0, 1.0, 2.0]];
/// let league = contest.run(Subject::opaque(&model), &batch, &background, &Run::default())?;
/// assert_eq!(league.methods.len(), 5); // two, and three that know nothing
/// # Ok::<(), xai::core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contest {
    /// The methods.
    pub methods: Vec<Entry>,
    /// The metrics, with what each counts.
    pub metrics: Vec<Entry>,
    /// How long it may take; as [`Tournament::time`].
    pub time: Option<Duration>,
    /// Which features are evidence, where that is known: (sample, feature), or (sample, place) for images and series.
    pub masks: Option<Array2<bool>>,
    /// The right attribution of the samples, where that is known.
    pub truth: Option<Attribution>,
}

/// A method or a metric by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its parameters, of the form `key=value`.
    pub set: Vec<String>,
    /// What a metric counts in the mean rank; what its description says when `None`.
    pub weight: Option<f64>,
}

impl Entry {
    /// A method or metric with its defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Entry { name: name.into(), set: Vec::new(), weight: None }
    }
}

/// The metrics that are taken when none is named.
pub const METRICS: [&str; 6] =
    ["faithfulness-correlation", "sensitivity-n", "deletion", "insertion", "completeness-gap", "sparseness"];

/// The metrics that are taken as well where masks are given.
pub const MASK_METRICS: [&str; 2] = ["pointing-game", "relevance-mass-accuracy"];

/// The metrics that are taken as well where the truth is given.
pub const TRUTH_METRICS: [&str; 3] = ["feature-agreement", "sign-agreement", "rank-correlation"];

/// The most features that all coalitions are asked of.
const MOST_EXACT: usize = 20;

impl Contest {
    /// The methods that fit: those that explain rows of `subject` and lack nothing. Those that play all coalitions are
    /// left out above 20 features.
    pub fn fitting(registry: &Registry, subject: &Subject, n_features: usize) -> Vec<Entry> {
        let fits = |spec: &Spec| {
            let has = |need: &Need| match need {
                Need::Trees => subject.trees.is_some(),
                Need::Linear => subject.linear.is_some(),
                Need::Network => subject.network.is_some(),
                Need::Background => true,
                _ => false,
            };
            // Chance takes part in every contest.
            spec.scope == Scope::Local
                && spec.forms.contains(&Form::Table)
                && spec.needs.iter().all(has)
                && (spec.name != "exact-shap" || n_features <= MOST_EXACT)
                && spec.name != "random"
        };
        registry.methods().map(|m| m.spec()).filter(|spec| fits(spec)).map(|spec| Entry::new(&spec.name)).collect()
    }

    /// Runs the contest; absence is what `background` says.
    ///
    /// # Errors
    /// As [`Contest::resume`].
    pub fn run(&self, subject: Subject, batch: &Table, background: &Table, run: &Run) -> Result<League> {
        self.resume((subject, batch, background), run, Vec::new(), &mut |_| Ok(()))
    }

    /// Runs what `done` does not yet hold, and tells `record` of every step.
    ///
    /// # Errors
    /// [`Error::Unknown`](xai_core::Error::Unknown) and [`Error::Parameter`](xai_core::Error::Parameter) for names and
    /// parameters; those of [`Tournament::resume`].
    pub fn resume(
        &self,
        (subject, batch, background): (Subject, &Table, &Table),
        run: &Run,
        done: Vec<Step>,
        record: &mut dyn FnMut(&Step) -> Result<()>,
    ) -> Result<League> {
        let (registry, metrics) = (Registry::standard(), Metrics::standard());
        let masker = Background::new(background.to_owned())?;
        let scales = spreads(batch, Some(background));
        let inputs = Inputs {
            subject,
            batch,
            background: Some(background),
            background_weights: None,
            labels: None,
            groups: None,
            run,
        };
        let mut contest: Tournament<TableModel> = Tournament::new();
        contest.time = self.time;
        for entry in &self.methods {
            let method = registry.get(&entry.name)?;
            let settings = Settings::from_pairs(method.spec(), &entry.set)?;
            contest.method(&entry.name, Named { method, settings, inputs });
        }
        for entry in &self.metrics {
            let weight = entry.weight.unwrap_or(metrics.get(&entry.name)?.weight);
            contest.weighted(metrics.make(&entry.name, &entry.set, &scales)?, weight);
        }
        let case: Case<TableModel> = Case::new(subject.model, batch).with_masker(&masker);
        let case = Case { truth: self.truth.as_ref(), masks: self.masks.as_deref(), ..case };
        let mut league = contest.resume(&case, run, done, record)?;
        let provenance = league.provenance.with("background_rows", background.nrows());
        league.provenance = provenance.with("features", batch.ncols());
        Ok(self.told(league, subject.model))
    }

    /// The league with what it was set to.
    fn told<M: Model + ?Sized>(&self, mut league: League, model: &M) -> League {
        league.provenance = league.provenance.with("outputs", model.n_outputs());
        for entry in self.methods.iter().chain(&self.metrics).filter(|entry| !entry.set.is_empty()) {
            league.provenance = league.provenance.with(&entry.name, entry.set.join(", "));
        }
        league
    }
}

/// The spread of each column: that of the background, or of the samples where it is no more than a row.
fn spreads(batch: &Table, background: Option<&Table>) -> Vec<f64> {
    let rows = background.filter(|rows| rows.nrows() > 1).unwrap_or(batch);
    rows.axis_iter(Axis(1)).map(|column| spread(column.iter().copied())).collect()
}

/// The standard deviation of what is not missing.
fn spread(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let finite = values.filter(|v| v.is_finite());
    let n = finite.clone().count().max(1) as f64;
    let mean = finite.clone().sum::<f64>() / n;
    (finite.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}
