//! Methods compete: all explain the same samples, every metric measures all of them.
//!
//! | what | file |
//! |---|---|
//! | [`Tournament`]: who takes part, and the run | `mod.rs` |
//! | [`Step`]: what is done, so that an interrupted run goes on | `step.rs` |
//! | [`RandomShares`], [`EqualShares`], [`InputSize`]: methods that know nothing, always there | `baselines.rs` |
//! | Friedman's test and Nemenyi's critical difference | `ranks.rs` |
//! | from steps to a [`League`] | `table.rs` |

mod baselines;
mod ranks;
mod step;
mod table;

use std::time::{Duration, Instant};

use xai_core::{Attribution, Cells, Error, Explainer, League, Model, Provenance, Result, Run};

pub use baselines::{EqualShares, InputSize, RandomShares};
pub use ranks::friedman;
pub use step::Step;

use crate::{Case, Metric};
use step::Steps;

/// A contest of explainers on one model and one batch.
///
/// Three methods that know nothing take part in every contest: random shares, equal shares, and the size of the input. A
/// metric that cannot tell a method from them says nothing about it.
///
/// Per metric, methods are ranked within each sample, and Friedman's test says whether the mean ranks differ at all;
/// methods whose mean ranks lie less than Nemenyi's critical difference apart share a place. The overall mean rank is the
/// weighted mean of these mean ranks, shown only with its parts.
///
/// # Cost
/// That of all explainers once, and of all metrics for each of them; some metrics ask the explainer again.
///
/// # Example
/// A method of one's own takes part in five lines:
/// ```
/// # use ndarray::{Array2, Array3, ArrayRef2, Axis, array};
/// # use xai_core::{Attribution, Batch, Explainer, Masker, Model, Provenance, Result, Run, Table};
/// # struct Sum;
/// # impl Model for Sum {
/// #     type Batch = Table;
/// #     fn n_outputs(&self) -> usize { 1 }
/// #     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// # }
/// # struct Zero;
/// # impl Masker<Table> for Zero {
/// #     fn n_players(&self, batch: &Table, _: usize) -> usize { batch.ncols() }
/// #     fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
/// #         Ok(Array2::from_shape_fn(coalitions.dim(), |(c, j)| if coalitions[[c, j]] { batch[[sample, j]] } else { 0.0 }))
/// #     }
/// #     fn describe(&self) -> String { "zero".into() }
/// # }
/// use xai_eval::{Case, FaithfulnessCorrelation, tournament::Tournament};
/// /// Every feature's share of a sum is its value.
/// struct Mine;
/// impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for Mine {
///     type Explanation = Attribution;
///     fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
///         let scores = model.predict(batch)?;
///         let values = batch.to_owned().insert_axis(Axis(2));
///         Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, Provenance::new("mine", run))
///     }
/// }
/// let batch = array![[1.0, 2.0, 3.0], [3.0, -1.0, 2.0], [0.5, 2.5, 1.0]];
/// let mut contest = Tournament::new();
/// contest.method("mine", Mine).metric(FaithfulnessCorrelation::default());
/// let league = contest.run(&Case::new(&Sum, &*batch).with_masker(&Zero), &Run::default())?;
/// assert_eq!(league.methods.len(), 4); // mine, and three that know nothing
/// assert_eq!(league.finding(0, 0).unwrap().mean, Some(1.0));
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct Tournament<'a, M: Model + ?Sized> {
    entrants: Vec<Entrant<'a, M>>,
    metrics: Vec<(Box<dyn Metric<M> + 'a>, f64)>,
    /// No step is begun after so long; what is not done then has no value, and the league says so.
    pub time: Option<Duration>,
    /// How much memory is in use, for the cost of each method.
    pub gauge: Option<&'a dyn Gauge>,
}

struct Entrant<'a, M: Model + ?Sized> {
    name: String,
    explainer: Box<dyn Explainer<M, Explanation = Attribution> + 'a>,
    is_baseline: bool,
}

/// Measures the memory of this process.
pub trait Gauge {
    /// Forgets the peak so far.
    fn reset(&self);
    /// The most bytes in use since then; `None` where that cannot be known.
    fn peak(&self) -> Option<u64>;
}

impl<M: Model + ?Sized> Default for Tournament<'_, M> {
    fn default() -> Self {
        Tournament { entrants: Vec::new(), metrics: Vec::new(), time: None, gauge: None }
    }
}

