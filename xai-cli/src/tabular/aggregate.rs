//! What is kept of many explanations, as flat tables.

use xai::core::{Error, Importance};
use xai::global::running::{Running, TopAttribution};

use super::{Column, Flat};

/// One row for each sample and output: base, score, the leading features with their contributions, and the rest.
pub fn leading(top: &TopAttribution, first_row: usize) -> Flat {
    let outputs = top.outputs.len().max(1);
    let rows = || 0..top.scores.len();
    let place = |row: usize, rank: usize| row * top.k + rank;
    let mut columns = vec![
        ("sample".into(), Column::Counts(rows().map(|row| (first_row + row / outputs) as u64).collect())),
        ("output".into(), Column::Texts(rows().map(|row| top.outputs[row % outputs].name.clone()).collect())),
        ("base".into(), Column::Numbers(top.base.clone())),
        ("score".into(), Column::Numbers(top.scores.clone())),
    ];
    for rank in 0..top.k {
        let name = |row| top.features[top.indices[place(row, rank)] as usize].name.clone();
        columns.push((format!("feature {}", rank + 1), Column::Texts(rows().map(name).collect())));
        let values = rows().map(|row| top.values[place(row, rank)]).collect();
        columns.push((format!("value {}", rank + 1), Column::Numbers(values)));
    }
    columns.push(("rest".into(), Column::Numbers(top.rest.clone())));
    Flat { columns }
}

/// One row for each feature and output, the most important first.
pub fn readings(running: &Running, importance: &Importance) -> Result<Flat, Error> {
    let order = importance.order();
    let pairs = || order.iter().flat_map(|&j| (0..importance.outputs.len()).map(move |k| (j, k)));
    let numbers = |values: &ndarray::Array2<f64>| Column::Numbers(pairs().map(|(j, k)| values[[j, k]]).collect());
    let mut columns = vec![
        ("feature".into(), Column::Texts(pairs().map(|(j, _)| importance.features[j].name.clone()).collect())),
        ("output".into(), Column::Texts(pairs().map(|(_, k)| importance.outputs[k].name.clone()).collect())),
        ("importance".into(), numbers(&importance.values)),
    ];
    columns.extend(importance.spread.as_ref().map(|spread| ("spread".into(), numbers(spread))));
    columns.push(("mean".into(), numbers(&running.mean()?)));
    columns.push(("deviation".into(), numbers(&running.deviation()?)));
    columns.push(("smallest".into(), numbers(&running.smallest()?)));
    for level in [0.05, 0.25, 0.5, 0.75, 0.95] {
        columns.push((format!("quantile {level}"), numbers(&running.quantile(level)?)));
    }
    columns.push(("largest".into(), numbers(&running.largest()?)));
    for level in [0.5, 0.95] {
        columns.push((format!("absolute quantile {level}"), numbers(&running.absolute_quantile(level)?)));
    }
    Ok(Flat { columns })
}
