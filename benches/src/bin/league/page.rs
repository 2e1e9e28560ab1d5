//! The league as tables in Markdown, put between the markers of a page.

use std::collections::BTreeMap;
use std::path::Path;

use xai::core::League;
use xai::core::league::Finding;

use crate::{Held, Outcome};

/// What a contest is called above its picture.
pub fn title(name: &str) -> &str {
    match name {
        "words" => "Planted words",
        "pictures" => "Planted pictures",
        "trees" => "Boosted trees, breast cancer",
        "network" => "A network, breast cancer",
        "digits" => "A convolutional network, digits",
        other => other,
    }
}

/// The tables by the names of their markers.
pub fn tables(all: &[Held]) -> Vec<(String, String)> {
    let (known, others): (Vec<&Held>, Vec<&Held>) = all.iter().partition(|held| is_table(held));
    let mut tables = vec![("tables".to_owned(), truths(&known)), ("made".to_owned(), made(all))];
    tables.extend(others.iter().map(|held| (held.name.clone(), results(&held.league))));
    tables
}

fn is_table(held: &Held) -> bool {
    held.league.provenance.parameters.contains_key("generator")
}

/// The mean of a metric for a method.
fn mean(league: &League, method: &str, metric: &str) -> Option<f64> {
    let m = league.methods.iter().position(|found| found.name == method)?;
    let k = league.metrics.iter().position(|found| found.name == metric)?;
    league.finding(m, k)?.mean
}

/// How well each method finds the truth of each table, the best first.
fn truths(known: &[&Held]) -> String {
    let mut found: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
    for held in known {
        for method in &held.league.methods {
            found.entry(&method.name).or_default();
        }
    }
    for (method, row) in &mut found {
        row.extend(known.iter().map(|held| mean(&held.league, method, "rank-correlation")));
    }
    let of_all = |row: &[Option<f64>]| row.iter().flatten().sum::<f64>() / row.iter().flatten().count().max(1) as f64;
    let mut rows: Vec<(&str, Vec<Option<f64>>)> = found.into_iter().collect();
    rows.sort_by(|a, b| of_all(&b.1).total_cmp(&of_all(&a.1)));
    let mut text = line(["method"].into_iter().chain(known.iter().map(|held| held.name.as_str())).chain(["mean"]));
    text.push_str(&rule(known.len() + 1));
    for (method, row) in rows {
        let cells = row.iter().map(|cell| cell.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}")));
        let defined = row.iter().any(Option::is_some);
        let mean = if defined { format!("**{:.2}**", of_all(&row)) } else { "–".to_owned() };
        text.push_str(&line(
            [named(known.first().map(|held| &held.league), method)].into_iter().chain(cells).chain([mean]),
        ));
    }
    text
}

/// The results of one contest: mean and place for each metric, the best mean rank first; then what failed.
fn results(league: &League) -> String {
    let head = league.metrics.iter().map(|metric| {
        let way = if metric.higher_is_better { "↑" } else { "↓" };
        let counts = if metric.weight == 0.0 { "" } else { "**" };
        format!("{counts}{}{counts} {way}", metric.name)
    });
    let head = ["method".to_owned(), "mean rank".to_owned()].into_iter().chain(head);
    let mut text = line(head.chain(["evaluations".to_owned(), "seconds".to_owned()]));
    text.push_str(&rule(league.metrics.len() + 3));
    let mut failed = Vec::new();
    for m in league.standing() {
        let method = &league.methods[m];
        if let Some(reason) = &method.failure {
            failed.push(format!("- `{}`: {reason}", method.name));
            continue;
        }
        let rank = method.mean_rank.map_or_else(|| "–".to_owned(), |rank| format!("{rank:.1}"));
        let cells = (0..league.metrics.len()).map(|k| league.finding(m, k).map_or_else(String::new, cell));
        let cost = [method.evaluations.to_string(), format!("{:.2}", method.seconds)];
        text.push_str(&line([named(Some(league), &method.name), rank].into_iter().chain(cells).chain(cost)));
    }
    if !failed.is_empty() {
        text.push_str(&format!("\nNot here, and why:\n\n{}\n", failed.join("\n")));
    }
    text
}