impl<'a, M> Tournament<'a, M>
where
    M: Model<Batch: Cells> + ?Sized,
{
    /// A contest without methods or metrics, but for the methods that know nothing.
    pub fn new() -> Self {
        Tournament::default()
    }

    /// Adds a method.
    pub fn method<E>(&mut self, name: impl Into<String>, explainer: E) -> &mut Self
    where
        E: Explainer<M, Explanation = Attribution> + 'a,
    {
        self.entrants.push(Entrant { name: name.into(), explainer: Box::new(explainer), is_baseline: false });
        self
    }

    /// Adds a metric that counts as much as any other.
    pub fn metric(&mut self, metric: impl Metric<M> + 'a) -> &mut Self {
        self.weighted(metric, 1.0)
    }

    /// Adds a metric with what it counts in the mean rank.
    pub fn weighted(&mut self, metric: impl Metric<M> + 'a, weight: f64) -> &mut Self {
        self.metrics.push((Box::new(metric), weight));
        self
    }

    /// The names of the methods, those that know nothing last.
    pub fn methods(&self) -> Vec<String> {
        self.all().iter().map(|entrant| entrant.0.to_owned()).collect()
    }

    /// The names of the metrics.
    pub fn metrics(&self) -> Vec<String> {
        self.metrics.iter().map(|(metric, _)| metric.name().to_owned()).collect()
    }

    /// Runs the contest. [`Run::max_evaluations`] bounds each explanation and each measurement by itself.
    ///
    /// # Errors
    /// As [`Tournament::resume`].
    pub fn run(&self, case: &Case<M>, run: &Run) -> Result<League> {
        self.resume(case, run, Vec::new(), &mut |_| Ok(()))
    }

    /// Runs what `done` does not yet hold, and tells `record` of every step, so that a later run goes on there.
    ///
    /// A method or metric that fails is no error: the league says why it has no value.
    ///
    /// # Errors
    /// [`Error::Parameter`] for two methods or metrics of one name and for a weight that is negative or no number;
    /// [`Error::Cancelled`] when the observer stops the run; what `record` returns.
    pub fn resume(
        &self,
        case: &Case<M>,
        run: &Run,
        done: Vec<Step>,
        record: &mut dyn FnMut(&Step) -> Result<()>,
    ) -> Result<League> {
        self.check()?;
        let start = Instant::now();
        let late = || self.time.is_some_and(|time| start.elapsed() >= time);
        let mut steps = Steps::new(done);
        let entrants = self.all();
        for &(name, explainer, _) in &entrants {
            if steps.explained(name).is_some() {
                continue;
            }
            if late() {
                steps.not_done(Step::explanation_left_out(name));
                continue;
            }
            if let Some(gauge) = self.gauge {
                gauge.reset();
            }
            let begun = Instant::now();
            let found = explainer.explain(case.model, case.batch, run);
            let seconds = begun.elapsed().as_secs_f64();
            let peak = self.gauge.and_then(|gauge| gauge.peak());
            steps.push(Step::explanation(name, stopped(found)?, seconds, peak), record)?;
        }
        // Metric by metric, so that what a time limit leaves undone is undone for all methods alike.
        for (metric, _) in &self.metrics {
            for &(name, explainer, _) in &entrants {
                if steps.measured(name, metric.name()).is_some() {
                    continue;
                }
                let Some(Ok(attribution)) = steps.explained(name) else { continue };
                if late() {
                    steps.not_done(Step::measurement_left_out(name, metric.name()));
                    continue;
                }
                let case = case.with_explainer(explainer);
                let begun = Instant::now();
                let found = metric.measure(&case, attribution, run);
                let seconds = begun.elapsed().as_secs_f64();
                steps.push(Step::measurement(name, metric.name(), stopped(found)?, seconds), record)?;
            }
        }
        let provenance = Provenance::new("tournament", run);
        let names: Vec<(&str, bool)> = entrants.iter().map(|&(name, _, is_baseline)| (name, is_baseline)).collect();
        let metrics: Vec<_> = self.metrics.iter().map(|(m, weight)| (m.name(), m.direction(), *weight)).collect();
        Ok(table::league(provenance, &names, &metrics, &steps))
    }

    /// Every method: name, explainer, whether it knows nothing.
    fn all(&self) -> Vec<(&str, &dyn Explainer<M, Explanation = Attribution>, bool)> {
        let own = self.entrants.iter().map(|e| (e.name.as_str(), e.explainer.as_ref(), e.is_baseline));
        let nothing: [(&str, &dyn Explainer<M, Explanation = Attribution>, bool); 3] =
            [("random", &RandomShares, true), ("equal", &EqualShares, true), ("input-size", &InputSize, true)];
        own.chain(nothing).collect()
    }

    fn check(&self) -> Result<()> {
        let unique = |what: &str, names: Vec<String>| {
            let mut seen = std::collections::BTreeSet::new();
            match names.iter().find(|name| !seen.insert(name.as_str())) {
                Some(twice) => Err(Error::parameter(what, format!("{twice:?}, a second time"), "names of their own")),
                None => Ok(()),
            }
        };
        unique("methods", self.methods())?;
        unique("metrics", self.metrics())?;
        match self.metrics.iter().find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
            Some((metric, weight)) => {
                Err(Error::parameter(format!("weight of {}", metric.name()), weight, "a finite number, at least 0"))
            }
            None => Ok(()),
        }
    }
}

/// What failed is a result; what was stopped is not.
fn stopped<T>(found: Result<T>) -> Result<Result<T>> {
    match found {
        Err(error @ Error::Cancelled { .. }) => Err(error),
        other => Ok(other),
    }
}
