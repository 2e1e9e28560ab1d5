//! Methods compete: all explain the same samples, every metric measures all of them.
//!
//! | what | file |
//! |---|---|
//! | [`Tournament`]: who takes part, and the run | `mod.rs` |
//! | [`Step`]: what is done, so that an interrupted run goes on | `step.rs` |
//! | [`RandomShares`], [`EqualShares`], [`InputSize`]: methods that know nothing, always there | `baselines.rs` |
//! | [`Places`]: shares of pixels instead of cells | `places.rs` |
//! | the moment at which a step must end | `deadline.rs` |
//! | Friedman's test and Nemenyi's critical difference | `ranks.rs` |
//! | from steps to a [`League`] | `table.rs` |

mod baselines;
mod deadline;
mod places;
mod ranks;
mod step;
mod table;

use std::time::{Duration, Instant};

use xai_core::{Attribution, Cells, Error, Explainer, League, Model, Provenance, Result, Run};

pub use baselines::{EqualShares, InputSize, RandomShares};
pub use places::{Places, by_place};
pub use ranks::friedman;
pub use step::Step;

use crate::{Case, Metric};
use deadline::{Clock, Deadline};
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
    /// How long the contest may take. No step is begun after that, and none takes more than half of the time that is left
    /// when it begins: it ends at the next evaluation, or where its method looks up. What is not done then has no value,
    /// and the league says so.
    pub time: Option<Duration>,
    places: bool,
    /// How much memory is in use, for the cost of each method.
    pub gauge: Option<&'a dyn Gauge>,
}

struct Entrant<'a, M: Model + ?Sized> {
    name: String,
    explainer: Box<dyn Explainer<M, Explanation = Attribution> + 'a>,
}

/// A method's name, the method, and whether it knows nothing.
type Known<'t, M> = (&'t str, &'t dyn Explainer<M, Explanation = Attribution>, bool);

/// Measures the memory of this process.
pub trait Gauge {
    /// Forgets the peak so far.
    fn reset(&self);
    /// The most bytes in use since then; `None` where that cannot be known.
    fn peak(&self) -> Option<u64>;
}

impl<M: Model + ?Sized> Default for Tournament<'_, M> {
    fn default() -> Self {
        Tournament { entrants: Vec::new(), metrics: Vec::new(), time: None, places: false, gauge: None }
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

    /// The same for arrays whose places are compared instead of their cells: every method is made a [`Places`]. The
    /// masker's players are places then.
    pub fn of_places() -> Self {
        Tournament { places: true, ..Tournament::default() }
    }

    /// Adds a method.
    pub fn method<E>(&mut self, name: impl Into<String>, explainer: E) -> &mut Self
    where
        E: Explainer<M, Explanation = Attribution> + 'a,
    {
        let explainer: Box<dyn Explainer<M, Explanation = Attribution> + 'a> =
            if self.places { Box::new(Places(explainer)) } else { Box::new(explainer) };
        self.entrants.push(Entrant { name: name.into(), explainer });
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
        let clock = Clock::start(self.time);
        let mut steps = Steps::new(done);
        let entrants = self.all();
        // First those that know nothing, which cost nothing: they take part whatever the time.
        for &(name, explainer, _) in entrants.iter().filter(|e| e.2).chain(entrants.iter().filter(|e| !e.2)) {
            if steps.explained(name).is_some() {
                continue;
            }
            if clock.is_up() {
                steps.not_done(Step::explanation_left_out(name));
                continue;
            }
            if let Some(gauge) = self.gauge {
                gauge.reset();
            }
            let (begun, deadline) = (Instant::now(), Deadline::new(run.observer, clock.of_step()));
            let found = explainer.explain(case.model, case.batch, &Run { observer: &deadline, ..*run });
            let seconds = begun.elapsed().as_secs_f64();
            let peak = self.gauge.and_then(|gauge| gauge.peak());
            match deadline.found(found)? {
                Some(found) => steps.push(Step::explanation(name, found, seconds, peak), record)?,
                None => steps.not_done(Step::explanation_cut_off(name, seconds)),
            }
        }
        // Metric by metric, so that what a time limit leaves undone is undone for all methods alike.
        for (metric, _) in &self.metrics {
            for &(name, explainer, _) in &entrants {
                if steps.measured(name, metric.name()).is_some() {
                    continue;
                }
                let Some(Ok(attribution)) = steps.explained(name) else { continue };
                if clock.is_up() {
                    steps.not_done(Step::measurement_left_out(name, metric.name()));
                    continue;
                }
                let case = case.with_explainer(explainer);
                let (begun, deadline) = (Instant::now(), Deadline::new(run.observer, clock.of_step()));
                let found = metric.measure(&case, attribution, &Run { observer: &deadline, ..*run });
                let seconds = begun.elapsed().as_secs_f64();
                match deadline.found(found)? {
                    Some(found) => steps.push(Step::measurement(name, metric.name(), found, seconds), record)?,
                    None => steps.not_done(Step::measurement_cut_off(name, metric.name(), seconds)),
                }
            }
        }
        let provenance = Provenance::new("tournament", run);
        let names: Vec<(&str, bool)> = entrants.iter().map(|&(name, _, is_baseline)| (name, is_baseline)).collect();
        let metrics: Vec<_> = self.metrics.iter().map(|(m, weight)| (m.name(), m.direction(), *weight)).collect();
        Ok(table::league(provenance, &names, &metrics, &steps))
    }

    /// Every method, those that know nothing last.
    fn all(&self) -> Vec<Known<'_, M>> {
        let own = self.entrants.iter().map(|e| -> Known<M> { (&e.name, e.explainer.as_ref(), false) });
        let nothing: [Known<M>; 3] = if self.places {
            [
                ("random", &Places(RandomShares), true),
                ("equal", &Places(EqualShares), true),
                ("input-size", &Places(InputSize), true),
            ]
        } else {
            [("random", &RandomShares, true), ("equal", &EqualShares, true), ("input-size", &InputSize, true)]
        };
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
