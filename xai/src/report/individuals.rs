//! The rows that a report looks at one by one.

use ndarray::Array2;
use xai_core::{Attribution, Output, Scale};
use xai_global::Labels;

use super::Brief;

/// A row whose explanation is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Why it was chosen.
    pub title: String,
    /// Its place among the explained rows.
    pub place: usize,
    /// The output that is explained.
    pub output: usize,
    /// What was predicted and what was true.
    pub facts: Vec<(String, String)>,
}

/// The highest, the lowest and the middle score, and the worst mistake where labels tell. With several outputs, each
/// row is looked at for the output that it scores highest.
///
/// `predictions` holds all rows; explained row i is row `rows[i]` of them.
pub(super) fn choose(
    brief: &Brief,
    attribution: &Attribution,
    predictions: &Array2<f64>,
    rows: &[usize],
) -> Vec<Chosen> {
    let outputs = attribution.outputs.len();
    let top = |place: usize| {
        let score = |k: &usize| attribution.scores[[place, *k]];
        (0..outputs).max_by(|a, b| score(a).total_cmp(&score(b)).then(b.cmp(a))).unwrap_or(0)
    };
    let score = |place: usize| attribution.scores[[place, top(place)]];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| score(a).total_cmp(&score(b)).then(a.cmp(&b)));
    let (Some(&lowest), Some(&highest)) = (order.first(), order.last()) else { return Vec::new() };
    let mut picks =
        vec![("highest score", highest), ("lowest score", lowest), ("a score in the middle", order[order.len() / 2])];
    if let Some(labels) = brief.labels {
        let worst = |&place: &usize| mistake(labels, predictions, rows[place]);
        if let Some(place) = (0..rows.len()).max_by(|a, b| worst(a).total_cmp(&worst(b)).then(b.cmp(a))) {
            picks.push(("the worst mistake", place));
        }
    }
    let mut seen: Vec<usize> = Vec::new();
    let mut chosen = Vec::new();
    for (why, place) in picks {
        if !seen.contains(&place) {
            seen.push(place);
            let facts = facts(brief, predictions, rows[place], &attribution.outputs);
            chosen.push(Chosen { title: format!("Row {}: {why}", rows[place]), place, output: top(place), facts });
        }
    }
    chosen
}

/// How wrong a prediction is: its distance from the number, or what the true class lacks to certainty.
fn mistake(labels: &Labels, predictions: &Array2<f64>, row: usize) -> f64 {
    match labels {
        Labels::Numbers(numbers) => (predictions[[row, 0]] - numbers[row]).abs(),
        Labels::Classes { indices, .. } if predictions.ncols() == 1 => {
            (predictions[[row, 0]] - indices[row] as f64).abs()
        }
        Labels::Classes { indices, .. } => 1.0 - predictions[[row, indices[row]]],
    }
}

fn facts(brief: &Brief, predictions: &Array2<f64>, row: usize, outputs: &[Output]) -> Vec<(String, String)> {
    let is_probability = brief.link.prediction_scale() == Scale::Probability;
    let mut facts: Vec<(String, String)> = outputs
        .iter()
        .zip(predictions.row(row))
        .map(|(output, value)| {
            let what = if is_probability { "Probability of" } else { "Prediction of" };
            (format!("{what} {}", output.name), format!("{value:.4}"))
        })
        .collect();
    match brief.labels {
        Some(Labels::Numbers(numbers)) => facts.push(("True value".into(), numbers[row].to_string())),
        Some(Labels::Classes { indices, .. }) => {
            let name = brief.classes.get(indices[row]).cloned().unwrap_or_else(|| indices[row].to_string());
            facts.push(("True class".into(), name));
        }
        None => {}
    }
    facts
}
