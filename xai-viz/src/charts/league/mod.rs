//! Pictures of a contest of methods.

pub mod agreement;
mod labels;
pub mod pareto;
pub mod table;

use xai_core::error::same_shape;
use xai_core::league::{Contest, Contestant, Finding};
use xai_core::{Error, League, Result};

use crate::number::{Form, plain_digits};
use crate::rows::readable;

/// The most methods or metrics that are drawn.
const MOST: usize = 200;

/// Checks that the parts of a league fit together, and that there is something to draw.
pub(crate) fn checked(league: &League) -> Result<()> {
    let (n, metrics) = (league.methods.len(), league.metrics.len());
    if n == 0 {
        return Err(Error::parameter("league", "0 methods", "at least one"));
    }
    for (what, count) in [("methods", n), ("metrics", metrics)] {
        if count > MOST {
            return Err(Error::parameter("league", format!("{count} {what}"), format!("at most {MOST}")));
        }
    }
    same_shape("results (method · metric)", &[n * metrics], &[league.results.len()])?;
    same_shape("agreement (method, method)", &[n, n], league.agreement.shape())?;
    for (place, d) in league.disagreements.iter().enumerate() {
        if d.first >= n || d.second >= n {
            let (at, problem) = (format!("disagreement {place}"), format!("one of {n} methods is named by its place"));
            return Err(Error::Malformed { format: "league", at, problem });
        }
    }
    Ok(())
}

/// The name of a method; those that know nothing are told apart.
pub(crate) fn name_of(method: &Contestant) -> String {
    readable(&method.name)
}

/// What a reader must know of a metric's scale: which way is better, and what it counts.
pub(crate) fn way(contest: &Contest) -> &'static str {
    if contest.higher_is_better { "higher is better" } else { "lower is better" }
}

/// The mean and its interval, as far as they are numbers.
pub(crate) fn found(finding: &Finding) -> Option<(f64, Option<(f64, f64)>)> {
    let mean = finding.mean.filter(|mean| mean.is_finite())?;
    Some((mean, finding.interval.filter(|(low, high)| low.is_finite() && high.is_finite())))
}

/// A cell in words: mean, interval, place.
pub(crate) fn told(finding: &Finding) -> String {
    let Some((mean, interval)) = found(finding) else {
        return finding.failure.as_deref().map_or_else(|| "no value".to_owned(), readable);
    };
    let mut text = plain_digits(mean, 4);
    if let Some((low, high)) = interval {
        text.push_str(&format!(" (95 %: {} to {})", plain_digits(low, 3), plain_digits(high, 3)));
    }
    if let (Some(place), Some(rank)) = (finding.place, finding.rank) {
        text.push_str(&format!(", place {place}, mean rank {}", ranked(rank)));
    }
    if finding.n_undefined > 0 {
        text.push_str(&format!(", not defined {} times", finding.n_undefined));
    }
    text
}

/// A mean rank in two digits after the point.
pub(crate) fn ranked(rank: f64) -> String {
    match rank {
        r if !r.is_finite() => "–".to_owned(),
        r if r.abs() < 1e6 => Form::Fixed(2).show(r),
        r => plain_digits(r, 3),
    }
}

/// A chance in words.
pub(crate) fn chance(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// A cost that may be nothing at all.
pub(crate) fn cost(value: f64) -> String {
    plain_digits(value, if value < 1e6 { 3 } else { 2 })
}