fn cell(finding: &Finding) -> String {
    match (finding.mean, finding.place) {
        (None, _) => "–".to_owned(),
        (Some(mean), Some(1)) => format!("**{}**", short(mean)),
        (Some(mean), Some(place)) => format!("{} #{place}", short(mean)),
        (Some(mean), None) => short(mean),
    }
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && size < 1e-3 => format!("{value:.0e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.3}"),
    }
}

fn named(league: Option<&League>, method: &str) -> String {
    let known = league.and_then(|league| league.methods.iter().find(|found| found.name == method));
    if known.is_some_and(|found| found.is_baseline) { format!("*{method}*") } else { format!("`{method}`") }
}

/// What the tables were made with.
fn made(all: &[Held]) -> String {
    let Some(first) = all.first() else { return String::new() };
    let (mut spent, mut seconds) = (0, 0.0);
    for held in all {
        spent += held.league.provenance.evaluations;
        seconds += held.league.methods.iter().map(|m| m.seconds).sum::<f64>();
        seconds += held.league.results.iter().map(|r| r.seconds).sum::<f64>();
    }
    let accuracy = all.iter().find_map(|held| held.league.provenance.parameters.get("accuracy"));
    let accuracy = accuracy
        .map_or_else(String::new, |a| format!("; the digits' network is right for a share of {a} of 1,000 digits"));
    format!(
        "xai {}, seed {}, {spent} evaluations, {seconds:.0} seconds of steps{accuracy}.\n",
        first.league.provenance.version, first.league.provenance.seed
    )
}

/// A column of the summary: contest, metric, heading. No contest: the mean over the tables.
const COLUMNS: [(&str, &str, &str); 6] = [
    ("", "rank-correlation", "known truth, nine tables: rank correlation"),
    ("words", "sign-agreement", "planted words: found, with the right sign"),
    ("pictures", "relevance-rank-accuracy", "planted pictures: share of the evidence found"),
    ("trees", "faithfulness-correlation", "trees: faithfulness correlation"),
    ("network", "faithfulness-correlation", "network: the same"),
    ("digits", "faithfulness-correlation", "digits: the same"),
];

/// A few methods in a few numbers, for the README.
pub fn summary(all: &[Held]) -> String {
    const METHODS: [&str; 17] = [
        "exact-shap",
        "kernel-shap",
        "auto-shap",
        "tree-shap",
        "interventional-tree-shap",
        "lime",
        "integrated-gradients",
        "expected-gradients",
        "deep-lift",
        "input-times-gradient",
        "saliency",
        "grad-cam",
        "occlusion",
        "segment-shap",
        "edge-detector",
        "random",
        "input-size",
    ];
    let number = |method: &str, contest: &str, metric: &str| -> Option<f64> {
        if !contest.is_empty() {
            return mean(&all.iter().find(|held| held.name == contest)?.league, method, metric);
        }
        let known: Vec<f64> =
            all.iter().filter(|held| is_table(held)).filter_map(|held| mean(&held.league, method, metric)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let best = |contest: &str, metric: &str| {
        METHODS.iter().filter_map(|method| number(method, contest, metric)).fold(f64::MIN, f64::max)
    };
    let mut text = line(["method"].into_iter().chain(COLUMNS.iter().map(|column| column.2)));
    text.push_str(&rule(COLUMNS.len()));
    for method in METHODS {
        let cells = COLUMNS.iter().map(|(contest, metric, _)| match number(method, contest, metric) {
            // What rounds to the same number is as good.
            Some(value) if best(contest, metric) - value < 0.005 => format!("**{value:.2}**"),
            Some(value) => format!("{value:.2}"),
            None => "–".to_owned(),
        });
        text.push_str(&line([format!("`{method}`")].into_iter().chain(cells)));
    }
    text
}

fn line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn rule(numbers: usize) -> String {
    format!("|---|{}\n", "--:|".repeat(numbers))
}

/// Puts each table between the markers `<!-- league: NAME -->` and `<!-- end of NAME -->` of a page.
pub fn fill(path: &Path, tables: &[(String, String)]) -> Outcome<()> {
    let mut page = std::fs::read_to_string(path)?;
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- league: {name} -->\n"), format!("<!-- end of {name} -->"));
        let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = parts.ok_or_else(|| format!("{}: no place for {name}", path.display()))?;
        page = format!("{before}{begin}\n{table}\n{end}{after}");
    }
    Ok(std::fs::write(path, page)?)
}
