//! From what was done to who stands where.

use ndarray::{Array2, Axis};
use xai_core::league::{Contest, Contestant, Disagreement, Finding};
use xai_core::{Attribution, League, Provenance};

use super::ranks::friedman;
use super::step::Steps;
use crate::rank::{correlation, ranks};
use crate::{Direction, Measurement};

/// How many disagreements are told.
const MOST_DISAGREEMENTS: usize = 20;
/// Lists of values whose agreement is looked at, samples and outputs taken evenly.
const MOST_LANES: usize = 2000;

pub(super) fn league(
    mut provenance: Provenance,
    methods: &[(&str, bool)],
    metrics: &[(&str, Direction, f64)],
    steps: &Steps,
) -> League {
    let explained: Vec<Option<&Attribution>> =
        methods.iter().map(|(name, _)| steps.explained(name).and_then(Result::ok)).collect();
    let mut results: Vec<Finding> = Vec::with_capacity(methods.len() * metrics.len());
    for (name, _) in methods {
        results.extend(metrics.iter().map(|(metric, ..)| finding(steps, name, metric)));
    }
    let mut contests = Vec::new();
    for (place, &(metric, direction, weight)) in metrics.iter().enumerate() {
        let measured: Vec<Option<&Measurement>> =
            methods.iter().map(|(name, _)| steps.measured(name, metric).and_then(|(found, _)| found.ok())).collect();
        let test = compared(&measured, direction, |method, rank, behind| {
            let finding: &mut Finding = &mut results[method * metrics.len() + place];
            finding.rank = Some(rank);
            finding.place = Some(behind + 1);
        });
        let higher_is_better = direction == Direction::Higher;
        contests.push(Contest { name: metric.to_owned(), higher_is_better, weight, test });
    }
    let contestants = methods.iter().enumerate().map(|(place, &(name, is_baseline))| {
        let own = &results[place * metrics.len()..(place + 1) * metrics.len()];
        let parts: Vec<(f64, f64)> =
            own.iter().zip(metrics).filter_map(|(finding, m)| Some((finding.rank?, m.2))).collect();
        let weights: f64 = parts.iter().map(|(_, weight)| weight).sum();
        let mean_rank = (weights > 0.0).then(|| parts.iter().map(|(rank, w)| rank * w).sum::<f64>() / weights);
        let (failure, seconds, peak_bytes) = match steps.explanation(name) {
            Some((Ok(_), seconds, peak)) => (None, seconds, peak),
            Some((Err(reason), seconds, peak)) => (Some(reason.to_owned()), seconds, peak),
            None => (Some("it was not asked".to_owned()), 0.0, None),
        };
        Contestant {
            name: name.to_owned(),
            is_baseline,
            evaluations: explained[place].map_or(0, |a| a.provenance.evaluations),
            seconds,
            peak_bytes,
            mean_rank,
            n_ranked: parts.len(),
            failure,
        }
    });
    let contestants: Vec<Contestant> = contestants.collect();
    let n_samples = explained.iter().flatten().map(|a| a.n_samples()).max().unwrap_or(0);
    let (agreement, disagreements) = agreements(&explained, methods);
    let spent = contestants.iter().map(|c| c.evaluations).sum::<u64>();
    provenance.evaluations = spent + results.iter().map(|finding| finding.evaluations).sum::<u64>();
    provenance.notes.push(
        "places are by Friedman's test and Nemenyi's critical difference over samples, at the level of 0.05; a mean rank \
         is the weighted mean of the ranks by metric, and hangs on who takes part"
            .to_owned(),
    );
    League { provenance, n_samples, methods: contestants, metrics: contests, results, agreement, disagreements }
}

fn finding(steps: &Steps, method: &str, metric: &str) -> Finding {
    let nothing = Finding {
        mean: None,
        interval: None,
        n_undefined: 0,
        evaluations: 0,
        seconds: 0.0,
        rank: None,
        place: None,
        failure: None,
    };
    match steps.measured(method, metric) {
        Some((Ok(m), seconds)) => Finding {
            mean: m.mean,
            interval: m.interval.map(|interval| (interval.low, interval.high)),
            n_undefined: m.n_undefined(),
            evaluations: m.evaluations,
            seconds,
            failure: m.mean.is_none().then(|| {
                let reasons: Vec<&str> = m.failures.iter().map(|failure| failure.reason.as_str()).collect();
                format!("not defined for any sample: {}", reasons.join("; "))
            }),
            ..nothing
        },
        Some((Err(reason), seconds)) => Finding { seconds, failure: Some(reason.to_owned()), ..nothing },
        None => Finding { failure: Some("there is no explanation to measure".to_owned()), ..nothing },
    }
}

