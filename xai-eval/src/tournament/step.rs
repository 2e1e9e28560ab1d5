//! What has been done of a contest.

use serde::{Deserialize, Serialize};
use xai_core::{Attribution, Result};

use crate::Measurement;

/// One thing that was done: a line of a file, when a run must be able to go on after an interruption.
///
/// # Example
/// ```
/// use xai_eval::tournament::Step;
/// let step = Step::explanation_left_out("slow-method");
/// let line = serde_json::to_string(&step).unwrap();
/// assert_eq!(serde_json::from_str::<Step>(&line).unwrap(), step);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// A method explained all samples.
    Explained {
        /// The method.
        method: String,
        /// What it found.
        attribution: Option<Box<Attribution>>,
        /// Why it found nothing.
        failure: Option<String>,
        /// How long it took.
        seconds: f64,
        /// The most memory in use, in bytes.
        peak_bytes: Option<u64>,
    },
    /// A metric measured a method.
    Measured {
        /// The method.
        method: String,
        /// The metric.
        metric: String,
        /// What it found.
        measurement: Option<Box<Measurement>>,
        /// Why it found nothing.
        failure: Option<String>,
        /// How long it took.
        seconds: f64,
    },
}

const LEFT_OUT: &str = "left out: the time was up";

impl Step {
    /// A method has explained, or failed to.
    pub fn explanation(method: &str, found: Result<Attribution>, seconds: f64, peak_bytes: Option<u64>) -> Self {
        let (attribution, failure) = told(found);
        Step::Explained { method: method.into(), attribution, failure, seconds, peak_bytes }
    }

    /// A metric has measured, or failed to.
    pub fn measurement(method: &str, metric: &str, found: Result<Measurement>, seconds: f64) -> Self {
        let (measurement, failure) = told(found);
        Step::Measured { method: method.into(), metric: metric.into(), measurement, failure, seconds }
    }

    /// There was no time for a method.
    pub fn explanation_left_out(method: &str) -> Self {
        Step::unexplained(method, LEFT_OUT.to_owned(), 0.0)
    }

    /// There was no time for a measurement.
    pub fn measurement_left_out(method: &str, metric: &str) -> Self {
        Step::unmeasured(method, metric, LEFT_OUT.to_owned(), 0.0)
    }

    /// A method took more of the time than it may.
    pub fn explanation_cut_off(method: &str, seconds: f64) -> Self {
        Step::unexplained(method, cut_off(seconds), seconds)
    }

    /// A measurement took more of the time than it may.
    pub fn measurement_cut_off(method: &str, metric: &str, seconds: f64) -> Self {
        Step::unmeasured(method, metric, cut_off(seconds), seconds)
    }

    fn unexplained(method: &str, failure: String, seconds: f64) -> Self {
        Step::Explained { method: method.into(), attribution: None, failure: Some(failure), seconds, peak_bytes: None }
    }

    fn unmeasured(method: &str, metric: &str, failure: String, seconds: f64) -> Self {
        let (method, metric) = (method.into(), metric.into());
        Step::Measured { method, metric, measurement: None, failure: Some(failure), seconds }
    }
}

fn cut_off(seconds: f64) -> String {
    format!("cut off after {seconds:.1} s: half of the time that was left was up")
}

fn told<T>(found: Result<T>) -> (Option<Box<T>>, Option<String>) {
    match found {
        Ok(found) => (Some(Box::new(found)), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

/// All steps of a contest.
pub(super) struct Steps(Vec<Step>);

impl Steps {
    pub fn new(done: Vec<Step>) -> Self {
        Steps(done)
    }

    pub fn push(&mut self, step: Step, record: &mut dyn FnMut(&Step) -> Result<()>) -> Result<()> {
        record(&step)?;
        self.0.push(step);
        Ok(())
    }

    /// Takes note of a step that another run may do.
    pub fn not_done(&mut self, step: Step) {
        self.0.push(step);
    }

    /// What a method found, or why not; `None` before it was asked.
    pub fn explained(&self, name: &str) -> Option<std::result::Result<&Attribution, &str>> {
        self.explanation(name).map(|(found, ..)| found)
    }

    /// The same with seconds and bytes.
    pub fn explanation(&self, name: &str) -> Option<(std::result::Result<&Attribution, &str>, f64, Option<u64>)> {
        self.0.iter().find_map(|step| match step {
            Step::Explained { method, attribution, failure, seconds, peak_bytes } if method == name => {
                let found = attribution.as_deref().ok_or(failure.as_deref().unwrap_or("nothing was found"));
                Some((found, *seconds, *peak_bytes))
            }
            _ => None,
        })
    }

    /// What a metric found for a method and how long it took, or why not; `None` before it was asked.
    pub fn measured(&self, name: &str, by: &str) -> Option<(std::result::Result<&Measurement, &str>, f64)> {
        self.0.iter().find_map(|step| match step {
            Step::Measured { method, metric, measurement, failure, seconds } if method == name && metric == by => {
                let found = measurement.as_deref().ok_or(failure.as_deref().unwrap_or("nothing was found"));
                Some((found, *seconds))
            }
            _ => None,
        })
    }
}
