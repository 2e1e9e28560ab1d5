//! The results as Markdown.

use crate::scenes::Scene;
use crate::score::Row;

/// What knows nothing of the model.
const CONTROLS: [&str; 2] = ["random", "edge-detector"];

/// A table, the best first; what was left out is named below it.
pub fn markdown(scene: &Scene, mut rows: Vec<Row>, left_out: &[(String, String)]) -> String {
    rows.sort_by(|a, b| b.mass.unwrap_or(-1.0).total_cmp(&a.mass.unwrap_or(-1.0)).then(a.method.cmp(&b.method)));
    let chance = scene.masks.iter().filter(|place| **place).count() as f64 / scene.masks.len().max(1) as f64;
    let k = scene.k.unwrap_or((scene.masks.ncols() / 10).max(1));
    let mut text = format!("### {}\n\n", scene.title);
    text.push_str(&format!(
        "Evidence is {chance:.3} of the places: what a constant explanation scores. Top: the {k} strongest places.\n\n"
    ));
    text.push_str("| method | mass | 95 % | rank | pointing | top | calls | ms |\n|---|--:|---|--:|--:|--:|--:|--:|\n");
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    for row in &rows {
        let name = if CONTROLS.contains(&row.method.as_str()) {
            format!("*{}*", row.method)
        } else {
            format!("`{}`", row.method)
        };
        let interval = row.interval.map_or("–".to_owned(), |i| format!("{:.3} to {:.3}", i.low, i.high));
        let without = if row.n_without_mass > 0 { format!(" ({} without)", row.n_without_mass) } else { String::new() };
        text.push_str(&format!(
            "| {name} | {}{without} | {interval} | {} | {} | {} | {:.0} | {} |\n",
            number(row.mass),
            number(row.rank),
            number(row.pointing),
            number(row.top),
            row.evaluations,
            milliseconds(row.seconds),
        ));
    }
    text.push('\n');
    for (name, reason) in left_out {
        text.push_str(&format!("`{name}` is left out: {reason}.\n"));
    }
    if !left_out.is_empty() {
        text.push('\n');
    }
    text
}

fn milliseconds(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms < 0.95 { "<1".into() } else { format!("{ms:.0}") }
}