/// Ranks the methods that a metric has values for, over the samples for which it has values for all of them. `told` gets
/// the method, its mean rank and how many are better beyond chance.
fn compared(
    measured: &[Option<&Measurement>],
    direction: Direction,
    mut told: impl FnMut(usize, f64, usize),
) -> Option<xai_core::league::Friedman> {
    let mean = |row: ndarray::ArrayView1<f64>| {
        let defined: Vec<f64> = row.iter().copied().filter(|v| v.is_finite()).collect();
        (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
    };
    let by_sample = |m: &Measurement| -> Vec<Option<f64>> { m.values.outer_iter().map(mean).collect() };
    let lists: Vec<(usize, Vec<Option<f64>>)> = measured
        .iter()
        .enumerate()
        .filter_map(|(method, m)| Some((method, by_sample((*m)?))))
        .filter(|(_, list)| list.iter().any(Option::is_some))
        .collect();
    let n = lists.iter().map(|(_, list)| list.len()).min()?;
    let whole: Vec<usize> = (0..n).filter(|&i| lists.iter().all(|(_, list)| list[i].is_some())).collect();
    let values = Array2::from_shape_fn((whole.len(), lists.len()), |(block, method)| {
        lists[method].1[whole[block]].unwrap_or(f64::NAN)
    });
    let (mean_ranks, test) = friedman(&values, direction)?;
    for ((method, _), &rank) in lists.iter().zip(&mean_ranks) {
        let behind = mean_ranks.iter().filter(|&&other| rank - other >= test.critical_difference).count();
        told(*method, rank, behind);
    }
    Some(test)
}

/// How alike methods order the features, and where two of them differ most.
fn agreements(explained: &[Option<&Attribution>], methods: &[(&str, bool)]) -> (Array2<f64>, Vec<Disagreement>) {
    let n = explained.len();
    let mut agreement = Array2::from_elem((n, n), f64::NAN);
    let mut worst: Vec<Disagreement> = Vec::new();
    let Some(shape) = explained.iter().flatten().map(|a| a.values.dim()).next() else {
        return (agreement, worst);
    };
    let lanes = shape.0 * shape.2;
    let step = lanes.div_ceil(MOST_LANES).max(1);
    let chosen: Vec<(usize, usize)> =
        (0..lanes).step_by(step).map(|lane| (lane / shape.2.max(1), lane % shape.2.max(1))).collect();
    let ranked: Vec<Option<Vec<Vec<f64>>>> = explained
        .iter()
        .map(|a| {
            let values = &a.filter(|a| a.values.dim() == shape)?.values;
            let of = |&(sample, output): &(usize, usize)| {
                let lane = values.index_axis(Axis(0), sample);
                ranks(&lane.column(output).iter().map(|v| v.abs()).collect::<Vec<_>>())
            };
            Some(chosen.iter().map(of).collect())
        })
        .collect();
    for first in 0..n {
        for second in first..n {
            let (Some(a), Some(b)) = (&ranked[first], &ranked[second]) else { continue };
            let each: Vec<f64> = a.iter().zip(b).map(|(a, b)| correlation(a, b)).collect();
            let defined: Vec<f64> = each.iter().copied().filter(|c| c.is_finite()).collect();
            if !defined.is_empty() {
                let mean = defined.iter().sum::<f64>() / defined.len() as f64;
                (agreement[[first, second]], agreement[[second, first]]) = (mean, mean);
            }
            if first != second && !methods[first].1 && !methods[second].1 {
                let lanes = each.iter().zip(&chosen).filter(|(c, _)| c.is_finite());
                worst.extend(lanes.map(|(&correlation, &(sample, output))| Disagreement {
                    sample,
                    output,
                    first,
                    second,
                    correlation,
                }));
                worst.sort_by(|a, b| a.correlation.total_cmp(&b.correlation));
                worst.truncate(MOST_DISAGREEMENTS);
            }
        }
    }
    (agreement, worst)
}
