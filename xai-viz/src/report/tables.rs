//! Facts, metrics and values as tables.

use std::fmt::Write;

use xai_core::{Attribution, Value};

use crate::clean::{escape, escaped};
use crate::number::{Form, of_feature, plain_digits};
use crate::report::Confusion;
use crate::rows::readable;

/// The most rows of a table of values.
const MOST_ROWS: usize = 300;

/// Pairs of what and how much.
pub(crate) fn facts(out: &mut String, caption: &str, facts: &[(String, String)]) {
    if facts.is_empty() {
        return;
    }
    let _ = write!(out, "<table class=\"facts\"><caption>{caption}</caption><tbody>");
    for (name, value) in facts {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), escaped(value));
    }
    out.push_str("</tbody></table>\n");
}

/// Numbers that stand out.
pub(crate) fn metrics(out: &mut String, metrics: &[(String, Value)]) {
    if metrics.is_empty() {
        return;
    }
    out.push_str("<dl class=\"metrics\">");
    for (name, value) in metrics {
        let text = match value {
            Value::Float(number) if number.is_nan() => "not defined".to_owned(),
            Value::Float(number) => plain_digits(*number, 4),
            Value::Int(number) => number.to_string().replace('-', "−"),
            other => other.to_string(),
        };
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(&text));
    }
    out.push_str("</dl>\n");
}

/// A confusion matrix; the stronger the colour, the larger the share of its row.
pub(crate) fn confusion(out: &mut String, confusion: &Confusion) {
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\"><caption>Which outputs are taken for which: ",
    );
    out.push_str("a row is what was true, a column what was predicted</caption><thead><tr><th scope=\"col\">true ↓ predicted →</th>");
    for name in &confusion.names {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(&readable(name)));
    }
    out.push_str("</tr></thead><tbody>");
    for (row, counts) in confusion.counts.outer_iter().enumerate() {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&readable(&confusion.names[row])));
        let all: u64 = counts.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
        for &n in counts {
            let share = if all == 0 { 0.0 } else { 100.0 * n as f64 / all as f64 };
            let _ = write!(out, "<td style=\"--share:{share:.0}%\">{n}<small>{share:.0} %</small></td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

/// Every feature of one sample with its value and contribution, the largest first.
pub(crate) fn values(out: &mut String, a: &Attribution, sample: usize, output: usize) {
    let value = |f: usize| a.values[[sample, f, output]];
    let mut order: Vec<usize> = (0..a.features.len()).collect();
    order.sort_by(|&x, &y| value(y).abs().total_cmp(&value(x).abs()).then(x.cmp(&y)));
    let form = Form::of(order.iter().map(|&f| value(f)));
    out.push_str(
        "<details><summary>All values</summary><div class=\"scroll\" tabindex=\"0\"><table class=\"values\"><caption>",
    );
    out.push_str("Every feature of this sample, its value, and what it contributes</caption><thead><tr>");
    out.push_str(
        "<th scope=\"col\">Feature</th><th scope=\"col\">Value</th><th scope=\"col\" class=\"n\">Contribution</th>",
    );
    if a.standard_error.is_some() {
        out.push_str("<th scope=\"col\" class=\"n\">Standard error</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for &f in order.iter().take(MOST_ROWS) {
        let datum = a.data.as_ref().and_then(|data| of_feature(&a.features[f], data[[sample, f]]));
        let name = readable(&a.features[f].name);
        let number = value(f);
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\" data-v=\"{number}\">{}</td>",
            escaped(&name),
            escaped(&datum.unwrap_or_else(|| "–".to_owned())),
            form.signed(number)
        );
        if let Some(error) = &a.standard_error {
            let error = error[[sample, f, output]];
            let text = if error.is_finite() { plain_digits(error, 2) } else { "–".to_owned() };
            let _ = write!(out, "<td class=\"n\" data-v=\"{error}\">{text}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if order.len() > MOST_ROWS {
        let _ = write!(out, "<p>{} features with smaller contributions are left out.</p>", order.len() - MOST_ROWS);
    }
    out.push_str("</details>\n");
}

/// How a figure was computed.
pub(crate) fn provenance(out: &mut String, provenance: &xai_core::Provenance, more: &[(String, String)]) {
    out.push_str("<details class=\"made\"><summary>How this was computed</summary><table class=\"facts\"><tbody>");
    let mut row = |name: &str, value: &str| {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), escaped(value));
    };
    row("method", &provenance.method);
    for (name, value) in &provenance.parameters {
        row(name, &value.to_string());
    }
    row("seed", &provenance.seed.to_string());
    row("model evaluations", &provenance.evaluations.to_string());
    for (name, value) in more {
        row(name, value);
    }
    row("version", &provenance.version);
    out.push_str("</tbody></table>");
    for note in &provenance.notes {
        out.push_str("<p>");
        escape(out, note);
        out.push_str("</p>");
    }
    out.push_str("</details>\n");
}
