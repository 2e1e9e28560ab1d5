//! From an explanation to columns.

use xai::core::{Attribution, Document, Effects, Feature, Importance, Interactions, Prediction};

use super::{Column, Flat};

/// One row for each sample and output (attribution, prediction), sample, output and set of features (interactions),
/// feature and output (importance), or point and output (effects).
pub fn flatten(document: &Document, first_row: usize) -> Flat {
    match document {
        Document::Attribution(a) => attribution(a, first_row),
        Document::Interactions(i) => interactions(i, first_row),
        Document::Importance(i) => importance(i),
        Document::Effects(e) => effects(e),
        Document::Prediction(p) => prediction(p, first_row),
        _ => Flat::default(),
    }
}

fn attribution(a: &Attribution, first_row: usize) -> Flat {
    let (samples, outputs) = a.scores.dim();
    let pairs = || (0..samples).flat_map(move |s| (0..outputs).map(move |k| (s, k)));
    let numbers = |f: &dyn Fn(usize, usize) -> f64| Column::Numbers(pairs().map(|(s, k)| f(s, k)).collect());
    let mut columns = vec![
        ("sample".into(), Column::Counts(pairs().map(|(s, _)| (first_row + s) as u64).collect())),
        ("output".into(), Column::Texts(pairs().map(|(_, k)| a.outputs[k].name.clone()).collect())),
        ("base".into(), numbers(&|s, k| a.base[[s, k]])),
        ("score".into(), numbers(&|s, k| a.scores[[s, k]])),
    ];
    for (j, name) in distinct(&a.features, &["sample", "output", "base", "score"]).into_iter().enumerate() {
        columns.push((name, numbers(&|s, k| a.values[[s, j, k]])));
    }
    Flat { columns }
}

fn interactions(i: &Interactions, first_row: usize) -> Flat {
    let (samples, outputs, terms) = (i.scores.nrows(), i.outputs.len(), i.terms.len());
    let places = || (0..samples).flat_map(move |s| (0..outputs).flat_map(move |k| (0..terms).map(move |t| (s, k, t))));
    let numbers =
        |f: &dyn Fn(usize, usize, usize) -> f64| Column::Numbers(places().map(|(s, k, t)| f(s, k, t)).collect());
    let names = distinct(&i.features, &[]);
    let joined = |t: usize| i.terms[t].iter().map(|&f| names[f].as_str()).collect::<Vec<_>>().join(" × ");
    let mut columns = vec![
        ("sample".into(), Column::Counts(places().map(|(s, _, _)| (first_row + s) as u64).collect())),
        ("output".into(), Column::Texts(places().map(|(_, k, _)| i.outputs[k].name.clone()).collect())),
        ("base".into(), numbers(&|s, k, _| i.base[[s, k]])),
        ("score".into(), numbers(&|s, k, _| i.scores[[s, k]])),
        ("size".into(), Column::Counts(places().map(|(_, _, t)| i.terms[t].len() as u64).collect())),
        ("features".into(), Column::Texts(places().map(|(_, _, t)| joined(t)).collect())),
        ("value".into(), numbers(&|s, k, t| i.values[[s, t, k]])),
    ];
    if let Some(error) = &i.standard_error {
        columns.push(("standard error".into(), numbers(&|s, k, t| error[[s, t, k]])));
    }
    Flat { columns }
}

fn importance(i: &Importance) -> Flat {
    let order = i.order();
    let pairs = || order.iter().flat_map(|&j| (0..i.outputs.len()).map(move |k| (j, k)));
    let numbers = |f: &dyn Fn(usize, usize) -> f64| Column::Numbers(pairs().map(|(j, k)| f(j, k)).collect());
    let mut columns = vec![
        ("feature".into(), Column::Texts(pairs().map(|(j, _)| i.features[j].name.clone()).collect())),
        ("output".into(), Column::Texts(pairs().map(|(_, k)| i.outputs[k].name.clone()).collect())),
        ("importance".into(), numbers(&|j, k| i.values[[j, k]])),
    ];
    if let Some(spread) = &i.spread {
        columns.push(("spread".into(), numbers(&|j, k| spread[[j, k]])));
    }
    Flat { columns }
}

fn effects(e: &Effects) -> Flat {
    let mut texts: [Vec<String>; 5] = Default::default();
    let mut values = Vec::new();
    for curve in &e.curves {
        let second = curve.grid.get(1);
        let width = second.map_or(1, Vec::len).max(1);
        for (point, row) in curve.values.outer_iter().enumerate() {
            for (k, &value) in row.iter().enumerate() {
                texts[0].push(curve.features[0].name.clone());
                texts[1].push(shown(&curve.features[0], curve.grid[0][point / width]));
                texts[2].push(curve.features.get(1).map(|f| f.name.clone()).unwrap_or_default());
                let cell = second.zip(curve.features.get(1)).map(|(grid, f)| shown(f, grid[point % width]));
                texts[3].push(cell.unwrap_or_default());
                texts[4].push(e.outputs[k].name.clone());
                values.push(value);
            }
        }
    }
    let names = ["feature", "value", "feature 2", "value 2", "output"];
    let mut columns: Vec<(String, Column)> =
        names.into_iter().zip(texts).map(|(name, texts)| (name.to_owned(), Column::Texts(texts))).collect();
    if e.curves.iter().all(|curve| curve.features.len() < 2) {
        columns.retain(|(name, _)| !name.ends_with('2'));
    }
    columns.push(("response".into(), Column::Numbers(values)));
    Flat { columns }
}

fn prediction(p: &Prediction, first_row: usize) -> Flat {
    let (samples, outputs) = p.scores.dim();
    let pairs = || (0..samples).flat_map(move |s| (0..outputs).map(move |k| (s, k)));
    Flat {
        columns: vec![
            ("sample".into(), Column::Counts(pairs().map(|(s, _)| (first_row + s) as u64).collect())),
            ("output".into(), Column::Texts(pairs().map(|(_, k)| p.outputs[k].name.clone()).collect())),
            ("score".into(), Column::Numbers(pairs().map(|(s, k)| p.scores[[s, k]]).collect())),
            ("prediction".into(), Column::Numbers(pairs().map(|(s, k)| p.predictions[[s, k]]).collect())),
        ],
    }
}

/// A grid value that reads back bit for bit; a category by its name.
fn shown(feature: &Feature, value: f64) -> String {
    match &feature.kind {
        xai::core::FeatureKind::Categorical { .. } => feature.display(value),
        _ if value.is_nan() => String::new(),
        _ => value.to_string(),
    }
}

/// The features' names, with a number behind those that would stand twice.
fn distinct(features: &[Feature], taken: &[&str]) -> Vec<String> {
    let mut seen: std::collections::HashSet<String> = taken.iter().map(|name| (*name).to_owned()).collect();
    let name = |feature: &Feature| {
        let mut name = feature.name.clone();
        let mut n = 2;
        while !seen.insert(name.clone()) {
            name = format!("{} ({n})", feature.name);
            n += 1;
        }
        name
    };
    features.iter().map(name).collect()
}
